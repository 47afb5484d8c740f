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
import { anyAddress, ask, Failure, input, note, print, receiveFrom, resolve, run } from "./lib.ts";

const BUFFER_SIZE = 2048; // bytes that the server takes, and its client, at most

async function upperClient(
  host: string,
  port: number,
  bufferSize: number,
  waiting: { timeout: number; tries: number },
) {
  const hostname = await resolve(host);
  const server: Deno.NetAddr = { transport: "udp", hostname, port };
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: anyAddress(hostname),
    port: 0,
  });
  const sentence = await input("Input lowercase sentence:");
  if (sentence === null) throw new Failure("no sentence was typed");
  const data = new TextEncoder().encode(sentence);
  if (data.length > bufferSize) {
    note(`the server takes ${bufferSize} of these ${data.length} bytes`);
  }
  const modified = await ask(
    () => socket.send(data, server),
    receiveFrom(socket, server, bufferSize),
    waiting,
  );
  print(modified);
  socket.close();
}

if (import.meta.main) {
  await run(
    {
      host: "127.0.0.1",
      port: 8080,
      bufferSize: BUFFER_SIZE,
      timeout: 2,
      tries: 3,
    },
    ({ host, port, bufferSize, ...waiting }) => upperClient(host, port, bufferSize, waiting),
  );
}
