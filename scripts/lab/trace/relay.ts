/**
 * The relay between a client and its server: it sees all that passes over the
 * wire, and can drop, duplicate, delay or split it.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { deadline } from "@std/async/deadline";
import net from "node:net";
import { fateOf, type Faults, type Part, type Place } from "./faults.ts";
import type { Role } from "../catalog/header.ts";

/** Something that happened on the wire. */
export interface WireEvent {
  /** When, in milliseconds as `Date.now()` counts them. */
  at: number;
  /** `lost` is a piece or a datagram that did not arrive. */
  kind: "connect" | "data" | "end" | "reset" | "datagram" | "lost";
  /** Who did or sent it. */
  from: Role;
  /** Which of the clients it concerns, from 1 up in the order of their coming. */
  connection: number;
  /** The bytes of `data`, `datagram` and `lost`. */
  data?: Uint8Array;
  /** How many of these bytes were sent here for the first time: a copy has none. */
  fresh?: number;
  /** The number of the datagram that it was, from 1 up among those of its sender. */
  datagram?: number;
  /** Why it was held up on its way, if it was. */
  held?: Part["held"];
}

/** A segment or a datagram on its way. */
export interface Passing {
  /** What it is. */
  kind: "data" | "datagram";
  /** The sender. */
  from: Role;
  /** Its number, from 1 up among those of its sender. */
  number: number;
  /** Its bytes. */
  data: Uint8Array;
}

/** Where the relay listens, and the faults that it injects. */
export interface WireOptions extends Faults {
  /** Decides what becomes of a segment or a datagram, in place of the faults. It may take its time. */
  decide?: (passing: Passing) => Part[] | Promise<Part[]>;
  /** Where clients connect; 0, the default, is any free port. */
  port?: number;
  /** The address that they connect to; 127.0.0.1 is the default. */
  hostname?: string;
  /** Called when something happens. */
  onEvent?: (event: WireEvent) => void;
}

const HOSTNAME = "127.0.0.1";
const PATIENCE = 1500; // milliseconds in which a server must have ended its half
const LONGEST_DATAGRAM = 65535;

/** Who sends. */
type Sender = Pick<WireEvent, "from" | "connection">;

/** Where a server listens. */
interface Target {
  port: number;
  /** Its addresses, in the order in which to try them. */
  hostnames: string[];
}

/**
 * Relays between clients and their server, over TCP or UDP.
 *
 * @example
 * ```ts
 * using wire = await Wire.open("tcp");
 * wire.connectTo(9900); // the server's port; clients connect to `wire.port`
 * ```
 */
export class Wire {
  /** What has happened so far. */
  readonly events: WireEvent[] = [];
  /** Where clients connect. */
  port = 0;
  #options: WireOptions;
  #target = Promise.withResolvers<Target>();
  /** How many pieces or datagrams each side has sent. */
  readonly counts: Record<Role, number> = { server: 0, client: 0 };
  /** For each connection, the ports of the client and of the wire's socket at the server. */
  readonly clientPorts: [client: number, relay: number][] = [];
  #ends: Record<Role, Promise<void>[]> = { server: [], client: [] };
  /** The faults that changed something. */
  readonly met: Set<Place> = new Set();
  #open = 0; // halves of servers that have not ended
  #underWay = new Set<Promise<void>>();
  #isClosed = false;
  #listener?: net.Server;
  #closers: (() => void)[] = [];

  private constructor(options: WireOptions) {
    this.#options = options;
  }

  /**
   * Opens a wire. Clients may come at once; they wait until it is known where
   * the server listens.
   *
   * @param transport What runs over it.
   * @param options How it behaves.
   * @throws {Deno.errors.AddrInUse} The port is taken.
   */
  static async open(transport: "tcp" | "udp", options: WireOptions = {}): Promise<Wire> {
    const wire = new Wire(options);
    if (transport === "tcp") await wire.#listen();
    else wire.#bind();
    return wire;
  }

