/**
 * Prints everything that the lab tool prints. Names of files, sources, error messages and the output of
 * programs cannot be trusted: an escape sequence in them could move the cursor or change colors, and a
 * line end could add a line to a report. So only templates can be printed: their own text as it is, and
 * every value in them with escapes.
 *
 * ```ts
 * write`# ${file} as ${name}\n`;
 * ```
 *
 * @module
 */
import { escapeText, UsageError, UserError, write as writeUnchecked } from "../../cli.ts";

export { note } from "../../cli.ts";

/** Text that is printed as it is. Only this module makes it. */
class SafeText {
  /** Marks a text as safe. */
  constructor(readonly text: string) {}
}
export type { SafeText };

/** A value in a template. A string is printed with escapes, and a list without separators. */
export type Value = string | number | SafeText | SafeText[];

/** Makes text that can be printed from a template; see `write`. */
export function safe(template: TemplateStringsArray, ...values: Value[]): SafeText {
  const shown = values.map((value) => {
    if (value instanceof SafeText) return value.text;
    return Array.isArray(value) ? value.map(({ text }) => text).join("") : escapeText(`${value}`);
  });
  return new SafeText(String.raw({ raw: template }, ...shown));
}

/** Keeps the line ends of a text, and replaces other characters that are not printable by escapes. */
export function multiline(text: string): SafeText {
  return new SafeText(text.split("\n").map(escapeText).join("\n"));
}

/** Prints a template to stdout: its own text as it is, and the values with escapes. */
export function write(template: TemplateStringsArray, ...values: Value[]): void {
  writeUnchecked(safe(template, ...values).text);
}

/** Returns an error with escapes for the characters in its hint and its stack that are not printable. */
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
