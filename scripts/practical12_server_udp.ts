#!/usr/bin/env -S deno run --allow-net
/**
 * UDP echo server: sends each datagram back to where it came from.
 *
 * Mirrors `echo-server.py` (CS19541 Computer Networks, Practical 12, UDP).
 * Its other half is `practical12_client_udp.ts`.
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
 * $ deno run -A scripts/practical12_server_udp.ts
 * Received b'Hello, world' from ('127.0.0.1', 55320)
 * ```
 *
 * @module
 */
import { each, log, repr, resolve, run, unsent } from "./lib.ts";

// bufferSize: bytes taken from a datagram at most
const FLAGS = { host: "127.0.0.1", port: 12345, bufferSize: 1024, quiet: false };

async function echoServer({ host, port, bufferSize }: typeof FLAGS) {
  const hostname = await resolve(host);
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port });
  const buffer = new Uint8Array(bufferSize);
  for await (const [data, peer] of each(socket, () => socket.receive(buffer))) {
    log("Received", () => repr(data), "from", peer);
    await socket.send(data, peer).catch(unsent);
  }
}

if (import.meta.main) await run(FLAGS, echoServer);
