/**
 * A probe's end of the line: a TCP connection, or a socket for datagrams.
 *
 * @module
 */
import { connect } from "node:net";
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import { formatAddress, writeAll } from "../../lib.ts";
import { type Exchange, type Patience, waitPatiently } from "./exchange.ts";
import { bytes, type Data, Mismatch, shown } from "./steps.ts";

const MAX_QUICK = 150; // milliseconds: a client that waits for a reply asks again later than this

/** What has come. */
class Inbox {
  data: Uint8Array[] = [];
  length = 0;
  state: "open" | "end" | "reset" = "open";
  #change = Promise.withResolvers<void>();

  changed() {
    this.#change.resolve();
    this.#change = Promise.withResolvers<void>();
  }

  add(data: Uint8Array) {
    this.data.push(data);
    this.length += data.length;
    this.changed();
  }

  /** Returns what has come. */
  all(): Uint8Array {
    const all = new Uint8Array(this.length);
    let at = 0;
    for (const piece of this.data) {
      all.set(piece, at);
      at += piece.length;
    }
    this.data = [all];
    return all;
  }

  /** Waits until a condition holds, and returns whether it does in time. */
  async until(condition: () => boolean, milliseconds: number): Promise<boolean> {
    const end = Date.now() + milliseconds;
    while (!condition()) {
      const rest = end - Date.now();
      if (rest <= 0) return false;
      await deadline(this.#change.promise, rest).catch(() => {});
    }
    return true;
  }
}

/** What a probe can do at its end. */
export interface Channel {
  /** The address at this end, as Python prints it. */
  readonly own: string;
  /** Sends pieces. */
  send(pieces: Data[], pause: number): Promise<void>;
  /** Waits for what must come. */
  get(expected: Uint8Array, patience: Patience, or?: Uint8Array): Promise<void>;
  /** Waits for anything. */
  getAny(patience: Patience): Promise<void>;
  /** Sees that nothing comes. */
  quiet(milliseconds: number): Promise<void>;
  /** Ends the sending half. */
  end(): Promise<void>;
  /** Waits for the other side's end. */
  ended(patience: Patience): Promise<void>;
  /** Checks, after all steps, what can only be seen in the end. */
  check(): void;
  /** Closes. */
  close(): void;
}

/** One end of a TCP connection. */
export class Connection implements Channel {
  readonly own: string;
  #inbox = new Inbox();
  #used = 0;
  #isReading = false;
  #hasClosed = false;

  /**
   * Takes a connection, and reads nothing from it yet.
   *
   * @param connection The connection.
   * @param role The role of this end.
   * @param exchange Notes what is sent.
   * @param isSame Compares what comes with what should come.
   */
  constructor(
    readonly connection: Deno.TcpConn,
    readonly role: "client" | "server",
    readonly exchange: Exchange,
    readonly isSame: typeof same = same,
  ) {
    connection.setNoDelay();
    this.own = formatAddress(connection.localAddr);
  }

  get #other(): "client" | "server" {
    return this.role === "client" ? "server" : "client";
  }

  /** Begins to read. Until then the other side cannot send without end. */
  #begin() {
    if (!this.#isReading) this.#read();
    this.#isReading = true;
  }

