#!/usr/bin/env -S deno run --allow-net
/**
 * TCP echo server, version 1: reads once from each client and sends back what
 * it read.
 *
 * Mirrors `echoserver.py` (Moratuwa CODL, Programming in Python, 4.1).
 * Its other half is `echo_client_v1.ts`.
 *
 * On purpose other than the original: clients are served at the same time,
 * where the original serves one after another.
 *
 * ```console
 * $ deno run -A scripts/echo_server_v1.ts
 * Listening..
 * Connection Address is:  ('127.0.0.1', 50312)
 * Hello!
 * ```
 *
 * @module
 */
import { log, print, resolve, run, serve, writeAll } from "./lib.ts";

const BUF_SIZE = 1024; // bytes read from a client at most

async function echoServer(host: string, port: number, bufSize: number) {
  using listener = Deno.listen({ hostname: await resolve(host), port });
  print("Listening..");
  await serve(listener, async (client) => {
    log("Connection Address is: ", client.remoteAddr);
    const buffer = new Uint8Array(bufSize);
    const length = await client.read(buffer);
    if (length !== null) {
      const data = buffer.subarray(0, length);
      log(data);
      await writeAll(client, data);
    }
  });
}

if (import.meta.main) {
  await run(
    { host: "127.0.0.1", port: 1235, bufferSize: BUF_SIZE, quiet: false },
    ({ host, port, bufferSize }) => echoServer(host, port, bufferSize),
  );
}
