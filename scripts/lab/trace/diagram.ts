/**
 * Sequence diagrams of a recording, for the terminal and for Mermaid.
 *
 * @module
 */
import { showText } from "../../lib.ts";
import { bold, plain, widthOf, wrapped } from "../terminal/columns.ts";
import type { Role } from "../catalog/header.ts";
import { safe, type SafeText } from "../terminal/output.ts";
import type { Step } from "./timeline.ts";
import { callText, isOnWire, isRead, labelOf, type TraceEvent } from "./words.ts";

const MIN_WIDTH = 40; // columns
const MAX_WIDTH = 160; // columns
const MAX_ROWS = 4; // lines of a message
const MAX_LETTERS = 60; // of a message in Mermaid
const MAX_BYTES = 48; // of a message in hexadecimal

/** What a diagram shows. */
export interface DiagramOptions {
  /** What each read gets. */
  reads?: boolean;
  /** The bytes in hexadecimal as well. */
  hex?: boolean;
  /** When each event happened, in milliseconds since the first one. */
  times?: boolean;
}

/** The times to show: milliseconds since the first event. */
function timesOf(events: TraceEvent[]): string[] {
  const start = Math.min(...events.map(({ at = 0 }) => at));
  let latest = 0; // later steps have no earlier time, although two clocks may differ a little
  return events.map(({ at = 0 }) => {
    latest = Math.max(latest, at - start);
    return `${Math.round(latest)}`;
  });
}

/** Returns bytes in hexadecimal, separated by spaces. */
function inHex(data: ArrayLike<number> = []): string {
  const bytes = Array.from(data).slice(0, MAX_BYTES);
  const text = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return data.length > MAX_BYTES ? `${text} …` : text;
}

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
 * Draws events as a sequence diagram in three columns: what the server prints, what goes over the wire,
 * what the client prints.
 *
 * @param names The names of the programs.
 * @param all What happened.
 * @param options What to show.
 * @param columns The width of the diagram.
 * @returns The lines, each with its end.
 */
export function diagramOf(
  names: Record<Role, string>,
  all: TraceEvent[],
  { reads = false, hex = false, times = false }: DiagramOptions,
  columns: number,
): SafeText[] {
  const drawn: SafeText[] = [];
  const events = all.filter((event) => isDrawn(event, reads));
  const clock = times ? timesOf(events) : [];
  const margin = Math.max(0, ...clock.map((time) => `${time} ms `.length));
  const width = Math.max(Math.min(columns, MAX_WIDTH), MIN_WIDTH) - 6 - margin;
  const middle = Math.floor(width / 3);
  const left = Math.ceil((width - middle) / 2);
  const widths = [left, middle, width - middle - left];
  let time = ""; // shown in the first line of an event
  const row = (cells: string[], paint = plain) => {
    const parted = cells.map((cell, i) => cell ? wrapped(cell, widths[i]) : []);
    for (let i = 0; i < Math.max(...parted.map(({ length }) => length)); i++) {
      const parts = parted.map((lines, j) => {
        const part = lines[i] ?? "";
        return part + " ".repeat(widths[j] - widthOf(part));
      });
      drawn.push(safe`${time.padStart(margin)}${paint(parts.join(" │ ").trimEnd())}\n`);
      time = "";
    }
  };
  row([names.server, "", names.client], bold);
  const rule = widths.map((width) => "─".repeat(width)).join("─┼─");
  drawn.push(safe`${" ".repeat(margin)}${rule}\n`);
  for (const [i, event] of events.entries()) {
    time = times ? `${clock[i]} ms ` : "";
    const isServer = event.from === "server";
    const side = (line: string) => row(isServer ? [line, "", ""] : ["", "", line]);
    if (event.kind === "line") side(event.text.replace(/\n$/, "") || " ");
    else if (event.kind === "note" || event.kind === "state") side(event.text);
    else if (event.kind === "call") {
      side(`· ${callText(event)}`);
      if (hex && event.data?.length) side(`  ${inHex(event.data)}`);
    } else {
      row(["", arrow(event, middle), ""]);
      if (event.text === "") continue;
      const lines = wrapped(event.text, middle - 2);
      const shown = lines.length > MAX_ROWS ? [...lines.slice(0, MAX_ROWS - 1), "…"] : lines;
      const bytes = hex ? wrapped(inHex(event.data), middle - 2) : [];
      for (const line of [...shown, ...bytes]) row(["", `  ${line}`, ""]);
    }
  }
  return drawn;
}

/** Whether an event is drawn: of the calls only reads, if they are wanted, and what failed. */
function isDrawn(event: TraceEvent, reads: boolean): boolean {
  return event.kind !== "call" || event.error !== undefined || reads && isRead(event);
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
 * Draws events as a sequence diagram in Mermaid's language.
 *
 * @param names The names of the programs.
 * @param all What happened.
 * @param options What to show.
 * @returns The lines, each with its end.
 */
export function mermaidOf(
  names: Record<Role, string>,
  all: TraceEvent[],
  { reads = false, hex = false, times = false }: DiagramOptions = {},
): SafeText[] {
  const drawn = [
    safe`sequenceDiagram\n`,
    safe`    participant S as ${quoted(names.server)}\n`,
    safe`    participant C as ${quoted(names.client)}\n`,
  ];
  let notes: string[] = [];
  const events = all.filter((event) => isDrawn(event, reads));
  const clock = timesOf(events);
  for (const [i, event] of events.entries()) {
    const { kind, from, text } = event;
    const [own, other] = from === "server" ? ["S", "C"] : ["C", "S"];
    const time = times ? `${clock[i]} ms: ` : "";
    const bytes = hex && event.data?.length ? `<br/>${inHex(event.data)}` : "";
    if (!isOnWire(event)) {
      const note = kind === "call" ? callText(event) : text.trimEnd();
      notes.push(time + quoted(note) + bytes);
      const next = events[i + 1];
      if (next?.from === from && !isOnWire(next)) continue;
      drawn.push(safe`    Note over ${own}: ${notes.join("<br/>")}\n`);
      notes = [];
    } else {
      const letters = [...text];
      const shown = letters.slice(0, MAX_LETTERS).join("") +
        (letters.length > MAX_LETTERS ? "…" : "");
      const label = labelOf(event) + (shown ? `: ${quoted(shown)}` : "");
      drawn.push(
        safe`    ${own}${kind === "lost" ? "--x" : "->>"}${other}: ${time}${label}${bytes}\n`,
      );
    }
  }
  return drawn;
}

/** Escapes text for Mermaid: characters that are syntax or markup there become numbers. */
function quoted(line: string): string {
  return line.replace(/[#;<>&%$]/g, (sign) => `#${sign.charCodeAt(0)};`);
}
