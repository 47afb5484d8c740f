#!/usr/bin/env -S deno run --allow-net
/**
 * UDP echo client: sends what is typed and prints what comes back, in Python's
 * notation for bytes. An empty line sends `Hello, world`.
 *
 * Mirrors `echo-client.py` (CS19541 Computer Networks, Practical 12, UDP).
 * Its other half is `practical12_server_udp.ts`.
 *
 * On purpose other than the original: without a reply it asks again and then
 * gives up, where the original waits for ever.
 *
 * ```console
 * $ deno run -A scripts/practical12_client_udp.ts # and type Hello, world⏎
 * Enter a message: Hello, world
 * Received b'Hello, world'
 * ```
 *
 * @module
 */
import { anyAddress, ask, input, note, print, receiveFrom, repr, resolve, run } from "./lib.ts";

const BUFFER_SIZE = 1024; // bytes taken from the reply at most

async function echoClient(
  host: string,
  port: number,
  message: string | undefined,
  bufferSize: number,
  waiting: { timeout: number; tries: number },
) {
  const hostname = await resolve(host);
  const server: Deno.NetAddr = { transport: "udp", hostname, port };
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: anyAddress(hostname),
    port: 0,
  });
  message ??= await input("Enter a message: ") || "Hello, world";
  const data = new TextEncoder().encode(message);
  const received = await ask(
    () => socket.send(data, server),
    receiveFrom(socket, server, bufferSize),
    waiting,
  );
  print("Received", repr(received));
  if (received.length < data.length) {
    note(`only ${received.length} of ${data.length} bytes came back`);
  }
  socket.close();
}

if (import.meta.main) {
  await run(
    {
      host: "127.0.0.1",
      port: 12345,
      message: String,
      bufferSize: BUFFER_SIZE,
      timeout: 2,
      tries: 3,
    },
    ({ host, port, message, bufferSize, ...waiting }) =>
      echoClient(host, port, message, bufferSize, waiting),
  );
}
