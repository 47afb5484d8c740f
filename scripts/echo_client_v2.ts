#!/usr/bin/env -S deno run --allow-net
/**
 * TCP echo client, version 2: sends one message of any length, its length in a
 * header of 10 characters, and prints what comes back.
 *
 * Mirrors `echoclientv2.py` (Moratuwa CODL, Programming in Python, 4.1).
 * Its other half is `echo_server_v2.ts`.
 *
 * On purpose other than the original: a character that a read cuts in two comes
 * out whole, where the original crashes; `--max-length` and `--timeout` limit
 * what the server may send.
 *
 * ```console
 * $ deno run -A scripts/echo_client_v2.ts
 * Hello!This is a longer message than the available buffer size of 15bytes
 * ```
 *
 * @module
 */
import { encodeMessage, Failure, MessageReader, print, resolve, run, writeAll } from "./lib.ts";

const BUF_SIZE = 15; // bytes read from the server at a time
const MAX_LENGTH = 1_048_576; // characters of a message
const TIMEOUT = 30; // seconds of silence inside of a message

async function echoClient(
  host: string,
  port: number,
  message: string,
  reading: { bufferSize: number; maxLength: number; timeout: number },
) {
  using server = await Deno.connect({ hostname: await resolve(host), port });
  await writeAll(server, encodeMessage(message));
  using replies = new MessageReader(server, reading);
  const reply = await replies.read();
  if (reply === null) throw new Failure("the server closed without a reply");
  print(reply);
}

if (import.meta.main) {
  await run(
    {
      host: "127.0.0.1",
      port: 1236,
      message: "Hello!This is a longer message than the available buffer size of 15bytes",
      bufferSize: BUF_SIZE,
      maxLength: MAX_LENGTH,
      timeout: TIMEOUT,
    },
    ({ host, port, message, ...reading }) => echoClient(host, port, message, reading),
  );
}
