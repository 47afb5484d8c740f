#!/usr/bin/env -S deno run --allow-net
/**
 * UDP guessing game, the server: draws a number and answers each guess whether
 * the number is higher or lower.
 *
 * Mirrors task T3 (CMPU4021 Distributed Systems, week 2). The sheet leaves the
 * program to the student. Run it together with `guess_client.ts`.
 *
 * A datagram holds one guess as decimal text, with white space around it allowed,
 * of at most 32 bytes. The reply is `HIGHER` if the number is higher than the
 * guess, `LOWER` or `CORRECT`.
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
 * Beyond the sheet:
 * - `--secret=N` fixes the number.
 * - The reply to anything that is not a whole number is `INVALID`.
 * - The number is the same for all players, and stays the same after `CORRECT`.
 * - A datagram that contains a verdict gets no reply. If its sender were spoofed,
 *   two guess servers would answer each other without end.
 *
 * @module
 */
import { log, print, resilient, resolveHost, run } from "./lib.ts";

export const FLAGS = {
  host: "localhost", // the address to listen on; 0.0.0.0 is all addresses
  port: 9900, // the port to listen on; 0 lets the system choose one
  secret: NaN, // the number to guess, from 1 to 99; without it, one is drawn
  quiet: false, // print nothing for each datagram
};
const VERDICTS = ["HIGHER", "LOWER", "CORRECT", "INVALID"];
const GUESS_SIZE = 32; // the most bytes of a guess

/** Returns a random number from `start` to `stop - 1`, as Python's `random.randrange`. */
function randrange(start: number, stop: number): number {
  return start + Math.floor(Math.random() * (stop - start));
}

async function guessServer({ host, port, secret }: typeof FLAGS) {
  const number = Number.isNaN(secret) ? randrange(1, 100) : secret;
  const hostname = await resolveHost(host);
  const socket = resilient(Deno.listenDatagram({ transport: "udp", hostname, port }));
  print(`Starting up guess server on ${host} port ${(socket.addr as Deno.NetAddr).port}`);
  print("Waiting for guesses");
  const buffer = new Uint8Array(GUESS_SIZE + 1); // one byte more shows that a guess is too long
  while (true) {
    const [data, peer] = await socket.receive(buffer);
    const guess = new TextDecoder().decode(data).trim();
    if (VERDICTS.includes(guess)) continue; // never answer a verdict: see above
    let verdict;
    if (data.length > GUESS_SIZE || !/^[+-]?\d+$/.test(guess)) verdict = "INVALID";
    else if (number > Number(guess)) verdict = "HIGHER";
    else if (number < Number(guess)) verdict = "LOWER";
    else verdict = "CORRECT";
    log(peer, `guessed ${guess}: ${verdict}`);
    await socket.send(new TextEncoder().encode(verdict), peer);
  }
}

if (import.meta.main) await run(FLAGS, guessServer);
