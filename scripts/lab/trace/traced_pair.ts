/**
 * A server and a client that run under their tracers, with a relay between them. The programs can be any files: where they
 * listen, what they connect to and when they ask is observed. So no port is in use already, and none has to be known.
 *
 * @module
 */
import { deadline } from "@std/async/deadline";
import { isIPv6 } from "node:net";
import type { Role } from "../catalog/header.ts";
import { Activity } from "../process/activity.ts";
import { Program } from "../process/program.ts";
import type { TraceEvent } from "./event.ts";
import type { Faults, Place } from "./faults.ts";
import { Wire, type WireEvent } from "./relay.ts";
import { type Endpoint, Observed, traceCommand, type TracedCommand } from "./run_traced.ts";
import { type ProgramEvent, withConnections } from "./timeline.ts";

/** A program that takes a role. */
export interface Participant {
  /** Its file. */
  file: string;
  /** How reports name it. */
  name: string;
  /**
   * Returns the lists of arguments to start it with. The next list is tried if the program fails with one before it has used
   * the network or its keyboard. `port` is the server's port, if it is known.
   */
  argumentsFor(port?: number): string[][];
  /** Whether it may use modules of Node; see `TraceOptions`. */
  hasNode?: boolean;
}

/** How to run a server and a client. */
export interface PairOptions {
  /** What happens to segments and datagrams on their way. */
  faults?: Faults;
  /** The lines to type into the client, each when it asks. */
  typed?: string[];
  /** Lines that a user types into the client; `typed` does not count then. */
  keyboard?: AsyncIterable<string>;
  /** Called with what appears on a terminal. */
  onScreen?: (role: Role, output: string) => void;
  /** Called with what a program prints on stderr. */
  onErrors?: (role: Role, output: string) => void;
  /** Returns whether the server is done, by its terminal, if that is known. */
  isComplete?: (screen: string) => boolean;
  /** Seconds of silence after which a program counts as hanging. Time in which one of them works does not count. */
  patience?: number;
}

/** What two programs did. */
export interface PairOutcome {
  /** What each program did, in order. */
  history: Record<Role, ProgramEvent[]>;
  /** What happened on the wire. */
  wire: WireEvent[];
  /** The ports of the connections; see `Wire`. */
  clientPorts: [client: number, relay: number][];
  /** How many segments or datagrams each program sent. */
  counts: Record<Role, number>;
  /** The faults that changed something. */
  met: Set<Place>;
  /** What appeared on each terminal. */
  screens: Record<Role, string>;
  /** Where the server listens, as it sees it. */
  listens?: Endpoint;
  /** The other port that the client tried to reach. */
  missed?: number;
  /** What went wrong. */
  problems: string[];
}

const PATIENCE = 12; // seconds: our scripts wait 10 s for a peer that is silent
const SHORT = 0.3; // seconds of silence after which a server has nothing more to do
const ASKS = 0.3; // seconds of silence after which a program without a prompt waits for a line
const STEP = 0.05; // seconds between two looks at what the programs do, at first
const MAX_STEP = 1; // seconds between them later
const MAX_WORK = 5; // seconds of processor time that programs may use without a sign
const MAX_TIME = 120_000; // milliseconds
const MAX_EVENTS = 50_000;
const MAX_CALLS = 20_000; // in a row, that are reported one by one
const MAX_SKIPPED = 100_000; // calls that were only counted
const MAX_PRINTED = 100_000; // characters
const ENV = { NO_COLOR: "1", PYTHONIOENCODING: "utf-8" };

/** A program under its tracer. */
class Actor implements AsyncDisposable {
  readonly events: TraceEvent[] = [];
  readonly observed = new Observed();
  /** What it printed on stderr, and the time of the last piece of each stream. */
  readonly lastOutput = { stdout: 0, stderr: 0 };
  /** What was typed, and was not read yet. */
  typed = new Uint8Array();
  hasEnded = false;
  /** When this process ended it. */
  endedAt = Infinity;
  readonly program: Program;
  #skipped = 0; // calls
  readonly #reading: Promise<void>;

