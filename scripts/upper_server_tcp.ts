#!/usr/bin/env -S deno run --allow-net
/**
 * TCP server that sends text back in upper case, piece by piece until the
 * client has closed its half of the connection: so it has no longest message.
 *
 * Mirrors `TCPServer.py` (The echo-server: a guide in socket programming in
 * Python). Its other half is `upper_client_tcp.ts`.
 *
 * On purpose other than the original: clients are served at the same time, and
 * a message may have any length, where the original reads once.
 *
 * ```console
 * $ deno run -A scripts/upper_server_tcp.ts
 * The server is ready to receive
 * ```
 *
 * @module
 */
import { print, resolve, run, serve, writeAll } from "./lib.ts";

const BUFFER_SIZE = 2048; // bytes read from a client at a time

async function upperServer(host: string, port: number, bufferSize: number) {
  using listener = Deno.listen({ hostname: await resolve(host), port });
  print("The server is ready to receive");
  await serve(listener, async (client) => {
    // A piece may end inside a character: `stream` keeps its beginning.
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    const encoder = new TextEncoder();
    const buffer = new Uint8Array(bufferSize);
    let length: number | null;
    while ((length = await client.read(buffer)) !== null) {
      const sentence = decoder.decode(buffer.subarray(0, length), {
        stream: true,
      });
      await writeAll(client, encoder.encode(sentence.toUpperCase()));
    }
    decoder.decode(); // throws where the last character is not complete
  });
}

if (import.meta.main) {
  await run(
    { host: "127.0.0.1", port: 8080, bufferSize: BUFFER_SIZE, quiet: false },
    ({ host, port, bufferSize }) => upperServer(host, port, bufferSize),
  );
}
