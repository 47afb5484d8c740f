/**
 * A running program: its screen, its keyboard, and the port on which it listens.
 *
 * @module
 */
import { deadline } from "@std/async/deadline";
import { basename } from "node:path";
import { readLinuxProcesses } from "../../system/linux.ts";
import { Activity } from "./activity.ts";
import { isBound } from "./ports.ts";

const MARK = "SOCKET_LABS_PROGRAM"; // the environment variable that finds a program's descendants
const MAX_ROUNDS = 50; // of killing the programs that a program has started
const GRACE = 1500; // milliseconds that a program may take to end after a signal

/** The running programs. None of them outlives this one, however it ends. */
const running = new Set<Deno.ChildProcess>();
/** The programs whose descendants are found by a variable in their environment, with its value. */
const marks = new Map<Deno.ChildProcess, string>();

globalThis.addEventListener("unload", () => running.forEach((child) => kill(child)));

function kill(child: Deno.ChildProcess, signal: Deno.Signal = "SIGKILL") {
  if (signal === "SIGKILL") killDescendants(child);
  try {
    child.kill(signal);
  } catch { /* it has just ended */ }
}

/**
 * Ends the programs that a program has started: its process group, if it made one of its own, and on
 * Linux all that have its mark in their environment, even in another session.
 */
function killDescendants(child: Deno.ChildProcess) {
  const mark = marks.get(child);
  const find = () =>
    mark === undefined || Deno.build.os !== "linux" ? [] : descendants(child.pid, mark);
  let pids = find(); // before the group ends: a process without its parent is found only by its mark
  tryToKill(-child.pid);
  // A process may start another one while the list is read, so it is read until it is empty.
  for (let rounds = 0; pids.length > 0 && rounds < MAX_ROUNDS; rounds++) {
    pids.forEach(tryToKill);
    pids = find();
  }
}

function tryToKill(pid: number) {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch { /* it has ended, or the system knows no process groups */ }
}

/** Returns the descendants of a process, and of all processes with a mark in their environment. */
function descendants(pid: number, mark: string): number[] {
  const parents = new Map<number, number>();
  const found = new Set([pid]);
  for (const [pid, { parent }] of readLinuxProcesses()) {
    parents.set(pid, parent);
    try {
      const environment = Deno.readTextFileSync(`/proc/${pid}/environ`);
      if (environment.includes(`${MARK}=${mark}`)) found.add(pid);
    } catch { /* it has ended, or belongs to another user */ }
  }
  const isFound = (pid: number): boolean =>
    found.has(pid) || parents.has(pid) && isFound(parents.get(pid)!);
  return [...parents.keys()].filter((other) => other !== pid && isFound(other));
}

/** Returns a text with `\n` for `\r\n`, and for `\r\r\n`, which Python prints on Windows for `\r\n`. */
export function withUnixLineEnds(text: string): string {
  return text.replace(/(?<!\r)\r+\n/g, "\n"); // the look-behind keeps it linear
}

/** A running program: what it prints, and its keyboard. */
export class Program {
  /**
   * How many programs can run at the same time. On Windows, Deno needs two threads to read what a program prints, and has four
   * per core. With more programs, all of them would wait for output, and none could read or write a file. A test may lower it.
   */
  static limit: number = Deno.build.os === "windows"
    ? 2 * navigator.hardwareConcurrency - 1
    : Infinity;

  /** How many programs have run at the same time. A test may reset it. */
  static peak = 0;

  /** Returns how many of `most` jobs can run at the same time if each of them runs `count` programs. */
  static jobsAtOnce(most: number, count = 1): number {
    return Math.max(1, Math.min(most, Math.floor(Program.limit / count)));
  }

  /** Its screen: its stdout and what was typed. */
  screen = "";
  /** What it printed on stderr. */
  errors = "";
  /** Its exit status. */
  readonly status: Promise<number>;
  /** The limit that it exceeded, in words, if it was ended for that. */
  excess?: string;
  #child: Deno.ChildProcess;
  #keyboard?: WritableStreamDefaultWriter<Uint8Array>;
  #hasEnded = false;
  #change = Promise.withResolvers<void>();
  #printed = 0; // characters
  readonly #most: number;
  readonly #isPython: boolean;

