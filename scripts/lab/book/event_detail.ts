/**
 * Shows one trace event: as a sentence, with its bytes as text and as hexadecimal numbers.
 *
 * @module
 */
/// <reference lib="dom" />
import { sentence, type TraceEvent } from "../trace/words.ts";
import { html } from "./dom.ts";

/** The panel below the trace. */
export class EventDetail {
  /** The element to put on the page. */
  readonly element: HTMLElement;
  #sentence: HTMLElement = html("p", { role: "status" });
  #text: HTMLElement = html("pre", { class: "bytes" });
  #hex: HTMLElement = html("pre", {
    class: "hex soft",
    tabindex: 0,
    "aria-label": "The bytes in hexadecimal",
  });

  /** Makes an empty panel. */
  constructor() {
    this.element = html("div", { class: "detail" }, this.#sentence, this.#text, this.#hex);
  }

  /** Shows an event and its position, from 0. Without an event, it shows what the reader can do. */
  show(event?: TraceEvent, index = 0) {
    const bytes = Array.from(event?.data ?? []);
    if (event) {
      const number = html("strong", {}, `Step ${index + 1}. `);
      const shown = bytes.length > 0 ? { ...event, text: "" } : event; // the text is below
      this.#sentence.replaceChildren(number, sentence(shown));
    } else this.#sentence.replaceChildren("Point at an arrow to see its bytes.");
    this.#text.textContent = bytes.length > 0 ? event!.text : "";
    this.#hex.textContent = hexDump(bytes, innerWidth < 600 ? 8 : 16);
    this.#text.hidden = this.#hex.hidden = bytes.length === 0;
  }
}

/** Returns bytes in rows: the offset, the bytes in hexadecimal, and the ASCII characters. */
function hexDump(bytes: number[], perRow: number): string {
  const width = 3 * Math.min(bytes.length, perRow);
  const hex = (number: number, digits: number) => number.toString(16).padStart(digits, "0");
  const rows: string[] = [];
  for (let start = 0; start < bytes.length; start += perRow) {
    const row = bytes.slice(start, start + perRow);
    const numbers = row.map((byte) => hex(byte, 2)).join(" ").padEnd(width);
    const characters = row.map((byte) => byte > 31 && byte < 127 ? String.fromCharCode(byte) : "·");
    rows.push(`${hex(start, 4)}  ${numbers} ${characters.join("")}`);
  }
  return rows.join("\n");
}
