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
import { Failure, input, print, resolve, run, writeAll } from "./lib.ts";

// bufferSize: bytes read from the server at a time
const FLAGS = { host: "127.0.0.1", port: 1236, bufferSize: 15 };
const HEADER_SIZE = 10; // characters that hold the length of the message in characters
const MAX_LENGTH = 1_048_576; // characters of a message

async function echoClient({ host, port, bufferSize }: typeof FLAGS) {
  using server = await Deno.connect({ hostname: await resolve(host), port });
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const buffer = new Uint8Array(bufferSize);
  const pieces: string[] = []; // joined now and then: small strings take much memory
  let message = "";
  while (message !== "exit") {
    message = await input('Enter a message: "exit" to abort:') ?? "exit"; // the end of the input
    const question = `${[...message].length}`.padStart(HEADER_SIZE) + message;
    await writeAll(server, new TextEncoder().encode(question));
    let header = "";
    let reply = "";
    for (let missing = HEADER_SIZE; missing > 0;) { // characters: of the header, then of the message
      // Each of them has at least one byte: so nothing of what follows the reply is read.
      const length = await server.read(buffer.subarray(0, missing));
      if (length === null) throw new Failure("the server closed before all of its reply came");
      const piece = decoder.decode(buffer.subarray(0, length), { stream: true });
      missing -= piece.replace(/[\udc00-\udfff]/g, "").length; // an emoji has two code units
      pieces.push(piece);
      if (pieces.length === 100 || missing === 0) reply += pieces.splice(0).join("");
      if (missing === 0 && header === "") {
        [header, reply] = [reply, ""];
        if (!/^ *\d+ *$/.test(header)) throw new Failure(`this is no header: ${header}`);
        missing = Number(header);
        if (missing > MAX_LENGTH) {
          throw new Failure(`a message of ${missing} characters is too long`);
        }
      }
    }
    print(reply);
  }
  print("Connection Closed");
}

if (import.meta.main) await run(FLAGS, echoClient);
