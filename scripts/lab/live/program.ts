/**
 * A program that a user starts, types to and stops while its tracer reports what it does.
 *
 * @module
 */
import type { Role } from "../catalog/header.ts";
import { Program } from "../process/program.ts";
import type { TraceEvent } from "../trace/event.ts";
import { Observed, traceCommand, type TracedCommand } from "../trace/run_traced.ts";

/** The characters that a program may print before it is ended. */
export const MAX_PRINTED = 500_000;
const MAX_EVENTS = 200_000; // of the tracer, and calls that it only counts
const BURST = 500; // calls in a row that are reported one by one
const INTERVAL = 10; // milliseconds between two looks at the events
const UNTRACED = 20; // milliseconds until output without an event of the tracer is shown, if all events were read
const LATE = 500; // milliseconds until the tracer's event for output that never came is left out
const ENV = { NO_COLOR: "1", PYTHONIOENCODING: "utf-8" };

/** Something that a program did: a call, or text on one of its streams. */
export interface Deed extends TraceEvent {
  /** Whether the user typed the text. */
  isTyped?: boolean;
}

/** How to start a program. */
export interface LaunchOptions {
  /** Its role. */
  role: Role;
  /** Its arguments. */
  args: string[];
  /** The folder to run it in. */
  cwd: string;
  /** Ports to use in place of those that it names. */
  ports: Record<number, number>;
  /** Whether it may use modules of Node; see `TraceOptions`. */
  hasNode?: boolean;
  /** Called with what it does, but for what it prints; see `takeOutput`. */
  onDeed(deed: Deed): void;
  /** Called when there is output to take. */
  onOutput(): void;
  /** Called once, when it has ended and all of its events were read. */
  onEnd(how: string): void;
}

/** A running program. */
export class LiveProgram implements AsyncDisposable {
  /** What it did so far. */
  readonly observed = new Observed();
  #program: Program;
  #traced: TracedCommand;
  #streams = { stdout: new Output("stdout"), stderr: new Output("stderr") };
  #isStopped = false;
  #events = 0;
  #ended: Promise<void>;

  private constructor(traced: TracedCommand, options: LaunchOptions) {
    this.#traced = traced;
    const take = (stream: "stdout" | "stderr") => (text: string) => {
      if (this.#isStopped) return; // such as Python's traceback after Ctrl-C
      this.#streams[stream].add(text);
      options.onOutput();
    };
    this.#program = new Program(
      traced.command,
      take("stdout"),
      { env: traced.env, cwd: options.cwd },
      take("stderr"),
      MAX_PRINTED,
      true,
    );
    this.#ended = this.#follow(options);
  }

