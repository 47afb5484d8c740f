/**
 * Sequence diagrams of a recording, for the terminal and for Mermaid.
 *
 * @module
 */
import { showText } from "../../lib.ts";
import { bold, plain, terminalWidth, widthOf, wrapped } from "../terminal/columns.ts";
import type { Lab } from "../catalog/header.ts";
import { write } from "../terminal/output.ts";
import type { Step } from "./timeline.ts";
import { callText, isOnWire, isRead, labelOf, type TraceEvent } from "./words.ts";

const WIDEST = 80; // columns
const ROWS = 4; // lines of a message at most
const LETTERS = 60; // of a message in Mermaid

/** Bytes as text: control characters are escapes, and spaces that one can't count are signs. */
export function visible(data: Uint8Array): string {
  return showText(data).replace(/^ +| +$| {2,}/g, (spaces) => "␣".repeat(spaces.length));
}

/** Returns a step as a reader sees it: its bytes as text, and the name of a call apart. */
export function traceEvent({ kind, text, ...step }: Step): TraceEvent {
  const call = kind === "call" ? text : undefined;
  return { ...step, kind, call, text: step.data ? visible(step.data) : call ? "" : text };
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
  for (const event of steps.map(traceEvent)) {
    const isServer = event.from === "server";
    const side = (line: string) => row(isServer ? [line, "", ""] : ["", "", line]);
    if (event.kind === "line") side(event.text.replace(/\n$/, "") || " ");
    else if (event.kind === "note") side(event.text);
    else if (event.kind === "call") {
      if (reads && isRead(event)) side(`· ${callText(event)}`);
    } else {
      row(["", arrow(event, middle), ""]);
      if (event.text === "") continue;
      const lines = wrapped(event.text, middle - 2);
      const shown = lines.length > ROWS ? [...lines.slice(0, ROWS - 1), "…"] : lines;
      for (const line of shown) row(["", `  ${line}`, ""]);
    }
  }
}

/** An arrow with its label on it. One that gets lost does not arrive. */
function arrow(event: TraceEvent, width: number): string {
  const label = ` ${labelOf(event)} `;
  const isLost = event.kind === "lost";
  const room = Math.max(0, width - label.length - 1); // in a narrow column there may be little
  const gap = isLost ? "   ".slice(0, Math.max(0, room - 2)) : "";
  const line = "─".repeat(room - gap.length);
  const role = Math.ceil(line.length / 2);
  const shaft = [line.slice(0, role), label, line.slice(role)];
  const head = isLost ? "✗" : event.from === "server" ? "▶" : "◀";
  return event.from === "server" ? shaft.join("") + head : gap + head + shaft.reverse().join("");
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
  const events = steps.map(traceEvent).filter((event) =>
    event.kind !== "call" || (reads && isRead(event))
  );
  for (const [i, event] of events.entries()) {
    const { kind, from, text } = event;
    const [own, other] = from === "server" ? ["S", "C"] : ["C", "S"];
    if (!isOnWire(event)) {
      notes.push(quoted(kind === "call" ? callText(event) : text.trimEnd()));
      const next = events[i + 1];
      if (next?.from === from && !isOnWire(next)) continue;
      write`    Note over ${own}: ${notes.join("<br/>")}\n`;
      notes = [];
    } else {
      const letters = [...text];
      const shown = letters.slice(0, LETTERS).join("") + (letters.length > LETTERS ? "…" : "");
      const label = labelOf(event) + (shown ? `: ${quoted(shown)}` : "");
      write`    ${own}${kind === "lost" ? "--x" : "->>"}${other}: ${label}\n`;
    }
  }
}

/** Text as Mermaid takes it: what is syntax or markup there becomes a number. */
function quoted(line: string): string {
  return line.replace(/[#;<>&%$]/g, (sign) => `#${sign.charCodeAt(0)};`);
}
