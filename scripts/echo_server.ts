#!/usr/bin/env -S deno run --allow-net
/**
 * TCP echo server: reads once from each client and sends back what it read.
 *
 * Mirrors `1_13a_echo_server.py` (CMPU4021 Distributed Systems, week 2). The
 * original is also public, in chapter 1 of Packt's Python Network Programming
 * Cookbook. Run it together with `echo_client.ts`.
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
 * Differences from the original:
 * - Clients are served at the same time. The original serves them in turn.
 * - The backlog is the number of clients that may wait to be accepted. The
 *   original has a backlog of 5, which refuses clients under load. Here the
 *   default is 511, and `--backlog=5` gives the original's.
 * - `--port` has a default.
 * - The original prints its first line before it binds the port, and with two
 *   spaces in it.
 *
 * @module
 */
import { log, print, resilient, resolveHost, run, serveClient, writeAll } from "./lib.ts";

export const FLAGS = {
  host: "localhost", // the address to listen on; 0.0.0.0 is all addresses
  port: 9900, // the port to listen on; 0 lets the system choose one
  backlog: 511, // how many clients may wait to be accepted
  bufferSize: 2048, // the most bytes that are read from a client
  quiet: false, // print nothing for each client
};

async function echoServer({ host, port, backlog, bufferSize }: typeof FLAGS) {
  const hostname = await resolveHost(host);
  using listener = resilient(Deno.listen({ hostname, port, tcpBacklog: backlog }));
  print(`Starting up echo server on ${host} port ${listener.addr.port}`);
  log("Waiting to receive message from client");
  while (true) {
    const client = await listener.accept();
    // No `await` here: the next client does not have to wait until this one has been served.
    serveClient(client, async () => {
      const buffer = new Uint8Array(bufferSize);
      const length = await client.read(buffer);
      if (length === null) return; // the client sent nothing
      const data = buffer.subarray(0, length);
      log("Data:", data);
      await writeAll(client, data);
      log("sent", data, "bytes back to", client.remoteAddr);
    }).then(() => log("Waiting to receive message from client"));
  }
}

if (import.meta.main) await run(FLAGS, echoServer);
