/**
 * Runs a pairing: a server and a client, each under its tracer. The tracers lead both to a free port, so
 * that a port in use or in TIME-WAIT does not matter, and show what the programs do with their sockets.
 *
 * @module
 */
import type { Lab, Role } from "../catalog/header.ts";
import { isSoon } from "../process/activity.ts";
import { freePort } from "../process/ports.ts";
import { Program } from "../process/program.ts";
import {
  MAX_OUTPUT,
  type Participant,
  runSession,
  type SessionOptions,
  type SessionResult,
  type Typing,
} from "../session/session.ts";
import type { TraceEvent } from "../trace/event.ts";
import { Observed, traceCommand, type TracedCommand } from "../trace/run_traced.ts";

const MAX_SIZES = 100; // of reads
const START_TIME = 10; // seconds in which a server must ask for its port
const IDLE_TIME = 3; // seconds after which a client that waits is ended

/** A program of a pairing. */
export interface ComparedProgram {
  /** Its name in reports. */
  name: string;
  /** Its name with its flags. */
  title: string;
  /** Whether it is an original. */
  isOriginal: boolean;
  /** Its file. */
  file: string;
  /** Returns its arguments. */
  args(port: number): string[];
}

/** A server and a client. */
export type Pairing = Record<Role, ComparedProgram>;

/** A pairing that was run. */
export interface Run {
  /** The programs. */
  pairing: Pairing;
  /** The port as the programs name it. */
  port: number;
  /** What happened. */
  result: SessionResult;
  /** What the programs did. */
  traces: Record<Role, Trace>;
}

/** What a program did with its sockets and its keyboard. */
export class Trace {
  /** What it did, in short. */
  readonly observed = new Observed();
  /** The bytes of its first 100 reads. */
  readonly reads: number[] = [];
  /** The port to which it tried to bind a socket. */
  boundPort?: number;
  #inputs = 0;

  /** Takes in the next event. */
  add(event: TraceEvent) {
    const { kind, isWaiting, error, local, length } = event;
    this.observed.add(event);
    if (kind === "bind" || kind === "listen") this.boundPort ??= local?.port;
    if (isWaiting && kind === "input") this.#inputs++;
    const isRead = kind === "receive" && !isWaiting && error === undefined && length;
    if (isRead && this.reads.length < MAX_SIZES) this.reads.push(length);
  }

  /** Returns whether it waits for its input, after it has read some lines. */
  asksAfter(lines: number): boolean {
    const isWaiting = this.observed.waiting.values().some(({ kind }) => kind === "input");
    return isWaiting && this.#inputs > lines;
  }
}

/**
 * Runs a server and a client.
 *
 * @param lab The lab.
 * @param pairing The programs.
 * @param port The port as they name it.
 * @param lines Returns the lines that are typed to the client when it asks.
 * @param isComplete Returns whether the server has printed all that it will.
 */
export async function runPairing(
  lab: Lab,
  pairing: Pairing,
  port: number,
  lines: Typing["next"],
  isComplete?: SessionOptions["isComplete"],
): Promise<Run> {
  const free = freePort(lab.transport);
  await using server = await Traced.prepare(pairing.server, port, { [port]: free });
  await using client = await Traced.prepare(pairing.client, port, { [port]: free });
  const participants = { server: server.participant(free), client: client.participant(free) };
  const result = await runSession(lab.transport, participants, {
    typing: {
      next: lines,
      isDue: (_, count) => client.trace.asksAfter(count),
      isOnlyWhenDue: true,
    },
    isComplete,
    idleTime: IDLE_TIME,
  });
  await Promise.all([server.allRead, client.allRead]);
  return { pairing, port, result, traces: { server: server.trace, client: client.trace } };
}

/** Starts a server and returns the port that it asks for, or undefined if it does not get so far. */
export async function observePort(server: ComparedProgram): Promise<number | undefined> {
  await using traced = await Traced.prepare(server, NaN, {});
  await using program = new Program(
    traced.command.command,
    undefined,
    { env: traced.command.env },
    undefined,
    MAX_OUTPUT,
  );
  traced.follow(program);
  await isSoon(() => traced.trace.boundPort !== undefined, START_TIME, [program]);
  await program.end("SIGKILL");
  await traced.allRead;
  return traced.trace.boundPort;
}

/** A program that is started under its tracer. */
class Traced implements AsyncDisposable {
  readonly trace = new Trace();
  /** Settles when the program has ended and all events were read. */
  allRead: Promise<void> = Promise.resolve();

  private constructor(readonly name: string, readonly command: TracedCommand) {}

  static async prepare(program: ComparedProgram, port: number, ports: Record<number, number>) {
    const options = { args: program.args(port), ports, toLoopback: true };
    return new Traced(program.name, await traceCommand(program.file, options));
  }

  participant(port: number): Participant {
    const { command, env } = this.command;
    return {
      name: this.name,
      port,
      reportsPort: false,
      command: () => command,
      env,
      onStart: (program) => this.follow(program),
    };
  }

  /** Reads the events of the program. */
  follow(program: Program) {
    const read = async () => {
      for await (const event of this.command.events(program.status)) {
        this.trace.add(event);
        program.recheck();
      }
    };
    this.allRead = read();
  }

  async [Symbol.asyncDispose]() {
    await this.allRead;
    await this.command[Symbol.asyncDispose]();
  }
}
