#!/usr/bin/env -S deno run --allow-net
/**
 * TCP echo server that echoes until the client disconnects.
 *
 * Mirrors `echo-server.py` (CS19541 Computer Networks, Practical 12, TCP).
 * Its other half is `practical12_client_tcp.ts`.
 *
 * On purpose other than the original: clients are served at the same time,
 * where the original serves one after another.
 *
 * ```console
 * $ deno run -A scripts/practical12_server_tcp.ts
 * Connected by ('127.0.0.1', 55320)
 * Received b'Hello, world'
 * ```
 *
 * @module
 */
import { log, repr, resolve, run, serve, writeAll } from "./lib.ts";

const BUFFER_SIZE = 1024; // bytes read from a client at a time

async function echoServer(host: string, port: number, bufferSize: number) {
  using listener = Deno.listen({ hostname: await resolve(host), port });
  await serve(listener, async (client) => {
    log("Connected by", client.remoteAddr);
    client.setNoDelay(); // a second write would wait for the ACK of the first
    const buffer = new Uint8Array(bufferSize);
    let length: number | null;
    while ((length = await client.read(buffer)) !== null) {
      const data = buffer.subarray(0, length);
      log("Received", () => repr(data));
      await writeAll(client, data);
    }
  });
}

if (import.meta.main) {
  await run(
    { host: "127.0.0.1", port: 12345, bufferSize: BUFFER_SIZE, quiet: false },
    ({ host, port, bufferSize }) => echoServer(host, port, bufferSize),
  );
}
