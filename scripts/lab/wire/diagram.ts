/**
 * Sequence diagrams of a recording, for the terminal and for Mermaid.
 *
 * @module
 */
import { showText } from "../../lib.ts";
import { bold, plain, terminalWidth, widthOf, wrapped } from "../columns.ts";
import type { Lab } from "../header.ts";
import { write } from "../output.ts";
import type { Step } from "./order.ts";

const WIDEST = 80; // columns
const ROWS = 4; // lines of a message at most
const LETTERS = 60; // of a message in Mermaid

/** Bytes as text: control characters are escapes, and spaces that one can't count are signs. */
export function visible(data: Uint8Array): string {
  return showText(data).replace(/^ +| +$| {2,}/g, (spaces) => "␣".repeat(spaces.length));
}

/** The name of what happened on the wire. */
export function labelOf({ kind, data, isLate }: Step): string {
  const size = `${data?.length} byte${data?.length === 1 ? "" : "s"}${isLate ? " late" : ""}`;
  switch (kind) {
    case "lost":
      return `${size} lost`;
    case "datagram":
    case "data":
      return size;
    case "end":
      return "FIN";
    case "reset":
      return "RST";
    default:
      return kind;
  }
}

/** A call that reads, with what it got. */
function readOf({ text, data }: Step): string | undefined {
  if (text !== "read" && text !== "receive") return undefined;
  if (!data?.length) return text === "read" ? "read: the end" : "receive: nothing";
  return `${text} ${data.length}: ${visible(data)}`;
}

/**
 * Draws a recording as a sequence diagram in three columns: what the server prints, what
 * goes over the wire, what the client prints.
 *
 * @param lab The lab.
 * @param steps What happened.
 * @param reads Whether to show what each read gets as well.
 */
export function drawDiagram({ server, client }: Lab, steps: Step[], reads: boolean) {
  const width = Math.max(Math.min(terminalWidth(), WIDEST), 40) - 6;
  const middle = Math.floor(width / 3);
  const left = Math.ceil((width - middle) / 2);
  const widths = [left, middle, width - middle - left];
  const row = (cells: string[], paint = plain) => {
    const columns = cells.map((cell, i) => cell ? wrapped(cell, widths[i]) : []);
    for (let i = 0; i < Math.max(...columns.map(({ length }) => length)); i++) {
      const parts = columns.map((lines, j) => {
        const part = lines[i] ?? "";
        return part + " ".repeat(widths[j] - widthOf(part));
      });
      write`${paint(parts.join(" │ ").trimEnd())}\n`;
    }
  };
  row([server.name, "", client.name], bold);
  write`${widths.map((width) => "─".repeat(width)).join("─┼─")}\n`;
  for (const step of steps) {
    const isServer = step.from === "server";
    const side = (line: string) => row(isServer ? [line, "", ""] : ["", "", line]);
    if (step.kind === "line") side(step.text.replace(/\n$/, "") || " ");
    else if (step.kind === "note") side(step.text);
    else if (step.kind === "call") {
      const read = reads ? readOf(step) : undefined;
      if (read) side(`· ${read}`);
    } else {
      row(["", arrow(step, middle), ""]);
      if (!step.data?.length) continue;
      const lines = wrapped(visible(step.data), middle - 2);
      const shown = lines.length > ROWS ? [...lines.slice(0, ROWS - 1), "…"] : lines;
      for (const line of shown) row(["", `  ${line}`, ""]);
    }
  }
}

/** An arrow with its label on it. One that gets lost does not arrive. */
function arrow(step: Step, width: number): string {
  const label = ` ${labelOf(step)} `;
  const isLost = step.kind === "lost";
  const room = Math.max(0, width - label.length - 1); // in a narrow column there may be little
  const gap = isLost ? "   ".slice(0, Math.max(0, room - 2)) : "";
  const line = "─".repeat(room - gap.length);
  const half = Math.ceil(line.length / 2);
  const shaft = [line.slice(0, half), label, line.slice(half)];
  const head = isLost ? "✗" : step.from === "server" ? "▶" : "◀";
  return step.from === "server" ? shaft.join("") + head : gap + head + shaft.reverse().join("");
}

/**
 * Writes a recording as a sequence diagram in Mermaid's language.
 *
 * @param lab The lab.
 * @param steps What happened.
 * @param reads Whether to show what each read gets as well.
 */
export function writeMermaid({ server, client }: Lab, steps: Step[], reads: boolean) {
  write`sequenceDiagram\n`;
  write`    participant S as ${server.name}\n    participant C as ${client.name}\n`;
  let notes: string[] = [];
  for (const [i, step] of steps.entries()) {
    const { kind, from, data } = step;
    const [own, other] = from === "server" ? ["S", "C"] : ["C", "S"];
    if (kind === "line" || kind === "note" || kind === "call") {
      const line = kind === "call" ? (reads ? readOf(step) : undefined) : step.text.trimEnd();
      if (line !== undefined) notes.push(quoted(line));
      const next = steps.slice(i + 1).find(({ kind }) => reads || kind !== "call");
      const goesOn = next?.from === from && ["line", "note", "call"].includes(next.kind);
      if (goesOn || notes.length === 0) continue;
      write`    Note over ${own}: ${notes.join("<br/>")}\n`;
      notes = [];
    } else {
      const letters = data?.length ? [...visible(data)] : [];
      const shown = letters.slice(0, LETTERS).join("") + (letters.length > LETTERS ? "…" : "");
      const label = labelOf(step) + (shown ? `: ${quoted(shown)}` : "");
      write`    ${own}${kind === "lost" ? "--x" : "->>"}${other}: ${label}\n`;
    }
  }
}

/** Text as Mermaid takes it: what is syntax or markup there becomes a number. */
function quoted(line: string): string {
  return line.replace(/[#;<>&%$]/g, (sign) => `#${sign.charCodeAt(0)};`);
}
