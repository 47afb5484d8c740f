#!/usr/bin/env -S deno run --allow-net
/**
 * TCP server that prints what its clients send, piece by piece.
 *
 * Mirrors the sheet's server (How to create a simple Python TCP/IP server and
 * client). Run it together with `tcp_client.ts`.
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
 * The code on the sheet reads 32 bytes at a time, and its sample output shows
 * pieces of 16: `--buffer-size` gives both. Port 81, the sheet's, needs
 * administrator rights on most systems: `--port=8081` needs none.
 *
 * Differences from the original:
 * - Clients are served at the same time. The original serves them in turn.
 * - A character that a read splits is printed whole, with the next piece.
 *
 * @module
 */
import { log, resilient, resolveHost, run, serveClient } from "./lib.ts";

export const FLAGS = {
  host: "localhost", // the address to listen on; 0.0.0.0 is all addresses
  port: 81, // the port to listen on; below 1024 needs administrator rights
  bufferSize: 32, // the most bytes per read
  quiet: false, // print nothing for each client
};
async function tcpServer({ host, port, bufferSize }: typeof FLAGS) {
  using listener = resilient(Deno.listen({ hostname: await resolveHost(host), port }));
  log("Waiting for connection");
  while (true) {
    const client = await listener.accept();
    // No `await` here: the next client does not have to wait until this one has been served.
    serveClient(client, async () => {
      log("Connected to client IP:", client.remoteAddr);
      const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
      const buffer = new Uint8Array(bufferSize);
      while (true) {
        const length = await client.read(buffer);
        if (length === null) break;
        // A read can end in the middle of a character: `stream` keeps its bytes for the next read.
        log("Received data:", decoder.decode(buffer.subarray(0, length), { stream: true }));
      }
      log("Received data:", decoder.decode()); // the end is an empty piece
    }).then(() => log("Waiting for connection"));
  }
}

if (import.meta.main) await run(FLAGS, tcpServer);
