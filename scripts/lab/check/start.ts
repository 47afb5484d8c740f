/**
 * Starts a submission under its tracer: with which ports, flags and random numbers, and with which
 * permissions.
 *
 * @module
 */
import { dirname } from "node:path";
import { Activity } from "../process/activity.ts";
import { boundPort } from "../process/ports.ts";
import { Program, pythonCommand } from "../process/program.ts";
import { Observed, traceCommand, type TracedCommand } from "../trace/run_traced.ts";
import { type Sandbox, watch } from "./sandbox.ts";
import type { Submission } from "./submission.ts";

const MAX_OUTPUT = 500_000; // characters that a program may print before it is ended
const MAX_EVENTS = 1 << 23; // bytes that its tracer may write
const PAUSE = 0.02; // seconds between two looks at its events
const MAX_WAIT = 500; // milliseconds between two looks at the sockets of the system

/** What its random numbers are: the least, the greatest, or as they come. */
export type RandomNumbers = "least" | "greatest";

/** How to start a submission. */
export interface Start {
  /** The port for `--port`, if the program has this flag. */
  port: number;
  /** The port that takes the place of the lab's, for a program that does not use `--port`. */
  labPort: number;
  /** More arguments. They replace those of the session that set the same flags. */
  args?: string[];
  /** Whether it gets the session's arguments. */
  hasSession?: boolean;
  /** Whether it gets `--port`. */
  hasPort?: boolean;
  /** What its random numbers are. */
  random?: RandomNumbers;
  /** Where it runs. */
  sandbox: Sandbox;
  /** The UDP ports of this machine that a server may send to: those of its clients. */
  clients?: number[];
}

/** A submission that runs. */
export class SubmissionProgram extends Program {
  readonly #traced: TracedCommand;
  /** Where on its screen the last typed line ends. */
  typedEnd = 0;
  /** Whether it has asked for a line as its header shows. */
  hasAsked = false;
  readonly #activity = new Activity([this]);

  /** The ports that it was given. */
  readonly ports: number[];

  /** Starts the program under its tracer. */
  constructor(
    traced: TracedCommand,
    { port, labPort }: Start,
    options: Deno.CommandOptions,
    isMarked: boolean,
  ) {
    super(traced.command, undefined, options, undefined, MAX_OUTPUT, isMarked);
    this.#traced = traced;
    this.ports = [port, labPort];
  }

  /** Types a line, which shows on the screen. */
  override async type(line: string) {
    this.typedEnd = this.screen.length + line.length + 1;
    await super.type(line);
  }

