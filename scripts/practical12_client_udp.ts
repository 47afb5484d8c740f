#!/usr/bin/env -S deno run --allow-net
/**
 * UDP echo client: sends what is typed and prints what comes back, in Python's
 * notation for bytes. An empty line sends `Hello, world`.
 *
 * Mirrors `echo-client.py` (CS19541 Computer Networks, Practical 12, UDP). The
 * original is also public, in Real Python's tutorial "Socket Programming in
 * Python". Run it together with `practical12_server_udp.ts`.
 *
 * The user types Hello, world⏎
 *
 * ```console
 * $ deno run -A scripts/practical12_client_udp.ts
 * Enter a message: Hello, world
 * Received b'Hello, world'
 * ```
 *
 * Differences from the original:
 * - If no reply arrives, the client sends again, and ends with an error after 3
 *   tries. The original waits without end.
 * - Datagrams from other senders are ignored.
 * - `--message` skips the question.
 * - The end of the input counts as an empty line.
 *
 * @module
 */
import { anyAddress, input, note, print, repr, resolveHost, run, withRetries } from "./lib.ts";

export const FLAGS = {
  host: "127.0.0.1", // the server's host
  port: 12345, // the server's port
  message: "", // what to send; without it, the client asks
  bufferSize: 1024, // the most bytes of the reply; the rest is cut off
  timeout: 2, // seconds to wait for a reply
  tries: 3, // how often a datagram is sent until a reply arrives
};
async function echoClient({ host, port, message, bufferSize, timeout, tries }: typeof FLAGS) {
  const hostname = await resolveHost(host);
  const server = { transport: "udp", hostname, port } as const;
  const socket = withRetries(
    Deno.listenDatagram({ transport: "udp", hostname: anyAddress(hostname), port: 0 }),
    { timeout, tries },
  );
  const text = message || await input("Enter a message: ") || "Hello, world";
  const sent = new TextEncoder().encode(text);
  await socket.send(sent, server);
  const [received] = await socket.receive(new Uint8Array(bufferSize));
  print("Received", repr(received));
  if (received.length < sent.length) {
    note(`only ${received.length} of ${sent.length} bytes came back`);
  }
  socket.close();
}

if (import.meta.main) await run(FLAGS, echoClient);
