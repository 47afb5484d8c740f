/**
 * `-z`: which ports are open.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { explainError, note, UserError } from "../cli.ts";
import { connect, lookUp } from "./connect.ts";
import { probe } from "./datagrams.ts";
import type { Options } from "./options.ts";

/**
 * Tries the ports in turn. With `-v` it reports each of them.
 *
 * @param options The host, its ports, and how to connect to them.
 * @throws {Error} No port is open.
 */
export async function scan(options: Options) {
  const { host, ports, interval, isUdp, isVerbose } = options;
  const addresses = await lookUp(options);
  let isAnyOpen = false;
  let failure: unknown;
  for (const [i, port] of ports.entries()) {
    if (interval && i > 0) await delay(interval * 1000);
    try {
      if (isUdp) await probe(options, addresses, port);
      else (await connect(addresses, port, { ...options, isVerbose: false })).close();
      isAnyOpen = true;
      if (isVerbose) note(`${host} port ${port} is open`);
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      failure = error;
      if (isVerbose && ports.length > 1) note(explainError(error, host, port)[0]);
    }
  }
  if (isAnyOpen) return;
  if (ports.length === 1) throw failure;
  // Not "none is open": a script may search the output for "open".
  throw new UserError(`could not connect to any of these ports of ${host}`);
}
