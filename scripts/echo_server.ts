#!/usr/bin/env -S deno run --allow-net
/**
 * TCP echo server: reads once from each client and sends back what it read.
 *
 * Mirrors `1_13a_echo_server.py` (CMPU4021 Distributed Systems, week 2).
 * Its other half is `echo_client.ts`.
 *
 * On purpose other than the original: clients are served at the same time,
 * where the original serves one after another; the backlog can't be chosen.
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
import { log, print, resolve, run, serve, writeAll } from "./lib.ts";

const DATA_PAYLOAD = 2048; // bytes read from a client at most

async function echoServer(host: string, port: number, dataPayload: number) {
  // The original lets 5 clients wait (its backlog). Deno sets the backlog
  // itself, and here no client waits for another.
  using listener = Deno.listen({ hostname: await resolve(host), port });
  print(`Starting up echo server on ${host} port ${listener.addr.port}`);
  log("Waiting to receive message from client");
  await serve(listener, async (client) => {
    try {
      const buffer = new Uint8Array(dataPayload);
      const length = await client.read(buffer);
      if (length !== null) {
        const data = buffer.subarray(0, length);
        log("Data:", data);
        await writeAll(client, data);
        log("sent", data, "bytes back to", client.remoteAddr);
      }
    } finally {
      log("Waiting to receive message from client");
    }
  });
}

if (import.meta.main) {
  await run(
    { host: "localhost", port: 9900, bufferSize: DATA_PAYLOAD, quiet: false },
    ({ host, port, bufferSize }) => echoServer(host, port, bufferSize),
  );
}
