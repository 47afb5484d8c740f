#!/usr/bin/env -S deno run --allow-net
/**
 * UDP echo server: sends each datagram back to its sender.
 *
 * Mirrors `echo-server.py` (CS19541 Computer Networks, Practical 12, UDP). The
 * original is also public, in Real Python's tutorial "Socket Programming in
 * Python". Run it together with `practical12_client_udp.ts`.
 *
 * ```console
 * $ deno run -A scripts/practical12_server_udp.ts
 * Received b'Hello, world' from ('127.0.0.1', 55320)
 * ```
 *
 * Differences from the original:
 * - An error with one datagram is reported, and the server goes on.
 * - A datagram that claims to come from the server itself is ignored.
 *
 * Security: this server answers anyone. A datagram with a spoofed sender makes
 * two such servers answer each other without end (CVE-2024-2169). Therefore it
 * listens on this machine only; use `--host=0.0.0.0` for exercises, and stop it
 * afterwards.
 *
 * @module
 */
import { print, repr, resilient, resolveHost, run } from "./lib.ts";

export const FLAGS = {
  host: "127.0.0.1", // the address to listen on; 0.0.0.0 is all addresses
  port: 12345, // the port to listen on; 0 lets the system choose one
  bufferSize: 1024, // the most bytes of a datagram; the rest is cut off
  quiet: false, // print nothing for each datagram
};
async function echoServer({ host, port, bufferSize, quiet }: typeof FLAGS) {
  const hostname = await resolveHost(host);
  const socket = resilient(Deno.listenDatagram({ transport: "udp", hostname, port }));
  const buffer = new Uint8Array(bufferSize);
  while (true) {
    const [data, peer] = await socket.receive(buffer);
    if (!quiet) print("Received", repr(data), "from", peer);
    await socket.send(data, peer);
  }
}

if (import.meta.main) await run(FLAGS, echoServer);