  constructor(
    readonly role: Role,
    readonly participant: Participant,
    readonly traced: TracedCommand,
    onChange: () => void,
    { onScreen, onErrors }: PairOptions,
  ) {
    this.program = new Program(
      traced.command,
      (output) => {
        this.lastOutput.stdout = Date.now();
        if (this.endedAt === Infinity) onScreen?.(role, output);
        onChange();
      },
      { env: traced.env },
      (output) => {
        this.lastOutput.stderr = Date.now();
        if (this.endedAt === Infinity) onErrors?.(role, output); // not a traceback of Ctrl-C
        onChange();
      },
      MAX_PRINTED,
    );
    const ended = this.program.status.then(() => {
      this.hasEnded = true;
      const { stdout, stderr } = this.lastOutput;
      if (this.program.excess) this.endedAt = Math.max(stdout, stderr, this.events.at(-1)?.at ?? 0);
      onChange();
    });
    this.#reading = this.#read(ended, onChange);
  }

  async #read(ended: Promise<unknown>, onChange: () => void) {
    for await (const event of this.traced.events(ended)) {
      this.observed.add(event);
      if (event.kind === "skipped") this.#skipped += (event.sends ?? 0) + (event.receives ?? 0);
      if (this.events.length < MAX_EVENTS) this.#add(event);
      if (this.events.length >= MAX_EVENTS || this.#skipped > MAX_SKIPPED) {
        this.program.stop("it uses the network without end");
      }
      onChange();
    }
  }

  #add(event: TraceEvent) {
    const isRead = event.kind === "input" && !event.isWaiting && event.length;
    if (isRead) {
      // The line that the user typed appears when the program reads it.
      const text = new TextDecoder().decode(this.typed.subarray(0, event.length));
      this.typed = this.typed.slice(event.length);
      this.events.push({ kind: "print", at: event.at, stream: "stdout", text });
    }
    this.events.push(event);
  }

  /** Whether it waits for a line. */
  get asks(): boolean {
    return this.observed.waiting.values().some(({ kind }) => kind === "input");
  }

  /** Whether it has used the network or its keyboard. */
  get isAtWork(): boolean {
    return this.events.some(({ kind }) => !["start", "print", "truncated"].includes(kind));
  }

  async type(line: string) {
    const data = new TextEncoder().encode(`${line}\n`);
    this.typed = Uint8Array.from([...this.typed, ...data]);
    await this.program.type(line);
  }

  /** Ends the program, if it still runs, and waits for the last of its events. */
  async end(signal?: Deno.Signal): Promise<number> {
    if (!this.hasEnded) this.endedAt = Date.now();
    const status = await this.program.end(signal);
    await this.#reading;
    return status;
  }

  /** What it did until it ended or was ended. What the tracer did not see it print follows at the end. */
  get done(): TraceEvent[] {
    const history = this.events.filter(({ at }) => at <= this.endedAt);
    for (const stream of ["stdout", "stderr"] as const) {
      const printed = this.events.filter((event) =>
        event.kind === "print" && event.stream === stream
      ).map(({ text }) => text).join("");
      const output = stream === "stdout" ? this.program.screen : this.program.errors;
      const at = Math.min(this.lastOutput[stream], this.endedAt);
      if (output.startsWith(printed) && at < this.endedAt) {
        const text = output.slice(printed.length);
        if (text) history.push({ kind: "print", at, stream, text });
      }
    }
    return history;
  }

  /** Where it waits, for the end of a sentence. */
  get where(): string {
    const waiting = this.observed.waiting.values().toArray().at(-1);
    if (!waiting) return "";
    const { kind, call, line } = waiting;
    const name = kind === "input" ? "a line of input" : call ?? kind;
    return `; it waits for ${name}${line === undefined ? "" : ` in line ${line}`}`;
  }

  async [Symbol.asyncDispose]() {
    await this.end("SIGKILL");
    await this.traced[Symbol.asyncDispose]();
  }
}

/**
 * Runs a server and a client until the client has ended and the server has nothing more to do.
 *
 * @param participants The programs.
 * @param options How to run them.
 * @throws {Deno.errors.NotFound} Python is not installed.
 */
