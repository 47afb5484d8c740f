/**
 * The words for trace events: in the terminal, in Mermaid and on the lab book's page. The page
 * contains the text of this module, so it must not import anything but types.
 *
 * @module
 */
import type { Role } from "../catalog/header.ts";
import type { Step } from "./timeline.ts";

/** A step of a recording, as a reader sees it. */
export interface TraceEvent {
  /**
   * What happened: something on the wire, a line on a terminal, a note on stderr, or a call. `state` is
   * the start or the end of a program that a user started.
   */
  kind: Step["kind"] | "state";
  /** Which program did it. */
  from: Role;
  /** The name of the call, if it is one. */
  call?: string;
  /** The line or note, or the bytes as text. */
  text: string;
  /** The bytes that were sent, read or received. */
  data?: ArrayLike<number>;
  /** How many bytes there were, if `data` has only the first of them. */
  size?: number;
  /** Why the call failed: the name of the error. */
  error?: string;
  /** The number of the client, if there are several and it is not the first one. */
  client?: number;
  /** The number of the TCP connection on the wire, if it is not the first one. */
  connection?: number;
  /** Whether the wire delayed it. */
  isLate?: boolean;
  /** The line number in the script that did it, if known. */
  row?: number;
  /** When it happened, in milliseconds as `Date.now()` counts. */
  at?: number;
}

/** Whether an event happened on the wire, and not inside one of the two programs. */
export function isOnWire({ kind }: TraceEvent): boolean {
  return kind !== "line" && kind !== "note" && kind !== "call" && kind !== "state";
}

/** Whether a reader of the page sees an event. Of the calls, it shows those that have no arrow. */
export function isShown({ kind, from, call = "" }: TraceEvent): boolean {
  return kind !== "call" || RECEIVING.test(call) || call === "accept" || call === "listen" ||
    call === "bind" && from === "server";
}

const RECEIVING = /^(read|receive|recv|data|end|message)/;

/** Whether an event is a call that received data. */
export function isRead({ call = "", error }: TraceEvent): boolean {
  return error === undefined && RECEIVING.test(call);
}

/** Whether an event is a read that found the end of what the other side sends. */
function isEnd({ call = "", data }: TraceEvent): boolean {
  return !data?.length && !/^(receive|recvfrom|message)/.test(call);
}

/** Returns the number of bytes that were sent, read or received. */
export function byteCount({ data, size }: TraceEvent): number {
  return size ?? data?.length ?? 0;
}

function sizeOf(event: TraceEvent): string {
  const count = byteCount(event);
  return count === 1 ? "1 byte" : `${count} bytes`;
}

/** Returns the label of an event on the wire: its size, or what it is, and on which connection. */
export function labelOf(event: TraceEvent): string {
  const { client, connection } = event;
  return nameOf(event) + (client === undefined ? "" : ` (client ${client})`) +
    (connection === undefined ? "" : ` (${connection})`);
}

function nameOf(event: TraceEvent): string {
  switch (event.kind) {
    case "connect":
      return "connect";
    case "end":
      return "FIN";
    case "reset":
      return "RST";
    default:
      return sizeOf(event) + (event.isLate ? " late" : "") + (event.kind === "lost" ? " lost" : "");
  }
}

/** Returns the two texts of an arrow: the message above it, and the explanation below it. */
export function arrowTexts(event: TraceEvent): [above: string, below: string] {
  const label = labelOf(event);
  switch (event.kind) {
    case "connect":
      return [label, "the handshake: SYN, SYN-ACK, ACK"];
    case "end":
      return [label, `the ${event.from} sends no more`];
    case "reset":
      return [label, `the ${event.from} resets it`];
    default:
      return [event.text, label];
  }
}

/** Returns a call as its program sees it, with the data that it received. */
export function callText(event: TraceEvent): string {
  const { call = "", text } = event;
  if (event.error !== undefined) return `${call} fails: ${event.error}`;
  if (!isRead(event)) return call;
  if (isEnd(event)) return `${call === "end" ? "read" : call}: end of file`;
  return `${call} ${byteCount(event)}${text && `: ${text}`}`;
}

/** Returns an event as a sentence. */
export function sentence(event: TraceEvent): string {
  const { kind, client, call, text } = event;
  const from = client !== undefined && event.from === "client" ? `client ${client}` : event.from;
  const shown = text === "" ? "" : `: ${text.trimEnd()}`;
  switch (kind) {
    case "line":
      return `The ${from}'s terminal shows${shown}`;
    case "note":
      return `The ${from} prints on stderr${shown}`;
    case "state":
      return `The ${from} ${text}`;
    case "call":
      if (call === "accept") return `The ${from}'s accept returns a connection`;
      if (!isRead(event)) return `The ${from} calls ${call}`;
      if (isEnd(event)) return `The ${from}'s read returns null: end of file`;
      return `The ${from}'s ${call} returns ${sizeOf(event)}${shown}`;
    case "connect":
      return `The ${from} connects`;
    case "end":
      return `The ${from} closes its half of the connection (FIN)`;
    case "reset":
      return `The ${from} resets the connection (RST)`;
    default: {
      const number = client === undefined ? "" : ` ${client}`;
      const to = event.from === "server" ? `client${number}` : "server";
      const fault = kind === "lost" ? ", lost on the way" : event.isLate ? ", delivered late" : "";
      return `The ${from} sends ${sizeOf(event)} to the ${to}${fault}${shown}`;
    }
  }
}
