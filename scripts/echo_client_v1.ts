#!/usr/bin/env -S deno run --allow-net
/**
 * TCP echo client, version 1: sends one message and prints what comes back.
 *
 * Mirrors `echoclient.py` (Moratuwa CODL, Programming in Python, 4.1).
 * Its other half is `echo_server_v1.ts`.
 *
 * On purpose other than the original: it reads until all of the message has
 * come back, and says so when it has not.
 *
 * ```console
 * $ deno run -A scripts/echo_client_v1.ts
 * Hello!
 * ```
 *
 * @module
 */
import { Failure, print, resolve, run, writeAll } from "./lib.ts";

// bufferSize: bytes read from the server at most
const FLAGS = { host: "127.0.0.1", port: 1235, message: "Hello!", bufferSize: 1024 };

async function echoClient({ host, port, message, bufferSize }: typeof FLAGS) {
  using server = await Deno.connect({ hostname: await resolve(host), port });
  const data = new TextEncoder().encode(message);
  await writeAll(server, data);
  const received = new Uint8Array(data.length);
  let length = 0;
  try {
    while (length < data.length) {
      const read = await server.read(received.subarray(length, length + bufferSize));
      if (read === null) {
        throw new Failure(`the server sent ${length} of ${data.length} bytes back`);
      }
      length += read;
    }
  } finally {
    if (length > 0 || message === "") print(received.subarray(0, length));
  }
}

if (import.meta.main) await run(FLAGS, echoClient);