  /**
   * Says where the server listens.
   *
   * @param port Its port.
   * @param hostnames Its addresses. A TCP server may have any of them, in the order
   *   in which they are tried; over UDP the first one counts.
   */
  connectTo(port: number, ...hostnames: string[]) {
    this.#target.resolve({ port, hostnames: hostnames.length > 0 ? hostnames : [HOSTNAME, "::1"] });
  }

  /** Waits a moment, and returns whether all servers, or all clients, have ended their halves. */
  async isClosed(role: Role = "server"): Promise<boolean> {
    const all = Promise.all(this.#ends[role]).then(() => true);
    return await deadline(all, PATIENCE).catch(() => false);
  }

  /** Returns whether the server's halves of all connections have ended. */
  hasEnded(): boolean {
    return this.#open === 0;
  }

  /** Waits until all that is under way has come to its end. */
  async isQuiet() {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  /** Takes no more TCP clients: they are refused. The connections that are open remain. */
  stopListening() {
    this.#listener?.close();
  }

  /** Breaks off what still is open, and takes no more clients. */
  [Symbol.dispose]() {
    this.#isClosed = true;
    for (const close of this.#closers) close();
  }

  #tell(event: Omit<WireEvent, "at">) {
    if (this.#isClosed) return;
    const stamped = { at: Date.now(), ...event };
    this.events.push(stamped);
    this.#options.onEvent?.(stamped);
  }

  /** Lets a piece pass, or have the fate that is meant for it. */
  async #pass(
    { kind, data, ...who }: Sender & { kind: "data" | "datagram"; data: Uint8Array },
    send: (data: Uint8Array) => unknown,
  ) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#underWay.add(promise);
    const number = ++this.counts[who.from];
    const datagram = kind === "datagram" ? number : undefined;
    const place = { from: who.from, number };
    const { decide } = this.#options;
    // Without `await` if possible, so that datagrams keep their order.
    const fate = decide
      ? decide({ kind, ...place, data })
      : fateOf(this.#options, kind, place, data, (fault) => this.met.add(fault));
    for (const part of fate instanceof Promise ? await fate : fate) {
      const { after, ...passing } = part;
      if (after > 0) await delay(after);
      this.#tell({ ...who, ...passing, datagram });
      if (part.kind !== "lost") await send(part.data);
    }
    this.#underWay.delete(promise);
    resolve();
  }

  // TCP. The sockets are those of node:net, since no other can send a reset.

  async #listen() {
    const options = { allowHalfOpen: true, pauseOnConnect: true, noDelay: true };
    const listener = net.createServer(options, (client) => this.#connect(client));
    const listens = Promise.withResolvers<void>();
    listener.once("error", listens.reject);
    const { port = 0, hostname = HOSTNAME } = this.#options;
    listener.listen(port, hostname, listens.resolve);
    await listens.promise;
    this.port = (listener.address() as net.AddressInfo).port;
    this.#listener = listener;
    this.#closers.push(() => this.stopListening());
  }

  async #connect(client: net.Socket) {
    const ports: [number, number] = [client.remotePort ?? 0, 0];
    const connection = this.clientPorts.push(ports);
    this.#tell({ kind: "connect", from: "client", connection });
    const ends = { server: this.#end("server"), client: this.#end("client") };
    let breaksOff = false;
    const onError = () => breaksOff = true; // passed on when there is a server
    client.on("error", onError);
    this.#closers.push(() => client.destroy());
    const target = await this.#target.promise;
    const server = await this.#reach(target);
    if (!server || breaksOff) {
      this.#tell({ kind: "reset", from: server ? "client" : "server", connection });
      server?.resetAndDestroy();
      client.resetAndDestroy();
      ends.server();
      return ends.client();
    }
    ports[1] = server.localPort ?? 0;
    if (this.#isClosed) return server.destroy();
    this.#closers.push(() => server.destroy());
    this.#pump({ from: "server", connection }, server, client, ends.server);
    this.#pump({ from: "client", connection }, client, server, ends.client);
  }

  /** Counts a half that will end. Call the result when it has ended. */
  #end(role: Role): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ends[role].push(promise);
    if (role === "client") return resolve;
    this.#open++;
    promise.then(() => this.#open--);
    return resolve;
  }

  /** Connects to the server at the first of its addresses where it listens. */
  async #reach({ port, hostnames }: Target): Promise<net.Socket | undefined> {
    for (const host of hostnames) {
      const socket = net.connect({ port, host, allowHalfOpen: true, noDelay: true });
      const isConnected = await new Promise<boolean>((resolve) => {
        socket.once("connect", () => resolve(true));
        socket.once("error", () => resolve(false));
      });
      if (isConnected) return socket.pause();
    }
  }

  /** Passes on the data of one side until its end. */
  #pump(who: Sender, from: net.Socket, to: net.Socket, onEnd: () => void) {
    let passing = Promise.resolve(); // all that came so far
    const write = (data: Uint8Array) =>
      new Promise<void>((resolve) => {
        to.once("close", resolve);
        to.write(data, () => {
          to.off("close", resolve);
          resolve();
        });
      });
    from.on("data", (data: Uint8Array) => {
      from.pause();
      passing = passing.then(() => this.#pass({ kind: "data", ...who, data }, write));
      passing.then(() => from.resume());
    });
    from.on("end", async () => {
      await passing;
      this.#tell({ kind: "end", ...who });
      to.end();
      onEnd();
    });
    from.once("close", onEnd);
    from.on("error", () => {
      if (to.destroyed) return; // an answer to the other side's reset
      this.#tell({ kind: "reset", ...who });
      to.resetAndDestroy();
    });
    from.resume();
  }

  // UDP

  #bind() {
    const { port = 0, hostname = HOSTNAME } = this.#options;
    const front = Deno.listenDatagram({ transport: "udp", hostname, port });
    this.port = (front.addr as Deno.NetAddr).port;
    // Each client has a socket of its own here, so that the server can distinguish them.
    const backs = new Map<number, Promise<(data: Uint8Array) => void>>();
    this.#receive(front, async (data, client) => {
      const send = backs.get(client.port) ?? this.#back(front, client);
      backs.set(client.port, send);
      (await send)(data);
    });
  }

  /** Makes the socket on the server's side for a client, and gives what sends through it. */
  async #back(front: Deno.DatagramConn, client: Deno.NetAddr) {
    const ports: [number, number] = [client.port, 0];
    const connection = this.clientPorts.push(ports);
    const { port, hostnames: [hostname] } = await this.#target.promise;
    const back = Deno.listenDatagram({
      transport: "udp",
      hostname: hostname === "::1" ? hostname : HOSTNAME,
      port: 0,
    });
    ports[1] = (back.addr as Deno.NetAddr).port;
    const passing = (from: Role, socket: Deno.DatagramConn, to: Deno.NetAddr) => {
      let sending: Promise<unknown> = Promise.resolve(); // Deno may send a later one first
      const send = (data: Uint8Array) => {
        // What can't be sent is lost, as on any network.
        sending = sending.then(() => socket.send(data, to)).catch(() => {});
      };
      return (data: Uint8Array) => {
        this.#pass({ kind: "datagram", from, connection, data }, send);
      };
    };
    this.#receive(back, passing("server", front, client));
    return passing("client", back, { transport: "udp", hostname, port });
  }

  async #receive(
    socket: Deno.DatagramConn,
    use: (data: Uint8Array, peer: Deno.NetAddr) => void,
  ) {
    this.#closers.push(() => socket.close());
    if (this.#isClosed) socket.close();
    const buffer = new Uint8Array(LONGEST_DATAGRAM);
    while (true) {
      try {
        const [data, peer] = await socket.receive(buffer);
        use(data.slice(), peer as Deno.NetAddr);
      } catch {
        if (this.#isClosed) return;
        await delay(1); // on Windows the answer of a port without a listener
      }
    }
  }
}
