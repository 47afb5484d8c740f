/**
 * Merges the events of two programs and of the wire into one order.
 *
 * @module
 */
import type { Role } from "../catalog/header.ts";
import type { TraceEvent } from "./event.ts";
import type { WireEvent } from "./relay.ts";

/** One step of a recording. */
export interface Step {
  /**
   * What happened: something on the wire; a `line` on a screen, with its line end where
   * it has one; a `note` on stderr; a `call`, which is a use of the network.
   */
  kind: WireEvent["kind"] | "line" | "note" | "call";
  /** Who did it. */
  from: Role;
  /** When, in milliseconds as `Date.now()` counts. */
  at: number;
  /** What appeared on the screen, or the name of the call; empty for the wire. */
  text: string;
  /** The bytes that were sent, read or received. */
  data?: Uint8Array;
  /** Why a call failed: the name of the error. */
  error?: string;
  /** The number of the TCP connection on the wire, if it is not the first one. */
  connection?: number;
  /** Whether it came late on purpose. */
  isLate?: boolean;
  /** The line of the script that did it, where that is known. */
  row?: number;
}

/** What a traced program did, and on which of the connections through the relay, from 1 up. */
export interface ProgramEvent extends TraceEvent {
  /** The connection; missing if it is not one through the relay. */
  connection?: number;
}

/** Where the relay listens and connects to. */
export interface Ports {
  /** The port that clients connect to. */
  port: number;
  /** For each connection, the ports of the client and of the relay's socket at the server. */
  clientPorts: [client: number, relay: number][];
}

/**
 * Returns the events of a program in order, with the connections of its sockets. Printed text is split into lines, and calls
 * that have only begun are left out.
 *
 * @param role Which program it is.
 * @param events What it did.
 * @param ports The ports of the relay.
 */
export function withConnections(role: Role, events: TraceEvent[], ports: Ports): ProgramEvent[] {
  const sockets = new Map<string, number>();
  let count = 0;
  const ofServer = ({ peer, actual }: TraceEvent) => {
    const port = (actual ?? peer)?.port;
    const index = ports.clientPorts.findIndex(([, relay]) => relay === port);
    return index < 0 ? undefined : index + 1;
  };
  const isToRelay = ({ peer, actual }: TraceEvent) =>
    role === "client" && (actual ?? peer)?.port === ports.port;
  const connected = new Set<string>(); // UDP sockets with the relay as their only partner
  const done = events.filter(({ isWaiting }) => !isWaiting).toSorted((a, b) => a.at - b.at);
  return done.map((event) => {
    if (event.kind === "skipped") {
      const count = (event.sends ?? 0) + (event.receives ?? 0);
      return { ...event, kind: "print", stream: "stderr", text: `… ${count} more calls\n` };
    }
    const { kind, transport, socket, accepted, process = 0, error } = event;
    const key = `${process} ${socket}`;
    let connection = sockets.get(key) ?? sockets.get(`0 ${socket}`);
    if (role === "server" && transport === "udp" && (kind === "receive" || kind === "send")) {
      connection = ofServer(event);
    } else if (kind === "accept" && error === undefined) {
      connection = ofServer(event);
      if (connection !== undefined) sockets.set(`${process} ${accepted}`, connection);
    } else if (
      connection === undefined && error === undefined && (isToRelay(event) || connected.has(key))
    ) {
      if (kind === "connect" && transport === "udp") connected.add(key);
      else if (kind === "connect" || kind === "send") sockets.set(key, connection = ++count);
    }
    return { ...event, connection };
  });
}

const SOON = 1000; // milliseconds: events closer in time are ordered by cause and effect alone

/**
 * Merges the events of two programs and of the wire into one order. The events of a program
 * are already in order, and so is the data that it sent. No event comes before its cause. If
 * several orders are possible, the result is always the same one: the running program continues
 * until it waits for the other.
 *
 * @param history What the programs did, each in order.
 * @param events What happened on the wire.
 * @returns All of it, step by step.
 */
export function inOrder(history: Record<Role, ProgramEvent[]>, events: WireEvent[]): Step[] {
  const steps: Step[] = [];
  let current = new Side("server", history.server, events);
  let other = new Side("client", history.client, events);
  while (true) {
    const choices = [
      current.nextEvent(),
      other.nextEvent(),
      current.nextCall(other),
      other.nextCall(current),
    ].filter((choice) => choice !== undefined);
    const ready = choices.filter(({ isReady }) => isReady);
    // Where nothing is ready, something was not observed: then time alone decides.
    const [possible, soon] = ready.length > 0 ? [ready, SOON] : [choices, 0];
    const first = Math.min(...possible.map(({ at }) => at));
    const choice = possible.find(({ at, side, isHeld }) =>
      at <= first + (side.isTraced && !isHeld ? soon : 0)
    );
    if (!choice) return steps;
    const taken = choice.take();
    steps.push(...taken);
    const next = taken[0]?.kind === "connect" ? other : choice.side; // a server notices at once
    if (next !== current) [current, other] = [other, current];
  }
}

/** What could come next. */
interface Choice {
  side: Side;
  at: number;
  /** Whether all that causes it has happened. */
  isReady: boolean;
  /** Whether time counts for it, since it was held up. */
  isHeld?: boolean;
  /** Lets it happen. */
  take(): Step[];
}

/** How far a connection has come on one side. */
interface Progress {
  /** What the side's program has done. */
  done: { connects: number; bytes: number; hasEnded: boolean };
  /** What of this has passed over the wire. */
  passed: { connects: number; bytes: number; hasEnded: boolean };
  /** The bytes that came out of the wire: without those that were dropped, with those that were duplicated. */
  arrived: number;
  /** The bytes that the side's program has received from the other side. */
  taken: number;
}

