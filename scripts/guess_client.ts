#!/usr/bin/env -S deno run --allow-net
/**
 * UDP guessing game, the player: asks for guesses until the number is found.
 *
 * Mirrors task T3 (CMPU4021 Distributed Systems, week 2), whose program the
 * sheet leaves to the student. Its other half is `guess_server.ts`.
 *
 * A guess without a reply is sent again: asked twice, it gets the same answer
 * twice.
 *
 * ```console
 * $ deno run -A scripts/guess_client.ts # and type 50⏎ 25⏎ 42⏎
 * Guess a number between 1 and 99: 50
 * LOWER
 * Guess a number between 1 and 99: 25
 * HIGHER
 * Guess a number between 1 and 99: 42
 * CORRECT
 * ```
 *
 * @module
 */
import { asking, Failure, input, note, print, resolve, run, text } from "./lib.ts";

// timeout: seconds to wait for a reply
const FLAGS = { host: "localhost", port: 9900, timeout: 2, tries: 3 };
const VERDICTS = ["HIGHER", "LOWER", "CORRECT", "INVALID"];
const SOCKETS_KEPT = 100;

async function guessClient({ host, port, ...waiting }: typeof FLAGS) {
  const server = { transport: "udp", hostname: await resolve(host), port } as const;
  const sockets: Deno.DatagramConn[] = [];
  for (let verdict = ""; verdict !== "CORRECT";) {
    const guess = await input("Guess a number between 1 and 99: ");
    if (guess === null) throw new Failure("the number was not found");
    if (!/^[+-]?\d+$/.test(guess.trim())) {
      note(`not a whole number: ${guess}`);
      continue;
    }
    // Each question has a socket of its own, so that a late reply to another one can't be taken for
    // its answer. The sockets stay open for a while: a closed one's port could be given to the next.
    const any = server.hostname.includes(":") ? "::" : "0.0.0.0"; // of our own addresses
    const socket = Deno.listenDatagram({ ...server, hostname: any, port: 0 });
    if (sockets.push(socket) > SOCKETS_KEPT) sockets.shift()!.close();
    const question = asking(socket, waiting);
    await question.send(new TextEncoder().encode(guess), server);
    const [reply] = await question.receive(new Uint8Array(2048));
    verdict = text(reply);
    if (!VERDICTS.includes(verdict)) {
      throw new Failure(`this is no guess server, it answers: ${verdict}`);
    }
    print(verdict);
  }
}

if (import.meta.main) await run(FLAGS, guessClient);
