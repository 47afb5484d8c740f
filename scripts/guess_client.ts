#!/usr/bin/env -S deno run --allow-net
/**
 * UDP guessing game, the player: asks for guesses until the number is found.
 *
 * Mirrors task T3 (CMPU4021 Distributed Systems, week 2). The sheet leaves the
 * program to the student. Run it together with `guess_server.ts`.
 *
 * The user types 50⏎ 25⏎ 42⏎
 *
 * ```console
 * $ deno run -A scripts/guess_client.ts
 * Guess a number between 1 and 99: 50
 * LOWER
 * Guess a number between 1 and 99: 25
 * HIGHER
 * Guess a number between 1 and 99: 42
 * CORRECT
 * ```
 *
 * Beyond the sheet:
 * - If no reply arrives, the client sends the guess again, and ends with an error
 *   after 3 tries. The same guess gets the same reply, so asking twice is harmless.
 * - Anything that is not a whole number is asked for again, without the server.
 * - At the end of the input, the client ends with status 1.
 *
 * @module
 */
import { anyAddress, input, note, print, resolveHost, run, UserError, withRetries } from "./lib.ts";

export const FLAGS = {
  host: "localhost", // the server's host
  port: 9900, // the server's port
  timeout: 2, // seconds to wait for a reply
  tries: 3, // how often a guess is sent until a reply arrives
};
const VERDICTS = ["HIGHER", "LOWER", "CORRECT", "INVALID"];
const MAX_SOCKETS = 100; // that stay open

async function guessClient({ host, port, timeout, tries }: typeof FLAGS) {
  const hostname = await resolveHost(host);
  const server = { transport: "udp", hostname, port } as const;
  const sockets: Deno.DatagramConn[] = [];
  let verdict = "";
  while (verdict !== "CORRECT") {
    const guess = await input("Guess a number between 1 and 99: ");
    if (guess === null) throw new UserError("the number was not found");
    if (!/^[+-]?\d+$/.test(guess.trim())) {
      note(`not a whole number: ${guess}`);
      continue;
    }
    // Each guess has a socket of its own, so that a late reply to an earlier guess cannot be taken
    // for its answer. The sockets stay open, so that no later guess gets the same port.
    const socket = withRetries(
      Deno.listenDatagram({ transport: "udp", hostname: anyAddress(hostname), port: 0 }),
      { timeout, tries },
    );
    sockets.push(socket);
    if (sockets.length > MAX_SOCKETS) sockets.shift()?.close();
    await socket.send(new TextEncoder().encode(guess), server);
    const [data] = await socket.receive(new Uint8Array(2048));
    verdict = new TextDecoder().decode(data);
    if (!VERDICTS.includes(verdict)) {
      throw new UserError(`this is not a guess server, it answered: ${verdict}`);
    }
    print(verdict);
  }
  for (const socket of sockets) socket.close();
}

if (import.meta.main) await run(FLAGS, guessClient);
