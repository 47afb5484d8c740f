/**
 * What a probe is. The probes themselves are in the folder `probes`, by lab.
 *
 * @module
 */
import type { Data, Mismatch, MismatchKind, Step } from "./steps.ts";

/** One thing that is checked. */
export interface Probe {
  /** What is checked, for the report: the text after `ok`. */
  what: string;
  /** What is sent and expected, as seen from the probe's end. */
  steps: Step[];
  /**
   * `beyond` for what the sheet does not ask for: it is reported as a note, and is a failure only
   * with `--strict`. The scripts' headers list what is beyond a sheet.
   */
  level?: "beyond";
  /** Whether it is the session of the script's header: the screen must then be the one shown. */
  isSession?: true;
  /** Another screen that is right, too. */
  orScreen?: string;
  /** Whether the next client must then be served as if nothing had been. */
  next?: true;
  /** What must follow a text in all lines that begin with it, put together. */
  joined?: [start: string, text: string];
  /** What must not be printed. */
  hides?: string;
  /** The first line of a failure, if the general words do not say what is wrong. */
  cause?: string;
  /** The same for one kind of failure. `silence` is for a program that sent nothing at all. */
  causes?: Partial<Record<MismatchKind, string>>;
  /** More arguments. The program is started again with them; without their flag it is not checked. */
  args?: string[];
  /** Whether the arguments of the session are left out. The program is started again. */
  isPlain?: true;
}

/** Returns what a probe says about a failure, if it has words of its own for it. */
export function ownCause({ cause, causes }: Probe, mismatch?: Mismatch): string | undefined {
  if (!mismatch || mismatch.kind === "silence" && mismatch.actual !== "") return cause;
  return causes?.[mismatch.kind] ?? cause;
}

/** One thing that is checked about a client, which is started for each. */
export interface ClientProbe extends Probe {
  /** The lines that are typed, one before each message that the client sends. */
  typed?: string[];
  /** How it must end: well, or with a status other than 0. */
  status?: "well" | "failed";
  /** The screen as it must be in the end. */
  screen?: string;
  /** Lines, or parts of them, that the screen must show in this order. */
  shows?: string[];
  /** Whether the probe runs without a server. */
  isAlone?: true;
}

/** What is checked about the two roles of a lab. */
export interface LabProbes {
  /** Its server: the steps are a client's. */
  server: Probe[];
  /** Its client: the steps are a server's. */
  client: ClientProbe[];
}

/** Returns a message of versions 2 and 3: a header of 10 characters with the length, then the text. */
export function framed(text: string): string {
  return `${[...text].length}`.padStart(10) + text;
}

/** Returns text in pieces. The places are numbers of bytes: `cut("é", 1)` cuts the character in two. */
export function cut(text: string, ...places: number[]): Data[] {
  const bytes = new TextEncoder().encode(text);
  const ends = [...places, bytes.length];
  return ends.map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end));
}

/** Returns text of some length that does not repeat itself soon. */
export function long(length: number): string {
  let text = "";
  for (let i = 0; text.length < length; i++) text += `line ${i} `;
  return text.slice(0, length - 1) + "!";
}

/** Bytes that are not text. */
export const BINARY: Uint8Array = Uint8Array.of(0, 255, 254, 128, 10, 13, 195, 40, 0);
