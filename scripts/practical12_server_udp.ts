#!/usr/bin/env -S deno run --allow-net
/**
 * UDP echo server: sends each datagram back to where it came from.
 *
 * Mirrors `echo-server.py` (CS19541 Computer Networks, Practical 12, UDP).
 * Its other half is `practical12_client_udp.ts`.
 *
 * On purpose other than the original: what goes wrong with one datagram is
 * told, and the next one is served.
 *
 * ```console
 * $ deno run -A scripts/practical12_server_udp.ts
 * Received b'Hello, world' from ('127.0.0.1', 55320)
 * ```
 *
 * @module
 */
import { log, LONGEST_DATAGRAM, repr, resolve, run, serveDatagrams } from "./lib.ts";

const BUFFER_SIZE = 1024; // bytes taken from a datagram at most

async function echoServer(host: string, port: number, bufferSize: number) {
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: await resolve(host),
    port,
  });
  const buffer = new Uint8Array(LONGEST_DATAGRAM);
  await serveDatagrams(socket, async () => {
    const [datagram, peer] = await socket.receive(buffer);
    const data = datagram.subarray(0, bufferSize);
    log("Received", () => repr(data), "from", peer);
    await socket.send(data, peer);
  });
}

if (import.meta.main) {
  await run(
    { host: "127.0.0.1", port: 12345, bufferSize: BUFFER_SIZE, quiet: false },
    ({ host, port, bufferSize }) => echoServer(host, port, bufferSize),
  );
}
