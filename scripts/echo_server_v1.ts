#!/usr/bin/env -S deno run --allow-net
/**
 * TCP echo server, version 1: reads once from each client and sends back what it
 * read.
 *
 * Mirrors `echoserver.py` (Moratuwa CODL, Programming in Python, 4.1). The
 * sheet names the program and describes it, but does not show it. Run it
 * together with `echo_client_v1.ts`.
 *
 * ```console
 * $ deno run -A scripts/echo_server_v1.ts
 * Listening..
 * Connection Address is:  ('127.0.0.1', 50312)
 * Hello!
 * ```
 *
 * Differences from the original:
 * - Clients are served at the same time. The original serves them in turn.
 *
 * @module
 */
import { log, print, resilient, resolveHost, run, serveClient, writeAll } from "./lib.ts";

export const FLAGS = {
  host: "127.0.0.1", // the address to listen on; 0.0.0.0 is all addresses
  port: 1235, // the port to listen on; 0 lets the system choose one
  bufferSize: 1024, // the most bytes that are read from a client
  quiet: false, // print nothing for each client
};
async function echoServer({ host, port, bufferSize }: typeof FLAGS) {
  using listener = resilient(Deno.listen({ hostname: await resolveHost(host), port }));
  print("Listening..");
  while (true) {
    const client = await listener.accept();
    // No `await` here: the next client does not have to wait until this one has been served.
    serveClient(client, async () => {
      log("Connection Address is: ", client.remoteAddr);
      const buffer = new Uint8Array(bufferSize);
      const length = await client.read(buffer);
      if (length === null) return; // the client sent nothing
      const data = buffer.subarray(0, length);
      log(data);
      await writeAll(client, data);
    });
  }
}

if (import.meta.main) await run(FLAGS, echoServer);
