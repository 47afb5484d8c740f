/**
 * What a probe is. The probes themselves are in the folder `probes`, by lab.
 *
 * @module
 */
import type { Data, Step } from "./steps.ts";

/** What an exercise is put through. */
export interface Probe {
  /** What it looks at, for the report: a text that goes behind `ok`. */
  what: string;
  /** What is said on the wire, as seen from the probe's end. */
  steps: Step[];
  /** Whether it is the session of the script's header: the screen must then be the one shown. */
  isSession?: true;
  /** Another screen that is right, too. */
  orScreen?: string;
  /** Whether the next client must then be served as if nothing had been. */
  next?: true;
  /** What stands behind a text in all lines that begin with it, put together. */
  joined?: [start: string, text: string];
  /** What must not be printed. */
  hides?: string;
  /** How the first line of a failure says what is wrong, where the general words do not. */
  cause?: string;
  /**
   * Who fails by it. `python`: the Python originals do not do it either, so that for them it is
   * only told. `nobody`: it is told, and never a failure. `waiting`: so is that a client had to
   * wait for the one before it, but not what else goes wrong.
   */
  excused?: "python" | "nobody" | "waiting";
  /**
   * More arguments; the program is started anew with them. Left out where it need not take their
   * flag and does not.
   */
  args?: string[];
  /** Whether the arguments of the session are left out; the program is started anew. */
  isPlain?: true;
}

/** What a client is put through: it is started anew for each. */
export interface ClientProbe extends Probe {
  /** The lines that are typed. */
  typed?: string[];
  /** Whether the input then ends, as with Ctrl-D. */
  inputEnds?: true;
  /** How it must end: well, or with another status than 0. */
  status?: "well" | "failed";
  /** What must stand on the screen in the end. */
  screen?: string;
  /** Lines, or parts of them, that must stand on the screen in this order. */
  shows?: string[];
  /** Whether nobody listens. */
  isAlone?: true;
}

/** What the two halves of a lab are put through. */
export interface LabProbes {
  /** Its server: the steps are a client's. */
  server: Probe[];
  /** Its client: the steps are a server's. */
  client: ClientProbe[];
}

/** A message of versions 2 and 3: a header of 10 characters with the length, then the text. */
export function framed(text: string): string {
  return `${[...text].length}`.padStart(10) + text;
}

/** Cuts text into pieces, where the bytes are given: `cut("é", 1)` cuts the character in two. */
export function cut(text: string, ...places: number[]): Data[] {
  const bytes = new TextEncoder().encode(text);
  const ends = [...places, bytes.length];
  return ends.map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end));
}

/** Text of some length that does not repeat itself soon. */
export function long(length: number): string {
  let text = "";
  for (let i = 0; text.length < length; i++) text += `line ${i} `;
  return text.slice(0, length - 1) + "!";
}

/** Bytes that are no text. */
export const BINARY: Uint8Array = Uint8Array.of(0, 255, 254, 128, 10, 13, 195, 40, 0);
