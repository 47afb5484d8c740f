/**
 * Keeps a live run: as a page with the player of the lab book, or as the text of `lab wire`.
 *
 * @module
 */
import { eventData } from "../book/book.ts";
import { loadPage } from "../book/page.ts";
import { waysToRun } from "../book/scenarios.ts";
import { type Lab, type Role, ROLES } from "../catalog/header.ts";
import { diagramOf } from "../trace/diagram.ts";
import type { TraceEvent } from "../trace/words.ts";
import { commandOf, type Half } from "./half.ts";

const COLUMNS = 120; // of the text

/** A run of a live lab. */
export interface Run {
  /** The lab. */
  lab: Lab;
  /** What took the roles. */
  halves: Record<Role, Half>;
  /** What happened, in order. */
  events: TraceEvent[];
}

/** Returns a run as a page that plays it. */
export async function keptPage({ lab, halves, events }: Run): Promise<string> {
  const writePage = await loadPage();
  const { name, transport, server } = lab;
  const date = new Date().toISOString().slice(0, 16).replace("T", " ");
  return writePage([{
    name,
    transport,
    course: server.course,
    scripts: { server: halves.server.source, client: halves.client.source },
    recordings: [{
      title: "A live run",
      about: `A run of lab live, kept on ${date} UTC.`,
      commands: { server: commandOf(halves.server), client: commandOf(halves.client) },
      events: inLines(events).map(eventData),
      others: ROLES.filter((role) => halves[role].side === "left"),
    }],
    ways: waysToRun(lab),
  }]);
}

/** Returns a run as the text that `lab wire` prints. */
export function keptText({ halves, events }: Run): string {
  const nameOf = ({ file }: Half) => file.split(/[/\\]/).at(-1)!;
  const names = { server: nameOf(halves.server), client: nameOf(halves.client) };
  const several = events.some(({ client }) => client !== undefined);
  const named = inLines(events).map((event) => several ? withClient(event) : event);
  const lines = diagramOf(names, named, {}, COLUMNS);
  return lines.map(({ text }) => text).join("");
}

/** Says which client printed a line, since all of them share a column. */
function withClient(event: TraceEvent): TraceEvent {
  const { kind, from, client = 1, text } = event;
  const isText = kind === "line" || kind === "note" || kind === "state";
  return isText && from === "client" ? { ...event, text: `(${client}) ${text}` } : event;
}

/** Joins the pieces in which a line appeared on a terminal. */
function inLines(events: TraceEvent[]): TraceEvent[] {
  const lines: TraceEvent[] = [];
  const unfinished = new Map<string, TraceEvent>();
  for (const event of events) {
    const key = `${event.from} ${event.client}`;
    if (event.kind === "state") unfinished.delete(key);
    if (event.kind !== "line") {
      lines.push(event);
      continue;
    }
    for (const text of event.text.split(/(?<=\n)/)) {
      const before = unfinished.get(key);
      if (before) before.text += text;
      else {
        const line = { ...event, text };
        lines.push(line);
        unfinished.set(key, line);
      }
      if (text.endsWith("\n")) unfinished.delete(key);
    }
  }
  return lines;
}
