/**
 * `-z`: which ports are open.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { explainError, note, UserError } from "../cli.ts";
import { addresses, connect } from "./connect.ts";
import { probe } from "./datagrams.ts";
import type { Options } from "./options.ts";

/**
 * Tries one port after the other, and says with `-v` which are open.
 *
 * @param options The host, its ports, and how to connect to them.
 * @throws {Error} None is open.
 */
export async function scan(options: Options) {
  const { host, ports, interval, isUdp, isVerbose } = options;
  const all = await Array.fromAsync(addresses(options));
  let isAnyOpen = false;
  let failure: unknown;
  for (const [i, port] of ports.entries()) {
    if (interval && i > 0) await delay(interval * 1000);
    try {
      if (isUdp) await probe(options, all, port);
      else (await connect(all, port, { ...options, isVerbose: false })).close();
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
  throw new UserError(`none of these ports of ${host} is open`);
}
