#!/usr/bin/env -S deno run --allow-net
/**
 * TCP echo client: sends one message and reads until all of it has come back.
 *
 * Mirrors `1_13b_echo_client.py` (CMPU4021 Distributed Systems, week 2).
 * Its other half is `echo_server.ts`.
 *
 * On purpose other than the original: a character that a read cuts in two
 * comes out whole; when the server closes too early it ends with an error,
 * where the original reads for ever. What goes wrong is told on stderr and
 * makes the exit status 1; the original prints `Socket error: ...` on stdout
 * and ends with 0.
 *
 * ```console
 * $ deno run -A scripts/echo_client.ts --port=9900
 * Connecting to localhost port 9900
 * Sending Test message. This will be echoed
 * Received: Test message. Th
 * Received: is will be echoe
 * Received: d
 * Closing connection to the server
 * ```
 *
 * @module
 */
import { Failure, print, resolve, run, writeAll } from "./lib.ts";

const FLAGS = {
  host: "localhost",
  port: 9900,
  message: "Test message. This will be echoed",
  bufferSize: 16, // bytes read from the server at most
};

async function echoClient({ host, port, message, bufferSize }: typeof FLAGS) {
  print(`Connecting to ${host} port ${port}`);
  using server = await Deno.connect({ hostname: await resolve(host), port });
  try {
    print("Sending", message);
    const data = new TextEncoder().encode(message);
    await writeAll(server, data);
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    const buffer = new Uint8Array(bufferSize);
    for (let received = 0; received < data.length;) {
      const length = await server.read(buffer);
      if (length === null) {
        throw new Failure(`the server closed after ${received} of ${data.length} bytes`);
      }
      received += length;
      const stream = received < data.length; // a piece may end inside a character
      print("Received:", decoder.decode(buffer.subarray(0, length), { stream }));
    }
  } finally {
    print("Closing connection to the server");
  }
}

if (import.meta.main) await run(FLAGS, echoClient);
