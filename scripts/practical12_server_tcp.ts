#!/usr/bin/env -S deno run --allow-net
/**
 * TCP echo server: echoes until the client disconnects.
 *
 * Mirrors `echo-server.py` (CS19541 Computer Networks, Practical 12, TCP). The
 * original is also public, in Real Python's tutorial "Socket Programming in
 * Python". Run it together with `practical12_client_tcp.ts`.
 *
 * ```console
 * $ deno run -A scripts/practical12_server_tcp.ts
 * Connected by ('127.0.0.1', 55320)
 * Received b'Hello, world'
 * ```
 *
 * Differences from the original:
 * - Clients are served at the same time. The original serves them in turn.
 * - The server goes on until Ctrl-C, as the algorithm on the sheet says. The
 *   course's own file serves one client and ends.
 *
 * @module
 */
import { log, print, repr, resilient, resolveHost, run, serveClient, writeAll } from "./lib.ts";

export const FLAGS = {
  host: "127.0.0.1", // the address to listen on; 0.0.0.0 is all addresses
  port: 12345, // the port to listen on; 0 lets the system choose one
  bufferSize: 1024, // the most bytes per read
  quiet: false, // print nothing for each client
};
async function echoServer({ host, port, bufferSize, quiet }: typeof FLAGS) {
  using listener = resilient(Deno.listen({ hostname: await resolveHost(host), port }));
  while (true) {
    const client = await listener.accept();
    // No `await` here: the next client does not have to wait until this one has been served.
    serveClient(client, async () => {
      log("Connected by", client.remoteAddr);
      client.setNoDelay(); // otherwise a second write waits for the ACK of the first
      const buffer = new Uint8Array(bufferSize);
      while (true) {
        const length = await client.read(buffer);
        if (length === null) break;
        const data = buffer.subarray(0, length);
        if (!quiet) print("Received", repr(data));
        await writeAll(client, data);
      }
    });
  }
}

if (import.meta.main) await run(FLAGS, echoServer);