export async function runTracedPair(
  participants: Record<Role, Participant>,
  options: PairOptions = {},
): Promise<PairOutcome> {
  const { faults = {}, typed = [], keyboard, isComplete = () => false } = options;
  const { patience = PATIENCE } = options;
  const maxWork = Math.min(MAX_WORK, 2 * patience);
  const problems: string[] = [];
  const actors: Actor[] = [];
  let change = Promise.withResolvers<void>();
  const onChange = () => {
    change.resolve();
    change = Promise.withResolvers();
  };
  const start = Date.now();

  /** Waits until something is the case, or until the programs have done nothing for some seconds. */
  const until = async (condition: () => boolean, seconds: number): Promise<boolean> => {
    const programs = actors.filter(({ hasEnded }) => !hasEnded).map(({ program }) => program);
    const activity = new Activity(programs);
    activity.isIdle(); // the activity counts from here
    let workBefore = 0; // seconds of processor time until something happened last
    let silence = 0; // seconds since something happened or one of them worked
    let step = STEP; // seconds until the next look, which takes a while if the system has many processes
    while (!condition()) {
      const isOver = keyboard === undefined && Date.now() - start > MAX_TIME;
      if (silence >= seconds || activity.work - workBefore > maxWork && !keyboard || isOver) {
        return false;
      }
      const hasChanged = change.promise.then(() => true);
      if (await deadline(hasChanged, 1000 * step).catch(() => false)) {
        workBefore = activity.work;
        silence = 0;
        step = STEP;
        continue;
      }
      silence = activity.isIdle() ? silence + step : 0;
      step = Math.min(1.5 * step, MAX_STEP);
    }
    return true;
  };

  /** Starts a program with the first list of arguments that it understands. */
  const begin = async (
    role: Role,
    ports: Record<number, number>,
    isUp: (actor: Actor) => boolean,
    port?: number,
  ): Promise<Actor> => {
    const { file, argumentsFor, hasNode } = participants[role];
    const lists = argumentsFor(port);
    for (const [i, args] of lists.entries()) {
      const traced = await traceCommand(file, {
        args,
        ports,
        env: ENV,
        toLoopback: true,
        anyPort: role === "server",
        denoFlags: ["-A", "--unstable-net"],
        within: file,
        hasNode,
        burst: MAX_CALLS,
      });
      // What a program says about arguments that it does not understand is not shown.
      const isLast = i === lists.length - 1;
      let held: (() => void)[] | undefined = isLast ? undefined : [];
      const hold = (call?: (role: Role, output: string) => void) => (role: Role, output: string) =>
        held ? held.push(() => call?.(role, output)) : call?.(role, output);
      const { onScreen, onErrors } = options;
      const shown = { onScreen: hold(onScreen), onErrors: hold(onErrors) };
      const actor = new Actor(role, participants[role], traced, onChange, shown);
      actors.push(actor);
      await until(() => isUp(actor) || actor.hasEnded, patience);
      if (actor.hasEnded) await actor.end(); // all its events are known then
      const hasFailed = actor.hasEnded && !actor.isAtWork && await actor.program.status !== 0;
      if (isLast || !hasFailed) {
        held?.forEach((show) => show());
        held = undefined;
        return actor;
      }
      actors.pop();
      await actor[Symbol.asyncDispose]();
    }
    throw new Error("a participant has no list of arguments");
  };

  await using stack = new AsyncDisposableStack();
  stack.defer(async () => {
    for (const actor of actors) await actor[Symbol.asyncDispose]();
  });
  const server = await begin("server", {}, ({ observed }) => observed.listens.length > 0);
  const listening = server.events.find(({ kind, local, error }) =>
    (kind === "listen" || kind === "bind") && local?.port === server.observed.listens[0]?.port &&
    error === undefined
  );
  const outcome = (wire?: Wire, client?: Actor): PairOutcome => {
    const ports = { port: wire?.port ?? 0, clientPorts: wire?.clientPorts ?? [] };
    // What follows when one of them is ended is not the programs' own doing.
    const end = Math.min(server.endedAt, client?.endedAt ?? Infinity);
    const done = (actor?: Actor) => actor?.done.filter(({ at }) => at <= end) ?? [];
    return {
      history: {
        server: withConnections("server", done(server), ports),
        client: withConnections("client", done(client), ports),
      },
      wire: wire?.events.filter(({ at }) => at <= end) ?? [],
      clientPorts: ports.clientPorts,
      counts: wire?.counts ?? { server: 0, client: 0 },
      met: wire?.met ?? new Set(),
      screens: { server: server.program.screen, client: client?.program.screen ?? "" },
      listens: server.observed.listens[0],
      problems,
    };
  };
  if (!listening) {
    problems.push(`${server.participant.name} does not listen${ending(server)}`);
    await server.end();
    return outcome();
  }

  const { transport, port: named } = server.observed.listens[0];
  const { host, port } = listening.actual ?? listening.local!;
  const hostnames = isIPv6(host) ? ["::1", "127.0.0.1"] : ["127.0.0.1", "::1"];
  const hostname = host === "::1" ? "::1" : undefined;
  using wire = await Wire.open(transport, { ...faults, hostname, onEvent: onChange });
  wire.connectTo(port, ...hostnames);

  const missed = () =>
    client.observed.connects.map(({ port }) => port).find((port) => port !== named);
  const client: Actor = await begin(
    "client",
    { [named]: wire.port },
    ({ isAtWork }) => isAtWork,
    named,
  );
  if (keyboard) type(client, keyboard);
  else await typeWhenAsked(client, typed, until);
  const isDone = () => client.hasEnded || missed() !== undefined;
  await until(isDone, keyboard ? Infinity : patience);
  if (missed() !== undefined && !client.hasEnded) await until(() => client.hasEnded, 1);
  const hung = client.hasEnded ? undefined : client.where;
  const status = await client.end("SIGKILL");
  await wire.isQuiet();
  await wire.isClosed("client");
  // The server may still have to read, to print or to close.
  const isIdle = () => server.hasEnded || isComplete(server.program.screen) && wire.hasEnded();
  const hasClosed = hung === undefined && !client.program.excess;
  if (hasClosed) await until(isIdle, SHORT) && await until(() => server.hasEnded, STEP);
  await wire.isQuiet();
  const { excess } = server.program;
  const hasFailed = server.hasEnded && await server.program.status !== 0;
  if (hasFailed || excess) problems.push(`${server.participant.name} failed${ending(server)}`);
  if (client.program.excess) {
    problems.push(`${client.participant.name} was ended: ${client.program.excess}`);
  } else if (hung !== undefined) {
    problems.push(`${client.participant.name} did not end${hung}`);
  } else if (status !== 0) problems.push(`${client.participant.name} failed${ending(client)}`);
  const other = missed();
  if (other !== undefined) {
    problems.unshift(
      `${client.participant.name} connects to port ${other}, but ${server.participant.name} ` +
        `listens on port ${named}`,
    );
  }
  await server.end();
  return { ...outcome(wire, client), missed: other };
}

