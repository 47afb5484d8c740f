/**
 * The command line of the scripts: flags, usage, error messages with hints, and the writing of
 * stdout and stderr. Nothing here is about sockets; a reader of the scripts can leave it closed.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";

const OLDEST_DENO = [2, 8]; // older versions lack what the scripts use

// --- Running a script ---------------------------------------------------------------------------

/**
 * The flags of a script with their default values: `bufferSize` is `--buffer-size`, `p` is `-p`.
 * A number without a default is `NaN`, a text without one is `""`. If there is a list called `_`,
 * the script also takes arguments, and the list holds their names for the usage line.
 */
export type Flags = Record<string, string | number | boolean | string[]>;

let settings: { host?: string; port?: number; quiet?: boolean } = {}; // flags of the running script

/** Returns whether the script was started with `--quiet`. */
export const isQuiet = (): boolean => settings.quiet === true;

/**
 * Runs a script, then ends the program. The exit status is 0, or 1 if `main` failed, or 2 if the
 * command line is wrong. Ctrl-C, SIGTERM and SIGHUP end the program as these signals do, after its
 * output is written. `--help` prints the usage, the flags, and the comment at the top of the script.
 *
 * @param flags The flags with their defaults.
 * @param main The program. It receives the flags with the values from the command line.
 * @param args The command line.
 *
 * @example
 * ```ts
 * const FLAGS = {
 *   port: 9900, // the port to listen on
 * };
 * if (import.meta.main) await run(FLAGS, ({ port }) => print("port", port));
 * ```
 */
export async function run<F extends Flags>(
  flags: F,
  main: (flags: F) => unknown,
  args: string[] = Deno.args,
): Promise<void> {
  for (const [signal, end] of SIGNALS) Deno.addSignalListener(signal, end);
  let status = 0;
  try {
    checkVersion();
    if (args.includes("--help")) {
      write(await help(flags));
    } else {
      const given = parseFlags(args, flags);
      settings = given;
      await main(given);
      status = Deno.exitCode; // which `main` may set
    }
  } catch (error) {
    if (error instanceof UsageError) {
      reportError(escapeText(error.message), usage(flags));
      status = 2;
    } else {
      reportError(...explainError(error, settings.host, settings.port));
      status = 1;
    }
  }
  await written();
  Deno.exit(status);
}

/** What to do when a signal arrives. Windows knows only Ctrl-C. */
const SIGNALS = (["SIGINT", "SIGTERM", "SIGHUP"] as const)
  .filter((signal) => Deno.build.os !== "windows" || signal === "SIGINT")
  .map((signal) => [signal, () => endBySignal(signal)] as const);

/**
 * Writes what was printed, then ends the program by the signal that it received. A program that
 * calls `exit` instead would not end a shell loop around it.
 */
async function endBySignal(signal: "SIGINT" | "SIGTERM" | "SIGHUP") {
  for (const [name, end] of SIGNALS) Deno.removeSignalListener(name, end);
  isEnding = true;
  hurry.resolve();
  const result = await Promise.race([writing, pause(500).then(() => "stalled")]);
  // From here to the end nothing is awaited, so that nothing more is printed.
  if (result === "stalled") waiting.length = 0;
  writeRestNow();
  // A signal calls no `unload` listeners, and the lab tool ends the programs it started in one.
  dispatchEvent(new Event("unload"));
  if (Deno.build.os !== "windows") {
    Deno.kill(Deno.pid, signal);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000); // until the signal arrives
  }
  Deno.exit(130);
}

function checkVersion() {
  const [major, minor] = Deno.version.deno.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_DENO;
  if (major > oldestMajor || major === oldestMajor && minor >= oldestMinor) return;
  throw new UserError(
    `this needs Deno ${OLDEST_DENO.join(".")} or later, and this is Deno ${Deno.version.deno}`,
    "update it: deno upgrade",
  );
}

// --- Flags and help -----------------------------------------------------------------------------

