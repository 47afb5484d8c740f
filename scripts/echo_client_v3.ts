#!/usr/bin/env -S deno run --allow-net
/**
 * TCP echo client, version 3: sends what is typed, message after message over one
 * connection, until `exit`.
 *
 * Mirrors `echoclientv3.py` (Moratuwa CODL, Programming in Python, 4.1). The
 * sheet names the program and describes it, but does not show it. Run it
 * together with `echo_server_v3.ts`.
 *
 * The user types hello⏎ exit⏎
 *
 * ```console
 * $ deno run -A scripts/echo_client_v3.ts
 * Enter a message: "exit" to abort:hello
 * hello
 * Enter a message: "exit" to abort:exit
 * exit
 * Connection Closed
 * ```
 *
 * Differences from the original:
 * - The end of the input counts as `exit`.
 * - A character that a read splits is put together again. The original crashes.
 * - An invalid header, or a message of more than 1,048,576 characters, ends the
 *   client with an error.
 * - If the server stays silent for 10 s, the client ends with an error.
 *
 * @module
 */
import { input, len, print, resolveHost, run, UserError, withTimeout, writeAll } from "./lib.ts";

export const FLAGS = {
  host: "127.0.0.1", // the server's host
  port: 1236, // the server's port
  bufferSize: 15, // the most bytes per read
  timeout: 10, // seconds to wait while the server is silent
};
const HEADER_SIZE = 10; // characters of the header, which holds the length of the message
const MAX_LENGTH = 1_048_576; // characters of a message
const CLOSED_EARLY = "the connection closed in the middle of a message";

async function echoClient({ host, port, bufferSize, timeout }: typeof FLAGS) {
  const hostname = await resolveHost(host);
  using server = withTimeout(await Deno.connect({ hostname, port }), timeout);
  const buffer = new Uint8Array(bufferSize);
  while (true) {
    const message = await input('Enter a message: "exit" to abort:') ?? "exit";
    await sendMessage(server, message);
    print(await receiveMessage(server, buffer));
    if (message === "exit") break;
  }
  print("Connection Closed");
}

/** Receives one message: first the header, which holds its length, then the text. */
async function receiveMessage(server: Deno.Conn, buffer: Uint8Array): Promise<string> {
  const header = await receive(server, HEADER_SIZE, buffer);
  if (header === null) throw new UserError("the server closed the connection without a reply");
  if (!/^ *\d+ *$/.test(header)) throw new UserError(`invalid header: "${header}"`);
  const length = Number(header);
  if (length > MAX_LENGTH) throw new UserError(`message too long: ${length} characters`);
  const text = await receive(server, length, buffer);
  if (text === null) throw new UserError(CLOSED_EARLY);
  return text;
}

/**
 * Receives `count` characters, in as many reads as it takes.
 *
 * @returns The characters; `null` if the connection ends before the first one.
 */
async function receive(
  server: Deno.Conn,
  count: number,
  buffer: Uint8Array,
): Promise<string | null> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let text = "";
  let missing = count;
  while (missing > 0) {
    // A character has at least one byte, so `missing` bytes never reach into the next message.
    const length = await server.read(buffer.subarray(0, missing));
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
async function sendMessage(server: Deno.Conn, message: string) {
  const header = `${len(message)}`.padStart(HEADER_SIZE);
  await writeAll(server, new TextEncoder().encode(header + message));
}

if (import.meta.main) await run(FLAGS, echoClient);