/** How a program ended, for the end of a sentence. */
function ending({ program, hasEnded, where }: Actor): string {
  if (program.excess) return `: ${program.excess}`;
  if (!hasEnded) return where;
  const lines = program.errors.trimEnd().split("\n");
  const message = lines.find((line) => line.startsWith("error: ")) ?? lines.at(-1)!;
  return message ? `: ${message.replace(/^error: /, "")}` : "";
}

async function type(client: Actor, keyboard: AsyncIterable<string>) {
  for await (const line of keyboard) await client.type(line);
  await client.program.endInput();
}

/** Types lines, each when the program asks: it waits for input, and has printed a prompt or does nothing else. */
async function typeWhenAsked(
  client: Actor,
  lines: string[],
  until: (condition: () => boolean, seconds: number) => Promise<boolean>,
) {
  let before = 0; // characters on the terminal when the last line was typed
  for (const line of lines) {
    const asks = () =>
      client.asks && client.program.screen.length > before && !client.program.screen.endsWith("\n");
    await until(() => asks() || client.hasEnded, ASKS);
    if (!asks()) await until(() => client.asks || client.hasEnded, PATIENCE);
    if (client.hasEnded || !client.asks) break;
    await client.type(line);
    before = client.program.screen.length;
  }
  await client.program.endInput();
}
