#!/usr/bin/env -S deno run --allow-net
/**
 * UDP guessing game, the server: knows a number and tells each guess whether
 * the number is higher or lower.
 *
 * Mirrors task T3 (CMPU4021 Distributed Systems, week 2), whose program the
 * sheet leaves to the student. Its other half is `guess_client.ts`.
 *
 * A datagram holds one guess as decimal text, 32 bytes at most. The reply is
 * `HIGHER` when the number is higher than the guess, `LOWER`, `CORRECT`, or
 * `INVALID` for what is no whole number. The number stays the same for all
 * players. What is itself a verdict gets no reply: with a forged source, two
 * guess servers would answer each other for ever.
 *
 * ```console
 * $ deno run -A scripts/guess_server.ts --secret=42
 * Starting up guess server on localhost port 9900
 * Waiting for guesses
 * ('127.0.0.1', 40000) guessed 50: LOWER
 * ('127.0.0.1', 40001) guessed 25: HIGHER
 * ('127.0.0.1', 40002) guessed 42: CORRECT
 * ```
 *
 * @module
 */
import { address, each, log, print, resolve, run, text, unsent } from "./lib.ts";

// secret: from 1 to 99; without it, a number is drawn
const FLAGS = { host: "localhost", port: 9900, secret: NaN, quiet: false };
const VERDICTS = ["HIGHER", "LOWER", "CORRECT", "INVALID"];
const GUESS_SIZE = 32; // bytes of a guess at most

/** A number from `start` to `stop - 1`, as Python's `random.randrange`. */
function randrange(start: number, stop: number): number {
  return start + Math.floor(Math.random() * (stop - start));
}

async function guessServer({ host, port, secret }: typeof FLAGS) {
  secret ||= randrange(1, 100);
  const hostname = await resolve(host);
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port });
  print(`Starting up guess server on ${host} port ${(socket.addr as Deno.NetAddr).port}`);
  print("Waiting for guesses");
  const buffer = new Uint8Array(GUESS_SIZE + 1);
  for await (const [data, peer] of each(socket, () => socket.receive(buffer))) {
    const guess = new TextDecoder().decode(data).trim();
    if (VERDICTS.includes(guess)) continue; // two servers would answer each other for ever
    const isNumber = data.length <= GUESS_SIZE && /^[+-]?\d+$/.test(guess);
    const order = Number(guess) < secret ? "HIGHER" : "LOWER";
    const verdict = !isNumber ? "INVALID" : Number(guess) === secret ? "CORRECT" : order;
    log(`${address(peer)} guessed ${isNumber ? guess : text(data)}: ${verdict}`);
    await socket.send(new TextEncoder().encode(verdict), peer).catch(unsent);
  }
}

if (import.meta.main) await run(FLAGS, guessServer);
