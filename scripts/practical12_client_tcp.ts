#!/usr/bin/env -S deno run --allow-net
/**
 * TCP echo client: sends what is typed and prints what comes back, in Python's
 * notation for bytes. An empty line sends `Hello, world`.
 *
 * Mirrors `echo-client.py` (CS19541 Computer Networks, Practical 12, TCP).
 * Its other half is `practical12_server_tcp.ts`.
 *
 * On purpose other than the original: it reads until all of the message has
 * come back, while it sends, so that a message may have any length; the
 * course's own file receives once. The end of the input counts as an empty line.
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

const FLAGS = {
  host: "127.0.0.1",
  port: 12345,
  message: "", // asked for
  bufferSize: 1024, // bytes read from the server at a time
};

async function echoClient({ host, port, message, bufferSize }: typeof FLAGS) {
  using server = await Deno.connect({ hostname: await resolve(host), port });
  message ||= await input("Enter a message: ") || "Hello, world";
  const data = new TextEncoder().encode(message);
  const sent = writeAll(server, data); // while the echo is read: or each side waits for the other
  sent.catch(() => {}); // told below
  const received = new Uint8Array(data.length);
  let length = 0;
  try {
    while (length < data.length) {
      const read = await server.read(received.subarray(length, length + bufferSize));
      if (read === null) {
        await sent;
        throw new Failure(`the server closed after ${length} of ${data.length} bytes`);
      }
      length += read;
    }
    await sent;
  } finally {
    if (length > 0) print("Received", repr(received.subarray(0, length)));
  }
}

if (import.meta.main) await run(FLAGS, echoClient);
