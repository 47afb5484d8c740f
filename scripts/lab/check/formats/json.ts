/**
 * Reports in JSON.
 *
 * @module
 */
import { multiline, type SafeText } from "../../terminal/output.ts";
import type { Finding } from "../check_run.ts";
import { outcomeOf, pointsOf, type Result, shorten, stateOf } from "../result.ts";

/** Returns the report of some files, and what was not checked. */
export function asJson(results: Result[], skipped: { path: string; why: string }[]): SafeText {
  const files = results.map((result) => {
    const { file, student, script, error, seconds, checks, beyond } = result;
    return {
      file,
      student,
      script,
      result: outcomeOf(result),
      points: pointsOf(result),
      of: checks.length,
      seconds: Math.round(seconds * 10) / 10,
      error,
      checks: checks.map(asObject),
      beyond: beyond.map(asObject),
    };
  });
  const text = JSON.stringify({ files, skipped }, null, 2);
  // Characters that a terminal could act on are written as escapes of JSON, which change no value.
  const unprintable = /(?!\n)[\p{C}\p{Zl}\p{Zp}]/gu;
  return multiline(text.replace(unprintable, escaped) + "\n");
}

function asObject(finding: Finding) {
  const { what, problem, expected, actual, exchange, note, skipped } = finding;
  const part = (text?: string) => text === undefined ? undefined : shorten(text);
  return {
    what,
    result: stateOf(finding),
    message: part(problem ?? skipped),
    expected: part(expected),
    actual: part(actual),
    exchange: part(exchange),
    note: part(note),
  };
}

function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}
