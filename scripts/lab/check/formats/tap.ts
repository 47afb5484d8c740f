/**
 * Reports in TAP 14: a test point for each check of a file, and for several files a subtest for each.
 *
 * @module
 */
import { multiline, safe, type SafeText } from "../../terminal/output.ts";
import type { Finding } from "../check_run.ts";
import { firstFailure, outcomeOf, type Result, shorten, stateOf } from "../result.ts";

/** The first line of a report. */
export const VERSION: SafeText = safe`TAP version 14\n`;

/** Returns the report of several files. A file that is incomplete is not ok. */
export function asTap(results: Result[]): SafeText {
  return safe`${VERSION}${results.map(asSubtest)}1..${results.length}\n`;
}

function asSubtest(result: Result, i: number): SafeText {
  const { student, file, script } = result;
  const name = unhashed(student === "" ? file : `${student}: ${file}`);
  const isOk = outcomeOf(result) === "passed";
  return safe`# Subtest: ${name}\n${indented(safe`# as ${script}\n${pointsAsTap(result)}`)}${
    isOk ? "ok" : "not ok"
  } ${i + 1} - ${name}\n${
    isOk ? safe`` : safe`  ---\n${block("message", firstFailure(result))}  ...\n`
  }`;
}

/** Returns the test points of one file, and their number. */
export function pointsAsTap({ checks, beyond }: Result): SafeText {
  const points = checks.map((finding, i) => asPoint(i + 1, finding));
  return safe`${points}${beyond.map(asComment)}1..${checks.length}\n`;
}

/** Returns a check as a test point, with what is wrong in a block of YAML. */
export function asPoint(number: number, finding: Finding): SafeText {
  const { what, problem, expected, actual, exchange, note, skipped } = finding;
  const word = stateOf(finding) === "passed" ? "ok" : "not ok";
  const name = unhashed(skipped === undefined ? what : `${what} (not reached: ${skipped})`);
  const lines = [safe`${word} ${number} - ${name}\n`];
  if (note) lines.push(safe`# note: ${shorten(note)}\n`);
  if (problem === undefined) return safe`${lines}`;
  lines.push(safe`  ---\n`, block("message", problem));
  if (expected !== undefined) lines.push(block("expected", expected));
  if (actual !== undefined) lines.push(block("actual", actual));
  if (exchange !== undefined) lines.push(block("exchange", exchange));
  return safe`${lines}  ...\n`;
}

/** Returns what was found beyond the sheet as a comment: it does not count. */
export function asComment({ what, note, skipped }: Finding): SafeText {
  if (skipped !== undefined) return safe`# beyond the sheet, not reached: ${what}\n`;
  const lack = note?.replace(/^beyond the sheet: /, "");
  return lack === undefined
    ? safe`# beyond the sheet, ok: ${what}\n`
    : safe`# beyond the sheet, note: ${what}: ${shorten(lack)}\n`;
}

/** Returns a text in YAML. The number of its spaces is given: it may begin with spaces itself. */
function block(name: string, text: string): SafeText {
  return safe`  ${name}: |2\n${multiline(shorten(text).replace(/^/gm, "    "))}\n`;
}

/** Returns a description in which `#` does not begin a directive. */
function unhashed(text: string): string {
  return text.replace(/[\\#]/g, "\\$&");
}

function indented({ text }: SafeText): SafeText {
  return multiline(text.replace(/^(?=.)/gm, "    "));
}
