/**
 * What was exchanged in a probe, and how long to wait for it.
 *
 * @module
 */
import { escapeText } from "../../cli.ts";

const MAX_EVENTS = 14; // that are shown: the last ones
const MAX_TEXT = 48; // characters of each

/** How long to wait for something. */
export interface Patience {
  /** Milliseconds in which the program has nothing to do. */
  milliseconds: number;
  /** When to give up in any case, as `Date.now()` counts. */
  end: number;
  /** Returns whether the program had work to do since the last call. */
  isBusy(): boolean;
  /** Returns the seconds of processor time that the program has used, on Linux. */
  work(): number;
}

/** Seconds of processor time without a result, after which a program is not busy but spins. */
const MAX_WORK = 0.7;

/**
 * Waits with patience: time in which the program has work to do does not count, as the machine may
 * be busy. A program that spins, for instance in a loop that reads the end of a connection again and
 * again, is not waited for.
 *
 * @param wait Waits for some milliseconds at most, and returns whether what it waits for came.
 * @returns Whether it came.
 */
export async function waitPatiently(
  wait: (milliseconds: number) => Promise<boolean>,
  { milliseconds, end, isBusy, work }: Patience,
): Promise<boolean> {
  isBusy(); // the count begins
  const before = work();
  if (await wait(Math.min(milliseconds * 2 / 3, end - Date.now()))) return true;
  for (;;) {
    const wasBusy = isBusy();
    if (await wait(Math.min(milliseconds / 3, end - Date.now()))) return true;
    if (!wasBusy || Date.now() >= end || work() - before > MAX_WORK) return false;
  }
}

/** Who sent something. */
export type Side = "client" | "server";

/** The events of a probe, in order. */
export class Exchange {
  readonly #start = performance.now();
  readonly #events: { at: number; line: string }[] = [];

  /** Notes bytes that one side sent. */
  sent(from: Side, data: Uint8Array) {
    const text = new TextDecoder().decode(data.subarray(0, 4 * MAX_TEXT));
    const isLong = [...text].length > MAX_TEXT;
    const short = escapeText([...text].slice(0, MAX_TEXT).join(""));
    const count = `${data.length} ${data.length === 1 ? "byte" : "bytes"}`;
    this.#add(`${arrow(from)}  "${short}${isLong ? "..." : ""}" (${count})`);
  }

  /** Notes what else one side did. */
  did(from: Side, what: string) {
    this.#add(`${arrow(from)}  ${what}`);
  }

  /** Notes what was typed, or what else happened. */
  happened(what: string) {
    this.#add(`                    ${what}`);
  }

  #add(line: string) {
    this.#events.push({ at: performance.now() - this.#start, line });
  }

  /** Writes the events; the last line says what is wrong. */
  draw(wrong: string): string {
    const left = this.#events.length - MAX_EVENTS;
    const lines = this.#events.slice(-MAX_EVENTS).map(({ at, line }) =>
      `${at.toFixed(0).padStart(6)} ms  ${line}`
    );
    const now = `${(performance.now() - this.#start).toFixed(0).padStart(6)} ms`;
    return [
      ...left > 0 ? [`(${left} events before)`] : [],
      ...lines,
      `${now}  wrong: ${wrong}`,
    ].join("\n");
  }

  /** Whether nothing happened. */
  get isEmpty(): boolean {
    return this.#events.length === 0;
  }
}

function arrow(from: Side): string {
  return from === "client" ? "client ---> server" : "client <--- server";
}
