#!/usr/bin/env -S deno run --allow-net
/**
 * TCP client that has a sentence put into upper case: it sends a line of any
 * length, closes its half of the connection, and reads to the server's end.
 *
 * Mirrors `TCPClient.py` (The echo-server: a guide in socket programming in
 * Python). Its other half is `upper_server_tcp.ts`.
 *
 * On purpose other than the original: it ends its half of the connection and
 * reads to the server's end, where the original receives once; an empty line
 * ends it, where the original hangs. When the server breaks off, what came is
 * printed, then the error.
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

// bufferSize: bytes read from the server at a time
const FLAGS = { host: "127.0.0.1", port: 8080, bufferSize: 2048 };
const GROWTH = 3; // characters that one may become in upper case

async function upperClient({ host, port, bufferSize }: typeof FLAGS) {
  using server = await Deno.connect({ hostname: await resolve(host), port });
  const sentence = await input("Input lowercase sentence:");
  if (sentence === null) throw new Failure("no sentence was typed");
  const data = new TextEncoder().encode(sentence);
  const sent = writeAll(server, data).then(() => server.closeWrite()); // while the answer is read
  sent.catch(() => {}); // told below
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const buffer = new Uint8Array(bufferSize);
  let modified = "";
  try {
    for (let length; (length = await server.read(buffer)) !== null;) {
      modified += decoder.decode(buffer.subarray(0, length), { stream: true });
      if (modified.length > GROWTH * sentence.length) {
        throw new Failure("the server sends more than the sentence in upper case");
      }
    }
    await sent;
    if (modified === "" && sentence !== "") throw new Failure("the server sent nothing back");
  } finally {
    print("From Server:", modified + decoder.decode());
  }
}

if (import.meta.main) await run(FLAGS, upperClient);
