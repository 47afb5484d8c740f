#!/usr/bin/env -S deno run --allow-net
/**
 * TCP echo client: sends what is typed and prints what comes back, in Python's
 * notation for bytes. An empty line sends `Hello, world`.
 *
 * Mirrors `echo-client.py` (CS19541 Computer Networks, Practical 12, TCP).
 * Its other half is `practical12_server_tcp.ts`.
 *
 * On purpose other than the original: it reads until all of the message has
 * come back, while it sends, so that a message may have any length.
 *
 * ```console
 * $ deno run -A scripts/practical12_client_tcp.ts # and type Hello, world⏎
 * Enter a message: Hello, world
 * Received b'Hello, world'
 * ```
 *
 * @module
 */
import { Failure, input, print, repr, resolve, run, writeAll } from "./lib.ts";

const BUFFER_SIZE = 1024; // bytes read from the server at a time

async function echoClient(
  host: string,
  port: number,
  message: string | undefined,
  bufferSize: number,
) {
  using server = await Deno.connect({ hostname: await resolve(host), port });
  message ??= await input("Enter a message: ") || "Hello, world";
  const data = new TextEncoder().encode(message);

  async function receive(): Promise<Uint8Array> {
    const received = new Uint8Array(data.length);
    let length = 0;
    while (length < data.length) {
      const room = received.subarray(length, length + bufferSize);
      const read = await server.read(room);
      if (read === null) {
        throw new Failure(
          `the server closed after ${length} of ${data.length} bytes`,
        );
      }
      length += read;
    }
    return received;
  }

  // Sending and receiving go on at the same time: the server stops reading
  // while nobody reads its echo, so that a client which first sends all of a
  // long message would wait for the server, and the server for the client.
  const [received] = await Promise.all([receive(), writeAll(server, data)]);
  print("Received", repr(received));
}

if (import.meta.main) {
  await run(
    {
      host: "127.0.0.1",
      port: 12345,
      message: String,
      bufferSize: BUFFER_SIZE,
    },
    ({ host, port, message, bufferSize }) => echoClient(host, port, message, bufferSize),
  );
}
