/**
 * A line on the terminal that says how far a long command is. Elsewhere, nothing is printed.
 *
 * @module
 */
import { escapeText } from "../../../cli.ts";
import { wrapped } from "../../terminal/columns.ts";

/** The line, which is written over again and again, and removed in the end. */
export class Progress implements Disposable {
  readonly #isShown = Deno.stderr.isTerminal();

  /** Shows a text in place of the last one. */
  show(text: string) {
    if (!this.#isShown) return;
    const [line] = wrapped(escapeText(text), Math.max(columns() - 1, 2));
    this.#write(`\r\x1b[K${line}`);
  }

  #write(text: string) {
    try {
      Deno.stderr.writeSync(new TextEncoder().encode(text));
    } catch { /* the terminal has gone */ }
  }

  /** Removes the line. */
  [Symbol.dispose]() {
    if (this.#isShown) this.#write("\r\x1b[K");
  }
}

function columns(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80;
  }
}
