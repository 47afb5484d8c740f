#!/usr/bin/env -S deno run --allow-net
/**
 * TCP echo server, version 2: messages of any length through a small buffer. A
 * header of 10 characters before each message holds its length in characters.
 *
 * Mirrors `echoserverv2.py` (Moratuwa CODL, Programming in Python, 4.1). The
 * sheet names the program and describes it, but does not show it. Run it
 * together with `echo_client_v2.ts`.
 *
 * ```console
 * $ deno run -A scripts/echo_server_v2.ts
 * Listening..
 * Connection Address is:  ('127.0.0.1', 50312)
 * Hello!This is a longer message than the available buffer size of 15bytes
 * ```
 *
 * Differences from the original:
 * - Clients are served at the same time. The original serves them in turn.
 * - A character that a read splits is put together again. The original crashes.
 * - An invalid header, or a message of more than 1,048,576 characters, ends that
 *   connection with an error.
 * - The messages of all clients together are limited to 16,777,216 characters.
 *
 * @module
 */
import {
  len,
  log,
  print,
  reserve,
  resilient,
  resolveHost,
  run,
  serveClient,
  UserError,
  writeAll,
} from "./lib.ts";

export const FLAGS = {
  host: "127.0.0.1", // the address to listen on; 0.0.0.0 is all addresses
  port: 1236, // the port to listen on; 0 lets the system choose one
  bufferSize: 15, // the most bytes per read
  quiet: false, // print nothing for each client
};
const HEADER_SIZE = 10; // characters of the header, which holds the length of the message
const MAX_LENGTH = 1_048_576; // characters of a message
const CLOSED_EARLY = "the connection closed in the middle of a message";

async function echoServer({ host, port, bufferSize }: typeof FLAGS) {
  using listener = resilient(Deno.listen({ hostname: await resolveHost(host), port }));
  print("Listening..");
  while (true) {
    const client = await listener.accept();
    // No `await` here: the next client does not have to wait until this one has been served.
    serveClient(client, async () => {
      log("Connection Address is: ", client.remoteAddr);
      const buffer = new Uint8Array(bufferSize);
      const message = await receiveMessage(client, buffer);
      if (message === null) return;
      log(message);
      await sendMessage(client, message);
    });
  }
}

/**
 * Receives one message: first the header, which holds its length, then the text.
 *
 * @returns The text; `null` if the client has left.
 */
async function receiveMessage(client: Deno.Conn, buffer: Uint8Array): Promise<string | null> {
  const header = await receive(client, HEADER_SIZE, buffer);
  if (header === null) return null;
  if (!/^ *\d+ *$/.test(header)) throw new UserError(`invalid header: "${header}"`);
  const length = Number(header);
  if (length > MAX_LENGTH) throw new UserError(`message too long: ${length} characters`);
  reserve(client, length); // all clients together may not use up the memory
  const text = await receive(client, length, buffer);
  if (text === null) throw new UserError(CLOSED_EARLY);
  return text;
}

/**
 * Receives `count` characters, in as many reads as it takes.
 *
 * @returns The characters; `null` if the connection ends before the first one.
 */
async function receive(
  client: Deno.Conn,
  count: number,
  buffer: Uint8Array,
): Promise<string | null> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let text = "";
  let missing = count;
  while (missing > 0) {
    // A character has at least one byte, so `missing` bytes never reach into the next message.
    const length = await client.read(buffer.subarray(0, missing));
    if (length === null && missing === count) return null;
    if (length === null) throw new UserError(CLOSED_EARLY);
    // A read can end in the middle of a character: `stream` keeps its bytes for the next read.
    const piece = decoder.decode(buffer.subarray(0, length), { stream: true });
    text += piece;
    missing -= len(piece);
  }
  return text;
}

/** Sends one message: first its length in characters, in a header of 10 characters, then the text. */
async function sendMessage(client: Deno.Conn, message: string) {
  const header = `${len(message)}`.padStart(HEADER_SIZE);
  await writeAll(client, new TextEncoder().encode(header + message));
}

if (import.meta.main) await run(FLAGS, echoServer);
