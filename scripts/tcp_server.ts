#!/usr/bin/env -S deno run --allow-net
/**
 * TCP server that prints what its clients send, and sends nothing.
 *
 * Mirrors the sheet's server (How to create a simple Python TCP/IP server and
 * client). Its other half is `tcp_client.ts`.
 *
 * On purpose other than the original: clients are served at the same time,
 * where the original serves one after another.
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
import { Decoder, log, resolve, run, serve } from "./lib.ts";

const BUFFER_SIZE = 32; // bytes read from a client at a time

async function tcpServer(host: string, port: number, bufferSize: number) {
  using listener = Deno.listen({ hostname: await resolve(host), port });
  log("Waiting for connection");
  await serve(listener, async (client) => {
    try {
      log("Connected to client IP:", client.remoteAddr);
      const decoder = new Decoder(); // a piece may end inside a character
      const buffer = new Uint8Array(bufferSize);
      let length: number | null;
      while ((length = await client.read(buffer)) !== null) {
        const data = buffer.subarray(0, length);
        log("Received data:", decoder.decode(data, { stream: true }));
      }
      log("Received data:", decoder.decode());
    } finally {
      log("Waiting for connection");
    }
  });
}

if (import.meta.main) {
  await run(
    { host: "localhost", port: 81, bufferSize: BUFFER_SIZE, quiet: false },
    ({ host, port, bufferSize }) => tcpServer(host, port, bufferSize),
  );
}
