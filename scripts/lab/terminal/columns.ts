/**
 * Prints text in colors and columns.
 *
 * @module
 */
import { escapeText } from "../../cli.ts";
import { safe, type SafeText, write } from "./output.ts";

/** Gives text a color where stdout is a terminal. */
export type Painter = (text: string | SafeText) => SafeText;

const color = (code: number): Painter => (text) =>
  Deno.noColor || !Deno.stdout.isTerminal() ? plain(text) : safe`\x1b[${code}m${text}\x1b[0m`;

/** Makes text bold. */
export const bold: Painter = color(1);
/** Colors a success. */
export const green: Painter = color(32);
/** Colors a failure. */
export const red: Painter = color(31);
/** Colors a small difference. */
export const yellow: Painter = color(33);
/** Leaves text as it is. */
export const plain: Painter = (text): SafeText => safe`${text}`;

/** Returns the columns of the terminal. If stdout is not a terminal, `COLUMNS` gives them, or it is 160. */
export function terminalWidth(): number {
  const given = Deno.stdout.isTerminal()
    ? Deno.consoleSize().columns
    : Number(Deno.env.get("COLUMNS") ?? 160);
  return given > 0 ? Math.min(Math.max(Math.floor(given), 10), 1000) : 80;
}

const WIDE =
  /\p{Emoji_Presentation}|\p{Emoji_Modifier}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18dff}\u{1f000}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const NARROW = /[\p{Mn}\p{Me}\u1160-\u11ff\u200b-\u200d\u2060\ufe00-\ufe0e\ufeff]/u;

/** Returns whether a text is printable ASCII, as most lines are. Other text takes longer to measure. */
const isPlain = (text: string) => /^[ -~]*$/.test(text);

/**
 * Returns the columns that a text takes on a terminal. An ideogram or emoji takes two, a combining
 * accent none. If terminals differ, it is the larger number.
 */
export function widthOf(text: string): number {
  if (isPlain(text)) return text.length;
  let width = 0;
  for (const char of text) width += WIDE.test(char) ? 2 : NARROW.test(char) ? 0 : 1;
  return width;
}

const TAB = 4; // columns from one tab stop to the next

let segmenter: Intl.Segmenter | undefined; // most runs never need it, and it takes long to load
const graphemes = (text: string) =>
  (segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" })).segment(text);

/** Returns the characters of a line as they are printed: tabs as spaces, control characters as escapes. */
function charactersOf(line: string, width: number): string[] {
  let spread = "";
  let columns = 0;
  for (const part of line.replace(/\r$/, "").split(/(\t)/)) {
    const shown = part === "\t" ? " ".repeat(TAB - columns % TAB) : escapeText(part);
    spread += shown;
    columns += widthOf(shown);
  }
  if (isPlain(spread)) return [...spread];
  return [...graphemes(spread)].flatMap(({ segment }) =>
    widthOf(segment) > width ? [...segment] : segment
  );
}

/**
 * Breaks a line after spaces, or in the middle of a word that is too long.
 *
 * @param line The line.
 * @param width The number of columns, 2 or more.
 * @returns One line or more, none of them wider than that.
 */
export function wrapped(line: string, width: number): string[] {
  const characters = charactersOf(line, width);
  const lines: string[] = [];
  let start = 0;
  let columns = 0;
  for (let i = 0; i < characters.length; i++) {
    columns += widthOf(characters[i]);
    if (columns <= width || i === start) continue;
    const line = characters.slice(start, i);
    const space = line.lastIndexOf(" ") + 1;
    const isAfterWord = line.slice(0, space).join("").trim() !== "";
    const end = isAfterWord ? start + space : i;
    lines.push(characters.slice(start, end).join(""));
    start = end;
    columns = widthOf(characters.slice(start, i + 1).join(""));
  }
  return [...lines, characters.slice(start).join("")];
}

/** Returns the widths of two columns: what they need, or less on a narrow terminal. */
export function columnWidths(left: string[], right: string[]): [number, number] {
  const widest = (lines: string[]) =>
    lines.reduce((width, line) => Math.max(width, widthOf(line)), 2);
  const [a, b] = [widest(left), widest(right)];
  const room = terminalWidth() - 3;
  if (a + b <= room) return [a, b];
  const narrow = Math.min(a, Math.max(Math.floor(room / 2), room - b));
  return [narrow, Math.min(b, room - narrow)];
}

/** Prints two texts next to each other, wrapped to the widths of their columns. */
export function printRow(
  left: string,
  right: string,
  widths: [number, number],
  mark: string | SafeText = "│",
  paint: Painter = plain,
) {
  const [a, b] = [wrapped(left, widths[0]), wrapped(right, widths[1])];
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [start = "", end = ""] = [a[i], b[i]];
    const padding = " ".repeat(widths[0] - widthOf(start));
    const middle = i === 0 ? mark : "│";
    const right = end.trimEnd() && ` ${end.trimEnd()}`;
    write`${paint(safe`${start}${padding} ${middle}${right}`)}\n`;
  }
}

/** Prints the line below the titles of two columns. */
export function printRule(widths: [number, number]) {
  write`${widths.map((width) => "─".repeat(width)).join("─┼─")}\n`;
}
