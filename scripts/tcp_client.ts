#!/usr/bin/env -S deno run --allow-net
/**
 * TCP client that sends one message and closes.
 *
 * Mirrors the sheet's client (How to create a simple Python TCP/IP server and
 * client). Its other half is `tcp_server.ts`.
 *
 * On purpose other than the original: only that it says in words what went
 * wrong.
 *
 * ```console
 * $ deno run -A scripts/tcp_client.ts
 * Closing socket
 * ```
 *
 * @module
 */
import { print, resolve, run, writeAll } from "./lib.ts";

const FLAGS = {
  host: "localhost",
  port: 81,
  message: "Hi. I am a TCP client sending data to the server",
};

async function tcpClient({ host, port, message }: typeof FLAGS) {
  using server = await Deno.connect({ hostname: await resolve(host), port });
  try {
    await writeAll(server, new TextEncoder().encode(message));
  } finally {
    print("Closing socket");
  }
}

if (import.meta.main) await run(FLAGS, tcpClient);
