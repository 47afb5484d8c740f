/**
 * A probe's end of the wire: a connection, or a socket for datagrams.
 *
 * @module
 */
import { connect } from "node:net";
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import { formatAddress, writeAll } from "../../lib.ts";
import { bytes, type Data, shown, Wrong } from "./steps.ts";

/** A piece of what comes, until something is settled about it. */
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

  /** Takes what has come. */
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

  /** Waits until a condition holds, some milliseconds at most. */
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

/** What a probe can do at its end of a wire. */
export interface Wire {
  /** The address at this end, as Python prints it. */
  readonly own: string;
  /** Sends pieces. */
  send(pieces: Data[], pause: number): Promise<void>;
  /** Waits for what must come. */
  get(expected: Uint8Array, milliseconds: number, or?: Uint8Array): Promise<void>;
  /** Sees that nothing comes. */
  quiet(milliseconds: number): Promise<void>;
  /** Ends the sending half. */
  end(): Promise<void>;
  /** Waits for the other side's end. */
  ended(milliseconds: number): Promise<void>;
  /** Closes. */
  close(): void;
}

/** One end of a TCP connection. */
export class Connection implements Wire {
  readonly own: string;
  #inbox = new Inbox();
  #used = 0;
  #reads = false;

  /** Takes a connection, and reads nothing from it yet. */
  constructor(readonly connection: Deno.TcpConn) {
    connection.setNoDelay();
    this.own = formatAddress(connection.localAddr);
  }

  /** Reads from now on, where it does not yet: until then the other side can't send for ever. */
  #begin() {
    if (!this.#reads) this.#read();
    this.#reads = true;
  }

  async #read() {
    const buffer = new Uint8Array(65536);
    try {
      for (let length; (length = await this.connection.read(buffer)) !== null;) {
        this.#inbox.add(buffer.slice(0, length));
        if (this.#inbox.length > 20_000_000) break; // endless
      }
      this.#inbox.state = "end";
    } catch {
      this.#inbox.state = "reset";
    }
    this.#inbox.changed();
  }

  async send(pieces: Data[], pause: number) {
    for (const [i, piece] of pieces.entries()) {
      if (i > 0) await delay(pause);
      // A side that has ended already is found out by what does not come.
      await writeAll(this.connection, bytes(piece)).catch(() => {});
    }
  }

  async get(expected: Uint8Array, milliseconds: number) {
    this.#begin();
    const isThere = () => {
      const { length, state } = this.#inbox;
      return length - this.#used >= expected.length || state !== "open";
    };
    // Who waits long for the last bytes of a long message sees whether any come.
    const patience = expected.length > 1_000_000 ? 4 * milliseconds : milliseconds;
    for (let before = -1; before < this.#inbox.length;) {
      before = this.#inbox.length;
      if (await this.#inbox.until(isThere, patience)) break;
    }
    const all = this.#inbox.all().subarray(this.#used);
    const actual = all.subarray(0, expected.length);
    if (!same(actual, expected)) {
      const { state } = this.#inbox;
      const kind = all.length >= expected.length ? "other" : state === "open" ? "silence" : state;
      throw new Wrong(kind, shown(expected), shown(all));
    }
    this.#used += expected.length;
  }

  async quiet(milliseconds: number) {
    this.#begin();
    await this.#inbox.until(() => this.#inbox.length > this.#used, milliseconds);
    this.#nothingMore();
  }

  #nothingMore() {
    const more = this.#inbox.all().subarray(this.#used);
    if (more.length > 0) throw new Wrong("other", "", shown(more));
  }

  async end() {
    await this.connection.closeWrite().catch(() => {});
  }

  async ended(milliseconds: number) {
    this.#begin();
    const hasEnded = await this.#inbox.until(() => this.#inbox.state !== "open", milliseconds);
    this.#nothingMore();
    if (!hasEnded) throw new Wrong("open");
  }

  close() {
    try {
      this.connection.close();
    } catch { /* closed already */ }
  }
}

/** A client that sends something, reads nothing, and resets its connection (RST). */
export async function breakOff(port: number, data: Uint8Array, pause: number) {
  const client = connect({ host: "127.0.0.1", port });
  client.on("error", () => {}); // it is over either way
  const happens = (event: string) => new Promise((resolve) => client.once(event, resolve));
  const closed = happens("close");
  client.pause();
  await Promise.race([happens("connect"), closed]);
  client.write(data);
  await delay(pause);
  client.resetAndDestroy();
  await closed;
}

/** A UDP socket at one end: of a client, or of a server that answers who asked last. */
export class Datagrams implements Wire {
  readonly own: string;
  #inbox = new Inbox();
  #from: Deno.Addr[] = [];
  #used = 0;
  #peer?: Deno.NetAddr;
  #asked = new Set<string>(); // who has asked what

  /** For a client, `peer` is the server; a server has none until it is asked. */
  constructor(readonly socket: Deno.DatagramConn, peer?: Deno.NetAddr) {
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
        this.#inbox.add(data.slice());
      }
    } catch { /* closed */ }
  }

  async send(pieces: Data[]) {
    for (const piece of pieces) {
      if (this.#peer) await this.socket.send(bytes(piece), this.#peer).catch(() => {});
    }
  }

  /** Sends from another address. */
  async strange(data: Data) {
    const other = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    if (this.#peer) await other.send(bytes(data), this.#peer);
    other.close();
  }

  /** Waits until the first question has come. */
  async isAsked(milliseconds: number): Promise<boolean> {
    const isThere = () => this.#inbox.data.length > 0;
    await this.#inbox.until(() => isThere() || this.#inbox.state !== "open", milliseconds);
    return isThere();
  }

  /** Nothing more will come: the program at the other end has ended. */
  lost() {
    this.#inbox.state = "end";
    this.#inbox.changed();
  }

  /** Takes the same question again: it was lost. */
  forgets() {
    this.#asked.clear();
  }

  async get(expected: Uint8Array, milliseconds: number, or?: Uint8Array) {
    const end = Date.now() + milliseconds;
    for (;;) {
      const isThere = () => this.#inbox.data.length > this.#used;
      await this.#inbox.until(() => isThere() || this.#inbox.state !== "open", end - Date.now());
      if (!isThere()) throw new Wrong("silence", shown(expected));
      const data = this.#inbox.data[this.#used];
      const from = this.#from[this.#used++] as Deno.NetAddr;
      if (!this.isServer && from.port !== this.#peer!.port) {
        throw new Wrong("other", shown(expected), `${shown(data)} from port ${from.port}`);
      }
      if (this.isServer) {
        // Who got no answer in time asks again: the same thing, and that is no mistake.
        const question = `${from.port} ${shown(data)}`;
        if (this.#asked.has(question)) continue;
        this.#asked.add(question);
        this.#peer = from;
      }
      if (!same(data, expected) && !(or && same(data, or))) {
        throw new Wrong("other", shown(expected), shown(data));
      }
      return;
    }
  }

  async quiet(milliseconds: number) {
    await this.#inbox.until(() => this.#inbox.data.length > this.#used, milliseconds);
    const more = this.#inbox.data[this.#used];
    if (more) throw new Wrong("other", "", shown(more));
  }

  end(): Promise<void> {
    return Promise.resolve();
  }

  ended(milliseconds: number): Promise<void> {
    return this.quiet(milliseconds);
  }

  close() {
    try {
      this.socket.close();
    } catch { /* closed already */ }
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