const MIN: Record<string, number> = { bufferSize: 1, timeout: 0.001, tries: 1, secret: 1 };
const MAX: Record<string, number> = {
  port: 65535,
  backlog: 65535,
  bufferSize: 2 ** 30,
  tries: 1000,
  secret: 99,
};

/**
 * Reads the command line of a script.
 *
 * @throws {UsageError} It says what is wrong with the command line.
 */
export function parseFlags<F extends Flags>(args: string[], defaults: F): F {
  const names = Object.keys(defaults);
  const isBoolean = (name: string) => typeof defaults[name] === "boolean";
  const given = parseArgs(args, {
    boolean: names.filter(isBoolean).map(kebabCase),
    string: names.filter((name) => !isBoolean(name)).map(kebabCase),
    unknown(word, flag) {
      if (flag !== undefined) throw new UsageError(`unknown flag ${word}`);
    },
  });
  const extra = names.includes("_") ? undefined : given._.find((word) => word !== "");
  if (extra !== undefined) throw new UsageError(`unexpected argument ${extra}`);
  const flags: Flags = { ...defaults };
  for (const name of names) {
    const flag = flagName(name);
    const value = given[kebabCase(name)] as Flags[string] | undefined;
    const word = args.find((arg) => arg.startsWith(`${flag}=`));
    if (value === true && word) throw new UsageError(`${flag} takes no value: ${word}`);
    // `--message=` is an empty message, but `--message` at the end of the line is a mistake.
    const mayBeEmpty = name === "message" && (word || args.includes(""));
    if (value === "" && !mayBeEmpty) throw new UsageError(`${flag} needs a value`);
    if (value === undefined) continue;
    const isNumber = typeof defaults[name] === "number" && typeof value === "string";
    flags[name] = isNumber ? toNumber(name, value) : value;
  }
  if (flags.port === 0 && !("quiet" in flags)) throw new UsageError("--port=0 is for servers");
  return flags as F;
}

function toNumber(name: string, value: string): number {
  const [min, max] = [MIN[name] ?? 0, MAX[name] ?? 86400];
  const isFraction = name === "timeout";
  const isNumber = (isFraction ? /^\d*\.?\d+$/ : /^\d+$/).test(value);
  if (isNumber && Number(value) >= min && Number(value) <= max) return Number(value);
  const kind = isFraction ? "a number" : "a whole number";
  throw new UsageError(`${flagName(name)} must be ${kind} from ${min} to ${max}, not ${value}`);
}

