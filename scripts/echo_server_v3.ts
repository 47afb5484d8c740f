#!/usr/bin/env -S deno run --allow-net
/**
 * TCP echo server, version 3: keeps the connection and echoes message after
 * message until `exit`.
 *
 * Mirrors `echoserverv3.py` (Moratuwa CODL, Programming in Python, 4.1).
 * Its other half is `echo_client_v3.ts`.
 *
 * On purpose other than the original: clients are served at the same time; a
 * character that a read cuts in two comes out whole, where the original
 * crashes; `--max-length` limits a message, `--timeout` the silence inside of
 * one.
 *
 * ```console
 * $ deno run -A scripts/echo_server_v3.ts
 * Listening..
 * Connection Address is:  ('127.0.0.1', 50312)
 * full message received
 * hello
 * full message received
 * exit
 * Finished serving client:  ('127.0.0.1', 50312)
 * ```
 *
 * @module
 */
import { encodeMessage, log, MessageReader, print, resolve, run, serve, writeAll } from "./lib.ts";

const BUF_SIZE = 15; // bytes read from a client at a time
const MAX_LENGTH = 1_048_576; // characters of a message
const TIMEOUT = 30; // seconds of silence inside of a message

async function echoServer(
  host: string,
  port: number,
  reading: { bufferSize: number; maxLength: number; timeout: number },
) {
  using listener = Deno.listen({ hostname: await resolve(host), port });
  print("Listening..");
  await serve(listener, async (client) => {
    log("Connection Address is: ", client.remoteAddr);
    using messages = new MessageReader(client, reading);
    let message: string | null = "";
    while (message !== "exit") {
      message = await messages.read();
      if (message === null) break;
      log("full message received");
      log(message);
      await writeAll(client, encodeMessage(message));
    }
    log("Finished serving client: ", client.remoteAddr);
  });
}

if (import.meta.main) {
  await run(
    {
      host: "127.0.0.1",
      port: 1236,
      bufferSize: BUF_SIZE,
      maxLength: MAX_LENGTH,
      timeout: TIMEOUT,
      quiet: false,
    },
    ({ host, port, ...reading }) => echoServer(host, port, reading),
  );
}
