/**
 * Text in colours and columns on the terminal.
 *
 * @module
 */
import { write } from "../lib.ts";

/** Gives text a colour where stdout is a terminal. */
export type Painter = (text: string) => string;

const color = (code: number): Painter => (text) =>
  Deno.noColor || !Deno.stdout.isTerminal() ? text : `\x1b[${code}m${text}\x1b[0m`;

/** Text that stands out. */
export const bold: Painter = color(1);
/** Text that says that something is right. */
export const green: Painter = color(32);
/** Text that says that something is wrong. */
export const red: Painter = color(31);
/** Text that says that something is nearly right. */
export const yellow: Painter = color(33);

/** The columns that the terminal has; a wide one where stdout is none. */
export function terminalWidth(): number {
  return Deno.stdout.isTerminal() ? Deno.consoleSize().columns : 160;
}

/** The widths of two columns: what they need, less where the terminal is narrow. */
export function columnWidths(left: string[], right: string[]): [number, number] {
  const widest = (lines: string[]) => Math.max(...lines.map((line) => [...line].length));
  const [a, b] = [widest(left), widest(right)];
  const room = Math.max(terminalWidth() - 3, 20);
  if (a + b <= room) return [a, b];
  const narrow = Math.min(a, Math.max(Math.floor(room / 2), room - b));
  return [narrow, Math.min(b, room - narrow)];
}

/** Prints two texts next to each other, wrapped to the widths of their columns. */
export function printRow(
  left: string,
  right: string,
  widths: [number, number],
  mark = "│",
) {
  const [a, b] = [wrapped(left, widths[0]), wrapped(right, widths[1])];
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const start = (a[i] ?? "").padEnd(widths[0]);
    write(`${start} ${mark} ${b[i] ?? ""}`.trimEnd() + "\n");
  }
}

/** Breaks a line behind spaces, or where there is none in the middle of a word. */
function wrapped(line: string, width: number): string[] {
  const lines: string[] = [];
  let rest = [...line];
  while (rest.length > width) {
    const space = rest.lastIndexOf(" ", width - 1);
    const end = rest.slice(0, space).join("").trim() === "" ? width : space + 1;
    lines.push(rest.slice(0, end).join(""));
    rest = rest.slice(end);
  }
  return [...lines, rest.join("")];
}

/** Prints the line below the titles of two columns. */
export function printRule(widths: [number, number]) {
  write(widths.map((width) => "─".repeat(width)).join("─┼─") + "\n");
}
