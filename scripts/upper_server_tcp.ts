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
import { attend, each, print, resolve, run, writeAll } from "./lib.ts";

// bufferSize: bytes read from a client at a time
const FLAGS = { host: "127.0.0.1", port: 8080, bufferSize: 2048, quiet: false };

async function upperServer({ host, port, bufferSize }: typeof FLAGS) {
  using listener = Deno.listen({ hostname: await resolve(host), port });
  print("The server is ready to receive");
  for await (const client of each(listener, () => listener.accept())) {
    // With `await` before it, one client is served after the other, as in the original.
    attend(client, async () => {
      // A piece may end inside a character: `stream` keeps its beginning for the next.
      const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
      const buffer = new Uint8Array(bufferSize);
      for (let length; (length = await client.read(buffer)) !== null;) {
        const sentence = decoder.decode(buffer.subarray(0, length), { stream: true });
        await writeAll(client, new TextEncoder().encode(sentence.toUpperCase()));
      }
      decoder.decode(); // throws where the last character is not complete
    });
  }
}

if (import.meta.main) await run(FLAGS, upperServer);