  async #read() {
    const buffer = new Uint8Array(65536);
    try {
      for (let length; (length = await this.connection.read(buffer)) !== null;) {
        this.#inbox.add(buffer.slice(0, length));
        this.exchange.sent(this.#other, buffer.subarray(0, length));
        if (this.#inbox.length > 20_000_000) break; // endless
      }
      this.#inbox.state = "end";
      this.exchange.did(this.#other, "ends the connection");
    } catch {
      this.#inbox.state = "reset";
      if (!this.#hasClosed) this.exchange.did(this.#other, "resets the connection");
    }
    this.#inbox.changed();
  }

  async send(pieces: Data[], pause: number) {
    for (const [i, piece] of pieces.entries()) {
      if (i > 0) await delay(pause);
      this.exchange.sent(this.role, bytes(piece));
      // If the other side has ended already, its reply will be missing.
      await writeAll(this.connection, bytes(piece)).catch(() => {});
    }
  }

  async get(expected: Uint8Array, patience: Patience) {
    this.#begin();
    const isThere = () => {
      const { length, state } = this.#inbox;
      return length - this.#used >= expected.length || state !== "open";
    };
    // A long message may come slowly: the wait continues while parts of it arrive.
    for (let before = -1; before < this.#inbox.length && Date.now() < patience.end;) {
      before = this.#inbox.length;
      const wait = (milliseconds: number) => this.#inbox.until(isThere, milliseconds);
      if (await waitPatiently(wait, patience)) break;
    }
    const all = this.#inbox.all().subarray(this.#used);
    const actual = all.subarray(0, expected.length);
    if (!this.isSame(actual, expected)) {
      const { state } = this.#inbox;
      const kind = all.length >= expected.length ? "other" : state === "open" ? "silence" : state;
      throw new Mismatch(kind, shown(expected), shown(all));
    }
    this.#used += expected.length;
  }

  async getAny(patience: Patience) {
    this.#begin();
    const isThere = () => this.#inbox.length > this.#used;
    const isSettled = () => isThere() || this.#inbox.state !== "open";
    await waitPatiently((time) => this.#inbox.until(isSettled, time), patience);
    if (!isThere()) throw new Mismatch("silence", "a reply");
    this.#used = this.#inbox.length;
  }

  async quiet(milliseconds: number) {
    this.#begin();
    await this.#inbox.until(() => this.#inbox.length > this.#used, milliseconds);
    this.#nothingMore();
  }

  #nothingMore() {
    const more = this.#inbox.all().subarray(this.#used);
    if (more.length > 0) throw new Mismatch("other", "", shown(more));
  }

  async end() {
    this.exchange.did(this.role, "ends its half");
    await this.connection.closeWrite().catch(() => {});
  }

  async ended(patience: Patience) {
    this.#begin();
    const isOver = () => this.#inbox.state !== "open";
    const hasEnded = await waitPatiently((time) => this.#inbox.until(isOver, time), patience);
    this.#nothingMore();
    if (!hasEnded) throw new Mismatch("open");
  }

  check() {}

  close() {
    this.#hasClosed = true;
    try {
      this.connection.close();
    } catch { /* closed already */ }
  }
}

/** Connects, sends something, reads nothing, and resets the connection (RST). */
export async function resetConnection(port: number, data: Uint8Array, pause: number) {
  const client = connect({ host: "127.0.0.1", port });
  client.on("error", () => {}); // the connection is over either way
  const happens = (event: string) => new Promise((resolve) => client.once(event, resolve));
  const closed = happens("close");
  client.pause();
  await Promise.race([happens("connect"), closed]);
  client.write(data);
  await delay(pause);
  client.resetAndDestroy();
  await closed;
}

/** A UDP socket at one end: of a client, or of a server that answers the last client. */
export class Datagrams implements Channel {
  readonly own: string;
  #inbox = new Inbox();
  #from: Deno.Addr[] = [];
  #used = 0;
  #peer?: Deno.NetAddr;
  #times: number[] = []; // when each datagram came
  #asked = new Map<string, number>(); // the questions, and when each came first
  #repeated = new Set<string>(); // those that came again at once

  /** For a client, `peer` is the server; a server has none until it is asked. */
  constructor(
    readonly socket: Deno.DatagramConn,
    readonly exchange: Exchange,
    peer?: Deno.NetAddr,
  ) {
    this.own = formatAddress(socket.addr);
    this.#peer = peer;
    this.isServer = !peer;
    this.#read();
  }

  /** Whether questions come here. */
  readonly isServer: boolean;

  async #read() {
    const buffer = new Uint8Array(65535);
    try {
      while (this.#inbox.data.length < 10_000) {
        const [data, from] = await this.socket.receive(buffer);
        this.#from.push(from);
        this.#times.push(performance.now());
        this.exchange.sent(this.isServer ? "client" : "server", data);
        this.#inbox.add(data.slice());
      }
    } catch { /* closed */ }
  }

  async send(pieces: Data[]) {
    for (const piece of pieces) {
      if (!this.#peer) continue;
      this.exchange.sent(this.isServer ? "server" : "client", bytes(piece));
      await this.socket.send(bytes(piece), this.#peer).catch(() => {});
    }
  }

  /** Sends from another address. */
  async sendFromElsewhere(data: Data) {
    this.exchange.happened("a datagram from another address");
    const other = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    if (this.#peer) await other.send(bytes(data), this.#peer);
    other.close();
  }

  /** Waits for the first datagram, and returns whether one comes before the end. */
  async asked(): Promise<boolean> {
    const isSettled = () => this.#inbox.data.length > 0 || this.#inbox.state !== "open";
    await this.#inbox.until(isSettled, 60_000);
    return this.#inbox.data.length > 0;
  }

  /** Notes that nothing more will come: the program at the other end has ended. */
  noteEnd() {
    this.#inbox.state = "end";
    this.#inbox.changed();
  }

  /** Lets the same question come again: the reply was dropped. */
  forget() {
    this.#asked.clear();
  }

  async get(expected: Uint8Array, patience: Patience, or?: Uint8Array) {
    const isThere = () => this.#inbox.data.length > this.#used;
    const isSettled = () => isThere() || this.#inbox.state !== "open";
    for (;;) {
      await waitPatiently((time) => this.#inbox.until(isSettled, time), patience);
      if (!isThere()) throw new Mismatch("silence", shown(expected));
      const data = this.#inbox.data[this.#used];
      const at = this.#times[this.#used];
      const from = this.#from[this.#used++] as Deno.NetAddr;
      if (!this.isServer && from.port !== this.#peer!.port) {
        throw new Mismatch("other", shown(expected), `${shown(data)} from port ${from.port}`);
      }
      if (this.isServer) {
        // A client that gets no reply in time may ask again, also from another port.
        const question = shown(data);
        const before = this.#asked.get(question);
        if (before !== undefined) {
          if (at - before < MAX_QUICK) this.#repeated.add(question);
          continue;
        }
        this.#asked.set(question, at);
        this.#peer = from;
      }
      if (!same(data, expected) && !(or && same(data, or))) {
        throw new Mismatch("other", shown(expected), shown(data));
      }
      return;
    }
  }

  async getAny(patience: Patience) {
    const isThere = () => this.#inbox.data.length > this.#used;
    const isSettled = () => isThere() || this.#inbox.state !== "open";
    await waitPatiently((time) => this.#inbox.until(isSettled, time), patience);
    if (!isThere()) throw new Mismatch("silence", "a reply");
    this.#used++;
  }

  async quiet(milliseconds: number) {
    await this.#inbox.until(() => this.#inbox.data.length > this.#used, milliseconds);
    const more = this.#inbox.data[this.#used];
    if (more) throw new Mismatch("other", "", shown(more));
  }

  end(): Promise<void> {
    return Promise.resolve();
  }

  ended({ milliseconds }: Patience): Promise<void> {
    return this.quiet(milliseconds);
  }

  check() {
    // One question may come twice at once if this machine stops for a while, not all of them.
    for (let i = this.#used; i < this.#inbox.data.length; i++) {
      const question = shown(this.#inbox.data[i]);
      const before = this.#asked.get(question);
      if (before !== undefined && this.#times[i] - before < MAX_QUICK) this.#repeated.add(question);
    }
    if (this.#asked.size > 1 && this.#repeated.size === this.#asked.size) {
      throw new Mismatch("twice", "", [...this.#asked.keys()][0]);
    }
  }

  close() {
    this.noteEnd();
    try {
      this.socket.close();
    } catch { /* it is closed already */ }
  }
}

/** Returns whether bytes are equal. */
export function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
