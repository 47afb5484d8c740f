/**
 * Reports a class as a table: points, whose file it is, and the first failure.
 *
 * @module
 */
import { terminalWidth, widthOf, wrapped } from "../../terminal/columns.ts";
import { safe, type SafeText } from "../../terminal/output.ts";
import { firstFailure, outcomeOf, pointsOf, type Result } from "../result.ts";

const MIN_WIDTH = 30; // columns for the first failure next to the name, or it goes below

/**
 * Returns a line for each file, or more where it does not fit.
 *
 * @param results The results.
 * @param width The columns of the terminal.
 */
export function asTable(results: Result[], width = terminalWidth()): SafeText {
  return safe`${tableLines(results, width).map((line) => safe`${line}\n`)}`;
}

/** Returns the same as lines. */
export function tableLines(results: Result[], width: number): string[] {
  const names = namesOf(results);
  const points = results.map((result) => `${pointsOf(result)}/${result.checks.length}`);
  const widest = (texts: string[]) => Math.max(...texts.map(widthOf), 0);
  const left = widest(points);
  const nameWidth = Math.min(widest(names), Math.max(Math.floor(width / 3), 10));
  const room = width - left - nameWidth - 4;
  return results.flatMap((result, i) => {
    const start = `${points[i].padStart(left)}  `;
    const failure = failureOf(result);
    if (room < MIN_WIDTH) {
      const indent = " ".repeat(start.length);
      const lines = [names[i], ...failure === "" ? [] : [failure]]
        .flatMap((text) => wrapped(text, Math.max(width - start.length, 2)));
      return lines.map((line, row) => `${row === 0 ? start : indent}${line}`.trimEnd());
    }
    const [name, words] = [wrapped(names[i], nameWidth), wrapped(failure, room)];
    return Array.from({ length: Math.max(name.length, words.length) }, (_, row) => {
      const cell = name[row] ?? "";
      const padding = " ".repeat(nameWidth - widthOf(cell.trimEnd()));
      const first = row === 0 ? start : " ".repeat(start.length);
      return `${first}${cell.trimEnd()}${padding}  ${words[row] ?? ""}`.trimEnd();
    });
  });
}

function failureOf(result: Result): string {
  const incomplete = outcomeOf(result) === "incomplete" ? "incomplete: " : "";
  return incomplete + firstFailure(result);
}

/** Returns a name for each file that no other has: the student's, with the script or the path if needed. */
function namesOf(results: Result[]): string[] {
  const hasOneScript = new Set(results.map(({ script }) => script)).size === 1;
  const names = results.map(({ student, script, file }) =>
    student === "" ? file : hasOneScript ? student : `${student}, ${script}`
  );
  return names.map((name, i) =>
    names.filter((other) => other === name).length > 1 ? results[i].file : name
  );
}
