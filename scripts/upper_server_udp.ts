#!/usr/bin/env -S deno run --allow-net
/**
 * UDP server that sends each datagram's text back in upper case.
 *
 * Mirrors `UDPServer.py` (The echo-server: a guide in socket programming in
 * Python). Its other half is `upper_client_udp.ts`.
 *
 * On purpose other than the original: what is no UTF-8 comes back as U+FFFD,
 * where the original ends with an exception; a character that the buffer's end
 * cuts in two is left out; a datagram that bears the server's own address is
 * not answered.
 *
 * Mind that it answers everybody: a datagram with a forged source makes two
 * such servers answer each other for ever (CVE-2024-2169). That is why it
 * listens on this machine alone, and why `--host=0.0.0.0` is for exercises.
 *
 * ```console
 * $ deno run -A scripts/upper_server_udp.ts
 * The server is ready to receive
 * ```
 *
 * @module
 */
import { each, print, resolve, run, unsent } from "./lib.ts";

// bufferSize: bytes taken from a datagram at most
const FLAGS = { host: "127.0.0.1", port: 8080, bufferSize: 2048, quiet: false };

async function upperServer({ host, port, bufferSize }: typeof FLAGS) {
  const hostname = await resolve(host);
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port });
  print("The server is ready to receive");
  const buffer = new Uint8Array(bufferSize);
  for await (const [data, peer] of each(socket, () => socket.receive(buffer))) {
    // `stream` leaves out a last character that was cut with the datagram.
    const sentence = new TextDecoder("utf-8", { ignoreBOM: true }).decode(data, { stream: true });
    await socket.send(new TextEncoder().encode(sentence.toUpperCase()), peer).catch(unsent);
  }
}

if (import.meta.main) await run(FLAGS, upperServer);
