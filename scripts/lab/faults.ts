/**
 * What can happen to what passes over a wire.
 *
 * @module
 */
import { UsageError } from "../lib.ts";
import type { Half } from "./header.ts";

/** A piece or a datagram, by its number from 1 up among those of its sender. */
export interface Place {
  /** Who sends it. */
  from: Half;
  /** Its number. */
  number: number;
  /** Milliseconds to delay it, or bytes to cut it behind. */
  amount?: number;
}

/** What is to happen to pieces and datagrams that pass. */
export interface Faults {
  /** These do not arrive. */
  lose?: Place[];
  /** These arrive twice. */
  double?: Place[];
  /** These arrive later, by half a second if nothing else is said. */
  delay?: Place[];
  /** These arrive in two pieces; of a datagram, the second part is lost. */
  cut?: Place[];
}

/**
 * Reads what a flag says of pieces: `2` is the server's second, `client:1` the
 * client's first, `2:15` the server's second with an amount. Commas separate several.
 *
 * @param flag The flag's name, for the error.
 * @param value Its value.
 * @returns The places in their order.
 * @throws {UsageError} The value can't be read.
 */
export function readPlaces(flag: string, value: string): Place[] {
  if (value === "") return [];
  return value.split(",").map((place) => {
    const [, from = "server", number, amount] = place.match(
      /^(?:(server|client):)?([1-9]\d*)(?::(\d+))?$/,
    ) ?? [];
    if (number === undefined) {
      throw new UsageError(`--${flag} takes for instance 2, client:1 or 2:15, not ${place}`);
    }
    return {
      from: from as Half,
      number: Number(number),
      amount: amount === undefined ? undefined : Number(amount),
    };
  });
}