  /**
   * Starts a program under its tracer.
   *
   * @param file The program.
   * @param options How to start it.
   * @throws {Deno.errors.NotFound} Python is not installed.
   */
  static async start(file: string, options: LaunchOptions): Promise<LiveProgram> {
    const { role, args, cwd, ports, hasNode } = options;
    const started: { program?: LiveProgram } = {};
    const traced = await traceCommand(file, {
      args,
      ports,
      hasNode,
      cwd,
      env: ENV,
      toLoopback: true,
      anyPort: role === "server",
      denoFlags: ["-A", "--unstable-net"],
      within: file,
      burst: BURST,
      interval: INTERVAL,
      onCaughtUp: (time) => started.program?.catchUp(time),
    });
    try {
      return started.program = new LiveProgram(traced, options);
    } catch (error) {
      await traced[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #follow({ onDeed, onOutput, onEnd }: LaunchOptions) {
    const { status } = this.#program;
    for await (const event of this.#traced.events(status)) {
      this.observed.add(event);
      this.#events += 1 + (event.sends ?? 0) + (event.receives ?? 0);
      if (this.#events > MAX_EVENTS) this.#program.stop("it uses the network without end");
      if (this.#isStopped) continue;
      if (event.kind === "print") {
        this.#streams[event.stream ?? "stdout"].expect(event);
        onOutput();
      } else onDeed(event);
    }
    const code = await status;
    onEnd(
      this.#program.excess
        ? `was ended: ${this.#program.excess}`
        : this.#isStopped
        ? "was stopped"
        : `ended with status ${code}`,
    );
  }

  /** Notes that all events were read that were written before a time, as `performance.now()` counts. */
  catchUp(time: number) {
    for (const stream of Object.values(this.#streams)) stream.caughtUp = time;
  }

  /** The lines at which it waits. */
  get waiting(): number[] {
    return [...new Set([...this.observed.waiting.values()].flatMap(({ line }) => line ?? []))];
  }

  /** Whether it has printed something that `takeOutput` has not returned yet. */
  get hasOutput(): boolean {
    return Object.values(this.#streams).some(({ isEmpty }) => !isEmpty);
  }

  /**
   * Returns the next texts that it printed, with the lines that printed them.
   *
   * @param isLast Whether no events of the tracer follow.
   */
  takeOutput(isLast = false): Deed[] {
    return Object.values(this.#streams).flatMap((stream) => stream.take(isLast));
  }

  /** Types a line. */
  async type(line: string) {
    await this.#program.send(new TextEncoder().encode(`${line}\n`));
  }

  /** Ends its input, as Ctrl-D does. */
  async endInput() {
    await this.#program.endInput();
  }

  /** Sends Ctrl-C, waits for the end, and kills it if it does not end. */
  async stop(signal: Deno.Signal = "SIGINT") {
    this.#isStopped = true;
    await this.#program.end(Deno.build.os === "windows" ? "SIGKILL" : signal);
    await this.#ended;
    await this.#traced[Symbol.asyncDispose]();
  }

  /** Kills it, and removes the file of its events. */
  async [Symbol.asyncDispose]() {
    await this.stop("SIGKILL");
  }
}

/**
 * Text on a stream of a program. The pipe shows what was printed, and the tracer shows when and by which line.
 */
class Output {
  #text = ""; // from the pipe, not taken yet
  #since = 0; // when the last part of it came
  #arrived = 0; // the same, as `performance.now()` counts
  /** All events have been read that were written before this time, as `performance.now()` counts. */
  caughtUp = 0;
  #expected: TraceEvent[] = [];

  constructor(readonly stream: "stdout" | "stderr") {}

  add(text: string) {
    this.#text += text;
    this.#since = now();
    this.#arrived = performance.now();
  }

  expect(event: TraceEvent) {
    if (event.text) this.#expected.push(event);
  }

  get isEmpty(): boolean {
    return this.#text === "" && this.#expected.length === 0;
  }

  take(isLast: boolean): Deed[] {
    const taken: Deed[] = [];
    const untraced = (length: number) => {
      if (length === 0) return;
      const text = this.#text.slice(0, length);
      this.#text = this.#text.slice(length);
      taken.push({ kind: "print", at: this.#since, stream: this.stream, text });
    };
    while (this.#expected.length > 0 && this.#text !== "") {
      const [event] = this.#expected;
      const index = this.#text.indexOf(event.text!);
      const isIncomplete = index < 0 && event.text!.startsWith(this.#text);
      if (isIncomplete && !isLast && now() - event.at < LATE) return taken; // the rest is in the pipe
      this.#expected.shift();
      if (index < 0) continue;
      untraced(index);
      this.#text = this.#text.slice(event.text!.length);
      taken.push(event);
    }
    if (this.#expected.length > 0 && now() - this.#expected[0].at > LATE) this.#expected = [];
    // The tracer writes an event before the program prints its text.
    if (isLast || this.caughtUp - this.#arrived > UNTRACED) untraced(this.#text.length);
    return taken;
  }
}

let origin = performance.timeOrigin;

/** Returns the time in milliseconds as `Date.now()` counts, with fractions, as the tracers do. */
export function now(): number {
  const difference = Date.now() - (origin + performance.now());
  if (Math.abs(difference) > 50) origin += difference; // the clock was set, or the machine slept
  return origin + performance.now();
}
