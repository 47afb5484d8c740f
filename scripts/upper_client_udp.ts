#!/usr/bin/env -S deno run --allow-net
/**
 * UDP client that has a sentence put into upper case.
 *
 * Mirrors `UDPClient.py` (The echo-server: a guide in socket programming in
 * Python). Its other half is `upper_server_udp.ts`.
 *
 * On purpose other than the original: without a reply it asks again and then
 * gives up, where the original waits for ever; it tells when the server will
 * take only a part.
 *
 * ```console
 * $ deno run -A scripts/upper_client_udp.ts # and type hello⏎
 * Input lowercase sentence:hello
 * HELLO
 * ```
 *
 * @module
 */
import { asking, Failure, input, note, print, resolve, run } from "./lib.ts";

const FLAGS = {
  host: "127.0.0.1",
  port: 8080,
  bufferSize: 2048, // bytes that the server takes, and its client, at most
  timeout: 2, // seconds to wait for the reply
  tries: 3,
};

async function upperClient({ host, port, bufferSize, ...waiting }: typeof FLAGS) {
  const server = { transport: "udp", hostname: await resolve(host), port } as const;
  const any = server.hostname.includes(":") ? "::" : "0.0.0.0"; // of our own addresses
  const socket = asking(Deno.listenDatagram({ ...server, hostname: any, port: 0 }), waiting);
  const sentence = await input("Input lowercase sentence:");
  if (sentence === null) throw new Failure("no sentence was typed");
  const data = new TextEncoder().encode(sentence);
  if (data.length > bufferSize) {
    note(`the server takes ${bufferSize} of these ${data.length} bytes`);
  }
  await socket.send(data, server);
  const [modified] = await socket.receive(new Uint8Array(bufferSize));
  print(modified);
  socket.close();
}

if (import.meta.main) await run(FLAGS, upperClient);
