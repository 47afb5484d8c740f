#!/usr/bin/env -S deno run --allow-net
/**
 * TCP client that has a sentence put into upper case: it sends a line of any
 * length, closes its half of the connection, and reads to the server's end.
 *
 * Mirrors `TCPClient.py` (The echo-server: a guide in socket programming in
 * Python). Its other half is `upper_server_tcp.ts`.
 *
 * On purpose other than the original: it ends its half of the connection and
 * reads to the server's end, where the original receives once.
 *
 * ```console
 * $ deno run -A scripts/upper_client_tcp.ts # and type hello⏎
 * Input lowercase sentence:hello
 * From Server: HELLO
 * ```
 *
 * @module
 */
import { Failure, input, print, resolve, run, writeAll } from "./lib.ts";

const BUFFER_SIZE = 2048; // bytes read from the server at a time
const GROWTH = 3; // bytes that one byte in lower case may become

async function upperClient(host: string, port: number, bufferSize: number) {
  using server = await Deno.connect({ hostname: await resolve(host), port });
  const sentence = await input("Input lowercase sentence:");
  if (sentence === null) throw new Failure("no sentence was typed");
  const data = new TextEncoder().encode(sentence);

  async function send() {
    await writeAll(server, data);
    await server.closeWrite();
  }

  async function receive(): Promise<Uint8Array> {
    const received = new Uint8Array(GROWTH * data.length + 1);
    let length = 0;
    while (length < received.length) {
      const room = received.subarray(length, length + bufferSize);
      const read = await server.read(room);
      if (read === null) return received.subarray(0, length);
      length += read;
    }
    throw new Failure("the server sends more than the sentence in upper case");
  }

  // At the same time, or a long sentence would fill the buffers on the way
  // while each side waits for the other to read.
  const [modified] = await Promise.all([receive(), send()]);
  print("From Server:", modified);
}

if (import.meta.main) {
  await run(
    { host: "127.0.0.1", port: 8080, bufferSize: BUFFER_SIZE },
    ({ host, port, bufferSize }) => upperClient(host, port, bufferSize),
  );
}
