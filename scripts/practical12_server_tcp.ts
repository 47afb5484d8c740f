#!/usr/bin/env -S deno run --allow-net
/**
 * TCP echo server that echoes until the client disconnects.
 *
 * Mirrors `echo-server.py` (CS19541 Computer Networks, Practical 12, TCP).
 * Its other half is `practical12_client_tcp.ts`.
 *
 * On purpose other than the original: clients are served at the same time, and
 * it goes on until Ctrl-C, as the sheet's algorithm says; the course's own
 * file serves one client and ends.
 *
 * ```console
 * $ deno run -A scripts/practical12_server_tcp.ts
 * Connected by ('127.0.0.1', 55320)
 * Received b'Hello, world'
 * ```
 *
 * @module
 */
import { attend, each, log, repr, resolve, run, writeAll } from "./lib.ts";

// bufferSize: bytes read from a client at a time
const FLAGS = { host: "127.0.0.1", port: 12345, bufferSize: 1024, quiet: false };

async function echoServer({ host, port, bufferSize }: typeof FLAGS) {
  using listener = Deno.listen({ hostname: await resolve(host), port });
  for await (const client of each(listener, () => listener.accept())) {
    // With `await` before it, one client is served after the other, as in the original.
    attend(client, async () => {
      log("Connected by", client.remoteAddr);
      client.setNoDelay(); // a second write would wait for the ACK of the first
      const buffer = new Uint8Array(bufferSize);
      for (let length; (length = await client.read(buffer)) !== null;) {
        const data = buffer.subarray(0, length);
        log("Received", () => repr(data));
        await writeAll(client, data);
      }
    });
  }
}

if (import.meta.main) await run(FLAGS, echoServer);
