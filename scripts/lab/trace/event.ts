/**
 * What a traced program did with sockets, its keyboard and its screen: the format of the events, the same for Python and
 * Deno, and how to read them.
 *
 * A tracer writes one JSON object a line. The names are those of {@linkcode TraceEvent}; `data` is in base64. The lines come
 * from a program that cannot be trusted: it can be killed in the middle of a line, and it can write lines of its own.
 * {@linkcode readEvents} therefore checks each field and skips every line that is not an event. Text and addresses may hold
 * any characters: escape them before you show them.
 *
 * @module
 */

/** What happened. */
export type EventKind =
  /** The tracer is ready, and the program begins. `text` names the language and its version. */
  | "start"
  /** A socket got an address: `local`. */
  | "bind"
  /** A TCP socket listens at `local`. */
  | "listen"
  /** A TCP client connects to `peer`, or a UDP socket takes `peer` as its only partner. */
  | "connect"
  /** A server accepted a connection: `accepted` is the number of its socket, `peer` the client. */
  | "accept"
  /** The program received `length` bytes. Over TCP, 0 bytes are the end of what the peer sends. */
  | "receive"
  /** The program sent `length` bytes. */
  | "send"
  /** The program closed one or both directions of a connection: `how`. */
  | "shutdown"
  /** The socket was closed. */
  | "close"
  /** A socket got a timeout of `seconds`, or none if `seconds` is missing. */
  | "timeout"
  /** The program printed `text` to `stream`. */
  | "print"
  /** The program read `length` bytes from its standard input. 0 bytes are its end. */
  | "input"
  /**
   * The program made so many calls in a row that these were only counted: `sends`, `sentBytes`, `receives` and
   * `receivedBytes`. Prints among them are left out.
   */
  | "skipped"
  /** The program did more than the file of events may hold. Nothing follows. */
  | "truncated";

/** An address, as the program writes or sees it. */
export interface Address {
  /** A name or an IP address. */
  host: string;
  /** The port. */
  port: number;
}

/** One thing that a traced program did. */
export interface TraceEvent {
  /** What happened. */
  kind: EventKind;
  /**
   * When, in milliseconds as `Date.now()` counts, with fractions: before the call for sent data, after the call for what
   * comes in. So the times of two programs on one machine are in the order of cause and effect.
   */
  at: number;
  /** The process, if it is not the first one of the program. */
  process?: number;
  /** The thread, if it is not the main thread. */
  thread?: number;
  /** The file that did it, relative to the program's folder. Missing if no line of the program is at work. */
  file?: string;
  /** The line in `file`, from 1 up. */
  line?: number;
  /** The name of the call in the program's language, such as `recv_into`, where `kind` covers several. */
  call?: string;
  /** Whether the call has only begun. A second event follows when it has ended. */
  isWaiting?: boolean;
  /** The number of the socket, from 1 up in each program. */
  socket?: number;
  /** What the socket speaks. */
  transport?: "tcp" | "udp";
  /** The bytes that the program is ready to receive at once: its buffer. */
  size?: number;
  /** The bytes that were sent or received. */
  length?: number;
  /** These bytes, or the first 65,536 of them. */
  data?: Uint8Array<ArrayBuffer>;
  /** Whether the bytes stay in the socket, to be received again (MSG_PEEK). */
  isPeek?: boolean;
  /** The socket's own address. */
  local?: Address;
  /** The address of the other side. */
  peer?: Address;
  /** The address that the tracer used in place of `local` or `peer`, if another one. */
  actual?: Address;
  /** The number of the socket of an accepted connection. */
  accepted?: number;
  /** Which directions a shutdown closed. */
  how?: "read" | "write" | "both";
  /** The error that ended the call: the name of its number, such as ECONNREFUSED, or of its class. */
  error?: string;
  /** The calls that sent, among those that were only counted. */
  sends?: number;
  /** Their bytes. */
  sentBytes?: number;
  /** The calls that received, among those that were only counted. */
  receives?: number;
  /** Their bytes. */
  receivedBytes?: number;
  /** The timeout in seconds. */
  seconds?: number;
  /** What was printed (the first 8,192 characters), or the prompt of an `input`. */
  text?: string;
  /** Where it was printed. */
  stream?: "stdout" | "stderr";
}