const kebabCase = (name: string) =>
  name.replace(/(?<=.)[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const flagName = (name: string) => name.length === 1 ? `-${name}` : `--${kebabCase(name)}`;

/** Returns the name of the running script's file. */
const scriptName = () => decodeURIComponent(Deno.mainModule.split("/").at(-1)!);

/** Returns a flag as it is typed, with its default value: `--port=9900`, `--quiet`. */
function flagWithValue(name: string, value: Flags[string]): string {
  if (typeof value === "boolean") return flagName(name);
  let shown = `${value}`;
  if (value === "") shown = "TEXT";
  else if (Number.isNaN(value)) shown = "N";
  else if (/[^\w.:-]/.test(shown)) shown = `"${shown}"`; // quotes in every shell
  return `${flagName(name)}${name.length === 1 ? " " : "="}${shown}`;
}

function usage(flags: Flags): string {
  const parts = Object.entries(flags).map(([name, value]) =>
    Array.isArray(value) ? value.join(" ") : `[${flagWithValue(name, value)}]`
  );
  return `usage: ${scriptName()} ${parts.join(" ")} [--help]`;
}

/** Returns the usage, the flags with their comments, and the comment at the top of the script. */
async function help(flags: Flags): Promise<string> {
  // A module can always import itself, without a permission to read files.
  const { default: text } = await import(Deno.mainModule, { with: { type: "text" } });
  const source = text.replaceAll("\r\n", "\n");
  const [, header = ""] = source.match(/\/\*\*\n([^]*?)\*\//) ?? [];
  const manual = header.replace(/^ \* ?/gm, "").replace(/^(```.*|@module *)\n/gm, "").trim();
  const [, block = ""] = source.match(/^(?:export )?const FLAGS = \{\n([^]*?)^\};/m) ?? [];
  let list = "";
  for (const [, name, comment] of block.matchAll(/^ {2}(\w+):.*, \/\/ (.*)$/gm)) {
    list += `  ${flagWithValue(name, flags[name]).padEnd(24)} ${comment}\n`;
  }
  return `${usage(flags)}\n\n${list && `${list}\n`}${manual}\n`;
}

// --- Errors -------------------------------------------------------------------------------------

/** An error that the user reads in one line, with a hint. The exit status is 1. */
export class UserError extends Error {
  /**
   * Says what went wrong.
   *
   * @param message What happened, and to what.
   * @param hint What to do about it.
   */
  constructor(message: string, readonly hint?: string) {
    super(escapeText(message));
  }
}

/** The command line is wrong. The usage line is printed too, and the exit status is 2. */
export class UsageError extends Error {}

/** The other side did not answer. The error message then names its host and port. */
export class NoReply extends Error {
  /**
   * Says what was waited for.
   *
   * @param detail What was waited for: `after 3 tries`.
   * @param hint What to do about it, if it is not to start the server.
   */
  constructor(readonly detail: string, readonly hint?: string) {
    super(`no reply ${detail}`);
  }
}

/** Returns what to say about an error at a host and port, and what to do about it. */
export function explainError(
  error: unknown,
  host = "",
  port = 0,
): [message: string, hint?: string] {
  if (error instanceof UserError) return [error.message, error.hint];
  host = escapeText(host);
  const place = `${host} port ${port}`;
  const { message = "", code = "" } = error as Error & { code?: string };
  const is = (kind: keyof typeof Deno.errors) => error instanceof Deno.errors[kind];
  const isLookUp = /^(getaddrinfo|failed to lookup)/.test(message);
  if (error instanceof NoReply) {
    return [`no reply from ${place} ${error.detail}`, error.hint ?? startServer(host, port)];
  }
  if (is("TimedOut")) return [`no reply from ${place}`, startServer(host, port)];
  if (is("ConnectionRefused")) return [`nothing is listening on ${place}`, startServer(host, port)];
  if (is("AddrInUse")) {
    return [
      `port ${port} on ${host} is already in use`,
      `take another port, such as --port=0, or free this one: ${
        commandFor("kill_port.ts")
      } ${port}`,
    ];
  }
  if (is("NotCapable") || isLookUp && code === "EPERM") {
    const missing = isLookUp ? `permission missing: net access to "${host}"` : errorMessage(error);
    return [missing, `allow it: ${commandFor(scriptName(), "--allow-net")}`];
  }
  if (is("PermissionDenied") && port > 0 && port < 1024) {
    return [
      `no permission to listen on port ${port}: ports below 1024 need administrator rights`,
      `take another port, for instance --port=${8000 + port}`,
    ];
  }
  if (is("BadResource")) return ["a socket was used after it was closed"];
  if (is("AddrNotAvailable")) return [`${host} is not an address of this machine`];
  if (isLookUp) return [`unknown host ${host}`];
  if (code === "EPIPE") return [`${place} closed the connection`];
  // NotConnected: the reset came while the connection was being made.
  if (is("ConnectionReset") || is("ConnectionAborted") || is("NotConnected")) {
    return [`${place} reset the connection`];
  }
  if (code === "EMSGSIZE") return ["the message is too long for one datagram"];
  if (error instanceof TypeError && /listenDatagram is not a function/.test(message)) {
    return [
      'UDP is switched off: "unstable": ["net"] is missing in deno.json',
      `or switch it on with a flag: ${commandFor(scriptName(), "-A --unstable-net")}`,
    ];
  }
  return [host === "" || !code ? errorMessage(error) : `${place}: ${errorMessage(error)}`];
}

/** Returns what an error says, in one line; for a bug in a script, the stack. */
export function errorMessage(error: unknown): string {
  const { message, code } = error as Error & { code?: string };
  if (error instanceof TypeError && /encoded data/.test(message)) {
    return "the text is not valid UTF-8";
  }
  const isExpected = error instanceof UserError || error instanceof NoReply ||
    Object.values(Deno.errors).some((kind) => error instanceof kind);
  // Without a free file descriptor, reading `stack` crashes Deno: so only when it is shown.
  if (!code && !isExpected) return (error as Error).stack ?? String(error);
  const short = message.replace(/ \(os error.*|, run again.*/, "");
  return short.replace(/^Requires/, "permission missing:");
}

/** Returns the command that runs a script of this folder from the current folder. */
function commandFor(script: string, permissions = "-A"): string {
  const here = `${Deno.cwd()}/`.replaceAll("\\", "/").replace("//", "/");
  const path = `${import.meta.dirname}/${script}`.replaceAll("\\", "/");
  const isBelow = path.toLowerCase().startsWith(here.toLowerCase()); // Windows: c:\ or C:\
  return `deno run ${permissions} ${quoteForShell(isBelow ? path.slice(here.length) : path)}`;
}

/** Returns an argument as the user has to type it in a shell of this system. */
export function quoteForShell(word: string): string {
  if (/^[\w./:@-]+$/.test(word)) return word;
  if (Deno.build.os === "windows") return `"${word}"`;
  return `'${word.replaceAll("'", "'\\''")}'`;
}

function startServer(host: string, port: number): string {
  const flags = `${/^(localhost|127\.0\.0\.1)$/.test(host) ? "" : `--host=${host} `}--port=${port}`;
  const server = scriptName().replace("_client", "_server");
  // netcat, and a client that was copied to another name, do not say which server they need.
  if (server === scriptName() && settings.host) return `start the server first, with ${flags}`;
  return `start the server first: ${commandFor(server)} ${flags}`;
}

// --- Output -------------------------------------------------------------------------------------

type Stream = typeof Deno.stdout;

const TRACE = Symbol.for("lab.trace"); // what `lab wire` leaves here to learn when a script prints
type Traced = { [TRACE]?: { printed(stream: string, text: string): void } };

const GOOD_LENGTH = 2 ** 16; // characters, of a write
const MAX_WAITING = 2 ** 21; // characters; with them, less than 16 MiB are kept for a slow reader

let waiting: { stream: Stream; text: string }[] = []; // printed, but not written yet
let waitingLength = 0; // characters
let writing: Promise<void> | undefined; // settles when everything is written
let hurry = Promise.withResolvers<void>(); // resolved when the program wants to end or to ask
let isEnding = false; // a signal has arrived
let isTerminal: boolean | undefined; // whether stdout is one
let flushesAtExit = false;

/** Writes text to stdout, unchanged. */
export const write = (text: string): void => add(Deno.stdout, text);

/** Writes a note to stderr, for what is not part of the transcript. */
export const note = (message: string): void => add(Deno.stderr, `note: ${escapeText(message)}\n`);

/** Writes an error to stderr, and what to do about it in a second line. */
export const reportError = (message: string, hint?: string): void =>
  add(Deno.stderr, `error: ${message}\n${hint ? `${hint}\n` : ""}`);

const recentReports = new Map<string, number>(); // what went wrong → when (ms)

/** Reports an error of a kind that can happen thousands of times: at most once a minute. */
export function reportRarely(what: string, error?: unknown): void {
  const now = performance.now();
  const last = recentReports.get(what);
  if (last !== undefined && now - last < 60_000) return;
  recentReports.set(what, now);
  reportError(error === undefined ? what : `${what}: ${errorMessage(error)}`);
}

/** Returns whether so much is waiting to be written that the program should wait with more. */
export const isOutputSlow = (): boolean => waitingLength > MAX_WAITING;

/** Waits until everything that was printed is written. */
export async function written(): Promise<void> {
  hurry.resolve();
  while (writing) await writing;
  hurry = Promise.withResolvers();
}

/** Waits some milliseconds. Unlike the first `setTimeout` of a program, it takes no 4 ms to load. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    AbortSignal.timeout(Math.ceil(milliseconds)).onabort = () => resolve();
  });
}

function add(stream: Stream, text: string) {
  (globalThis as Traced)[TRACE]?.printed(stream === Deno.stdout ? "stdout" : "stderr", text);
  const last = waiting.at(-1);
  if (last?.stream === stream) last.text += text;
  else waiting.push({ stream, text });
  waitingLength += text.length;
  if (!isEnding) writing ??= writeWaiting();
  if (flushesAtExit) return;
  flushesAtExit = true;
  addEventListener("unload", writeRestNow); // if the program calls `Deno.exit`
}

/** Writes in a loop: first what is waiting, then what was printed during that write, and so on. */
async function writeWaiting() {
  await null; // lines that are printed together are written together
  while (waiting.length > 0 && !isEnding) {
    const { stream, text } = waiting.shift()!;
    waitingLength -= text.length;
    try {
      let data: Uint8Array = new TextEncoder().encode(text);
      while (data.length > 0) data = data.subarray(await writeSome(stream, data));
    } catch (error) {
      if (stream === Deno.stdout) endWithoutStdout(error);
    }
    // When many lines are printed, fewer and longer writes are faster.
    if (
      waitingLength > 0 && waitingLength < GOOD_LENGTH && !(isTerminal ??= Deno.stdout.isTerminal())
    ) {
      await Promise.race([pause(10), hurry.promise]);
    }
  }
  writing = undefined;
}

async function writeSome(stream: Stream, data: Uint8Array): Promise<number> {
  try {
    return await stream.write(data);
  } catch (error) {
    if (!(error instanceof Deno.errors.WouldBlock)) throw error;
    // Another program has switched this terminal or pipe to non-blocking, and it is full.
    await pause(1);
    return 0;
  }
}

/** Ends the program when stdout cannot be written: quietly if its reader, such as `head`, has gone. */
function endWithoutStdout(error: unknown): never {
  if (error instanceof Deno.errors.BrokenPipe) Deno.exit(0);
  waiting = [];
  const message = `error: cannot write the transcript: ${errorMessage(error)}\n`;
  Deno.stderr.writeSync(new TextEncoder().encode(message));
  Deno.exit(1);
}

/** Writes what is waiting before it returns, because the program ends now. */
function writeRestNow() {
  try {
    for (const { stream, text } of waiting.splice(0)) {
      let data: Uint8Array = new TextEncoder().encode(text);
      while (data.length > 0) data = data.subarray(stream.writeSync(data));
    }
  } catch { /* the reader has gone */ }
}

// Characters that turn or break a line, or that are invisible. Emoji and some scripts need the
// joiners and variation selectors. DI: default ignorable. U+FFF9 to U+FFFB annotate other text, and
// U+FFFE and U+FFFF are not characters.
const HIDDEN = /[[\p{Cc}\p{Zl}\p{Zp}\p{DI}\ufff9-\ufffb\ufffe\uffff]--[\u200c\u200d\p{VS}]]/gv;
const NAMED_ESCAPES: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Returns a text with its control and invisible characters as escapes: `\n`, `\x1b`, `\u202e`. */
export function escapeText(text: string): string {
  return /^[ -~]*$/.test(text) ? text : text.replace(HIDDEN, escapeCharacter);
}

/** Returns a character as an escape of Python's: `\n`, `\x1b`, `\u202e`, `\U000e0001`. */
export function escapeCharacter(character: string): string {
  if (character in NAMED_ESCAPES) return NAMED_ESCAPES[character];
  const code = character.codePointAt(0)!.toString(16);
  if (code.length <= 2) return `\\x${code.padStart(2, "0")}`;
  return code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\U${code.padStart(8, "0")}`;
}
