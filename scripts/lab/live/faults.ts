/**
 * The faults of a live wire: those that a user sets for what comes next, and those of a bad network.
 *
 * @module
 */
import type { Role } from "../catalog/header.ts";
import { visible } from "../trace/diagram.ts";
import { fateOf, type Faults, type Part } from "../trace/faults.ts";
import type { Passing } from "../trace/relay.ts";
import type { Fault, FaultsData, HeldData } from "./messages.ts";

const RESEND = 300; // milliseconds until TCP sends a lost segment again
const MAX_TEXT = 200; // characters of what is held
const MAX_NEXT = 20; // faults that wait

/** Something that is held, and how to let it go. */
interface Held extends HeldData {
  release(fault?: Fault): void;
}

/** What happens to segments and datagrams. */
export class LiveFaults {
  /** Called when what waits or what is held has changed. */
  onChange: () => void = () => {};
  #next: FaultsData["next"] = [];
  #isHolding = false;
  #loss = 0;
  #held = new Map<number, Held>();
  #count = 0;

  /** Returns them as the page shows them. */
  get data(): FaultsData {
    return {
      next: this.#next,
      isHolding: this.#isHolding,
      loss: this.#loss,
      held: [...this.#held.values()].map(({ release: _, ...held }) => held),
    };
  }

  /** Does something to the next segment or datagram of a sender; a second time, the fault is taken back. */
  addNext(from: Role, fault: Fault) {
    const isSame = (next: Fault & { from: Role }) =>
      next.from === from && next.action === fault.action;
    const index = this.#next.findIndex(isSame);
    if (index >= 0) this.#next.splice(index, 1);
    else if (this.#next.length < MAX_NEXT) this.#next.push({ from, ...fault });
    this.onChange();
  }

  /** Sets whether all segments and datagrams are held. They are passed on when holding ends. */
  hold(isHolding: boolean) {
    this.#isHolding = isHolding;
    if (!isHolding) this.releaseAll();
    this.onChange();
  }

  /** Sets the share of what is lost, from 0 to 1. */
  lose(share: number) {
    this.#loss = share;
    this.onChange();
  }

  /** Lets something go on that is held, with a fault or without. */
  release(id: number, fault?: Fault) {
    this.#held.get(id)?.release(fault);
  }

  /** Lets all go on that is held. */
  releaseAll() {
    for (const held of [...this.#held.values()]) held.release();
  }

  /** Forgets all faults. */
  reset() {
    this.#next = [];
    this.#loss = 0;
    this.hold(false);
  }

  /**
   * Decides what becomes of a segment or a datagram.
   *
   * @param passing What it is.
   * @param client The number of the client that sends or gets it.
   */
  decide(passing: Passing, client: number): Part[] | Promise<Part[]> {
    const index = this.#next.findIndex(({ from }) => from === passing.from);
    if (index >= 0) {
      const [fault] = this.#next.splice(index, 1);
      this.onChange();
      return fate(passing, fault);
    }
    if (this.#isHolding) return this.#keep(passing, client);
    if (Math.random() < this.#loss) return lost(passing);
    return fate(passing);
  }

  #keep(passing: Passing, client: number): Promise<Part[]> {
    const { promise, resolve } = Promise.withResolvers<Part[]>();
    const id = ++this.#count;
    const { from, data } = passing;
    this.#held.set(id, {
      id,
      from,
      client,
      text: visible(data.subarray(0, MAX_TEXT)),
      length: data.length,
      release: (fault) => {
        this.#held.delete(id);
        this.onChange();
        resolve(fate(passing, fault));
      },
    });
    this.onChange();
    return promise;
  }
}

function fate({ kind, from, number, data }: Passing, fault?: Fault): Part[] {
  const faults: Faults = fault ? { [fault.action]: [{ from, number, amount: fault.amount }] } : {};
  return fateOf(faults, kind, { from, number }, data);
}

/** Loses a datagram. TCP sends a lost segment again, so that it only arrives later. */
export function lost({ kind, data }: Passing): Part[] {
  const parts: Part[] = [{ kind: "lost", after: 0, data, fresh: data.length }];
  if (kind === "data") parts.push({ kind, after: RESEND, held: "late", data, fresh: 0 });
  return parts;
}
