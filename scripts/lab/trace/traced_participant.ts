/**
 * A program of a session that runs under its tracer. It can be any file: where it listens, what it connects to and when it asks is
 * observed. So no port is in use already, and none has to be known.
 *
 * @module
 */
import type { Role } from "../catalog/header.ts";
import { isSoon } from "../process/activity.ts";
import { Program } from "../process/program.ts";
import {
  type Actor,
  type Address,
  ENVIRONMENT,
  type Listening,
  MAX_OUTPUT,
  type Output,
  type Participant,
} from "../session/participant.ts";
import type { TraceEvent } from "./event.ts";
import { Observed, traceCommand, type TracedCommand } from "./run_traced.ts";

const MAX_EVENTS = 50_000;
const MAX_CALLS = 20_000; // in a row, that are reported one by one
const MAX_SKIPPED = 100_000; // calls that were only counted
const START_TIME = 12; // seconds in which a program must refuse its arguments or begin

/** A program that runs under its tracer. */
export interface TracedProgram {
  /** How reports name it. */
  name: string;
  /** Its file. */
  file: string;
  /**
   * Returns the lists of arguments to start it with. The next list is tried if the program fails with one before it has used
   * the network or its keyboard. `port` is the server's port, if it is known.
   */
  argumentsFor(port?: number): string[][];
  /** Whether it may use modules of Node; see `TraceOptions`. */
  hasNode?: boolean;
}

/** A participant that runs under its tracer. */
export class TracedParticipant implements Participant {
  readonly name: string;
  /** The program, when it was started. */
  actor?: TracedActor;

  /** Takes a program. */
  constructor(readonly traced: TracedProgram) {
    this.name = traced.name;
  }

  /** What it did, in short. */
  get observed(): Observed {
    return this.actor?.observed ?? new Observed();
  }

  /**
   * Starts the program with the first list of arguments that it understands.
   *
   * @throws {Deno.errors.NotFound} Python is not installed.
   */
  async start(role: Role, address: Address | undefined, output: Output): Promise<TracedActor> {
    const { file, argumentsFor, hasNode } = this.traced;
    const lists = argumentsFor(address?.named);
    for (const [i, args] of lists.entries()) {
      const command = await traceCommand(file, {
        args,
        ports: address && role === "client" ? { [address.named]: address.actual } : {},
        env: ENVIRONMENT,
        toLoopback: true,
        anyPort: role === "server",
        denoFlags: ["-A", "--unstable-net"],
        within: file,
        hasNode,
        burst: MAX_CALLS,
      });
      if (i === lists.length - 1) return this.actor = new TracedActor(command, output, address);
      // What a program says about arguments that it does not understand is not shown.
      const held = new HeldOutput(output);
      const actor = new TracedActor(command, held, address);
      const isUp = () => role === "client" ? actor.isAtWork : actor.observed.listens.length > 0;
      await isSoon(isUp, START_TIME, [actor.program]);
      if (!actor.program.hasEnded || await actor.end() === 0 || actor.isAtWork) {
        held.release();
        return this.actor = actor;
      }
      await actor[Symbol.asyncDispose]();
    }
    throw new TypeError(`${this.name} has no list of arguments`);
  }
}

/** Output that is held back until it is known whether it is to be shown. */
class HeldOutput implements Output {
  #held: (() => void)[] | undefined = [];

  constructor(readonly output: Output) {}

  onScreen(text: string) {
    this.#pass(() => this.output.onScreen?.(text));
  }

  onErrors(text: string) {
    this.#pass(() => this.output.onErrors?.(text));
  }

  release() {
    this.#held?.forEach((show) => show());
    this.#held = undefined;
  }

  #pass(show: () => void) {
    if (this.#held) this.#held.push(show);
    else show();
  }
}

/** A program under its tracer. */
export class TracedActor implements Actor {
  /** What it did. */
  readonly events: TraceEvent[] = [];
  /** What it did, in short. */
  readonly observed = new Observed();
  readonly program: Program;
  /** When it ended, or was ended: `Date.now()` counts so. What comes later is not its own doing. */
  endedAt: number = Infinity;
  /** The call in which it waited when it was ended, if there was one. */
  waitedFor?: TraceEvent;
  #lastOutput = { stdout: 0, stderr: 0 }; // when
  #typed = new Uint8Array(); // what was typed, and was not read yet
  #inputs = 0; // how often it has waited for input
  #skipped = 0; // calls
  readonly #reading: Promise<void>;

