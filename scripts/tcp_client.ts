#!/usr/bin/env -S deno run --allow-net
/**
 * TCP client that sends one message and closes the connection.
 *
 * Mirrors the sheet's client (How to create a simple Python TCP/IP server and
 * client). Run it together with `tcp_server.ts`.
 *
 * ```console
 * $ deno run -A scripts/tcp_client.ts
 * Closing socket
 * ```
 *
 * Differences from the original:
 * - Errors are explained on stderr, and the exit status is 1.
 *
 * @module
 */
import { print, resolveHost, run, withTimeout, writeAll } from "./lib.ts";

export const FLAGS = {
  host: "localhost", // the server's host
  port: 81, // the server's port
  message: "Hi. I am a TCP client sending data to the server", // what to send
  timeout: 10, // seconds to wait while the server takes no data
};
async function tcpClient({ host, port, message, timeout }: typeof FLAGS) {
  const hostname = await resolveHost(host);
  using server = withTimeout(await Deno.connect({ hostname, port }), timeout);
  try {
    await writeAll(server, new TextEncoder().encode(message));
  } finally {
    print("Closing socket");
  }
}

if (import.meta.main) await run(FLAGS, tcpClient);
