#!/usr/bin/env -S deno run --allow-net
/**
 * UDP echo server: sends each datagram back to where it came from.
 *
 * Mirrors `1_14a_echo_server_udp.py` (CMPU4021 Distributed Systems, week 2).
 * Its other half is `echo_client_udp.ts`.
 *
 * On purpose other than the original: what goes wrong with one datagram is
 * told, and the next one is served; a datagram that bears the server's own
 * address is not answered.
 *
 * Mind that it answers everybody: a datagram with a forged source makes two
 * such servers answer each other for ever (CVE-2024-2169). That is why it
 * listens on this machine alone, and why `--host=0.0.0.0` is for exercises.
 *
 * ```console
 * $ deno run -A scripts/echo_server_udp.ts --port=9900
 * Starting up echo server on localhost port 9900
 * Waiting to receive message from client
 * received 33 bytes from ('127.0.0.1', 43542)
 * Data: Test message. This will be echoed
 * sent 33 bytes back to ('127.0.0.1', 43542)
 * Waiting to receive message from client
 * ```
 *
 * @module
 */
import { each, log, print, resolve, run, unsent } from "./lib.ts";

// bufferSize: bytes taken from a datagram at most
const FLAGS = { host: "localhost", port: 9900, bufferSize: 2048, quiet: false };

async function echoServer({ host, port, bufferSize }: typeof FLAGS) {
  const hostname = await resolve(host);
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port });
  print(`Starting up echo server on ${host} port ${(socket.addr as Deno.NetAddr).port}`);
  log("Waiting to receive message from client");
  const buffer = new Uint8Array(bufferSize);
  for await (const [data, peer] of each(socket, () => socket.receive(buffer))) {
    log("received", data.length, "bytes from", peer);
    log("Data:", data);
    if (data.length > 0) {
      const sent = await socket.send(data, peer).catch(unsent);
      log("sent", sent, "bytes back to", peer);
    }
    log("Waiting to receive message from client");
  }
}

if (import.meta.main) await run(FLAGS, echoServer);
