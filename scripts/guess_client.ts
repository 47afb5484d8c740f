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
import {
  anyAddress,
  ask,
  Failure,
  input,
  note,
  print,
  receiveFrom,
  resolve,
  run,
  text,
} from "./lib.ts";

const VERDICTS = ["HIGHER", "LOWER", "CORRECT", "INVALID"];
const DATA_PAYLOAD = 2048; // bytes taken from a reply at most
const SOCKETS_KEPT = 100;

async function guessClient(
  host: string,
  port: number,
  waiting: { timeout: number; tries: number },
) {
  const hostname = await resolve(host);
  const server: Deno.NetAddr = { transport: "udp", hostname, port };
  const sockets: Deno.DatagramConn[] = [];
  while (true) {
    const guess = await input("Guess a number between 1 and 99: ");
    if (guess === null) throw new Failure("the number was not found");
    if (!/^[+-]?\d+$/.test(guess.trim())) {
      note(`not a whole number: ${guess}`);
      continue;
    }
    // Each question has a socket of its own, so that a late reply to another
    // one can't be taken for its answer. The sockets stay open for a while:
    // a closed one's port could be given to the next.
    const socket = Deno.listenDatagram({
      transport: "udp",
      hostname: anyAddress(hostname),
      port: 0,
    });
    if (sockets.push(socket) > SOCKETS_KEPT) sockets.shift()?.close();

    const data = new TextEncoder().encode(guess);
    const reply = text(
      await ask(
        () => socket.send(data, server),
        receiveFrom(socket, server, DATA_PAYLOAD),
        waiting,
      ),
    );
    if (!VERDICTS.includes(reply)) {
      throw new Failure(`this is no guess server, it answers: ${reply}`);
    }
    print(reply);
    if (reply === "CORRECT") return;
  }
}

if (import.meta.main) {
  await run(
    { host: "localhost", port: 9900, timeout: 2, tries: 3 },
    ({ host, port, timeout, tries }) => guessClient(host, port, { timeout, tries }),
  );
}
