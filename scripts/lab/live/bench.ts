/**
 * A live lab: a server and its clients run, a user types to them, starts and stops them, and disturbs the
 * wire between them.
 *
 * @module
 */
import { isIPv6 } from "node:net";
import { UserError } from "../../cli.ts";
import { type Lab, type Role, ROLES } from "../catalog/header.ts";
import { findLab, labs } from "../catalog/labs.ts";
import { portShown } from "../trace/recording.ts";
import { freePort } from "../process/ports.ts";
import { type Passing, Wire } from "../trace/relay.ts";
import { LiveFaults, lost } from "./faults.ts";
import { Feed, type FeedPlace } from "./feed.ts";
import { commandOf, type Half, makeHalf, stateOf, wordsOf } from "./half.ts";
import { keptPage, keptText } from "./kept.ts";
import {
  ACTIONS,
  type Choice,
  type Fault,
  type FromPage,
  type HalfData,
  type ToPage,
} from "./messages.ts";
import { type Deed, LiveProgram, now } from "./program.ts";

const MAX_CLIENTS = 6;
const MAX_LINE = 10_000; // characters that are typed at once
const MAX_AMOUNT = 10_000; // milliseconds of a delay, or bytes of a part
const WATCH = 250; // milliseconds between two looks at the files

/** A place for a program: that of the server, or of one of the clients. */
interface Place extends FeedPlace {
  isStarting: boolean;
  /** Whether it was started since its program was chosen. */
  wasStarted: boolean;
  /** What is to be done with it, in order. */
  queue: Promise<void>;
  /** The wire between a client and the server, and its port. */
  wire?: Wire;
  port: number;
}

/** Where the server listens. */
interface Target {
  transport: "tcp" | "udp";
  /** The port that it names. */
  named: number;
  /** Its host and the port that it really has. */
  host: string;
  port: number;
}

/** A live lab, for one page. */
export class Bench implements AsyncDisposable {
  #send: (message: ToPage) => void;
  #folder: string;
  #lab!: Lab;
  #halves!: Record<Role, Half>;
  #places: Place[] = [];
  #target?: Target;
  #binds: Deed[] = []; // of the server
  #waitsForServer: Place[] = [];
  #faults = new LiveFaults();
  #feed!: Feed<Place>;
  #watching?: ReturnType<typeof setTimeout>;
  #isClosed = false;

  private constructor(send: (message: ToPage) => void, folder: string) {
    this.#send = send;
    this.#folder = folder;
    this.#faults.onChange = () => send({ type: "faults", faults: this.#faults.data });
    this.#watchSoon();
  }

  /**
   * Prepares a lab. No program runs yet.
   *
   * @param lab The lab.
   * @param files Files that take the places of its scripts.
   * @param send Called with the messages for the page.
   * @param folder The user's folder.
   */
  static async open(
    lab: Lab,
    files: Partial<Record<Role, string>>,
    send: (message: ToPage) => void,
    folder = Deno.cwd(),
  ): Promise<Bench> {
    const bench = new Bench(send, folder);
    const entries = labs.map(({ name, transport, server: { course } }) => ({
      name,
      transport,
      course,
    }));
    send({ type: "labs", labs: entries });
    await bench.#load(lab, files);
    return bench;
  }

