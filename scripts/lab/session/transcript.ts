/**
 * What stands on a screen, compared with what should.
 *
 * @module
 */
import { showText } from "../../lib.ts";

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
export function comparable(screen: string): string {
  const clients = new Map<string, number>();
  return screen.replace(/\('([^']+)', (\d+)\)/g, (_, host, client) => {
    if (!clients.has(client)) clients.set(client, clients.size);
    return `('${host}', client ${clients.get(client)})`;
  });
}

/** Whether a growing screen has become the one shown, or never will. */
export function settled(actual: string, shown: string, port: number): boolean {
  // An address in the last line may still be incomplete.
  const last = actual.lastIndexOf("\n") + 1;
  const sure = actual.includes("('", last) ? actual.slice(0, last) : actual;
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

/** A line of one screen next to the one of another that takes its place. */
export interface ComparedLine {
  /** The line of the left screen, if there is one. */
  left?: string;
  /** The line of the right screen, if there is one. */
  right?: string;
  /** How they compare: alike, alike but for notation, or not. */
  mark: " " | "~" | "≠";
}

const MOST = 4_000_000; // pairs of lines that are compared with each other

/**
 * Compares two screens line by line. A line that only one of them has is alone in its row,
 * and those behind it are compared with each other again. `~` marks lines that say the
 * same, but one of them in Python's notation for bytes.
 */
export function compareLines(left: string, right: string): ComparedLine[] {
  const [a, b] = [left, right].map(linesOf);
  const [c, d] = [left, right].map((screen) => linesOf(comparable(screen)));
  const [e, f] = [c, d].map((lines) => lines.map(withoutNotation));
  // The longest common subsequence: how many lines are alike from here on.
  const isShort = a.length * b.length <= MOST;
  const alike = new Uint32Array(isShort ? (a.length + 1) * (b.length + 1) : 0);
  const at = (i: number, j: number) => i * (b.length + 1) + j;
  for (let i = a.length - 1; i >= 0 && isShort; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      alike[at(i, j)] = e[i] === f[j]
        ? alike[at(i + 1, j + 1)] + 1
        : Math.max(alike[at(i + 1, j)], alike[at(i, j + 1)]);
    }
  }
  const rows: ComparedLine[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const [k, l] = [i, j];
    while ((i < a.length || j < b.length) && !(i < a.length && e[i] === f[j])) {
      if (j >= b.length || i < a.length && alike[at(i + 1, j)] >= alike[at(i, j + 1)]) i++;
      else j++;
    }
    for (let row = 0; row < Math.max(i - k, j - l); row++) {
      const [x, y] = [k + row, l + row];
      rows.push({ left: x < i ? a[x] : undefined, right: y < j ? b[y] : undefined, mark: "≠" });
    }
    if (i < a.length) {
      rows.push({ left: a[i], right: b[j], mark: c[i] === d[j] ? " " : "~" });
      i++;
      j++;
    }
  }
  return rows;
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
      return showText(Uint8Array.from(bytes, (char: string) => char.charCodeAt(0)));
    },
  );
}
