#!/usr/bin/env -S deno run --allow-net
/**
 * TCP echo client: sends what is typed and prints what comes back, in Python's
 * notation for bytes. An empty line sends `Hello, world`.
 *
 * Mirrors `echo-client.py` (CS19541 Computer Networks, Practical 12, TCP). The
 * original is also public, in Real Python's tutorial "Socket Programming in
 * Python". Run it together with `practical12_server_tcp.ts`.
 *
 * The user types Hello, world⏎
 *
 * ```console
 * $ deno run -A scripts/practical12_client_tcp.ts
 * Enter a message: Hello, world
 * Received b'Hello, world'
 * ```
 *
 * Differences from the original:
 * - The client reads until the whole message has come back. If the server closes
 *   earlier or stays silent, it prints what came and ends with an error. The
 *   course's own file reads once.
 * - It reads only after it has sent everything, as the original does. A message of
 *   several megabytes can fill the buffers of both sides: then it ends with an
 *   error after 10 s.
 * - `--message` skips the question.
 * - The end of the input counts as an empty line.
 *
 * @module
 */
import { input, print, repr, resolveHost, run, UserError, withTimeout, writeAll } from "./lib.ts";

export const FLAGS = {
  host: "127.0.0.1", // the server's host
  port: 12345, // the server's port
  message: "", // what to send; without it, the client asks
  bufferSize: 1024, // the most bytes per read
  timeout: 10, // seconds to wait while the server is silent
};
async function echoClient({ host, port, message, bufferSize, timeout }: typeof FLAGS) {
  const hostname = await resolveHost(host);
  using server = withTimeout(await Deno.connect({ hostname, port }), timeout);
  const text = message || await input("Enter a message: ") || "Hello, world";
  const data = new TextEncoder().encode(text);
  await writeAll(server, data);
  const received = new Uint8Array(data.length);
  let total = 0;
  try {
    while (total < data.length) {
      const length = await server.read(received.subarray(total, total + bufferSize));
      if (length === null) {
        throw new UserError(`the server closed after ${total} of ${data.length} bytes`);
      }
      total += length;
    }
  } finally {
    if (total > 0) print("Received", repr(received.subarray(0, total)));
  }
}

if (import.meta.main) await run(FLAGS, echoClient);