/** One of the two programs with the data that it sends, and which of its events are already in the order. */
class Side {
  #history: ProgramEvent[];
  #events: WireEvent[];
  /** Whether its program was traced; otherwise time alone orders what it did. */
  readonly isTraced: boolean;
  #connections = new Map<number, Progress>();
  #row?: number; // of the last thing done to the wire
  #sent = 0; // datagrams
  #arrived: WireEvent[] = []; // datagrams that the other side has not received yet

  constructor(readonly role: Role, history: ProgramEvent[], events: WireEvent[]) {
    this.#history = inLines(history);
    this.#events = events.filter(({ from }) => from === role);
    this.isTraced = history.some(({ kind }) => kind !== "print");
  }

  #at(connection: number): Progress {
    const known = this.#connections.get(connection);
    if (known) return known;
    const nothing = { connects: 0, bytes: 0, hasEnded: false };
    const progress = { done: { ...nothing }, passed: { ...nothing }, arrived: 0, taken: 0 };
    this.#connections.set(connection, progress);
    return progress;
  }

  /** What of it could pass over the wire next. */
  nextEvent(): Choice | undefined {
    const event = this.#events[0];
    if (!event) return;
    const { kind, at, data, fresh = 0, datagram, held, connection } = event;
    const progress = this.#at(connection);
    const { done, passed } = progress;
    const isReady = !this.isTraced || this.#history.length === 0 ||
      (kind === "connect"
        ? passed.connects < done.connects
        : datagram
        ? datagram <= this.#sent
        : data
        ? passed.bytes + fresh <= done.bytes
        : done.hasEnded);
    const take = () => {
      this.#events.shift();
      passed.bytes += fresh;
      if (kind === "connect") passed.connects++;
      if (kind === "end" || kind === "reset") passed.hasEnded = true;
      if (kind === "datagram") this.#arrived.push(event);
      if (kind === "data") progress.arrived += data!.length;
      const isLate = held === "late";
      const step: Step = { kind, from: this.role, at, text: "", data, isLate, row: this.#row };
      if (datagram === undefined && connection > 1) step.connection = connection;
      return [step];
    };
    return { side: this, at, isReady, isHeld: held !== undefined, take };
  }

  /** Returns the next event of its program, and whether its cause has already happened. */
  nextCall(other: Side): Choice | undefined {
    const event = this.#history[0];
    if (!event) return;
    const { kind, at, stream, text = "", line: row, error } = event;
    const isReady = kind === "print"
      ? this.isTraced || (other.#events[0]?.at ?? Infinity) > at
      : this.#isCaused(event, other);
    const take = (): Step[] => {
      this.#history.shift();
      if (kind !== "print") return [this.#call(event, other)];
      return [{ kind: stream === "stderr" ? "note" : "line", from: this.role, at, text, row }];
    };
    return { side: this, at, isReady, isHeld: error !== undefined, take }; // a timeout takes its time
  }

  /** Returns whether the data or the client that a call waited for has arrived. */
  #isCaused(
    { kind, transport, connection, length = 0, error }: ProgramEvent,
    other: Side,
  ): boolean {
    if (connection === undefined || error !== undefined) return true;
    const { passed, arrived } = other.#at(connection);
    if (kind === "accept") return passed.connects > 0;
    if (kind !== "receive") return true;
    if (transport === "udp") return other.#indexOf(connection) >= 0;
    return length === 0 ? passed.hasEnded : arrived >= this.#at(connection).taken + length;
  }

  /** Returns the index of the first datagram of a connection that has arrived. */
  #indexOf(connection: number): number {
    return this.#arrived.findIndex((event) => event.connection === connection);
  }

  /** Adds a call to the order: it sends, or it takes data that has arrived. */
  #call(event: ProgramEvent, other: Side): Step {
    const { kind, at, transport, call, connection, length = 0, line: row, error } = event;
    const text = call ?? kind;
    const step: Step = { kind: "call", from: this.role, at, text, row, error };
    if (error !== undefined) return step;
    if (kind === "receive") step.data = event.data ?? new Uint8Array();
    if (connection === undefined) return step;
    const progress = this.#at(connection);
    const { done } = progress;
    if (kind === "connect" && transport === "tcp") done.connects++;
    if (kind === "send" && transport === "udp") this.#sent++;
    else if (kind === "send") done.bytes += length;
    if (kind === "close" || kind === "shutdown" && event.how !== "read") done.hasEnded = true;
    if (kind === "receive" && !event.isPeek) {
      if (transport === "udp") other.#arrived.splice(other.#indexOf(connection), 1);
      else progress.taken += length;
    }
    if (["connect", "send", "close", "shutdown"].includes(kind)) this.#row = row;
    return step;
  }
}

/** Joins the pieces in which a line appeared, and parts lines that appeared together. */
function inLines(history: ProgramEvent[]): ProgramEvent[] {
  const lines: ProgramEvent[] = [];
  const unfinished = new Map<string | undefined, ProgramEvent>(); // by the stream
  for (const event of history) {
    if (event.kind !== "print") {
      lines.push(event);
      if (event.kind !== "input") unfinished.clear();
      continue;
    }
    for (const text of event.text!.split(/(?<=\n)/)) {
      const last = unfinished.get(event.stream);
      if (last) {
        last.text += text;
        last.at = event.at;
      } else {
        lines.push({ ...event, text });
        unfinished.set(event.stream, lines.at(-1)!);
      }
      if (text.endsWith("\n")) unfinished.delete(event.stream);
    }
  }
  return lines;
}
