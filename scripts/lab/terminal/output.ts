/**
 * The one way to the terminal for all that the lab tool prints. Names of files, sources, messages
 * of errors, and what programs print are not to be trusted: an escape sequence in them could move
 * the cursor or change colors, and a line end could add a line to a report. So only a template
 * can be printed. Its own text goes out as it is, and every value in it with escapes.
 *
 * ```ts
 * write`# ${file} as ${name}\n`;
 * ```
 *
 * @module
 */
import { escapeText, UsageError, UserError, write as writeUnchecked } from "../../cli.ts";

export { note } from "../../cli.ts";

/** Text that may go to the terminal as it is. Only this module makes it. */
class SafeText {
  /** Marks a text as safe. */
  constructor(readonly text: string) {}
}
export type { SafeText };

/** What a template may hold: a string is shown with escapes, and a list without separators. */
export type Value = string | number | SafeText | SafeText[];

/** Makes text that may go to the terminal out of a template; see `write`. */
export function safe(template: TemplateStringsArray, ...values: Value[]): SafeText {
  const shown = values.map((value) => {
    if (value instanceof SafeText) return value.text;
    return Array.isArray(value) ? value.map(({ text }) => text).join("") : escapeText(`${value}`);
  });
  return new SafeText(String.raw({ raw: template }, ...shown));
}

/** Keeps the line ends of a text, and shows what else is not printable with escapes. */
export function multiline(text: string): SafeText {
  return new SafeText(text.split("\n").map(escapeText).join("\n"));
}

/** Prints a template to stdout. Its own text is printed as it is, and the values with escapes. */
export function write(template: TemplateStringsArray, ...values: Value[]): void {
  writeUnchecked(safe(template, ...values).text);
}

/** Returns an error which shows what is not printable in its hint or its stack with escapes. */
export function safeError(error: unknown): unknown {
  if (error instanceof UsageError || !(error instanceof Error)) return error;
  const lines = (text: string) => multiline(text).text;
  if (error instanceof UserError) {
    return new UserError(error.message, error.hint && lines(error.hint));
  }
  error.message = escapeText(error.message);
  error.stack &&= lines(error.stack);
  return error;
}
