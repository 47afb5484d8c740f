/**
 * Compares a screen with the expected one.
 *
 * @module
 */
import { showText } from "../../lib.ts";
import { alignLists } from "./alignment.ts";

/**
 * Returns whether a screen is the one that a header shows. Only the server's port and the ports of
 * clients may differ. The same client must have the same port everywhere.
 */
export function sameScreen(
  actual: string,
  shown: string,
  port: number,
): boolean {
  return comparable(actual) === comparable(atPort(shown, port));
}

/** Returns a screen as it would be if the server listened on another port. */
export function atPort(shown: string, port: number): string {
  return shown.replace(/\bport \d+/g, `port ${port}`);
}

/** Replaces the ports of clients by numbers in the order in which they appear. */
export function comparable(screen: string): string {
  const clients = new Map<string, number>();
  return screen.replace(/\('([^']+)', (\d+)\)/g, (_, host, client) => {
    if (!clients.has(client)) clients.set(client, clients.size);
    return `('${host}', client ${clients.get(client)})`;
  });
}

/** Returns whether a growing screen is the one that is shown, or cannot become it any more. */
export function settled(actual: string, shown: string, port: number): boolean {
  // An address in the last line may be incomplete.
  const last = actual.lastIndexOf("\n") + 1;
  const sure = actual.includes("('", last) ? actual.slice(0, last) : actual;
  return sameScreen(actual, shown, port) ||
    !comparable(atPort(shown, port)).startsWith(comparable(sure));
}

/** How a screen differs from the one that was expected. */
export interface Difference {
  /** The first difference, in words. */
  problem?: string;
  /** The screen that was expected. */
  expected?: string;
  /** The screen as it is. */
  actual?: string;
  /** Whether only the notation for bytes differs. */
  isNotation?: boolean;
}

/** Compares two screens, and describes the first line that differs. */
export function difference(actual: string, expected: string): Difference {
  if (comparable(actual) === comparable(expected)) return {};
  const lines = compareLines(actual, expected);
  const first = lines.findIndex(({ mark }) => mark === "≠");
  if (first < 0 && lines.some(({ mark }) => mark === "~")) return { isNotation: true };
  if (first < 0) return { problem: "its last line has no line end", actual, expected };
  const { left: is, right: should } = lines[first];
  const problem = is === undefined
    ? `line ${first + 1} is missing: ${should}`
    : should === undefined
    ? `line ${first + 1} is too much: ${is}`
    : `line ${first + 1} is: ${is}\nand should be: ${should}`;
  return { problem, actual, expected };
}

/** A line of one screen next to a line of another. */
export interface ComparedLine {
  /** The line of the left screen, if there is one. */
  left?: string;
  /** The line of the right screen, if there is one. */
  right?: string;
  /** How they compare: the same, the same in another notation, or different. */
  mark: " " | "~" | "≠";
}

const MAX_PAIRS = 4_000_000; // of lines that are compared with each other

/**
 * Compares two screens line by line. A line that only one of them has does not change how those after
 * it compare. `~` marks lines of which one has the same bytes in Python's notation.
 */
export function compareLines(left: string, right: string): ComparedLine[] {
  const [a, b] = [left, right].map(linesOf);
  const [c, d] = [left, right].map((screen) => linesOf(comparable(screen)));
  const [e, f] = [c, d].map((lines) => lines.map(withoutNotation));
  const weight = (i: number, j: number) => e[i] === f[j] ? 1 : 0;
  const rows: ComparedLine[] = [];
  // Lines without a counterpart are next to each other as far as there are some on both sides.
  let [onlyLeft, onlyRight]: string[][] = [[], []];
  const addDiffering = () => {
    for (let row = 0; row < Math.max(onlyLeft.length, onlyRight.length); row++) {
      rows.push({ left: onlyLeft[row], right: onlyRight[row], mark: "≠" });
    }
    [onlyLeft, onlyRight] = [[], []];
  };
  for (const [i, j] of alignLists(a.length, b.length, weight, MAX_PAIRS)) {
    if (i === undefined) onlyRight.push(b[j]);
    else if (j === undefined) onlyLeft.push(a[i]);
    else {
      addDiffering();
      rows.push({ left: a[i], right: b[j], mark: c[i] === d[j] ? " " : "~" });
    }
  }
  addDiffering();
  return rows;
}

function linesOf(screen: string): string[] {
  const lines = screen.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** Returns a line with the bytes that Python prints as `b'...'` as text. */
function withoutNotation(line: string): string {
  return line.replace(
    /b'((?:[^'\\]|\\.)*)'|b"((?:[^"\\]|\\.)*)"/g,
    (_, a, b) => {
      const bytes = (a ?? b).replace(
        /\\(x[0-9a-f]{2}|.)/g,
        (_: string, escape: string) =>
          escape.startsWith("x")
            ? String.fromCharCode(parseInt(escape.slice(1), 16))
            : ({ n: "\n", r: "\r", t: "\t" })[escape] ?? escape,
      );
      return showText(Uint8Array.from(bytes, (char: string) => char.charCodeAt(0)));
    },
  );
}
