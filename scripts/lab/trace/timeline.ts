/**
 * Brings what two programs told and what passed between them into one order.
 *
 * @module
 */
import type { Role } from "../catalog/header.ts";
import type { Mark } from "./mark.ts";
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
  /** What appeared on the screen, or the name of the call; empty for the wire. */
  text: string;
  /** The bytes that were sent, read or received. */
  data?: Uint8Array;
  /** Whether it came late on purpose. */
  isLate?: boolean;
  /** The line of the script that did it, where that is known. */
  row?: number;
}

/** What a program told: what appeared on its screen, or a mark. */
export type Told = { at: number; text: string } | Mark;

const SOON = 1000; // milliseconds: what is nearer in time has no order but that of its causes

/**
 * Brings what two programs told and what passed between them into one order. What a program
 * told is in order already, and so is what it sent; nothing comes before its cause. Where
 * that leaves a choice, the same one is made every time, whatever was seen first: who is at
 * work goes on until it waits for the other.
 *
 * @param told What the programs told.
 * @param events What happened on the wire.
 * @returns All of it, step by step.
 */
export function inOrder(told: Record<Role, Told[]>, events: WireEvent[]): Step[] {
  const steps: Step[] = [];
  let current = new Side("server", told.server, events);
  let other = new Side("client", told.client, events);
  while (true) {
    const choices = [
      current.nextEvent(),
      other.nextEvent(),
      current.nextTold(other),
      other.nextTold(current),
    ].filter((choice) => choice !== undefined);
    const ready = choices.filter(({ isReady }) => isReady);
    // Where nothing is ready, something was not told: then time alone decides.
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

/** One of the two programs, and what it sends: how far it has come in what it told. */
class Side {
  #told: Told[];
  #events: WireEvent[];
  /** Whether its program left marks; without them time alone orders what it did. */
  readonly isTraced: boolean;
  /** What its program has done to the wire, and what of it has passed there. */
  #done = { connects: 0, bytes: 0, ends: 0, datagrams: 0 };
  #passed = { connects: 0, bytes: 0, ends: 0 };
  #isOpen = false;
  #row?: number; // of the last thing done to the wire
  /** What has come to the other side, and what its program has taken of the other's. */
  #arrived = { connects: 0, bytes: [] as number[], ends: 0, datagrams: [] as WireEvent[] };
  #taken = { connects: 0, bytes: 0, ends: 0 };
  /** Its sockets that have sent a datagram, and whether that in use is one of them. */
  #sockets = 0;
  #hasSent = false;

  constructor(readonly role: Role, told: Told[], events: WireEvent[]) {
    this.#told = inLines(told);
    this.#events = events.filter(({ from }) => from === role);
    this.isTraced = told.some((told) => "call" in told);
  }

  /** What of it could pass over the wire next. */
  nextEvent(): Choice | undefined {
    const event = this.#events[0];
    if (!event) return;
    const { kind, at, data, fresh = 0, datagram, held } = event;
    const [done, passed] = [this.#done, this.#passed];
    const isReady = !this.isTraced || this.#told.length === 0 ||
      (kind === "connect"
        ? passed.connects < done.connects
        : datagram
        ? datagram <= done.datagrams
        : data
        ? passed.bytes + fresh <= done.bytes
        : passed.ends < done.ends);
    const take = () => {
      this.#events.shift();
      passed.bytes += fresh;
      if (kind === "connect") this.#arrived.connects = ++passed.connects;
      if (kind === "end" || kind === "reset") this.#arrived.ends = ++passed.ends;
      if (kind === "datagram") this.#arrived.datagrams.push(event);
      if (kind === "data") { for (const byte of data!) this.#arrived.bytes.push(byte); }
      return [{ kind, from: this.role, text: "", data, isLate: held === "late", row: this.#row }];
    };
    return { side: this, at, isReady, isHeld: held !== undefined, take };
  }

  /** What its program could do next, given what has come from the other side. */
  nextTold(other: Side): Choice | undefined {
    const told = this.#told[0];
    if (!told) return;
    const isReady = "call" in told ? this.#isCaused(told, other) : this.isTraced ||
      (other.#events[0]?.at ?? Infinity) > told.at;
    const take = () => {
      this.#told.shift();
      return "call" in told
        ? this.#call(told, other)
        : [{ kind: "line" as const, from: this.role, text: told.text }];
    };
    return { side: this, at: told.at, isReady, take };
  }

  /** Whether what a call waited for has come. */
  #isCaused({ call, length }: Mark, other: Side): boolean {
    const arrived = other.#arrived;
    const taken = this.#taken;
    if (call === "accept") return arrived.connects > taken.connects;
    if (call === "receive") return this.#next(arrived.datagrams) >= 0;
    if (call !== "read") return true;
    return length === null
      ? arrived.ends > taken.ends
      : arrived.bytes.length >= taken.bytes + (length ?? 0);
  }

  /** Which datagram its socket gets next: a server any, a client what is for that socket. */
  #next(datagrams: WireEvent[]): number {
    return datagrams.findIndex(({ connection }) =>
      this.role === "server" || connection === this.#sockets
    );
  }

  /** Notes what a call does, to the wire or with what came over it. */
  #call({ call, length, row, text = "" }: Mark, other: Side): Step[] {
    const arrived = other.#arrived;
    const [done, taken] = [this.#done, this.#taken];
    const step: Step = { kind: "call", from: this.role, text: call, row };
    if (call === "note") {
      const lines = text.split("\n").filter((line) => !/^$|^note: listening on/.test(line));
      return lines.map((text) => ({ kind: "note", from: this.role, text }));
    }
    if (call === "connect" || call === "accept") this.#isOpen = true;
    if (call === "connect") done.connects++;
    if (call === "accept") taken.connects++;
    if (call === "write") done.bytes += length ?? 0;
    if (call === "bind") this.#hasSent = false;
    if (call === "send") {
      done.datagrams++;
      if (!this.#hasSent) this.#sockets++;
      this.#hasSent = true;
    }
    if ((call === "closeWrite" || call === "close") && this.#isOpen) {
      done.ends++;
      this.#isOpen = false;
    }
    if (call === "receive") {
      const [datagram] = arrived.datagrams.splice(this.#next(arrived.datagrams), 1);
      step.data = datagram?.data?.subarray(0, length ?? 0);
    }
    if (call === "read" && length === null) taken.ends++;
    if (call === "read") {
      const start = taken.bytes;
      taken.bytes += length ?? 0;
      step.data = Uint8Array.from(arrived.bytes.slice(start, taken.bytes));
    }
    if (!["accept", "read", "receive", "bind", "listen"].includes(call)) this.#row = row;
    return [step];
  }
}

/** Joins the pieces in which a line appeared, and parts lines that appeared together. */
function inLines(told: Told[]): Told[] {
  const lines: Told[] = [];
  for (const part of told) {
    if ("call" in part) {
      lines.push(part);
      continue;
    }
    for (const text of part.text.split(/(?<=\n)/)) {
      const last = lines.at(-1);
      if (last && !("call" in last) && !last.text.endsWith("\n")) {
        last.text += text;
        last.at = part.at;
      } else lines.push({ at: part.at, text });
    }
  }
  return lines;
}
