#!/usr/bin/env -S deno run --allow-net
/**
 * UDP guessing game, the server: knows a number and tells each guess whether
 * the number is higher or lower.
 *
 * Mirrors task T3 (CMPU4021 Distributed Systems, week 2), whose program the
 * sheet leaves to the student. Its other half is `guess_client.ts`.
 *
 * A datagram holds one guess as decimal text. The reply is `HIGHER` when the
 * number is higher than the guess, `LOWER`, `CORRECT`, or `INVALID` for what is
 * no whole number. The number stays the same for all players.
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
import {
  address,
  log,
  LONGEST_DATAGRAM,
  print,
  resolve,
  run,
  serveDatagrams,
  text,
  UsageError,
} from "./lib.ts";

/** A number from `start` to `stop - 1`, as Python's `random.randrange`. */
function randrange(start: number, stop: number): number {
  return start + Math.floor(Math.random() * (stop - start));
}

function judge(guess: string, secret: number): string {
  if (!/^[+-]?\d+$/.test(guess)) return "INVALID";
  if (Number(guess) === secret) return "CORRECT";
  return Number(guess) < secret ? "HIGHER" : "LOWER";
}

async function guessServer(host: string, port: number, secret: number) {
  if (secret < 1 || secret >= 100) {
    throw new UsageError(`--secret must be from 1 to 99, not ${secret}`);
  }
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: await resolve(host),
    port,
  });
  const { port: ownPort } = socket.addr as Deno.NetAddr;
  print(`Starting up guess server on ${host} port ${ownPort}`);
  print("Waiting for guesses");
  const buffer = new Uint8Array(LONGEST_DATAGRAM);
  await serveDatagrams(socket, async () => {
    const [data, peer] = await socket.receive(buffer);
    const guess = new TextDecoder().decode(data).trim();
    const verdict = judge(guess, secret);
    const shown = verdict === "INVALID" ? text(data) : guess;
    log(`${address(peer)} guessed ${shown}: ${verdict}`);
    await socket.send(new TextEncoder().encode(verdict), peer);
  });
}

if (import.meta.main) {
  await run(
    { host: "localhost", port: 9900, secret: Number, quiet: false },
    ({ host, port, secret = randrange(1, 100) }) => guessServer(host, port, secret),
  );
}
