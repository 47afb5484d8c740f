#!/usr/bin/env -S deno run --allow-net
/**
 * UDP client for the upper-case server: sends a line and prints the reply.
 *
 * Mirrors `UDPClient.py` (The echo-server: a guide in socket programming in
 * Python). The original is also public, in "Computer Networking" by Kurose and
 * Ross. Run it together with `upper_server_udp.ts`.
 *
 * The user types hello⏎
 *
 * ```console
 * $ deno run -A scripts/upper_client_udp.ts
 * Input lowercase sentence:hello
 * HELLO
 * ```
 *
 * Differences from the original:
 * - If no reply arrives, the client sends again, and ends with an error after 3
 *   tries. The original waits without end.
 * - Datagrams from other senders are ignored.
 * - The client says when the server will take only a part of the sentence.
 *
 * @module
 */
import { anyAddress, input, note, print, resolveHost, run, UserError, withRetries } from "./lib.ts";

export const FLAGS = {
  host: "127.0.0.1", // the server's host
  port: 8080, // the server's port
  bufferSize: 2048, // the most bytes that the server takes, and this client
  timeout: 2, // seconds to wait for a reply
  tries: 3, // how often a datagram is sent until a reply arrives
};
async function upperClient({ host, port, bufferSize, timeout, tries }: typeof FLAGS) {
  const hostname = await resolveHost(host);
  const server = { transport: "udp", hostname, port } as const;
  const clientSocket = withRetries(
    Deno.listenDatagram({ transport: "udp", hostname: anyAddress(hostname), port: 0 }),
    { timeout, tries },
  );
  const sentence = await input("Input lowercase sentence:");
  if (sentence === null) throw new UserError("no sentence was typed");
  const message = new TextEncoder().encode(sentence);
  if (message.length > bufferSize) {
    note(`the server takes only ${bufferSize} of these ${message.length} bytes`);
  }
  await clientSocket.send(message, server);
  const [modifiedMessage] = await clientSocket.receive(new Uint8Array(bufferSize));
  print(modifiedMessage);
  clientSocket.close();
}

if (import.meta.main) await run(FLAGS, upperClient);