  /**
   * Starts a program.
   *
   * @param command The program and its arguments.
   * @param onScreen Called with everything that appears on its screen.
   * @param options Options of `Deno.Command`.
   * @param onErrors Called with everything it prints on stderr.
   * @param most How many characters it may print before it is ended.
   * @param isMarked Whether its descendants are found by a mark in their environment.
   */
  constructor(
    command: string[],
    readonly onScreen: (output: string) => void = () => {},
    options: Deno.CommandOptions = {},
    readonly onErrors: (output: string) => void = () => {},
    most = Infinity,
    isMarked = false,
  ) {
    this.#most = most;
    this.#isPython = basename(command[0]).startsWith("python");
    const mark = crypto.randomUUID();
    const env = isMarked ? { ...options.env, [MARK]: mark } : options.env;
    this.#child = new Deno.Command(command[0], {
      args: command.slice(1),
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      ...options,
      env,
    }).spawn();
    running.add(this.#child);
    Program.peak = Math.max(Program.peak, running.size);
    if (isMarked) marks.set(this.#child, mark);
    this.#keyboard = this.#child.stdin.getWriter();
    this.status = this.#follow();
  }

  /** The number of its process. */
  get pid(): number {
    return this.#child.pid;
  }

  /** How many characters it has printed, on stdout and on stderr. */
  get printed(): number {
    return this.#printed;
  }

  /** Whether it has ended, and all its output was read. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  async #follow(): Promise<number> {
    const silence = new AbortController();
    const read = async (
      stream: ReadableStream<Uint8Array<ArrayBuffer>>,
      use: (output: string) => void,
    ) => {
      const { signal } = silence;
      let held = ""; // carriage returns, which may be the beginning of a line end
      try {
        for await (const output of stream.pipeThrough(new TextDecoderStream(), { signal })) {
          const text = held + output;
          const end = this.#isPython ? text.search(/(?<!\r)\r*$/) : text.length;
          held = text.slice(end);
          this.#take(this.shown(text.slice(0, end)), use, output.length);
        }
      } catch { /* the program has ended, and its output is not read any longer */ }
      this.#take(held, use, 0);
    };
    const reading = Promise.all([
      read(this.#child.stdout, (output) => this.#show(output)),
      read(this.#child.stderr, (output) => {
        this.errors += output;
        this.onErrors(output);
      }),
    ]);
    const { code } = await this.#child.status;
    killDescendants(this.#child);
    running.delete(this.#child);
    marks.delete(this.#child);
    // A program that it started may hold its stdout open, and print nothing.
    for (let before = NaN; this.#printed !== before;) {
      before = this.#printed;
      if (await deadline(reading, GRACE).then(() => true, () => false)) break;
    }
    silence.abort();
    this.#hasEnded = true;
    this.recheck();
    return code;
  }

  /**
   * Returns an output as it is shown. On Windows, Python prints `\r\n` for each `\n`. A terminal shows both in the same way, so
   * this is undone everywhere.
   */
  shown(output: string): string {
    return this.#isPython ? withUnixLineEnds(output) : output;
  }

  /** Takes in output. `count` is the number of characters that the program has printed for it. */
  #take(output: string, use: (output: string) => void, count: number) {
    if (this.excess) return;
    if (output) use(output.slice(0, this.#most - this.#printed));
    this.#printed += count;
    if (this.#printed > this.#most) this.stop("it prints without end");
    this.recheck();
  }

  /** Ends the program because it exceeds a limit, which `excess` names. */
  stop(excess: string) {
    this.excess ??= excess;
    kill(this.#child);
  }

  #show(output: string) {
    this.screen += output;
    this.onScreen(output);
  }

  /** Checks the conditions again for which `until` waits. */
  recheck() {
    this.#change.resolve();
    this.#change = Promise.withResolvers<void>();
  }

  /**
   * Waits until a condition holds.
   *
   * @param condition The condition. It is checked whenever the program prints or ends.
   * @param seconds How long to wait.
   * @returns Whether the condition holds: false if the time is over or the program has ended.
   */
  async until(condition: () => boolean, seconds = 30): Promise<boolean> {
    const end = Date.now() + seconds * 1000;
    while (!condition()) {
      if (this.#hasEnded || Date.now() > end) return false;
      await deadline(this.#change.promise, end - Date.now()).catch(() => {});
    }
    return true;
  }

  /** Waits some seconds for its end. Returns whether it has ended. */
  async ended(seconds = 30): Promise<boolean> {
    await this.until(() => false, seconds);
    return this.#hasEnded;
  }

  /** Types a line, which appears on the screen as on a terminal. */
  async type(line: string) {
    if (this.#hasEnded) return;
    this.#show(`${line}\n`);
    await this.send(new TextEncoder().encode(`${line}\n`));
  }

  /** Writes bytes to its stdin, which do not appear on the screen. */
  async send(data: Uint8Array) {
    await this.#keyboard?.write(data).catch(() => {}); // the program may have ended first
  }

  /** Ends its input, as Ctrl-D does. */
  async endInput() {
    await this.#keyboard?.close().catch(() => {}); // the program may have ended first
    this.#keyboard = undefined;
  }

  /** Kills the program at the end of its scope. */
  async [Symbol.asyncDispose]() {
    await this.end("SIGKILL");
  }

  /** Sends a signal, waits for the program's end, and returns its exit status. */
  async end(signal: Deno.Signal = "SIGINT"): Promise<number> {
    if (running.has(this.#child)) kill(this.#child, signal);
    await deadline(this.status, GRACE).catch(() => kill(this.#child));
    await this.endInput();
    return await this.status;
  }
}

/** The command that runs a script, without messages of Deno itself, such as those about downloads. */
export const DENO_RUN = [Deno.execPath(), "run", "--quiet"];

const PYTHON = Deno.build.os === "windows" ? "python" : "python3";

/** Python 3's own path. It is asked for once: `python3` can be a slow script of a version manager. */
let python: Promise<string | undefined> | undefined;

async function findPython(): Promise<string | undefined> {
  const code = `import sys; sys.version_info >= (3,) and print(sys.executable or "${PYTHON}")`;
  const command = new Deno.Command(PYTHON, {
    args: ["-S", "-c", code], // -S: without the packages that are installed, which can take longer than Python
    stdin: "null",
    stderr: "null",
    env: { PYTHONIOENCODING: "utf-8" },
  });
  try {
    const { stdout } = await command.output();
    return new TextDecoder().decode(stdout).trim() || undefined;
  } catch {
    return undefined; // no such program
  }
}

/** Returns whether this machine has Python 3. */
export async function hasPython(): Promise<boolean> {
  return await (python ??= findPython()) !== undefined;
}

/** Returns the command that runs a Python file, with unbuffered output. */
export async function pythonCommand(): Promise<string[]> {
  return [await (python ??= findPython()) ?? PYTHON, "-u"];
}

/**
 * Waits until a server listens on a port. If the port is 0, the server must report it on stderr.
 *
 * @param server The server.
 * @param port The port.
 * @param transport What it speaks.
 * @param seconds How long to wait while the server does not work.
 * @param end When to give up in any case, as `Date.now()` counts. By default a server that works gets
 * no more time.
 * @returns Whether it listens: false if the time is over or the server has ended.
 */
export async function isListening(
  server: Program,
  port: number,
  transport: "tcp" | "udp",
  seconds: number,
  end = Date.now() + seconds * 1000,
): Promise<boolean> {
  const activity = new Activity([server]);
  const interval = 500 * seconds; // milliseconds between two checks of the server's activity
  let next = Date.now() + interval;
  let pause = 0.03; // seconds: it takes 10 to 100 ms to read the list of sockets
  while (Date.now() < end) {
    const reported = portOf(server);
    if (reported !== undefined && (port === 0 || reported === port)) return true;
    if (port !== 0 && await isBound(port, transport)) return true;
    if (await server.ended(pause)) return false;
    pause = Math.min(0.1, 2 * pause);
    if (Date.now() < next) continue;
    if (activity.isIdle()) return false;
    next = Date.now() + interval;
  }
  return false;
}

/** Returns the port that a server reports on stderr. */
export function portOf(server: Program): number | undefined {
  const [, port] = server.errors.match(/^note: listening on \S+ port (\d+)\n/m) ?? [];
  return port === undefined ? undefined : Number(port);
}
