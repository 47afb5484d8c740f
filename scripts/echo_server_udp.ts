#!/usr/bin/env -S deno run --allow-net
/**
 * UDP echo server: sends each datagram back to its sender.
 *
 * Mirrors `1_14a_echo_server_udp.py` (CMPU4021 Distributed Systems, week 2).
 * The original is also public, in chapter 1 of Packt's Python Network
 * Programming Cookbook. Run it together with `echo_client_udp.ts`.
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
import { log, print, resilient, resolveHost, run } from "./lib.ts";

export const FLAGS = {
  host: "localhost", // the address to listen on; 0.0.0.0 is all addresses
  port: 9900, // the port to listen on; 0 lets the system choose one
  bufferSize: 2048, // the most bytes of a datagram; the rest is cut off
  quiet: false, // print nothing for each datagram
};

async function echoServer({ host, port, bufferSize }: typeof FLAGS) {
  const hostname = await resolveHost(host);
  const socket = resilient(Deno.listenDatagram({ transport: "udp", hostname, port }));
  print(`Starting up echo server on ${host} port ${(socket.addr as Deno.NetAddr).port}`);
  const buffer = new Uint8Array(bufferSize);
  while (true) {
    log("Waiting to receive message from client");
    const [data, peer] = await socket.receive(buffer);
    log("received", data.length, "bytes from", peer);
    log("Data:", data);
    if (data.length === 0) continue; // an empty datagram is not echoed
    const sent = await socket.send(data, peer);
    log("sent", sent, "bytes back to", peer);
  }
}

if (import.meta.main) await run(FLAGS, echoServer);
