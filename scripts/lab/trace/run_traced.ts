/**
 * Runs a program under a tracer, and says what it did with sockets, its keyboard and its screen. The program is any file in
 * Python (`.py`), TypeScript or JavaScript (`.ts`, `.mts`, `.js`, `.mjs`, `.cjs`). event.ts describes the events.
 *
 * The events are the lines of a file in a folder of its own. A file keeps what was written when its writer is killed, works
 * on every system, and needs one permission of Deno, `--allow-write` for this file.
 *
 * - `python/sitecustomize.py` is what Python imports before the program, as PYTHONPATH names its folder. It starts
 *   `lab_tracer.py` and removes what it has changed in the environment and in `sys.path`.
 * - `tracer.ts` is loaded with `--preload` before a program of Deno; `tracer_node.ts` adds `node:net` and `node:dgram`.
 *
 * How the other parts of the tool use it:
 * - To start a program in another way, take {@linkcode traceCommand} and feed its events to {@linkcode Observed}.
 * - To draw, order the events of each program by `at`, and show `local` and `peer`. A relay uses `actual`.
 * - To lead a client through a relay, give its port in `ports`: `{ 9900: relay.port }`. Its transcript shows 9900.
 *   relayed_session.ts does this with a server and a client.
 * - To run a server whose port may be in use, take `anyPort`: it listens on a free port, which is the `actual` one of its
 *   event, and sees its own. `listening` settles without a look at the sockets of the system.
 * - To learn a program's unknown port, read `observed.listens` or `observed.connects`.
 * - A script that gathers what it prints, as those with lib.ts do, calls
 *   `globalThis[Symbol.for("lab.trace")]?.printed("stdout", text)` when it prints, so that the order is right.
 *
 * What is not seen: sockets of asyncio on Windows (its proactor does not call socket objects), TLS, `os.read` and `os.write`,
 * `os.sendfile`, programs that the program starts, and workers. asyncio streams have no line for what the event loop
 * receives. A call of Deno that throws at once, such as `Deno.listen` for a port in use, prints its stack without the lines
 * of Deno's own code.
 *
 * ```ts
 * await using server = await runTraced("EchoServer.py", { ports: { 8000: 41234 }, onEvent: draw });
 * await server.listening; // { transport: "tcp", host: "localhost", port: 8000 }
 * ```
 *
 * @module
 */
import { dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { pythonCommand } from "../process/program.ts";
import { readEvents, type TraceEvent } from "./event.ts";

/** How to run a program under its tracer. */
export interface TraceOptions {
  /** The program's arguments. */
  args?: string[];
  /** Environment variables in addition to those of this process. */
  env?: Record<string, string>;
  /** The folder to run it in. The default is that of this process. */
  cwd?: string;
  /** Ports to use in place of those that the program names. It sees and prints its own. */
  ports?: Record<number, number>;
  /** Whether an address that is not a loopback address, such as 10.0.0.8, leads to the loopback interface. */
  toLoopback?: boolean;
  /** Whether it listens on free ports in place of those that it names. It sees and prints its own. */
  anyPort?: boolean;
  /**
   * Flags of `deno run`, such as permissions; the default is `-A`. The permission to write to the file of events is added
   * unless all are given.
   */
  denoFlags?: string[];
  /** The command that runs Python; the default is Python 3 with `-u`. */
  python?: string[];
  /** The file, or the folder, whose lines the events name. The default is the program's folder. */
  within?: string;
  /**
   * Whether to trace the modules of Node as well, which costs some 30 ms of start-up. The default is to do so if the file
   * names one of them or imports files of its own.
   */
  hasNode?: boolean;
  /**
   * How many calls in a row, without a pause of a second, are reported one by one; the default is 1000. The others are counted,
   * so that a program with many messages is not slower than without its tracer.
   */
  burst?: number;
  /** How many bytes of events the program may write; the default is 64 MiB. */
  limit?: number;
  /** How many milliseconds pass at most between two looks at the file of events; the default is 50. */
  interval?: number;
  /** Called when all events have been read that were written before a time, which `performance.now()` counts. */
  onCaughtUp?: (time: number) => void;
  /** The folder in which the folder of events is made; the default is the system's for temporary files. */
  temporary?: string;
  /** Called with each event, in order. */
  onEvent?: (event: TraceEvent) => void;
}

/** A command that runs a program under its tracer, and where its events go. */
export interface TracedCommand extends AsyncDisposable {
  /** The program to start and its arguments. */
  command: string[];
  /** The environment variables to start it with. */
  env: Record<string, string>;
  /** Reads the events. It waits for more until `ended` is settled and then stops at the end of the file. */
  events(ended: Promise<unknown>): AsyncGenerator<TraceEvent>;
}

const HERE = import.meta.dirname!;
const LIMIT = 1 << 26; // bytes of events
const BURST = 1000; // calls
const SEPARATOR = Deno.build.os === "windows" ? ";" : ":"; // between the folders of PYTHONPATH

/**
 * Prepares a program to run under its tracer, for a caller that starts it itself. Dispose of the result after the program has
 * ended: that removes the file of its events.
 *
 * @param file The program.
 * @param options How to run it.
 */
export async function traceCommand(
  file: string,
  {
    args = [],
    env = {},
    ports = {},
    toLoopback = false,
    anyPort = false,
    denoFlags = ["-A"],
    ...options
  }: TraceOptions = {},
): Promise<TracedCommand> {
  const folder = await Deno.realPath(
    await Deno.makeTempDir({ dir: options.temporary, prefix: "lab-trace-" }),
  );
  const remove = () => {
    try {
      Deno.removeSync(folder, { recursive: true });
    } catch { /* Windows: it is still in use */ }
  };
  globalThis.addEventListener("unload", remove); // Ctrl-C
  const events = resolve(folder, "events");
  await Deno.writeFile(events, new Uint8Array());
  const target = resolve(options.cwd ?? ".", file);
  const within = resolve(options.within ?? dirname(target));
  const isFolder = (await Deno.stat(within)).isDirectory;
  const config = {
    events,
    within,
    ports,
    toLoopback,
    anyPort,
    limit: options.limit ?? LIMIT,
    burst: options.burst ?? BURST,
  };
  const isPython = /\.pyw?$/i.test(file);
  const command = isPython ? [...options.python ?? await pythonCommand(), file, ...args] : [
    Deno.execPath(),
    "run",
    "--quiet",
    ...denoFlags,
    ...denoFlags.some((flag) => /^(-A|--allow-all|--allow-write)$/.test(flag))
      ? []
      : [`--allow-write=${events}`],
    `--preload=data:text/javascript,${encodeURIComponent(await configModule(config, isFolder))}`,
    `--preload=${HERE}/${
      options.hasNode ?? await usesNode(target) ? "tracer_node.ts" : "tracer.ts"
    }`,
    file,
    ...args,
  ];
  const pythonPath = env.PYTHONPATH ?? Deno.env.get("PYTHONPATH");
  return {
    command,
    env: !isPython ? env : {
      ...env,
      LAB_TRACE: Object.entries({
        ...config,
        ports: Object.entries(ports).map((pair) => pair.join(":")).join(" "),
      })
        .map((pair) => pair.join("=")).join("\n"),
      PYTHONPATH: [resolve(HERE, "python"), ...pythonPath ? [pythonPath] : []].join(SEPARATOR),
    },
    events: (ended) => readEvents(follow(events, ended, options)),
    async [Symbol.asyncDispose]() {
      globalThis.removeEventListener("unload", remove);
      await Deno.remove(folder, { recursive: true }).catch(() => {}); // Windows: it is still in use
    },
  };
}

/**
 * A module that leaves the configuration where tracer.ts finds it. A program with few permissions reads no variables. Modules
 * have the names that they are imported by, but CommonJS follows links: `/tmp` is one on macOS.
 */
async function configModule(config: { within: string }, isFolder: boolean): Promise<string> {
  const paths = new Set([config.within, await Deno.realPath(config.within)]);
  const within = Array.from(paths, (path) => pathToFileURL(path + (isFolder ? "/" : "")).href);
  return `globalThis[Symbol.for("lab.trace")] = ${JSON.stringify({ ...config, within })};`;
}

/** Whether a program may use the modules of Node. */
async function usesNode(file: string): Promise<boolean> {
  const source = await Deno.readTextFile(file);
  return /["'](node:|net["']|dgram["'])|(\bfrom|\bimport|\bimport\(|\brequire\()\s*["']\.{1,2}\//
    .test(source);
}

/** Reads a file that grows, until its writer has ended. */
async function* follow(
  path: string,
  ended: Promise<unknown>,
  { interval = 50, onCaughtUp }: TraceOptions,
): AsyncGenerator<Uint8Array> {
  using file = await Deno.open(path);
  let hasEnded = false;
  ended.catch(() => {}).then(() => hasEnded = true);
  const buffer = new Uint8Array(1 << 16);
  for (let pause = 2;;) {
    const isLast = hasEnded; // asked before the read: what was written before the end is there
    const time = performance.now();
    const length = await file.read(buffer);
    if (length !== null) {
      yield buffer.subarray(0, length);
      pause = 2;
    } else if (isLast) {
      return;
    } else {
      onCaughtUp?.(time);
      await new Promise((resolve) => setTimeout(resolve, pause));
      pause = Math.min(interval, 1.5 * pause);
    }
  }
}

/** An end of a connection. */
export interface Endpoint {
  /** The protocol. */
  transport: "tcp" | "udp";
  /** Its host. */
  host: string;
  /** Its port. */
  port: number;
}

/** A message that a program sent. */
export interface Message {
  /** Its length in bytes. */
  length: number;
  /** Its first 65,536 bytes. */
  data: Uint8Array<ArrayBuffer>;
}

const MOST = 100; // messages, prompts and endpoints that a summary holds

/** What a program did, in short. */
export class Observed {
  /** The language and its version, such as `Python 3.11.7`; `undefined` if the tracer did not start. */
  runtime?: string;
  /** Where it listens: TCP servers, and UDP sockets that did not send first. */
  readonly listens: Endpoint[] = [];
  /** Where it connects, or tries to, or, over UDP, sends a first datagram. */
  readonly connects: Endpoint[] = [];
  /** The different sizes of the buffers that it receives into, in the order of their first use. */
  readonly bufferSizes: number[] = [];
  /** The first 100 messages that it sent. One message is what one call sent. */
  readonly sent: Message[] = [];
  /** The bytes of its first 100 reads. */
  readonly reads: number[] = [];
  /** How many messages it sent and received, and their bytes. */
  readonly totals = { sent: 0, sentBytes: 0, received: 0, receivedBytes: 0 };
  /** Whether it reads its standard input. */
  asks = false;
  /** The different prompts that it printed before it asked. */
  readonly prompts: string[] = [];
  /** The calls that have begun and not ended, each with the line that waits there. */
  readonly waiting = new Map<string, TraceEvent>();
  /** The last call that failed. */
  failed?: TraceEvent;
  /** Whether it did more than the file of events holds. */
  isTruncated = false;
  #udp = new Map<string, { bound?: Endpoint; isUsed: boolean }>();

  /** Takes in the next event. */
  add(event: TraceEvent) {
    const { kind, transport, peer, local, length = 0, data, size, text } = event;
    if (kind === "start") this.runtime ??= text;
    if (kind === "truncated") this.isTruncated = true;
    if (kind === "skipped") {
      this.totals.sent += event.sends ?? 0;
      this.totals.sentBytes += event.sentBytes ?? 0;
      this.totals.received += event.receives ?? 0;
      this.totals.receivedBytes += event.receivedBytes ?? 0;
    }
    const thread = `${event.process ?? 0} ${event.thread ?? 0} ${kind} ${event.socket ?? 0}`;
    if (event.isWaiting) {
      if (this.waiting.size < MOST) this.waiting.set(thread, event);
    } else this.waiting.delete(thread);
    if (kind === "input") {
      this.asks = true;
      if (event.isWaiting && text) keep(this.prompts, text);
    }
    if (kind === "receive" && size) keep(this.bufferSizes, size);
    if (kind === "connect" && transport && peer) keep(this.connects, { transport, ...peer });
    if (event.error !== undefined) {
      this.failed = event;
      return;
    }
    if (event.isWaiting || transport === undefined) return;
    const key = `${event.process ?? 0} ${event.socket}`;
    if (kind === "listen" && local) keep(this.listens, { transport, ...local });
    if (kind === "bind" && transport === "udp" && local) {
      const bound = { transport, ...local };
      keep(this.listens, bound);
      if (this.#udp.size < MOST) this.#udp.set(key, { bound, isUsed: false });
    }
    if (kind === "send") {
      this.totals.sent++;
      this.totals.sentBytes += length;
      if (this.sent.length < MOST) this.sent.push({ length, data: data ?? new Uint8Array() });
      if (transport === "udp" && peer) this.#sendsTo(key, { transport, ...peer });
    }
    if (kind === "receive") {
      if (length > 0) this.totals.received++;
      if (length > 0 && this.reads.length < MOST) this.reads.push(length);
      this.totals.receivedBytes += length;
      if (transport === "udp") this.#use(key);
    }
  }

  /** A socket that sends before it has received is a client's. */
  #sendsTo(key: string, to: Endpoint) {
    const before = this.#use(key);
    if (before.isUsed) return;
    keep(this.connects, to);
    const index = this.listens.findIndex((listens) => isSame(listens, before.bound));
    if (index >= 0) this.listens.splice(index, 1);
  }

  #use(key: string): { bound?: Endpoint; isUsed: boolean } {
    const before = this.#udp.get(key) ?? { isUsed: false };
    if (this.#udp.size < MOST) this.#udp.set(key, { ...before, isUsed: true });
    return before;
  }
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Adds a value to a list that does not have it. */
function keep<T>(list: T[], value: T) {
  if (list.length < MOST && !list.some((other) => isSame(other, value))) list.push(value);
}

/** A program that runs under its tracer. */
export interface TracedProgram extends AsyncDisposable {
  /** The program. Its stdin, stdout and stderr are pipes; read both outputs, or it stops when they are full. */
  child: Deno.ChildProcess;
  /** What it did so far. */
  observed: Observed;
  /** Waits until the program listens, and gives where; `undefined` if it ends and never did. */
  listening: Promise<Endpoint | undefined>;
  /** Waits until the program has ended and all its events were read. */
  ended: Promise<Deno.CommandStatus>;
}

/**
 * Starts a program under its tracer.
 *
 * @param file The program.
 * @param options How to run it.
 * @returns The program. Dispose of it to end it and to remove the file of its events.
 * @throws {Deno.errors.NotFound} Python is not installed, or the folder does not exist.
 */
export async function runTraced(file: string, options: TraceOptions = {}): Promise<TracedProgram> {
  const traced = await traceCommand(file, options);
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(traced.command[0], {
      args: traced.command.slice(1),
      env: traced.env,
      cwd: options.cwd,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    await traced[Symbol.asyncDispose]();
    throw error;
  }
  const observed = new Observed();
  const listening = Promise.withResolvers<Endpoint | undefined>();
  async function pump() {
    for await (const event of traced.events(child.status)) {
      observed.add(event);
      if (observed.listens.length > 0) listening.resolve(observed.listens[0]);
      options.onEvent?.(event);
    }
    listening.resolve(undefined);
    return await child.status;
  }
  const ended = pump();
  ended.catch(listening.reject);
  listening.promise.catch(() => {}); // a caller may not wait for it
  return {
    child,
    observed,
    listening: listening.promise,
    ended,
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGKILL");
      } catch { /* it has ended */ }
      await ended.catch(() => {});
      await traced[Symbol.asyncDispose]();
    },
  };
}
