/**
 * Brings what the programs of a live lab do, and what passes between them, into one order while it happens. The clocks of
 * two processes differ by up to a millisecond, so time alone would show some effects before their causes.
 *
 * @module
 */
import type { WireEvent } from "../trace/relay.ts";
import type { Deed } from "./program.ts";

const PATIENCE = 25; // milliseconds to wait for a cause that was not seen

/** Something that happened: a deed of a program, an event on the wire, or a change of a program's state. */
export interface Happening<P> {
  /** When, in milliseconds as `Date.now()` counts, with fractions. */
  at: number;
  /** Where: at the server, or at the client whose wire it is. */
  place: P;
  /** What a program did. */
  deed?: Deed;
  /** What happened on the wire. */
  wire?: WireEvent;
  /** What became of a program. */
  state?: string;
}

/** What went out or came in. */
class Amount {
  connects = 0;
  bytes = 0;
  ends = 0;
}

/** How far a program and its traffic have come in the order. */
class Ledger {
  done = new Amount(); // by the program
  passed = new Amount(); // of this, over the wire
  arrived = new Amount(); // out of the wire
  taken = new Amount(); // of this, by the program
  hasEnded = false;
}

/** The order of what happens at some places. */
export class Sequence<P extends object> {
  #server: P;
  #lanes = new Map<P, { deeds: Happening<P>[]; wire: Happening<P>[] }>();
  #ledgers = new Map<P, Ledger>();

  /** Makes an empty order for a server and its clients. */
  constructor(server: P) {
    this.#server = server;
  }

  /** Whether nothing waits. */
  get isEmpty(): boolean {
    return this.#lanes.values().every(({ deeds, wire }) => deeds.length + wire.length === 0);
  }

  /** Adds what happened. Deeds of one program may be added in any order. */
  add(happening: Happening<P>) {
    const { place, wire } = happening;
    let lanes = this.#lanes.get(place);
    if (!lanes) this.#lanes.set(place, lanes = { deeds: [], wire: [] });
    (wire ? lanes.wire : lanes.deeds).push(happening);
  }

  /** Returns what happened up to a time, in its order, and forgets it. */
  take(limit: number): Happening<P>[] {
    const lanes = [...this.#lanes.values()].flatMap(({ deeds, wire }) => [deeds, wire]);
    for (const lane of lanes) lane.sort((a, b) => a.at - b.at);
    const taken: Happening<P>[] = [];
    while (true) {
      let [first, next]: Happening<P>[][] = [];
      for (const lane of lanes) {
        const [head] = lane;
        if (!head || head.at > limit) continue;
        if (!first || head.at < first[0].at) first = lane;
        if ((!next || head.at < next[0].at) && this.#isReady(head)) next = lane;
      }
      if (!next && first && first[0].at < limit - PATIENCE) next = first; // its cause was not seen
      if (!next) return taken;
      const happening = next.shift()!;
      this.#enter(happening);
      taken.push(happening);
    }
  }

  #ledger(place: P): Ledger {
    const known = this.#ledgers.get(place);
    if (known) return known;
    const ledger = new Ledger();
    this.#ledgers.set(place, ledger);
    return ledger;
  }

  /** The sender and the receiver of an event on a client's wire. */
  #ends(client: P, { from }: WireEvent): [sender: Ledger, receiver: Ledger] {
    const [server, own] = [this.#ledger(this.#server), this.#ledger(client)];
    return from === "server" ? [server, own] : [own, server];
  }

  /** Whether all that causes it has happened. */
  #isReady({ place, deed, wire }: Happening<P>): boolean {
    if (wire) {
      const [{ done, passed, hasEnded }] = this.#ends(place, wire);
      if (hasEnded || wire.kind === "reset") return true;
      if (wire.kind === "connect") return passed.connects < done.connects;
      if (wire.kind === "end") return passed.ends < done.ends;
      return passed.bytes + (wire.fresh ?? 0) <= done.bytes;
    }
    if (!deed || deed.isWaiting || deed.error !== undefined) return true;
    const { arrived, taken } = this.#ledger(place);
    if (deed.kind === "accept") return taken.connects < arrived.connects;
    if (deed.kind !== "receive") return true;
    const { length = 0 } = deed;
    if (length === 0 && deed.transport === "tcp") return taken.ends < arrived.ends;
    return taken.bytes + length <= arrived.bytes;
  }

  /** Takes into account what happened. */
  #enter({ place, deed, wire, state }: Happening<P>) {
    if (wire) {
      const [sender, receiver] = this.#ends(place, wire);
      sender.passed.bytes += wire.fresh ?? 0;
      if (wire.kind === "data" || wire.kind === "datagram") {
        receiver.arrived.bytes += wire.data?.length ?? 0;
      }
      if (wire.kind === "connect") {
        sender.passed.connects++;
        receiver.arrived.connects++;
      }
      if (wire.kind === "end" || wire.kind === "reset") {
        sender.passed.ends++;
        receiver.arrived.ends++;
      }
    }
    if (state === "starts") this.#ledgers.delete(place);
    else if (state !== undefined) this.#ledger(place).hasEnded = true;
    if (!deed || deed.isWaiting || deed.error !== undefined) return;
    const { done, taken } = this.#ledger(place);
    const { kind, length = 0 } = deed;
    if (kind === "connect") done.connects++;
    if (kind === "send") done.bytes += length;
    if (kind === "close" || kind === "shutdown") done.ends++;
    if (kind === "accept") taken.connects++;
    if (kind === "receive" && !deed.isPeek) {
      taken.bytes += length;
      if (length === 0) taken.ends++;
    }
  }
}
