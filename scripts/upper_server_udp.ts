#!/usr/bin/env -S deno run --allow-net
/**
 * UDP server that sends each datagram's text back in upper case.
 *
 * Mirrors `UDPServer.py` (The echo-server: a guide in socket programming in
 * Python). Its other half is `upper_client_udp.ts`.
 *
 * On purpose other than the original: text that is no UTF-8 is told, and the
 * next datagram is served; a character that the buffer's end cuts in two is
 * left out.
 *
 * ```console
 * $ deno run -A scripts/upper_server_udp.ts
 * The server is ready to receive
 * ```
 *
 * @module
 */
import { LONGEST_DATAGRAM, print, resolve, run, serveDatagrams } from "./lib.ts";

const BUFFER_SIZE = 2048; // bytes taken from a datagram at most

async function upperServer(host: string, port: number, bufferSize: number) {
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: await resolve(host),
    port,
  });
  print("The server is ready to receive");
  const buffer = new Uint8Array(LONGEST_DATAGRAM);
  await serveDatagrams(socket, async () => {
    const [datagram, peer] = await socket.receive(buffer);
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    // `stream` leaves out a last character that was cut with the datagram.
    const sentence = decoder.decode(datagram.subarray(0, bufferSize), {
      stream: datagram.length > bufferSize,
    });
    await socket.send(new TextEncoder().encode(sentence.toUpperCase()), peer);
  });
}

if (import.meta.main) {
  await run(
    { host: "127.0.0.1", port: 8080, bufferSize: BUFFER_SIZE, quiet: false },
    ({ host, port, bufferSize }) => upperServer(host, port, bufferSize),
  );
}