  /** Starts a program with a command; `address` is the server's, if this is a client. */
  constructor(
    readonly command: TracedCommand,
    output: Output,
    readonly address?: Address,
  ) {
    this.program = new Program(
      command.command,
      (text) => {
        this.#lastOutput.stdout = Date.now();
        if (this.endedAt === Infinity) output.onScreen?.(text);
      },
      { env: command.env },
      (text) => {
        this.#lastOutput.stderr = Date.now();
        if (this.endedAt === Infinity) output.onErrors?.(text); // not a traceback of Ctrl-C
      },
      MAX_OUTPUT,
    );
    const ended = this.program.status.then(() => {
      const { stdout, stderr } = this.#lastOutput;
      const last = Math.max(stdout, stderr, this.events.at(-1)?.at ?? 0);
      if (this.program.excess) this.endedAt = last;
    });
    this.#reading = this.#read(ended);
  }

  async #read(ended: Promise<unknown>) {
    for await (const event of this.command.events(ended)) {
      this.observed.add(event);
      if (event.kind === "input" && event.isWaiting) this.#inputs++;
      if (event.kind === "skipped") this.#skipped += (event.sends ?? 0) + (event.receives ?? 0);
      if (this.events.length < MAX_EVENTS) this.#add(event);
      if (this.events.length >= MAX_EVENTS || this.#skipped > MAX_SKIPPED) {
        this.program.stop("it uses the network without end");
      }
      this.program.recheck();
    }
  }

  #add(event: TraceEvent) {
    if (event.kind === "input" && !event.isWaiting && event.length) {
      // The line that the user typed appears when the program reads it.
      const text = new TextDecoder().decode(this.#typed.subarray(0, event.length));
      this.#typed = this.#typed.slice(event.length);
      this.events.push({ kind: "print", at: event.at, stream: "stdout", text });
    }
    this.events.push(event);
  }

  async listening(seconds: number, end: number): Promise<Listening | undefined> {
    const { listens } = this.observed;
    await isSoon(() => listens.length > 0, seconds, [this.program], end);
    if (this.program.hasEnded) await this.#reading; // it may have listened before
    if (listens.length === 0) return;
    const [{ transport, port: named }] = listens;
    const { actual, local } = this.events.find(({ kind, local, error }) =>
      (kind === "listen" || kind === "bind") && local?.port === named && error === undefined
    )!;
    const { host, port } = (actual ?? local)!;
    return { transport, named, actual: port, host };
  }

  asks(count: number): boolean {
    const isWaiting = this.observed.waiting.values().some(({ kind }) => kind === "input");
    return isWaiting && this.#inputs > count;
  }

  /** The other port than the server's that it tried to reach. */
  get missed(): number | undefined {
    const ports = this.observed.connects.map(({ port }) => port);
    return ports.find((port) => port !== this.address?.named);
  }

  isLost(): boolean {
    return this.missed !== undefined;
  }

  progress(): number {
    const { program, events } = this;
    return program.screen.length + program.errors.length + events.length + this.#skipped;
  }

  /** Whether it has used the network or its keyboard. */
  get isAtWork(): boolean {
    return this.events.some(({ kind }) => !["start", "print", "truncated"].includes(kind));
  }

  async type(line: string) {
    const data = new TextEncoder().encode(`${line}\n`);
    this.#typed = Uint8Array.from([...this.#typed, ...data]);
    await this.program.type(line);
  }

  async end(signal?: Deno.Signal): Promise<number> {
    if (!this.program.hasEnded && this.endedAt === Infinity) {
      this.endedAt = Date.now();
      this.waitedFor = this.observed.waiting.values().toArray().at(-1);
    }
    const status = await this.program.end(signal);
    await this.#reading;
    return status;
  }

  /** What it did until it ended or was ended. What the tracer did not see it print follows at the end. */
  get done(): TraceEvent[] {
    const done = this.events.filter(({ at }) => at <= this.endedAt);
    for (const stream of ["stdout", "stderr"] as const) {
      const prints = this.events.filter((event) =>
        event.kind === "print" && event.stream === stream
      );
      const printed = this.program.shown(prints.map(({ text }) => text).join(""));
      const output = stream === "stdout" ? this.program.screen : this.program.errors;
      const at = Math.min(this.#lastOutput[stream], this.endedAt);
      const text = output.slice(printed.length);
      if (output.startsWith(printed) && at < this.endedAt && text) {
        done.push({ kind: "print", at, stream, text });
      }
    }
    return done;
  }

  /** Ends the program, and removes the file of its events. */
  async [Symbol.asyncDispose]() {
    await this.end("SIGKILL");
    await this.command[Symbol.asyncDispose]();
  }
}
