#!/usr/bin/env -S deno run --allow-net
/**
 * UDP echo server: sends each datagram back to where it came from.
 *
 * Mirrors `1_14a_echo_server_udp.py` (CMPU4021 Distributed Systems, week 2).
 * Its other half is `echo_client_udp.ts`.
 *
 * On purpose other than the original: what goes wrong with one datagram is
 * told, and the next one is served.
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
import { log, LONGEST_DATAGRAM, print, resolve, run, serveDatagrams } from "./lib.ts";

const DATA_PAYLOAD = 2048; // bytes taken from a datagram at most

async function echoServer(host: string, port: number, dataPayload: number) {
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: await resolve(host),
    port,
  });
  const { port: ownPort } = socket.addr as Deno.NetAddr;
  print(`Starting up echo server on ${host} port ${ownPort}`);
  const buffer = new Uint8Array(LONGEST_DATAGRAM);
  await serveDatagrams(socket, async () => {
    log("Waiting to receive message from client");
    const [datagram, peer] = await socket.receive(buffer);
    const data = datagram.subarray(0, dataPayload);
    log("received", data.length, "bytes from", peer);
    log("Data:", data);
    if (data.length > 0) {
      const sent = await socket.send(data, peer);
      log("sent", sent, "bytes back to", peer);
    }
  });
}

if (import.meta.main) {
  await run(
    { host: "localhost", port: 9900, bufferSize: DATA_PAYLOAD, quiet: false },
    ({ host, port, bufferSize }) => echoServer(host, port, bufferSize),
  );
}