  /** Ends all programs and closes the wire. */
  async [Symbol.asyncDispose]() {
    this.#isClosed = true;
    clearTimeout(this.#watching);
    await this.#endAll();
  }

  /**
   * Does what the page asks for.
   *
   * @throws {UserError} It can't be done, for a reason that the user should read.
   */
  async take(message: FromPage): Promise<void> {
    switch (message.type) {
      case "shown":
        return this.#feed.shown();
      case "lab": {
        const lab = findLab(`${message.name}`);
        await this.#endAll();
        return await this.#load(lab);
      }
      case "choose":
        return await this.#choose(roleOf(message.role), message.choice, message.args);
      case "start":
        return await this.#start(this.#find(message));
      case "startAll":
        return await this.#startAll();
      case "stop":
        return await this.#stop(this.#find(message));
      case "addClient":
        return this.#addClient();
      case "removeClient":
        return await this.#removeClient(this.#find({ role: "client", id: message.id }));
      case "type":
        return await this.#type(this.#find(message), `${message.line}`);
      case "endInput":
        return await this.#find(message).program?.endInput();
      case "next":
        return this.#faults.addNext(roleOf(message.from), faultOf(message.fault));
      case "hold":
        return this.#faults.hold(message.isHolding === true);
      case "release":
        return this.#faults.release(message.id, message.fault && faultOf(message.fault));
      case "loss":
        return this.#faults.lose(Math.min(Math.max(Number(message.share) || 0, 0), 1));
      case "keep":
        return await this.#keep(message.as);
      default:
        throw new UserError("the page sent a message that lab live does not know");
    }
  }

  // The lab and its programs

  async #load(lab: Lab, files: Partial<Record<Role, string>> = {}) {
    const half = (role: Role) => {
      const file = files[role];
      const choice: Choice = file === undefined ? { kind: "script" } : { kind: "file", file };
      return makeHalf(lab, role, choice, undefined, this.#folder);
    };
    this.#halves = { server: await half("server"), client: await half("client") };
    this.#lab = lab;
    this.#places = [newPlace("server", 1), newPlace("client", 1)];
    this.#feed = new Feed({
      places: () => this.#places,
      ownStep: (step) => this.#halves[step.from].ownStep(step),
      send: this.#send,
    });
    this.#faults.reset();
    const { name, transport, server: { course } } = lab;
    this.#send({
      type: "lab",
      lab: { name, transport, course },
      halves: { server: dataOf(this.#halves.server), client: dataOf(this.#halves.client) },
      faults: this.#faults.data,
    });
    this.#sendPrograms();
  }

  async #choose(role: Role, choice: Choice, args?: string) {
    if (args !== undefined && typeof args !== "string") throw new UserError("invalid arguments");
    const half = await makeHalf(this.#lab, role, choice, args, this.#folder);
    await Promise.all(this.#placesOf(role).map((place) => this.#stop(place)));
    this.#halves[role] = half;
    for (const place of this.#placesOf(role)) place.wasStarted = false;
    this.#send({ type: "half", role, half: dataOf(half) });
    this.#sendPrograms();
  }

  #placesOf(role: Role): Place[] {
    return this.#places.filter((place) => place.role === role);
  }

  #find({ role, id }: { role: Role; id: number }): Place {
    const place = this.#places.find((place) => place.role === role && place.id === id);
    if (!place) throw new UserError("unknown program");
    return place;
  }

  #sendPrograms() {
    this.#send({
      type: "programs",
      programs: this.#places.map(({ role, id, program, isStarting }) => ({
        role,
        id,
        status: program ? "running" : isStarting ? "starting" : "stopped",
        command: commandOf(this.#halves[role]),
      })),
    });
  }

  #addClient() {
    const clients = this.#placesOf("client");
    if (clients.length >= MAX_CLIENTS) throw new UserError(`there are ${MAX_CLIENTS} clients`);
    const id = Math.max(0, ...clients.map(({ id }) => id)) + 1;
    this.#places.push(newPlace("client", id));
    this.#sendPrograms();
  }

  async #removeClient(place: Place) {
    if (this.#placesOf("client").length === 1) throw new UserError("a lab has at least one client");
    await this.#stop(place);
    place.wire?.[Symbol.dispose]();
    this.#places = this.#places.filter((other) => other !== place);
    this.#sendPrograms();
  }

  async #startAll() {
    const [server, ...clients] = this.#places;
    if (!server.program) {
      this.#waitsForServer = clients.filter(({ program }) => !program);
      await this.#start(server);
    } else await Promise.all(clients.map((client) => this.#start(client)));
  }

  #start(place: Place): Promise<void> {
    return this.#enqueue(place, async () => {
      if (place.program || this.#isClosed) return;
      place.isStarting = place.wasStarted = true;
      this.#sendPrograms();
      try {
        await this.#launch(place);
      } finally {
        place.isStarting = false;
        this.#sendPrograms();
      }
    });
  }

  async #launch(place: Place) {
    const { role } = place;
    const { file, cwd, args, hasNode } = this.#halves[role];
    place.row = undefined;
    if (role === "server") this.#binds = [];
    else await this.#prepareRoute(place);
    const usual = portShown(this.#lab.server);
    const { named = usual } = this.#target ?? {};
    this.#tell(place, "starts");
    const program = await LiveProgram.start(file, {
      role,
      args: wordsOf(args),
      cwd,
      hasNode,
      ports: role === "server" ? {} : { [usual]: place.port, [named]: place.port },
      onDeed: (deed) => this.#onDeed(place, deed),
      onOutput: () => this.#feed.schedule(),
      onEnd: (how) => this.#onEnd(place, program, how),
    });
    place.program = program;
  }

  #stop(place: Place): Promise<void> {
    if (place.role === "server") this.#waitsForServer = [];
    return this.#enqueue(place, async () => await place.program?.stop());
  }

  #enqueue(place: Place, work: () => Promise<void>): Promise<void> {
    const done = place.queue.then(work);
    place.queue = done.catch(() => {});
    return done;
  }

  async #endAll() {
    this.#waitsForServer = [];
    this.#feed?.[Symbol.dispose]();
    await Promise.all(this.#places.map(async (place) => {
      await this.#enqueue(place, async () => await place.program?.[Symbol.asyncDispose]());
      place.wire?.[Symbol.dispose]();
    }));
    this.#faults.releaseAll();
    this.#places = [];
  }

  async #type(place: Place, line: string) {
    if (line.length > MAX_LINE) throw new UserError("the line is too long");
    if (!place.program) return;
    const text = `${line.replaceAll(/[\r\n]+/g, " ")}\n`;
    this.#feed.add({
      at: now(),
      place,
      deed: { kind: "print", at: now(), stream: "stdout", text, isTyped: true },
    });
    await place.program.type(text.slice(0, -1));
  }

  #onEnd(place: Place, program: LiveProgram, how: string) {
    for (const deed of program.takeOutput(true)) this.#feed.add({ at: deed.at, place, deed });
    place.program = undefined;
    if (this.#isClosed) return;
    this.#tell(place, how);
    if (place.role === "server") {
      this.#target = undefined;
      // Clients that come now are refused. A UDP client learns nothing: its datagrams are lost.
      for (const { wire } of this.#placesOf("client")) wire?.stopListening();
    }
    this.#sendPrograms();
    program[Symbol.asyncDispose](); // not awaited: it waits for this function
  }

  #watchSoon() {
    this.#watching = setTimeout(async () => {
      await this.#watch();
      if (!this.#isClosed) this.#watchSoon();
    }, WATCH);
  }

  /** Runs programs again whose files were saved. */
  async #watch() {
    for (const role of ROLES) {
      const half = this.#halves?.[role];
      if (half?.choice.kind !== "file") continue;
      const state = stateOf(half.file);
      // Some editors remove the file while they save it.
      if (state === undefined || state === half.state) continue;
      half.state = state;
      await this.#rerun(role, half).catch((error) => this.#report(error));
    }
  }

  async #rerun(role: Role, before: Half) {
    const half = await makeHalf(this.#lab, role, before.choice, before.args, this.#folder);
    if (before !== this.#halves[role] || this.#isClosed) return;
    const places = this.#placesOf(role).filter(({ wasStarted }) => wasStarted);
    await Promise.all(places.map((place) => this.#stop(place)));
    this.#halves[role] = half;
    this.#send({ type: "half", role, half: dataOf(half) });
    await Promise.all(places.map((place) => this.#start(place)));
  }

  #report(error: unknown) {
    this.#send({ type: "message", text: error instanceof Error ? error.message : `${error}` });
  }

  // The wire

  /** Chooses the port through which a client reaches the server. */
  async #prepareRoute(client: Place) {
    client.wire?.[Symbol.dispose]();
    client.wire = undefined;
    const transport = this.#target?.transport ?? this.#lab.transport;
    client.port = freePort(transport);
    if (this.#target || transport === "udp") await this.#openWire(client);
  }

  async #openWire(client: Place) {
    const { transport, host, port } = this.#target ??
      { transport: this.#lab.transport, host: "127.0.0.1", port: client.port };
    client.wire?.[Symbol.dispose](); // what is left of connections to a server before
    const wire = await Wire.open(transport, {
      port: client.port,
      hostname: host === "::1" ? host : undefined,
      decide: (passing) => this.#decide(passing, client),
      onEvent: (event) => {
        wire.events.length = 0; // they are kept elsewhere
        this.#feed.add({ at: now(), place: client, wire: event });
      },
    });
    wire.connectTo(port, ...isIPv6(host) ? ["::1", "127.0.0.1"] : ["127.0.0.1", "::1"]);
    client.wire = wire;
  }

  #decide(passing: Passing, client: Place) {
    if (!this.#target && passing.kind === "datagram") return lost(passing); // no server
    return this.#faults.decide(passing, client.id);
  }

  /** Connects the clients with a server that listens now. */
  async #onListening(target: Target) {
    this.#target = target;
    const waiting = this.#waitsForServer;
    this.#waitsForServer = [];
    const running = this.#placesOf("client").filter(({ program }) => program);
    try {
      for (const client of running) await this.#openWire(client);
      await Promise.all(waiting.map((client) => this.#start(client)));
    } catch (error) {
      this.#report(error);
    }
  }

  // What happens

  #onDeed(place: Place, deed: Deed) {
    const { kind, error, local } = deed;
    if (place.role === "server") {
      const isBind = (kind === "listen" || kind === "bind") && error === undefined && local;
      if (isBind) this.#binds.push(deed);
      const [listens] = place.program?.observed.listens ?? [];
      const bound = this.#binds.find(({ local }) => local?.port === listens?.port);
      if (isBind && listens && bound && !this.#target) {
        const { host, port } = bound.actual ?? bound.local!;
        const { transport, port: named } = listens;
        this.#onListening({ transport, named, host, port });
      }
    }
    this.#feed.add({ at: deed.at, place, deed });
  }

  #tell(place: Place, state: string) {
    this.#feed.add({ at: now(), place, state });
  }

  async #keep(as: string) {
    const { events } = this.#feed;
    if (events.length === 0) throw new UserError("there is nothing to keep yet");
    const run = { lab: this.#lab, halves: this.#halves, events };
    const text = as === "text" ? keptText(run) : await keptPage(run);
    const name = `${this.#lab.name}-live.${as === "text" ? "txt" : "html"}`;
    this.#send({ type: "kept", name, text });
  }
}

function newPlace(role: Role, id: number): Place {
  const queue = Promise.resolve();
  return { role, id, isStarting: false, wasStarted: false, queue, port: 0 };
}

function roleOf(role: Role): Role {
  if (!ROLES.includes(role)) throw new UserError("unknown role");
  return role;
}

function faultOf({ action, amount }: Fault): Fault {
  if (!ACTIONS.includes(action)) throw new UserError("unknown fault");
  if (amount === undefined) return { action };
  if (!Number.isInteger(amount) || amount < 1 || amount > MAX_AMOUNT) {
    throw new UserError(`${action}: a whole number from 1 to ${MAX_AMOUNT} is needed`);
  }
  return { action, amount };
}

/** Returns what the page may know of what takes a role. */
function dataOf({ choice, args, source, side, typed }: Half): HalfData {
  return { choice, args, source, side, typed };
}