  /** Returns what it did with sockets and its keyboard so far. */
  async observe(): Promise<Observed> {
    const observed = new Observed();
    for await (const event of this.#traced.events(Promise.resolve())) observed.add(event);
    return observed;
  }

  /**
   * Waits until it listens on one of its ports. The tracer reports when it listens somewhere. Only
   * then is the system asked, and twice a second and at the end in any case, because its list of
   * sockets is slow.
   *
   * @returns The port, or nothing if the program ended or the time is up.
   */
  async listeningPort(
    transport: "tcp" | "udp",
    milliseconds: number,
  ): Promise<number | undefined> {
    const end = Date.now() + milliseconds;
    let known = 0;
    let next = Date.now() + MAX_WAIT;
    for (let isLast = false; !isLast;) {
      isLast = Date.now() >= end;
      const { listens } = await this.observe();
      if (listens.length > known || isLast || Date.now() > next) {
        const port = await boundPort(this.ports, transport);
        if (port !== undefined) return port;
        known = listens.length;
        next = Date.now() + MAX_WAIT;
      }
      if (await this.ended(PAUSE)) return undefined;
    }
  }

  /**
   * Returns whether it had work to do since the last call: a wait in vain says nothing then, as the
   * machine may be busy.
   */
  isBusy(): boolean {
    return !this.#activity.isIdle();
  }

  /** The seconds of processor time that it used between the first and the last call of `isBusy`. */
  get work(): number {
    return this.#activity.work;
  }
}

/** Starts a submission. It may use its own ports and, in Deno, nothing else. */
export async function start(submission: Submission, how: Start): Promise<SubmissionProgram> {
  const { script, isPython, path } = submission;
  const { sandbox, labPort } = how;
  const args = argsOf(submission, how);
  const options = { args, ports: { [script.port]: labPort }, temporary: sandbox.folder };
  const traceOptions = { ...options, limit: MAX_EVENTS };
  if (isPython) {
    const python = [...await pythonCommand(), "-c", PYTHON_RUNNER, how.random ?? "any"];
    const env = { PYTHONIOENCODING: "utf-8" };
    const traced = await traceCommand(path, { ...traceOptions, python, env });
    const program = new SubmissionProgram(
      traced,
      how,
      { env: traced.env, cwd: dirname(path) },
      true,
    );
    watch(program);
    return program;
  }
  const audit = sandbox.newAudit();
  const denoFlags = [...sandbox.flags(netOf(submission, how)), ...preloads(submission, how)];
  const traced = await traceCommand(sandbox.path, { ...traceOptions, denoFlags });
  const { env, ...rest } = sandbox.options;
  const all = { ...rest, env: { ...env, DENO_AUDIT_PERMISSIONS: audit } };
  const program = new SubmissionProgram(traced, how, all, false);
  watch(program, audit);
  return program;
}

/** Returns the arguments that a submission gets: only flags that it has. */
function argsOf(
  submission: Submission,
  { port, args = [], hasSession = true, hasPort = true }: Start,
): string[] {
  const flagOf = (arg: string) => arg.split("=")[0];
  const flags = args.map(flagOf);
  const session = submission.script.args.filter((arg) =>
    !flags.includes(flagOf(arg)) && flagOf(arg) !== "--port"
  );
  return [...hasSession ? session : [], ...hasPort ? [`--port=${port}`] : [], ...args]
    .filter((arg) => hasFlag(submission, flagOf(arg)));
}

/**
 * Returns whether a program has a flag, in any language: its source names it. A program that finds
 * its arguments with the project's lib.ts names it in FLAGS.
 */
export function hasFlag({ source }: Submission, flag: string): boolean {
  const name = flag.slice(2);
  if (new RegExp(`${flag}\\b`).test(withoutComments(source))) return true;
  const camelCase = name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
  if (/lib\.ts"/.test(source)) return new RegExp(`^ +${camelCase}:`, "m").test(source);
  // "port" is a word of many programs, "parseArgs" and the like are not.
  const readsArguments = /parseArgs|parse_args|minimist|sys\.argv|Deno\.args|process\.argv/;
  return readsArguments.test(source) &&
    new RegExp(
      `["'\`](${name}|${camelCase})["'\`]|\\b(args|flags|options|values)\\.${camelCase}\\b`,
    )
      .test(source);
}

/** Returns a source without its comments, roughly: what looks like one in a text goes, too. */
function withoutComments(source: string): string {
  return source.replace(/\/\*[^]*?(?:\*\/|(?![^]))|^[ \t]*(\/\/|#).*$/gm, "");
}

/** The addresses that a submission may use: its ports on this machine, and over UDP its clients. */
function netOf({ script: { lab } }: Submission, { port, labPort, clients = [] }: Start): string[] {
  const hosts = ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "[::]", "127.0.0.2"];
  const own = [port, labPort].flatMap((port) => hosts.map((host) => `${host}:${port}`));
  const any = lab.transport === "udp" ? hosts.map((host) => `${host}:0`) : []; // to bind, not to send
  // A socket on `::` sends to its clients at IPv6 addresses.
  const theirs = clients.flatMap((port) => [`127.0.0.1:${port}`, `[::ffff:127.0.0.1]:${port}`]);
  return [...own, ...any, ...theirs];
}

/** The flags for code of ours that runs before the submission. */
function preloads({ source }: Submission, { random }: Start): string[] {
  const flags: string[] = [];
  const preload = (code: string) =>
    flags.push(`--preload=data:text/javascript,${encodeURIComponent(code)}`);
  if (random) preload(`Math.random = () => ${random === "least" ? 0 : 1 - Number.EPSILON / 2}`);
  if (/\bprompt\(/.test(source)) preload(PROMPT);
  if (/\bdgram\b/.test(source)) preload(LOCALHOST);
  return flags;
}

/** Lets `prompt` ask as at a terminal: Deno's own returns `null` at once if stdin is not one. */
const PROMPT = `
globalThis.prompt = (message = "Prompt", before = "") => {
  Deno.stdout.writeSync(new TextEncoder().encode(message + " " + before));
  const line = [];
  const byte = new Uint8Array(1);
  let length;
  while ((length = Deno.stdin.readSync(byte)) && byte[0] !== 10) line.push(byte[0]);
  if (length === null && line.length === 0) return null; // the end of the input
  return before + new TextDecoder().decode(Uint8Array.from(line));
};
`;

/** Gives Node's modules the address of localhost, which else they may not look up. */
const LOCALHOST = `
import dns from "node:dns";
const { lookup } = dns;
dns.lookup = (host, options, done = options) =>
  host === "localhost"
    ? queueMicrotask(() => done(null, "127.0.0.1", 4))
    : lookup(host, options, done);
`;

/**
 * Runs a Python file as Python does, with known random numbers if asked. All that it starts is in
 * one group of processes, and ends with it.
 */
const PYTHON_RUNNER = `
def run():
    import os, sys, tokenize
    mode, path = sys.argv[1:3]
    sys.argv[:3] = [path]
    sys.path[0] = os.path.dirname(os.path.abspath(path))
    if hasattr(os, "setpgrp"):
        os.setpgrp()
    if mode != "any":
        import random
        least = mode == "least"
        random.Random._randbelow = random.SystemRandom._randbelow = lambda self, n: 0 if least else n - 1
        random.random = random._inst.random = lambda: 0.0 if least else 1 - 2 ** -53
    main = sys.modules["__main__"].__dict__
    main["__file__"] = path
    del main["run"]
    with tokenize.open(path) as file:
        source = file.read()
    exec(compile(source, path, "exec"), main)
run()
`;
