/**
 * A program that runs: its screen, its keyboard, and the port it listens on.
 *
 * @module
 */
import { deadline } from "@std/async/deadline";
import { readLinuxProcesses } from "../../system/linux.ts";
import { isBound } from "./ports.ts";

const MARK = "SOCKET_LABS_PROGRAM"; // the environment variable that finds a program's descendants
const MAX_ROUNDS = 50; // of killing what a program has started
const PATIENCE = 1500; // milliseconds that a program may take to end when told to

/** All programs that run; none of them outlives this one, however it ends. */
const running = new Set<Deno.ChildProcess>();
/** The programs whose descendants are found by a mark in their environment. */
const marks = new Map<Deno.ChildProcess, string>();

globalThis.addEventListener("unload", () => running.forEach((child) => kill(child)));

function kill(child: Deno.ChildProcess, signal: Deno.Signal = "SIGKILL") {
  if (signal === "SIGKILL") killDescendants(child);
  try {
    child.kill(signal);
  } catch { /* it has just ended */ }
}

/**
 * Ends what a program has started itself: its process group, where it made one of its own, and on
 * Linux what bears its mark, also in another session.
 */
function killDescendants(child: Deno.ChildProcess) {
  const mark = marks.get(child);
  const find = () =>
    mark === undefined || Deno.build.os !== "linux" ? [] : descendants(child.pid, mark);
  let pids = find(); // before the group is ended: what loses its parent is found by its mark alone
  tryToKill(-child.pid);
  // A process may start another one while the list is read: so it is read until it is empty.
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

/** The processes that descend from another, or from one with a mark in its environment. */
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

/** A program that runs: what it prints, and its keyboard. */
export class Program {
  /** What stands on its screen: its stdout, and what was typed. */
  screen = "";
  /** What it printed on stderr. */
  errors = "";
  /** Its exit status. */
  readonly status: Promise<number>;
  /** Whether it was ended because it printed more than it may. */
  hasPrintedTooMuch = false;
  /** Of what it took too much, if it was ended for that. */
  excess?: string;
  #child: Deno.ChildProcess;
  #keyboard?: WritableStreamDefaultWriter<Uint8Array>;
  #hasEnded = false;
  #change = Promise.withResolvers<void>();
  #heard = 0; // characters that it printed
  readonly #most: number;

  /**
   * Starts a program.
   *
   * @param command The program and its arguments.
   * @param onScreen Called with everything that appears on its screen.
   * @param options Options of `Deno.Command`.
   * @param onErrors Called with everything it prints on stderr.
   * @param most How many characters it may print; who prints more is ended.
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
    if (isMarked) marks.set(this.#child, mark);
    this.#keyboard = this.#child.stdin.getWriter();
    this.status = this.#follow();
  }

  /** Its process's number. */
  get pid(): number {
    return this.#child.pid;
  }

  async #follow(): Promise<number> {
    const silence = new AbortController();
    const read = async (
      stream: ReadableStream<Uint8Array<ArrayBuffer>>,
      use: (output: string) => void,
    ) => {
      const { signal } = silence;
      try {
        for await (const output of stream.pipeThrough(new TextDecoderStream(), { signal })) {
          this.#take(output, use);
        }
      } catch { /* nobody waits for it any more */ }
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
    // What it started itself may still hold its screen, and say nothing.
    for (let before = NaN; this.#heard !== before;) {
      before = this.#heard;
      if (await deadline(reading, PATIENCE).then(() => true, () => false)) break;
    }
    silence.abort();
    this.#hasEnded = true;
    this.#changed();
    return code;
  }

  #take(output: string, use: (output: string) => void) {
    if (this.excess) return;
    use(output.slice(0, this.#most - this.#heard));
    this.#heard += output.length;
    if (this.#heard > this.#most) {
      this.hasPrintedTooMuch = true;
      this.stop("it prints without end");
    }
    this.#changed();
  }

  /** Ends the program because it takes too much of something, as `excess` then says. */
  stop(excess: string) {
    this.excess ??= excess;
    kill(this.#child);
  }

  #show(output: string) {
    this.screen += output;
    this.onScreen(output);
  }

  #changed() {
    this.#change.resolve();
    this.#change = Promise.withResolvers<void>();
  }

  /**
   * Waits until something is the case, and looks again whenever the program
   * prints or ends.
   *
   * @param condition What to wait for.
   * @param seconds How long at most.
   * @returns Whether it is the case; not when time ran out or the program ended.
   */
  async until(condition: () => boolean, seconds = 30): Promise<boolean> {
    const end = Date.now() + seconds * 1000;
    while (!condition()) {
      if (this.#hasEnded || Date.now() > end) return false;
      await deadline(this.#change.promise, end - Date.now()).catch(() => {});
    }
    return true;
  }

  /** Waits until it has ended by itself, some seconds at most. */
  async ended(seconds = 30): Promise<boolean> {
    await this.until(() => false, seconds);
    return this.#hasEnded;
  }

  /** Types a line; it shows on the screen, as on a terminal. */
  async type(line: string) {
    if (this.#hasEnded) return;
    this.#show(`${line}\n`);
    await this.send(new TextEncoder().encode(`${line}\n`));
  }

  /** Puts bytes into its input, which do not show. */
  async send(data: Uint8Array) {
    await this.#keyboard?.write(data).catch(() => {}); // it may have ended first
  }

  /** Ends its keyboard input, as Ctrl-D does. */
  async endInput() {
    await this.#keyboard?.close().catch(() => {}); // the program may have ended first
    this.#keyboard = undefined;
  }

  /** Ends the program at once when its scope is left. */
  async [Symbol.asyncDispose]() {
    await this.end("SIGKILL");
  }

  /** Sends a signal, and waits for the program's end: its exit status. */
  async end(signal: Deno.Signal = "SIGINT"): Promise<number> {
    if (running.has(this.#child)) kill(this.#child, signal);
    await deadline(this.status, PATIENCE).catch(() => kill(this.#child));
    await this.endInput();
    return await this.status;
  }
}

/** Runs a script; what Deno itself says, for instance of downloads, stays unsaid. */
export const DENO_RUN = [Deno.execPath(), "run", "--quiet"];

const PYTHON = Deno.build.os === "windows" ? "python" : "python3";

/** Runs a Python file, and does not hold its output back. */
export const PYTHON_RUN = [PYTHON, "-u"];

/** Whether this machine has Python 3. */
export async function hasPython(): Promise<boolean> {
  const command = new Deno.Command(PYTHON, {
    args: ["-c", "import sys; sys.exit(sys.version_info < (3,))"],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  });
  try {
    return (await command.output()).success;
  } catch {
    return false; // no such program
  }
}

/** Waits until a server listens: it says so when its port is 0, or the system knows. */
export async function isListening(
  server: Program,
  port: number,
  transport: "tcp" | "udp",
  patience: number,
): Promise<boolean> {
  const end = Date.now() + patience * 1000;
  let pause = 0.02; // seconds: to look at all sockets takes milliseconds where there are many
  while (Date.now() < end) {
    const told = portOf(server);
    if (told !== undefined && (port === 0 || told === port)) return true;
    if (port !== 0 && await isBound(port, transport)) return true;
    if (await server.ended(pause)) return false;
    pause = Math.min(0.1, 1.3 * pause);
  }
  return false;
}

/** The port that a server says it listens on. */
export function portOf(server: Program): number | undefined {
  const [, port] = server.errors.match(/^note: listening on \S+ port (\d+)\n/m) ?? [];
  return port === undefined ? undefined : Number(port);
}
