#!/usr/bin/env -S deno run --allow-net
/**
 * TCP echo client, version 3: sends what is typed, message after message over
 * one connection, until `exit`.
 *
 * Mirrors `echoclientv3.py` (Moratuwa CODL, Programming in Python, 4.1).
 * Its other half is `echo_server_v3.ts`.
 *
 * On purpose other than the original: the end of the input counts as `exit`; a
 * character that a read cuts in two comes out whole, where the original
 * crashes.
 *
 * ```console
 * $ deno run -A scripts/echo_client_v3.ts # and type hello⏎ exit⏎
 * Enter a message: "exit" to abort:hello
 * hello
 * Enter a message: "exit" to abort:exit
 * exit
 * Connection Closed
 * ```
 *
 * @module
 */
import {
  encodeMessage,
  Failure,
  input,
  MessageReader,
  print,
  resolve,
  run,
  writeAll,
} from "./lib.ts";

const BUF_SIZE = 15; // bytes read from the server at a time
const MAX_LENGTH = 1_048_576; // characters of a message
const TIMEOUT = 30; // seconds of silence inside of a message

async function echoClient(
  host: string,
  port: number,
  reading: { bufferSize: number; maxLength: number; timeout: number },
) {
  using server = await Deno.connect({ hostname: await resolve(host), port });
  using replies = new MessageReader(server, reading);
  let message = "";
  while (message !== "exit") {
    // The end of input says the same as "exit".
    message = await input('Enter a message: "exit" to abort:') ?? "exit";
    await writeAll(server, encodeMessage(message));
    const reply = await replies.read();
    if (reply === null) throw new Failure("the server closed the connection");
    print(reply);
  }
  print("Connection Closed");
}

if (import.meta.main) {
  await run(
    {
      host: "127.0.0.1",
      port: 1236,
      bufferSize: BUF_SIZE,
      maxLength: MAX_LENGTH,
      timeout: TIMEOUT,
    },
    ({ host, port, ...reading }) => echoClient(host, port, reading),
  );
}
