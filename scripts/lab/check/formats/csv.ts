/**
 * Reports in CSV: a line for each file, for a spreadsheet.
 *
 * @module
 */
import { escapeText } from "../../../cli.ts";
import { safe, type SafeText } from "../../terminal/output.ts";
import { firstFailure, outcomeOf, pointsOf, type Result } from "../result.ts";

// Excel takes a file without this mark for the system's own encoding, and spoils names.
const BYTE_ORDER_MARK = safe`\ufeff`;

const HEADER = ["student", "file", "script", "result", "points", "of", "first failure"];

/** Returns the report: RFC 4180, in UTF-8 with a byte order mark. */
export function asCsv(results: Result[]): SafeText {
  const rows = results.map((result) => [
    result.student,
    result.file,
    result.script,
    outcomeOf(result),
    pointsOf(result),
    result.checks.length,
    firstFailure(result),
  ]);
  const lines = [HEADER, ...rows].map((row) => safe`${row.map(cell).join(",")}\r\n`);
  return safe`${BYTE_ORDER_MARK}${lines}`;
}

/** Returns a value as a cell. A spreadsheet would run a text that begins with `=` as a formula. */
function cell(value: string | number): string {
  if (typeof value === "number") return `${value}`;
  const text = escapeText(value).replace(/^\s*[=+\-@＝＋－＠]/, "'$&");
  return /[",]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
