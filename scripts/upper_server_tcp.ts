#!/usr/bin/env -S deno run --allow-net
/**
 * TCP server that sends text back in upper case, piece by piece, until the client
 * closes its half of the connection. So a message can have any length.
 *
 * Mirrors `TCPServer.py` (The echo-server: a guide in socket programming in
 * Python). The original is also public, in "Computer Networking" by Kurose and
 * Ross. Run it together with `upper_client_tcp.ts`.
 *
 * ```console
 * $ deno run -A scripts/upper_server_tcp.ts
 * The server is ready to receive
 * ```
 *
 * Differences from the original:
 * - Clients are served at the same time. The original serves them in turn.
 * - The server reads until the client's end. The original reads once.
 * - Text that is not UTF-8 ends that connection with an error.
 *
 * @module
 */
import { print, resilient, resolveHost, run, serveClient, writeAll } from "./lib.ts";

export const FLAGS = {
  host: "127.0.0.1", // the address to listen on; 0.0.0.0 is all addresses
  port: 8080, // the port to listen on; 0 lets the system choose one
  bufferSize: 2048, // the most bytes per read
  quiet: false, // no effect: nothing is printed for a client
};
async function upperServer({ host, port, bufferSize }: typeof FLAGS) {
  using serverSocket = resilient(Deno.listen({ hostname: await resolveHost(host), port }));
  print("The server is ready to receive");
  while (true) {
    const connectionSocket = await serverSocket.accept();
    // No `await` here: the next client does not have to wait until this one has been served.
    serveClient(connectionSocket, async () => {
      const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
      const buffer = new Uint8Array(bufferSize);
      while (true) {
        const length = await connectionSocket.read(buffer);
        if (length === null) break;
        // A read can end in the middle of a character: `stream` keeps its bytes for the next read.
        const sentence = decoder.decode(buffer.subarray(0, length), { stream: true });
        const capitalizedSentence = sentence.toUpperCase();
        await writeAll(connectionSocket, new TextEncoder().encode(capitalizedSentence));
      }
      decoder.decode(); // throws if the last character is incomplete
    });
  }
}

if (import.meta.main) await run(FLAGS, upperServer);
