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
 * crashes; a client that leaves without `exit` ends its own connection, where
 * it ends the original; a header that is no number, or stands for more than
 * 1,048,576 characters, does so too.
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
import { attend, each, Failure, log, print, resolve, run, writeAll } from "./lib.ts";

// bufferSize: bytes read from a client at a time
const FLAGS = { host: "127.0.0.1", port: 1236, bufferSize: 15, quiet: false };
const HEADER_SIZE = 10; // characters that hold the length of the message in characters
const MAX_LENGTH = 1_048_576; // characters of a message

async function echoServer({ host, port, bufferSize }: typeof FLAGS) {
  using listener = Deno.listen({ hostname: await resolve(host), port });
  print("Listening..");
  for await (const client of each(listener, () => listener.accept())) {
    // With `await` before it, one client is served after the other, as in the original.
    attend(client, async () => {
      log("Connection Address is: ", client.remoteAddr);
      const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
      const buffer = new Uint8Array(bufferSize);
      const pieces: string[] = []; // joined now and then: small strings take much memory
      let message = "";
      while (message !== "exit") {
        let header = "";
        message = "";
        for (let missing = HEADER_SIZE; missing > 0;) { // characters: of the header, then of the message
          // Each of them has at least one byte: so nothing of what follows the message is read.
          const length = await client.read(buffer.subarray(0, missing));
          if (length === null && header === "" && pieces.length === 0) return; // it left without `exit`
          if (length === null) throw new Failure("the connection ended inside a message");
          const piece = decoder.decode(buffer.subarray(0, length), { stream: true });
          missing -= piece.replace(/[\udc00-\udfff]/g, "").length; // an emoji has two code units
          pieces.push(piece);
          if (pieces.length === 100 || missing === 0) message += pieces.splice(0).join("");
          if (missing === 0 && header === "") {
            [header, message] = [message, ""];
            if (!/^ *\d+ *$/.test(header)) throw new Failure(`this is no header: ${header}`);
            missing = Number(header);
            if (missing > MAX_LENGTH) {
              throw new Failure(`a message of ${missing} characters is too long`);
            }
          }
        }
        log("full message received");
        log(message);
        header = `${Number(header)}`.padStart(HEADER_SIZE);
        await writeAll(client, new TextEncoder().encode(header + message));
      }
    }).finally(() => log("Finished serving client: ", client.remoteAddr));
  }
}

if (import.meta.main) await run(FLAGS, echoServer);
