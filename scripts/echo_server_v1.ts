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
import { attend, each, log, print, resolve, run, writeAll } from "./lib.ts";

// bufferSize: bytes read from a client at most
const FLAGS = { host: "127.0.0.1", port: 1235, bufferSize: 1024, quiet: false };

async function echoServer({ host, port, bufferSize }: typeof FLAGS) {
  using listener = Deno.listen({ hostname: await resolve(host), port });
  print("Listening..");
  for await (const client of each(listener, () => listener.accept())) {
    // With `await` before it, one client is served after the other, as in the original.
    attend(client, async () => {
      log("Connection Address is: ", client.remoteAddr);
      const buffer = new Uint8Array(bufferSize);
      const length = await client.read(buffer);
      if (length === null) return; // it sent nothing
      const data = buffer.subarray(0, length);
      log(data);
      await writeAll(client, data);
    });
  }
}

if (import.meta.main) await run(FLAGS, echoServer);
