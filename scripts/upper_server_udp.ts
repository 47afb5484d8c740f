#!/usr/bin/env -S deno run --allow-net
/**
 * UDP server that sends the text of each datagram back in upper case.
 *
 * Mirrors `UDPServer.py` (The echo-server: a guide in socket programming in
 * Python). The original is also public, in "Computer Networking" by Kurose and
 * Ross. Run it together with `upper_client_udp.ts`.
 *
 * ```console
 * $ deno run -A scripts/upper_server_udp.ts
 * The server is ready to receive
 * ```
 *
 * Differences from the original:
 * - Bytes that are not UTF-8 come back as U+FFFD. The original crashes.
 * - A character that is cut off at the end of the buffer is left out.
 * - A datagram that claims to come from the server itself is ignored.
 *
 * Security: this server answers anyone. A datagram with a spoofed sender makes
 * two such servers answer each other without end (CVE-2024-2169). Therefore it
 * listens on this machine only; use `--host=0.0.0.0` for exercises, and stop it
 * afterwards.
 *
 * @module
 */
import { print, resilient, resolveHost, run } from "./lib.ts";

export const FLAGS = {
  host: "127.0.0.1", // the address to listen on; 0.0.0.0 is all addresses
  port: 8080, // the port to listen on; 0 lets the system choose one
  bufferSize: 2048, // the most bytes of a datagram; the rest is cut off
  quiet: false, // no effect: nothing is printed for a datagram
};
async function upperServer({ host, port, bufferSize }: typeof FLAGS) {
  const hostname = await resolveHost(host);
  const serverSocket = resilient(Deno.listenDatagram({ transport: "udp", hostname, port }));
  print("The server is ready to receive");
  const buffer = new Uint8Array(bufferSize);
  while (true) {
    const [message, clientAddress] = await serverSocket.receive(buffer);
    // `stream` leaves out a last character that was cut off with the datagram.
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    const modifiedMessage = decoder.decode(message, { stream: true }).toUpperCase();
    await serverSocket.send(new TextEncoder().encode(modifiedMessage), clientAddress);
  }
}

if (import.meta.main) await run(FLAGS, upperServer);
