/**
 * Sends the page what happens in a live lab, in its order, and no faster than the page can show it.
 *
 * @module
 */
import { eventData } from "../book/book.ts";
import type { Role } from "../catalog/header.ts";
import { multiline } from "../terminal/output.ts";
import { traceEvent } from "../trace/diagram.ts";
import type { OwnStep } from "../trace/recording.ts";
import type { WireEvent } from "../trace/relay.ts";
import type { Step } from "../trace/timeline.ts";
import { isShown, type TraceEvent } from "../trace/words.ts";
import type { ToPage } from "./messages.ts";
import { type Happening, Sequence } from "./order.ts";
import { type Deed, type LiveProgram, now } from "./program.ts";

const SETTLE = 15; // milliseconds until an event is shown, so that those before it are known
const TICK = 10; // milliseconds between two looks at the events
const MAX_AT_ONCE = 100; // events that the page gets at once; of more, the middle is left out
const MAX_UNSENT = 10_000; // events that wait until the page has shown those before
const MAX_KEPT = 10_000; // events of a run that can be kept
const MAX_TEXT = 2000; // characters of an arrow
const MAX_DATA = 4096; // bytes of an arrow
const MAX_OUTPUT = 8000; // characters that a program prints at once

/** A place for a program: that of the server, or of one of the clients. */
export interface FeedPlace {
  /** The role of its program. */
  readonly role: Role;
  /** The client's number, from 1 up; 1 for the server. */
  readonly id: number;
  /** The program that runs there, if one does. */
  program?: LiveProgram;
  /** The line that did something to the wire last. */
  row?: number;
}

/** What a feed needs to know. */
export interface FeedOptions<P> {
  /** Returns the places: that of the server, and those of the clients. */
  places(): P[];
  /** Returns a step as one of the program's own, or nothing. */
  ownStep: OwnStep;
  /** Called with the messages for the page. */
  send(message: ToPage): void;
}

/** What happens in a live lab, on its way to the page. */
export class Feed<P extends FeedPlace> implements Disposable {
  /** What was sent to the page, in order. */
  readonly events: TraceEvent[] = [];
  #options: FeedOptions<P>;
  #sequence: Sequence<P>;
  #unsent: TraceEvent[] = [];
  #rows = new Map<P, number>(); // the lines that did something last, and that the page does not know
  #isBusy = false; // the page has not shown the last events
  #timer?: ReturnType<typeof setTimeout>;
  #isClosed = false;

  /** Makes a feed in which nothing has happened. */
  constructor(options: FeedOptions<P>) {
    this.#options = options;
    this.#sequence = new Sequence(options.places()[0]);
  }

