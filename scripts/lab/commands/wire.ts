/**
 * The command `lab wire`.
 *
 * @module
 */
import { UserError } from "../../cli.ts";
import { findLab } from "../catalog/labs.ts";
import { terminalWidth } from "../terminal/columns.ts";
import { type SafeText, write } from "../terminal/output.ts";
import { diagramOf, mermaidOf, traceEvent } from "../trace/diagram.ts";
import { readPlaces } from "../trace/faults.ts";
import { record } from "../trace/recording.ts";
import { checkMore, type ProgramFlags, programsOf } from "./programs.ts";

/** The flags that inject faults. */
export const FAULTS = ["drop", "duplicate", "delay", "split"] as const;

/** The flags of `lab wire`. */
export type WireFlags = ProgramFlags & Record<typeof FAULTS[number], string> & {
  /** Whether to print the diagram in Mermaid's language. */
  mermaid: boolean;
  /** Whether to show the data of each read. */
  reads: boolean;
  /** Whether to show the bytes in hexadecimal, too. */
  hex: boolean;
  /** Whether to show the time of each event. */
  times: boolean;
};

/**
 * Runs a lab, and prints a diagram of the traffic on the wire.
 *
 * @throws {UserError} A program failed.
 */
export async function drawWire([name]: string[], flags: WireFlags, more: string[]) {
  const { lines, problems } = await diagramFor(name, flags, more, terminalWidth());
  write`${lines}`;
  if (problems.length > 0) throw new UserError(problems[0], problems.slice(1).join("\n"));
}

/**
 * Runs a lab, and draws the traffic on the wire.
 *
 * @param name The lab.
 * @param flags The flags of `lab wire`.
 * @param more More arguments for the client.
 * @param columns The width of the diagram.
 * @returns The lines of the diagram, and the problems of the run.
 */
export async function diagramFor(
  name: string,
  flags: WireFlags,
  more: string[],
  columns: number,
): Promise<{ lines: SafeText[]; problems: string[] }> {
  const lab = findLab(name);
  const faults = Object.fromEntries(FAULTS.map((name) => [name, readPlaces(name, flags[name])]));
  checkMore("wire", more);
  const files = await programsOf(lab, flags);
  const { names, steps, problems } = await record(lab, { faults, more, files });
  const events = steps.map(traceEvent);
  const lines = flags.mermaid
    ? mermaidOf(names, events, flags)
    : diagramOf(names, events, flags, columns);
  return { lines, problems };
}
