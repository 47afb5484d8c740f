/**
 * The result of a check: what all formats of the report are made from.
 *
 * @module
 */
import { escapeText } from "../../cli.ts";
import type { Finding } from "./check_run.ts";

const MAX_LINES = 20; // of what a submission printed
const MAX_LINE = 200; // characters of such a line

/** What became of a check. */
export type State = "passed" | "failed" | "not reached";

/** What became of a file: it is incomplete if nothing is wrong, but the time was up. */
export type Outcome = "passed" | "failed" | "incomplete";

/** The result of checking one file. */
export interface Result {
  /** The file's path. */
  file: string;
  /** Whose file it is, as far as its name or its folder says that. */
  student: string;
  /** The script that it takes the place of. */
  script: string;
  /** What counts: the same checks, in the same order, for all files of this script. */
  checks: Finding[];
  /** What was found beyond the sheet, which does not count. */
  beyond: Finding[];
  /** Why the file could not be checked. */
  error?: string;
  /** How long the check took. */
  seconds: number;
}

/** Returns what became of a check. */
export function stateOf({ problem, skipped }: Finding): State {
  return problem !== undefined ? "failed" : skipped !== undefined ? "not reached" : "passed";
}

/** Returns how many checks a file passed. Each is one point. */
export function pointsOf({ checks }: Result): number {
  return checks.filter((finding) => stateOf(finding) === "passed").length;
}

/** Returns what became of a file. */
export function outcomeOf({ checks, error }: Result): Outcome {
  const states = checks.map(stateOf);
  if (error !== undefined || states.includes("failed")) return "failed";
  return states.includes("not reached") ? "incomplete" : "passed";
}

/** Returns what is wrong about a file in one line: why it could not be checked, or its first failure. */
export function firstFailure({ checks, error }: Result): string {
  const problem = error ?? checks.find(({ problem }) => problem !== undefined)?.problem ??
    checks.find(({ skipped }) => skipped !== undefined)?.skipped ?? "";
  return problem.split("\n")[0];
}

/** Returns how many files have each outcome. */
export function countOutcomes(results: Result[]): Record<Outcome, number> {
  const count = { passed: 0, failed: 0, incomplete: 0 };
  for (const result of results) count[outcomeOf(result)]++;
  return count;
}

/** Returns the first lines of what a submission printed, with escapes for control characters. */
export function shorten(text: string): string {
  const lines = text.trimEnd().split("\n");
  const shown = lines.slice(0, MAX_LINES).map((line) => {
    const safe = escapeText(line);
    return safe.length > MAX_LINE ? `${safe.slice(0, MAX_LINE)}...` : safe;
  });
  if (lines.length > MAX_LINES) shown.push(`... and ${lines.length - MAX_LINES} lines more`);
  return shown.join("\n");
}
