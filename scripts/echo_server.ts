#!/usr/bin/env -S deno run --allow-net
/**
 * TCP echo server: reads once from each client and sends back what it read.
 *
 * Mirrors `1_13a_echo_server.py` (CMPU4021 Distributed Systems, week 2).
 * Its other half is `echo_client.ts`.
 *
 * On purpose other than the original: clients are served at the same time,
 * where the original serves one after another; the backlog can't be chosen;
 * `--port` has a default. The original prints its first line before it binds,
 * and with two spaces in it.
 *
 * ```console
 * $ deno run -A scripts/echo_server.ts --port=9900
 * Starting up echo server on localhost port 9900
 * Waiting to receive message from client
 * Data: Test message. This will be echoed
 * sent Test message. This will be echoed bytes back to ('127.0.0.1', 42961)
 * Waiting to receive message from client
 * ```
 *
 * @module
 */
import { attend, each, log, print, resolve, run, writeAll } from "./lib.ts";

// bufferSize: bytes read from a client at most
const FLAGS = { host: "localhost", port: 9900, bufferSize: 2048, quiet: false };

async function echoServer({ host, port, bufferSize }: typeof FLAGS) {
  // The original lets 5 clients wait (its backlog); Deno sets the backlog itself.
  using listener = Deno.listen({ hostname: await resolve(host), port });
  print(`Starting up echo server on ${host} port ${listener.addr.port}`);
  log("Waiting to receive message from client");
  for await (const client of each(listener, () => listener.accept())) {
    // With `await` before it, one client is served after the other, as in the original.
    attend(client, async () => {
      const buffer = new Uint8Array(bufferSize);
      const length = await client.read(buffer);
      if (length !== null) {
        const data = buffer.subarray(0, length);
        log("Data:", data);
        await writeAll(client, data);
        log("sent", data, "bytes back to", client.remoteAddr);
      }
    }).finally(() => log("Waiting to receive message from client"));
  }
}

if (import.meta.main) await run(FLAGS, echoServer);
