#!/usr/bin/env -S deno run --allow-net
/**
 * TCP echo client, version 1: sends one message and prints what comes back.
 *
 * Mirrors `echoclient.py` (Moratuwa CODL, Programming in Python, 4.1). The
 * sheet names the program and describes it, but does not show it. Run it
 * together with `echo_server_v1.ts`.
 *
 * ```console
 * $ deno run -A scripts/echo_client_v1.ts
 * Hello!
 * ```
 *
 * Differences from the original:
 * - The client reads until the whole message has come back. If the server closes
 *   earlier or stays silent, it prints what came and ends with an error. The
 *   original reads once.
 *
 * @module
 */
import { print, resolveHost, run, UserError, withTimeout, writeAll } from "./lib.ts";

export const FLAGS = {
  host: "127.0.0.1", // the server's host
  port: 1235, // the server's port
  message: "Hello!", // what to send
  bufferSize: 1024, // the most bytes per read
  timeout: 10, // seconds to wait while the server is silent
};
async function echoClient({ host, port, message, bufferSize, timeout }: typeof FLAGS) {
  const hostname = await resolveHost(host);
  using server = withTimeout(await Deno.connect({ hostname, port }), timeout);
  const data = new TextEncoder().encode(message);
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
    if (total === data.length || total > 0) print(received.subarray(0, total));
  }
}

if (import.meta.main) await run(FLAGS, echoClient);
