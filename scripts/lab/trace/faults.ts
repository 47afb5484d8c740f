/**
 * The faults of a network, with the names that netem gives them.
 *
 * @module
 */
import { UsageError } from "../../cli.ts";
import type { Role } from "../catalog/header.ts";

/** A segment or a datagram, by its number from 1 up among those of its sender. */
export interface Place {
  /** Who sends it. */
  from: Role;
  /** Its number. */
  number: number;
  /** Milliseconds to delay it, or bytes of its first part. */
  amount?: number;
}

const DELAY = 500; // milliseconds, if nothing else is said
const LONGEST_DELAY = 10_000; // milliseconds
const GAP = 50; // milliseconds between two parts, so that two reads get them

/** What is to happen to segments and datagrams. */
export interface Faults {
  /** These do not arrive. */
  drop?: Place[];
  /** These arrive twice. */
  duplicate?: Place[];
  /** These arrive later, by half a second if nothing else is said. */
  delay?: Place[];
  /** These arrive in two segments. Of a datagram, the second part is lost. */
  split?: Place[];
}

/**
 * Reads the value of a flag: `2` is the server's second segment or datagram, `client:1` the client's
 * first, `2:15` the server's second with an amount, for flags that take one. Commas separate several.
 *
 * @param flag The flag's name, for the error.
 * @param value Its value.
 * @returns The places in their order.
 * @throws {UsageError} The value can't be read.
 */
export function readPlaces(flag: string, value: string): Place[] {
  if (value === "") return [];
  const takesAmount = flag === "delay" || flag === "split";
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
  held?: "late" | "split";
  /** Its bytes. */
  data: Uint8Array;
  /** How many of these bytes were sent here for the first time: a copy has none. */
  fresh: number;
}

/**
 * Returns what becomes of a segment or a datagram: its parts, in the order in which they pass.
 *
 * @param faults What is to happen on the wire.
 * @param kind What it is.
 * @param place Whose it is, and its number.
 * @param data Its bytes.
 * @param onMet Called with the faults that change something.
 */
export function fateOf(
  faults: Faults,
  kind: "data" | "datagram",
  { from, number }: Place,
  data: Uint8Array,
  onMet: (place: Place) => void = () => {},
): Part[] {
  const find = (places?: Place[]) =>
    places?.find((place) => place.from === from && place.number === number);
  const { drop, duplicate, delay: late, split } = {
    drop: find(faults.drop),
    duplicate: find(faults.duplicate),
    delay: find(faults.delay),
    split: find(faults.split),
  };
  const held = late && { after: late.amount ?? DELAY, held: "late" as const };
  const whole: Part = { kind, after: 0, ...held, data, fresh: data.length };
  if (drop) {
    onMet(drop);
    return [{ ...whole, after: 0, held: undefined, kind: "lost" }];
  }
  if (late) onMet(late);
  const end = split ? split.amount ?? Math.ceil(data.length / 2) : data.length;
  const [first, rest] = [data.subarray(0, end), data.subarray(end)];
  const parts: Part[] = [{ ...whole, data: first, fresh: first.length }];
  if (rest.length > 0) {
    if (first.length > 0 || kind === "datagram") onMet(split!);
    const second = { after: 0, data: rest, fresh: rest.length };
    if (kind === "datagram") parts.push({ ...second, kind: "lost" });
    else parts.push({ ...second, kind, after: GAP, held: "split" });
  }
  if (duplicate) {
    onMet(duplicate);
    parts.push({ kind, after: 0, data, fresh: 0 });
  }
  return split ? parts.filter(({ data }) => data.length > 0) : parts;
}

/**
 * Returns the faults that changed nothing, each as its flag, with the reason.
 *
 * @param faults The faults.
 * @param counts How many segments or datagrams each side sent.
 * @param met The faults that changed something.
 */
export function unmet(faults: Faults, counts: Record<Role, number>, met: Set<Place>): string[] {
  return Object.entries(faults).flatMap(([flag, places]) =>
    (places as Place[]).filter((place) => !met.has(place)).map(({ from, number, amount }) => {
      const value = [from, number, ...amount === undefined ? [] : [amount]].join(":");
      const sent = counts[from];
      const reason = number > sent
        ? `the ${from} sent ${sent || "nothing"}`
        : flag === "split"
        ? "it is too short to be split there"
        : "it is dropped, or named twice";
      return `--${flag}=${value} matches nothing: ${reason}`;
    })
  );
}
