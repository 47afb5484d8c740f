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

const BUF_SIZE = 1024; // bytes read from the server at most

async function echoClient(
  host: string,
  port: number,
  message: string,
  bufSize: number,
) {
  using server = await Deno.connect({ hostname: await resolve(host), port });
  const data = new TextEncoder().encode(message);
  await writeAll(server, data);

  const received = new Uint8Array(data.length);
  let length = 0;
  while (length < data.length) {
    const read = await server.read(received.subarray(length, length + bufSize));
    if (read === null) break;
    length += read;
  }
  print(received.subarray(0, length));
  if (length < data.length) {
    throw new Failure(`the server sent ${length} of ${data.length} bytes back`);
  }
}

if (import.meta.main) {
  await run(
    {
      host: "127.0.0.1",
      port: 1235,
      message: "Hello!",
      bufferSize: BUF_SIZE,
    },
    ({ host, port, message, bufferSize }) => echoClient(host, port, message, bufferSize),
  );
}
