#!/usr/bin/env -S deno run --allow-net
/**
 * TCP client for the upper-case server: sends a line, closes its half of the
 * connection, and reads until the server closes the other half.
 *
 * Mirrors `TCPClient.py` (The echo-server: a guide in socket programming in
 * Python). The original is also public, in "Computer Networking" by Kurose and
 * Ross. Run it together with `upper_server_tcp.ts`.
 *
 * The user types hello⏎
 *
 * ```console
 * $ deno run -A scripts/upper_client_tcp.ts
 * Input lowercase sentence:hello
 * From Server: HELLO
 * ```
 *
 * Differences from the original:
 * - The client closes its half and reads to the server's end. The original reads
 *   once.
 * - It reads only after it has sent everything, as the original does. A sentence of
 *   several megabytes can fill the buffers of both sides: then it ends with an
 *   error after 10 s.
 * - If the server breaks the connection or stays silent, what came is printed, then
 *   the error.
 * - An empty line gets an empty answer. The original hangs.
 *
 * @module
 */
import { input, print, resolveHost, run, UserError, withTimeout, writeAll } from "./lib.ts";

export const FLAGS = {
  host: "127.0.0.1", // the server's host
  port: 8080, // the server's port
  bufferSize: 2048, // the most bytes per read
  timeout: 10, // seconds to wait while the server is silent
};
const MAX_GROWTH = 3; // a character becomes at most three in upper case

async function upperClient({ host, port, bufferSize, timeout }: typeof FLAGS) {
  const hostname = await resolveHost(host);
  using clientSocket = withTimeout(await Deno.connect({ hostname, port }), timeout);
  const sentence = await input("Input lowercase sentence:");
  if (sentence === null) throw new UserError("no sentence was typed");
  await writeAll(clientSocket, new TextEncoder().encode(sentence));
  await clientSocket.closeWrite(); // the half-close: the server reads the end of the message
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const buffer = new Uint8Array(bufferSize);
  let modifiedSentence = "";
  try {
    while (true) {
      const length = await clientSocket.read(buffer);
      if (length === null) break;
      modifiedSentence += decoder.decode(buffer.subarray(0, length), { stream: true });
      if (modifiedSentence.length > MAX_GROWTH * sentence.length) {
        throw new UserError("the server sends more than the sentence in upper case");
      }
    }
    if (modifiedSentence === "" && sentence !== "") {
      throw new UserError("the server sent nothing back");
    }
  } finally {
    print("From Server:", modifiedSentence + decoder.decode());
  }
}

if (import.meta.main) await run(FLAGS, upperClient);
