/**
 * What stands on a screen, compared with what should.
 *
 * @module
 */
import { text } from "../lib.ts";

/**
 * Compares a screen with the one that a header shows. Only the port that the
 * server listens on and the ports of clients may differ; the same client must
 * have the same port everywhere.
 */
export function sameScreen(
  actual: string,
  shown: string,
  port: number,
): boolean {
  return comparable(actual) === comparable(atPort(shown, port));
}

/** A screen as it is when the server listens on another port. */
export function atPort(shown: string, port: number): string {
  return shown.replace(/\bport \d+/g, `port ${port}`);
}

/** Gives all clients' ports numbers in the order in which they appear. */
function comparable(screen: string): string {
  const clients: string[] = [];
  return screen.replace(/\('([^']+)', (\d+)\)/g, (_, host, client) => {
    if (!clients.includes(client)) clients.push(client);
    return `('${host}', client ${clients.indexOf(client)})`;
  });
}

/** Whether a growing screen has become the one shown, or never will. */
export function settled(actual: string, shown: string, port: number): boolean {
  // An address in the last line may still be incomplete.
  const sure = actual.replace(/.*\('[^\n]*$/, "");
  return sameScreen(actual, shown, port) ||
    !comparable(atPort(shown, port)).startsWith(comparable(sure));
}

/** What is wrong about a screen. */
export interface Difference {
  /** What is wrong about it, in words. */
  problem?: string;
  /** The screen as it should be. */
  expected?: string;
  /** The screen as it is. */
  actual?: string;
  /** Whether only the notation for bytes differs. */
  isNotation?: boolean;
}

/** How the lines of two screens compare, and the first that differs, in words. */
export function difference(actual: string, expected: string): Difference {
  if (comparable(actual) === comparable(expected)) return {};
  const marks = compareLines(actual, expected);
  const line = marks.findIndex(({ mark }) => mark === "≠");
  if (line < 0 && marks.some(({ mark }) => mark === "~")) {
    return { isNotation: true };
  }
  if (line < 0) {
    return { problem: "its last line has no line end", actual, expected };
  }
  const [is, should] = [actual, expected].map((screen) => linesOf(screen)[line]);
  const problem = is === undefined
    ? `line ${line + 1} is missing: ${should}`
    : should === undefined
    ? `line ${line + 1} is too much: ${is}`
    : `line ${line + 1} is: ${is}\nand should be: ${should}`;
  return { problem, actual, expected };
}

/** Two lines next to each other: alike, alike but for notation, or not. */
export interface Row {
  /** The line of the left screen. */
  left: string;
  /** The line of the right one. */
  right: string;
  /** How they compare. */
  mark: " " | "~" | "≠";
}

/**
 * Compares two screens line by line. `~` marks lines that say the same, but one
 * of them in Python's notation for bytes.
 */
export function compareLines(left: string, right: string): Row[] {
  const [a, b] = [left, right].map(linesOf);
  const [c, d] = [left, right].map((screen) => linesOf(comparable(screen)));
  return Array.from({ length: Math.max(a.length, b.length) }, (_, i) => ({
    left: a[i] ?? "",
    right: b[i] ?? "",
    mark: c[i] === d[i] ? " " : c[i] !== undefined && d[i] !== undefined &&
        withoutNotation(c[i]) === withoutNotation(d[i])
      ? "~"
      : "≠",
  }));
}

function linesOf(screen: string): string[] {
  const lines = screen.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** A line with the bytes that Python shows as `b'...'` shown as text. */
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
      return text(Uint8Array.from(bytes, (char: string) => char.charCodeAt(0)));
    },
  );
}