const MAX_LINE = 1 << 18; // bytes: more than any tracer writes in a line

const KINDS: Record<EventKind, true> = {
  start: true,
  bind: true,
  listen: true,
  connect: true,
  accept: true,
  receive: true,
  send: true,
  shutdown: true,
  close: true,
  timeout: true,
  print: true,
  input: true,
  skipped: true,
  truncated: true,
};

type Check = (value: unknown) => unknown;

const count: Check = (value) =>
  Number.isSafeInteger(value) && value as number >= 0 ? value : undefined;
const amount: Check = (value) => Number.isFinite(value) && value as number >= 0 ? value : undefined;
const flag: Check = (value) => value === true ? true : undefined;
const text = (longest: number): Check => (value) =>
  typeof value === "string" ? value.slice(0, longest) : undefined;
const oneOf = (...values: string[]): Check => (value) =>
  values.includes(value as string) ? value : undefined;
const address: Check = (value) => {
  const { host, port } = (value ?? {}) as Partial<Address>;
  return typeof host === "string" && Number.isInteger(port) && port! >= 0 && port! <= 65535
    ? { host: host.slice(0, 255), port }
    : undefined;
};
const bytes: Check = (value) => {
  try {
    return typeof value === "string" ? Uint8Array.fromBase64(value) : undefined;
  } catch {
    return undefined; // not base64
  }
};

/** Gives for each field its value, or `undefined` if it is not valid. */
const FIELDS: Record<Exclude<keyof TraceEvent, "kind" | "at">, Check> = {
  process: count,
  thread: count,
  file: text(1024),
  line: count,
  call: text(64),
  isWaiting: flag,
  socket: count,
  transport: oneOf("tcp", "udp"),
  size: count,
  length: count,
  data: bytes,
  isPeek: flag,
  local: address,
  peer: address,
  actual: address,
  accepted: count,
  how: oneOf("read", "write", "both"),
  error: text(64),
  sends: count,
  sentBytes: count,
  receives: count,
  receivedBytes: count,
  seconds: amount,
  text: text(8192),
  stream: oneOf("stdout", "stderr"),
};

/**
 * Reads one line of a tracer.
 *
 * @param line The line.
 * @returns The event, without the fields that are not valid; `undefined` if the line is not an event.
 */
export function parseEvent(line: string): TraceEvent | undefined {
  let found: Record<string, unknown>;
  try {
    found = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof found !== "object" || found === null) return undefined;
  const { kind, at } = found;
  if (typeof kind !== "string" || !Object.hasOwn(KINDS, kind) || typeof at !== "number") {
    return undefined;
  }
  const event: Record<string, unknown> = { kind, at };
  for (const [name, check] of Object.entries(FIELDS)) {
    const value = Object.hasOwn(found, name) ? check(found[name]) : undefined;
    if (value !== undefined) event[name] = value;
  }
  return event as unknown as TraceEvent;
}

/**
 * Reads events. Lines that are not events are skipped, and so is a last line without an end. It holds one line at a time.
 *
 * @param stream What a tracer writes.
 */
export async function* readEvents(stream: AsyncIterable<Uint8Array>): AsyncGenerator<TraceEvent> {
  const decoder = new TextDecoder();
  let unfinished = "";
  let isTooLong = false;
  for await (const chunk of stream) {
    const lines = (unfinished + decoder.decode(chunk, { stream: true })).split("\n");
    unfinished = lines.pop()!;
    for (const line of lines) {
      const event = isTooLong || line.length > MAX_LINE ? undefined : parseEvent(line);
      isTooLong = false;
      if (event) yield event;
    }
    if (unfinished.length > MAX_LINE) {
      isTooLong = true;
      unfinished = "";
    }
  }
}
