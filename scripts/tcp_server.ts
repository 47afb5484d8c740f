#!/usr/bin/env -S deno run --allow-net
/**
 * TCP server that prints what its clients send, and sends nothing.
 *
 * Mirrors the sheet's server (How to create a simple Python TCP/IP server and
 * client). Its other half is `tcp_client.ts`.
 *
 * On purpose other than the original: clients are served at the same time,
 * where the original serves one after another; a character that a read cuts in
 * two comes out whole.
 *
 * Port 81, the sheet's, needs the administrator's right on most systems:
 * `--port=8081` needs none.
 *
 * ```console
 * $ deno run -A scripts/tcp_server.ts --buffer-size=16
 * Waiting for connection
 * Connected to client IP: ('127.0.0.1', 65483)
 * Received data: Hi. I am a TCP c
 * Received data: lient sending da
 * Received data: ta to the server
 * Received data:␣
 * Waiting for connection
 * ```
 *
 * @module
 */
import { attend, each, log, resolve, run } from "./lib.ts";

// bufferSize: bytes read from a client at a time
const FLAGS = { host: "localhost", port: 81, bufferSize: 32, quiet: false };

async function tcpServer({ host, port, bufferSize }: typeof FLAGS) {
  using listener = Deno.listen({ hostname: await resolve(host), port });
  log("Waiting for connection");
  for await (const client of each(listener, () => listener.accept())) {
    // With `await` before it, one client is served after the other, as in the original.
    attend(client, async () => {
      log("Connected to client IP:", client.remoteAddr);
      const decoder = new TextDecoder("utf-8", { ignoreBOM: true }); // a piece may end inside a character
      const buffer = new Uint8Array(bufferSize);
      for (let length; (length = await client.read(buffer)) !== null;) {
        // Who prints more slowly than clients send lets them wait.
        await log("Received data:", decoder.decode(buffer.subarray(0, length), { stream: true }));
      }
      log("Received data:", decoder.decode());
    }).finally(() => log("Waiting for connection"));
  }
}

if (import.meta.main) await run(FLAGS, tcpServer);
