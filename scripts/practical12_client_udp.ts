#!/usr/bin/env -S deno run --allow-net
/**
 * UDP echo client: sends what is typed and prints what comes back, in Python's
 * notation for bytes. An empty line sends `Hello, world`.
 *
 * Mirrors `echo-client.py` (CS19541 Computer Networks, Practical 12, UDP).
 * Its other half is `practical12_server_udp.ts`.
 *
 * On purpose other than the original: without a reply it asks again and then
 * gives up, where the original waits for ever; the end of the input counts as
 * an empty line.
 *
 * ```console
 * $ deno run -A scripts/practical12_client_udp.ts # and type Hello, world⏎
 * Enter a message: Hello, world
 * Received b'Hello, world'
 * ```
 *
 * @module
 */
import { asking, input, note, print, repr, resolve, run } from "./lib.ts";

const FLAGS = {
  host: "127.0.0.1",
  port: 12345,
  message: "", // asked for
  bufferSize: 1024, // bytes taken from the reply at most
  timeout: 2, // seconds to wait for the reply
  tries: 3,
};

async function echoClient({ host, port, message, bufferSize, ...waiting }: typeof FLAGS) {
  const server = { transport: "udp", hostname: await resolve(host), port } as const;
  const any = server.hostname.includes(":") ? "::" : "0.0.0.0"; // of our own addresses
  const socket = asking(Deno.listenDatagram({ ...server, hostname: any, port: 0 }), waiting);
  message ||= await input("Enter a message: ") || "Hello, world";
  const data = new TextEncoder().encode(message);
  await socket.send(data, server);
  const [received] = await socket.receive(new Uint8Array(bufferSize));
  print("Received", repr(received));
  const { length } = received;
  if (length < data.length) note(`only ${length} of ${data.length} bytes came back`);
  socket.close();
}

if (import.meta.main) await run(FLAGS, echoClient);
