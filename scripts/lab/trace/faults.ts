/**
 * What can happen to what passes over a wire.
 *
 * @module
 */
import { UsageError } from "../../cli.ts";
import type { Role } from "../catalog/header.ts";

/** A piece or a datagram, by its number from 1 up among those of its sender. */
export interface Place {
  /** Who sends it. */
  from: Role;
  /** Its number. */
  number: number;
  /** Milliseconds to delay it, or bytes to cut it behind. */
  amount?: number;
}

const DELAY = 500; // milliseconds, if nothing else is said
const LONGEST_DELAY = 10_000; // milliseconds
const GAP = 50; // milliseconds between two parts, so that two reads get them

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
 * client's first, `2:15` the server's second with an amount, for flags that take one.
 * Commas separate several.
 *
 * @param flag The flag's name, for the error.
 * @param value Its value.
 * @returns The places in their order.
 * @throws {UsageError} The value can't be read.
 */
export function readPlaces(flag: string, value: string): Place[] {
  if (value === "") return [];
  const takesAmount = flag === "delay" || flag === "cut";
  return value.split(",").map((place) => {
    const [, from = "server", number, amount] = place.match(
      /^(?:(server|client):)?([1-9]\d*)(?::(\d+))?$/,
    ) ?? [];
    if (number === undefined || amount !== undefined && !takesAmount) {
      const examples = takesAmount ? "2, client:1 or 2:15" : "2 or client:1";
      throw new UsageError(`--${flag} takes for instance ${examples}, not ${place}`);
    }
    if (flag === "delay" && Number(amount) > LONGEST_DELAY) {
      throw new UsageError(`--delay takes ${LONGEST_DELAY} milliseconds at most, not ${amount}`);
    }
    return {
      from: from as Role,
      number: Number(number),
      amount: amount === undefined ? undefined : Number(amount),
    };
  });
}

/** A part of what was sent, and what becomes of it. */
export interface Part {
  /** What it is on the wire. */
  kind: "data" | "datagram" | "lost";
  /** Milliseconds to wait before it. */
  after: number;
  /** Why it waits: it is to be late, or its first part goes first. */
  held?: "late" | "cut";
  /** Its bytes. */
  data: Uint8Array;
  /** How many of these bytes were sent here for the first time: a copy has none. */
  fresh: number;
}

/**
 * What becomes of a piece or a datagram.
 *
 * @param faults What is to happen on the wire.
 * @param kind What it is.
 * @param place Whose it is, and its number.
 * @param data Its bytes.
 * @returns Its parts, in the order in which they pass.
 */
export function fateOf(
  faults: Faults,
  kind: "data" | "datagram",
  { from, number }: Place,
  data: Uint8Array,
): Part[] {
  const find = (places?: Place[]) =>
    places?.find((place) => place.from === from && place.number === number);
  const late = find(faults.delay);
  const held = late && { after: late.amount ?? DELAY, held: "late" as const };
  const whole: Part = { kind, after: 0, ...held, data, fresh: data.length };
  if (find(faults.lose)) return [{ ...whole, kind: "lost" }];
  const cut = find(faults.cut);
  const end = cut ? cut.amount ?? Math.ceil(data.length / 2) : data.length;
  const [first, rest] = [data.subarray(0, end), data.subarray(end)];
  const parts: Part[] = [{ ...whole, data: first, fresh: first.length }];
  if (rest.length > 0) {
    const second = { after: 0, data: rest, fresh: rest.length };
    if (kind === "datagram") parts.push({ ...second, kind: "lost" });
    else parts.push({ ...second, kind, after: GAP, held: "cut" });
  }
  if (find(faults.double)) parts.push({ kind, after: 0, data, fresh: 0 });
  return cut ? parts.filter(({ data }) => data.length > 0) : parts;
}

/** The faults that met nothing, since less was sent: each as its flag, with what was sent. */
export function unmet(faults: Faults, counts: Record<Role, number>): string[] {
  return Object.entries(faults).flatMap(([flag, places]) =>
    (places as Place[]).filter(({ from, number }) => number > counts[from])
      .map(({ from, number }) =>
        `--${flag}=${from}:${number} met nothing: the ${from} sent ${counts[from] || "nothing"}`
      )
  );
}
