/**
 * The probes of the README's exercises: each fails on the copy that it starts from.
 *
 * @module
 */
import { long, type Probe } from "../probe.ts";
import type { Step } from "../steps.ts";

/** Returns the steps of a client that sends everything, ends its half, and reads to the end. */
function untilEnd(text: string): Step[] {
  return [{ send: text }, { end: true }, { gets: text }, { ends: true }];
}

const SMALL_BUFFER = ["--buffer-size=4"];

/** The probes of exercise 1: a message of any length through a buffer of 4 bytes. */
export const READ_ON: Probe[] = [
  {
    what: "`Hello!` through a buffer of 4 bytes",
    args: SMALL_BUFFER,
    steps: untilEnd("Hello!"),
    cause: "not all of `Hello!` came back: one read gives 4 bytes of it",
  },
  {
    what: "a message that fills the buffer twice",
    args: SMALL_BUFFER,
    steps: untilEnd("Hi there"),
  },
  { what: "`héllo 😀`", args: SMALL_BUFFER, steps: untilEnd("héllo 😀") },
  { what: "a message of 5,000 bytes", args: SMALL_BUFFER, steps: untilEnd(long(5000)) },
  {
    what: "a message in pieces",
    args: SMALL_BUFFER,
    steps: [{ send: ["Hel", "lo", "!"] }, { end: true }, { gets: "Hello!" }, { ends: true }],
  },
  { what: "a client that sends nothing", steps: [{ end: true }, { ends: true }] },
];