  /** Sends nothing more. */
  [Symbol.dispose]() {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** Adds what happened. */
  add(happening: Happening<P>) {
    this.#sequence.add(happening);
    this.schedule();
  }

  /** Looks soon at what has happened and at what the programs have printed. */
  schedule() {
    if (!this.#isClosed) this.#timer ??= setTimeout(() => this.#flush(), TICK);
  }

  /** Sends the next events, because the page has shown the last ones. */
  shown() {
    this.#isBusy = false;
    this.#sendEvents();
  }

  #flush() {
    this.#timer = undefined;
    const places = this.#options.places();
    for (const place of places) {
      for (const deed of place.program?.takeOutput() ?? []) {
        this.#sequence.add({ at: deed.at, place, deed });
      }
    }
    for (const { place, deed, wire, state, at } of this.#sequence.take(now() - SETTLE)) {
      if (deed?.line !== undefined) this.#rows.set(place, deed.line);
      const event = state !== undefined
        ? { kind: "state" as const, from: place.role, text: state, at }
        : wire
        ? this.#wireEvent(place, wire, at)
        : this.#deedEvent(place, deed!);
      if (!event) continue;
      if (place.role === "client" && place.id > 1) event.client = place.id;
      this.#unsent.push(event);
    }
    if (this.#unsent.length > MAX_UNSENT) this.#unsent = leaveOut(this.#unsent);
    this.#sendEvents();
    if (places.some(({ program }) => program?.hasOutput) || !this.#sequence.isEmpty) {
      this.schedule();
    }
  }

  /** Sends the events to the page if it has shown those before. So a page that is slow gets fewer of them. */
  #sendEvents() {
    if (this.#isBusy || this.#isClosed || this.#unsent.length + this.#rows.size === 0) return;
    this.#isBusy = true;
    const events = leaveOut(this.#unsent);
    this.#unsent = [];
    this.events.push(...events);
    if (this.events.length > MAX_KEPT) this.events.splice(0, this.events.length - MAX_KEPT);
    const lines = [...this.#rows].map(([{ role, id, program }, row]) => {
      const waiting = program?.waiting ?? [];
      return { role, id, rows: waiting.length > 0 ? waiting : [row] };
    });
    this.#rows.clear();
    this.#options.send({ type: "events", events: events.map(eventData), lines });
  }

  #wireEvent(client: P, wire: WireEvent, at: number): TraceEvent {
    const { kind, from, data, datagram, held, connection } = wire;
    const { row } = from === "server" ? this.#options.places()[0] ?? {} : client;
    const step: Step = { kind, from, at, text: "", data, isLate: held === "late", row };
    if (datagram === undefined && connection > 1) step.connection = connection;
    return shortened(traceEvent(this.#options.ownStep(step) ?? step));
  }

  #deedEvent(place: P, deed: Deed): TraceEvent | undefined {
    const { role: from } = place;
    const { kind, at, line: row, text = "", isWaiting, error, call, data, length } = deed;
    if (["connect", "send", "close", "shutdown"].includes(kind) && !error) place.row = row;
    if (kind === "print") {
      const isNote = deed.stream === "stderr";
      const shown = printable(isNote ? text.replace(/^note: listening on .*\n/, "") : text);
      if (shown === "") return;
      if (isNote) return { kind: "note", from, at, row, text: shown.replace(/\n$/, "") };
      return { kind: "line", from, at, row, text: shown };
    }
    if (kind === "skipped") {
      const count = (deed.sends ?? 0) + (deed.receives ?? 0);
      return { kind: "note", from, at, text: `… ${count} more calls` };
    }
    if (isWaiting || kind === "start" || kind === "input" || kind === "truncated") return;
    const step: Step = { kind: "call", from, at, text: call ?? kind, row, error };
    if (kind === "receive") step.data = data ?? new Uint8Array(length ?? 0);
    const isRefused = kind === "connect" && error !== undefined;
    const own = isRefused ? step : this.#options.ownStep(step);
    const event = own && traceEvent(own);
    return event && (isRefused || isShown(event)) ? shortened(event) : undefined;
  }
}

/**
 * Returns text of a program with escapes for the characters that could control a terminal, and without the middle of a very
 * long text.
 */
function printable(text: string): string {
  const count = text.length - MAX_OUTPUT;
  if (count > 0) {
    const half = MAX_OUTPUT / 2;
    text = `${text.slice(0, half)}\n… ${count} more characters\n${text.slice(-half)}`;
  }
  return text.replaceAll("\r\n", "\n").split("\t").map((part) => multiline(part).text).join("\t");
}

/** Returns an event without the end of a very long message. */
function shortened(event: TraceEvent): TraceEvent {
  const { text, data } = event;
  const isLong = data && data.length > MAX_DATA;
  return {
    ...event,
    text: text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text,
    ...isLong && { data: Array.from(data).slice(0, MAX_DATA), size: data.length },
  };
}

/** Leaves out the middle of very many lines, and of very many other events. */
function leaveOut(events: TraceEvent[]): TraceEvent[] {
  if (events.length <= MAX_AT_ONCE) return events;
  const isText = ({ kind }: TraceEvent) => kind === "line" || kind === "note" || kind === "state";
  const replaced = new Map<TraceEvent, TraceEvent | undefined>();
  for (const [what, all] of Map.groupBy(events, (event) => isText(event) ? "lines" : "events")) {
    const middle = all.slice(MAX_AT_ONCE / 2, -MAX_AT_ONCE / 2);
    const [first] = middle;
    for (const event of middle) replaced.set(event, undefined);
    if (!first) continue;
    const { from, at, client } = first;
    const text = `… ${middle.length} more ${what}`;
    replaced.set(first, { kind: "note", from, at, client, text });
  }
  return events.flatMap((event) => replaced.has(event) ? replaced.get(event) ?? [] : event);
}
