/**
 * What the lab scripts share and no lab is about: flags, printing, text,
 * errors, the keyboard, serving many clients at once, and messages with a
 * header. Listening, connecting and the exchange itself stand in the scripts.
 *
 * @module
 */
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import { parseArgs } from "@std/cli/parse-args";

/** The work failed for a reason that the user should read: exit status 1. */
export class Failure extends Error {
  /** Lines that say what to do about it. */
  readonly hints: string[];

  /**
   * Makes an error that needs no stack.
   *
   * @param message What happened, and to what.
   * @param hints Lines that say what to do about it.
   */
  constructor(message: string, ...hints: string[]) {
    super(message);
    this.hints = hints;
  }
}

/** The command line is wrong: exit status 2, and the usage line is shown. */
export class UsageError extends Error {}

/**
 * The default value of each flag by name; `bufferSize` is `--buffer-size` on
 * the command line. `Number` and `String` stand for a number and a text without
 * a default. A list named `_` says that words without a flag may follow, and
 * how the usage line names them.
 */
export type Defaults = Record<
  string,
  | string
  | number
  | boolean
  | string[]
  | NumberConstructor
  | StringConstructor
>;

/** The value of each flag that the defaults name. */
export type Flags<D extends Defaults> = {
  [Name in keyof D]: D[Name] extends string ? string
    : D[Name] extends number ? number
    : D[Name] extends boolean ? boolean
    : D[Name] extends string[] ? string[]
    : D[Name] extends StringConstructor ? string | undefined
    : number | undefined;
};

/** What the running script was told; its error messages name host and port. */
let settings: { host?: string; port?: number; quiet?: boolean } = {};

/**
 * Runs a script: reads its flags, calls `main` with them and ends the program.
 * Its exit status is 0, or 1 when the work failed, or 2 when the command line
 * was wrong, each with a message; 130 after Ctrl-C, 143 after SIGTERM.
 * `--help` shows the comment at the script's head.
 *
 * @param defaults The script's flags with their default values.
 * @param main The script's work.
 * @param args The command line, where it is not taken as it stands.
 *
 * @example
 * ```ts
 * await run({ host: "localhost", port: 9900 }, ({ host, port }) => echoServer(host, port));
 * ```
 */
export async function run<D extends Defaults>(
  defaults: D,
  main: (flags: Flags<D>) => Promise<void>,
  args: string[] = Deno.args,
) {
  Deno.addSignalListener("SIGINT", () => {
    lineIsOpen = true; // the terminal shows ^C
    exit(130);
  });
  if (Deno.build.os !== "windows") {
    Deno.addSignalListener("SIGTERM", () => exit(143));
  }
  try {
    if (args.slice(0, [...args, "--"].indexOf("--")).includes("--help")) {
      write(`${await manual()}${usage(defaults)}\n`);
    } else {
      const flags = parseFlags(args, defaults);
      settings = flags;
      await main(flags);
    }
    exit(0);
  } catch (error) {
    if (error instanceof UsageError) {
      complain(escaped(error.message), usage(defaults));
      exit(2);
    }
    complain(...explain(error, settings.host, settings.port));
    exit(1);
  }
}

function exit(status: number): never {
  freshLine();
  Deno.exit(status);
}

const LIMITS: Record<string, [smallest: number, largest: number]> = {
  port: [0, 65535],
  bufferSize: [1, 2 ** 30], // bytes
  tries: [1, 1000],
};
const LONGEST_TIMEOUT = 86400; // seconds

/**
 * Reads a command line. Both `--port=9900` and `--port 9900` are understood.
 *
 * @param args The command line, without the program's name.
 * @param defaults The flags there are, with their default values.
 * @returns The value of each flag.
 * @throws {UsageError} An unknown flag, a missing value, or a wrong one.
 */
export function parseFlags<D extends Defaults>(
  args: string[],
  defaults: D,
): Flags<D> {
  const names = Object.keys(defaults).filter((name) => name !== "_");
  const isBoolean = (name: string) => typeof defaults[name] === "boolean";
  const words = withEmptyValues(args);
  const given = parseArgs(words, {
    boolean: names.filter(isBoolean).map(spelled),
    string: ["_", ...names.filter((name) => !isBoolean(name)).map(spelled)],
    unknown(arg, flag) {
      if (flag !== undefined) throw new UsageError(`unknown flag ${arg}`);
    },
  });
  if (given._.length > 0 && !("_" in defaults)) {
    throw new UsageError(`unexpected argument ${given._[0]}`);
  }
  const flags: Record<string, unknown> = { _: given._ };
  for (const name of names) {
    flags[name] = flagValue(name, defaults[name], given[spelled(name)], words);
  }
  if (flags.port === 0 && !("quiet" in defaults)) {
    throw new UsageError(
      "--port=0 is for servers: a client needs the port its server listens on",
    );
  }
  return flags as Flags<D>;
}

/** Joins an empty value to its flag, which `parseArgs()` would overlook: `--message ""`. */
function withEmptyValues(args: string[]): string[] {
  const words: string[] = [];
  for (const arg of args) {
    // The list of words has this name, which makes it no flag.
    if (/^--?_(=|$)/.test(arg)) throw new UsageError(`unknown flag ${arg}`);
    if (arg === "" && /^--[^=]+$/.test(words.at(-1) ?? "")) {
      words[words.length - 1] += "=";
    } else {
      words.push(arg);
    }
  }
  return words;
}

function flagValue(
  name: string,
  usual: Defaults[string],
  given: unknown,
  words: string[],
) {
  const flag = dashed(name);
  if (typeof usual === "boolean") {
    const value = words.find((word) => word.startsWith(`${flag}=`));
    if (value) throw new UsageError(`${flag} takes no value: ${value}`);
    return given;
  }
  const hasDefault = usual !== Number && usual !== String;
  if (given === undefined) return hasDefault ? usual : undefined;
  const value = given as string;
  // An empty message is one, but `--message` with nothing behind it is a mistake.
  if (value === "" && (name !== "message" || words.includes(flag))) {
    throw new UsageError(`${flag} needs a value`);
  }
  const isNumber = typeof usual === "number" || usual === Number;
  return isNumber ? toNumber(name, value) : value;
}

/** `bufferSize` is spelled `buffer-size` on the command line, and `N` is `N`. */
function spelled(name: string): string {
  return name.length === 1 ? name : name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `port` is written `--port`, and `p` is `-p`. */
function dashed(name: string): string {
  return name.length === 1 ? `-${name}` : `--${spelled(name)}`;
}

function toNumber(name: string, value: string): number {
  const flag = dashed(name);
  const number = Number(value);
  if (name === "timeout") {
    if (/^\d*\.?\d+$/.test(value) && number > 0 && number <= LONGEST_TIMEOUT) {
      return number;
    }
    throw new UsageError(
      `${flag} must be a number of seconds above 0, at most ${LONGEST_TIMEOUT}, not ${value}`,
    );
  }
  const [smallest, largest] = LIMITS[name] ?? [0, Number.MAX_SAFE_INTEGER];
  if (/^\d+$/.test(value) && number >= smallest && number <= largest) {
    return number;
  }
  const range = name in LIMITS ? ` from ${smallest} to ${largest}` : "";
  throw new UsageError(`${flag} must be a whole number${range}, not ${value}`);
}

function usage(defaults: Defaults): string {
  const flags = Object.entries(defaults).map(([name, usual]) => {
    if (Array.isArray(usual)) return usual.join(" ");
    if (typeof usual === "boolean") return `[${dashed(name)}]`;
    const isPlain = /^[\w.:-]+$/.test(`${usual}`);
    const value = usual === Number
      ? "N"
      : usual === String
      ? "TEXT"
      : isPlain
      ? usual
      : `'${usual}'`;
    return `[${dashed(name)}${name.length === 1 ? " " : "="}${value}]`;
  });
  return `usage: ${thisScript()} ${flags.join(" ")} [--help]`;
}

function thisScript(): string {
  return decodeURIComponent(Deno.mainModule.split("/").at(-1)!);
}

/** The comment at the head of the running script. A module may always import itself. */
async function manual(): Promise<string> {
  const { default: source } = await import(Deno.mainModule, {
    with: { type: "text" },
  });
  const [, comment] = source.match(/\/\*\*\r?\n([^]*?)\*\//) ?? [undefined, ""];
  return comment.replace(/^ \* ?/gm, "").replace(/^(```.*|@module *)\n/gm, "")
    .trimEnd() + "\n\n";
}

/** The command that runs a script of this folder from where the user stands. */
function commandFor(script: string, permission = "-A"): string {
  const here = `${Deno.cwd()}/`.replaceAll("\\", "/").replace("//", "/");
  const path = `${import.meta.dirname}/${script}`.replaceAll("\\", "/");
  const short = path.startsWith(here) ? path.slice(here.length) : path;
  return `deno run ${permission} ${short.includes(" ") ? `"${short}"` : short}`;
}

function startTheServer(host: string, port: number): string {
  const server = thisScript().replace("_client", "_server");
  if (server === thisScript()) return "start the server first";
  const at = /^(localhost|127\.0\.0\.1)$/.test(host) ? "" : ` --host=${host}`;
  return `start the server first: ${commandFor(server)}${at} --port=${port}`;
}

/**
 * Says in words what went wrong, for the user to read.
 *
 * @param error What was thrown.
 * @param host The host that the program listens on or connects to.
 * @param port Its port there.
 * @returns What happened, and where there is something to do about it, what.
 */
export function explain(
  error: unknown,
  host = "",
  port = 0,
): [message: string, ...hints: string[]] {
  host = escaped(host);
  const place = `${host} port ${port}`;
  const message = error instanceof Error ? error.message : String(error);
  const code = (error as { code?: string }).code ?? "";

  if (error instanceof Failure) return [message, ...error.hints];
  if (error instanceof Deno.errors.AddrInUse) {
    return [
      `port ${port} on ${host} is already in use`,
      `free it with kill_port.ts ${port}, or take any free port with --port=0`,
    ];
  }
  if (error instanceof Deno.errors.ConnectionRefused) {
    return [`nothing is listening on ${place}`, startTheServer(host, port)];
  }
  const isLookUp = code === "EPERM" && message.startsWith("getaddrinfo");
  if (error instanceof Deno.errors.NotCapable || isLookUp) {
    return [
      isLookUp ? `permission missing: net access to "${host}"` : reason(error),
      `allow it: ${commandFor(thisScript(), "--allow-net")}`,
    ];
  }
  if (error instanceof Deno.errors.PermissionDenied && port < 1024) {
    return [
      `no right to listen on port ${port}: ports below 1024 belong to the administrator`,
      `take another port, for instance --port=${8000 + port}`,
    ];
  }
  if (error instanceof Deno.errors.AddrNotAvailable) {
    return [`${host} is no address of this machine`];
  }
  if (
    /^(ENOTFOUND|EAI_)/.test(code) ||
    message.startsWith("failed to lookup address")
  ) {
    return [`unknown host ${host}`];
  }
  if (/^(ECONNRESET|ECONNABORTED|EPIPE)$/.test(code)) {
    return [`${place} broke off the connection`];
  }
  if (code === "EMSGSIZE") return ["the message is too long for one datagram"];
  const isAboutPlace = host !== "" && !isMistake(error);
  return [isAboutPlace ? `${place}: ${reason(error)}` : reason(error)];
}

/** What a `TextDecoder` throws that is told to be fatal. */
function isNoUtf8(error: unknown): boolean {
  return error instanceof TypeError && /encoded data/.test(error.message);
}

/** Says in one line why something failed; a mistake in the script comes with its stack. */
function reason(error: unknown): string {
  if (isMistake(error)) {
    return error instanceof Error ? error.stack ?? error.message : `${error}`;
  }
  if (isNoUtf8(error)) return "this is not UTF-8 text";
  if (error instanceof Deno.errors.NotCapable) {
    return error.message.replace(
      /^Requires (.*?), run again.*/,
      "permission missing: $1",
    );
  }
  return (error as Error).message.replace(/ \(os error \d+\)$/, "");
}

/** Whether an error comes from the script itself, not from the network or the system. */
function isMistake(error: unknown): boolean {
  if (isNoUtf8(error)) return false;
  return !(error instanceof Failure) && !(error as { code?: string }).code &&
    !Object.values(Deno.errors).some((kind) => error instanceof kind);
}

const encoder = new TextEncoder();
const WINDOW = 100; // milliseconds
const LINES_A_WINDOW = 100;
const GATHERING = 10; // milliseconds that lines then wait for others
const GATHERED_AT_MOST = 65536; // characters

let gathered = ""; // printed, but not yet written
let flushIsDue = false;
let windowStart = 0;
let linesInWindow = 0;
let lineIsOpen = false; // a prompt stands at the end of stdout

/** What a line of the transcript may hold; a function is called when it is printed. */
export type Printable =
  | string
  | number
  | Uint8Array
  | Deno.Addr
  | (() => string);

/**
 * Prints a line of the transcript, as Python's `print` does: the values with
 * a space between them. Bytes print as text, an address as Python's tuple, and
 * control characters as escapes, so that a value never leaves its line.
 *
 * @param values What to print.
 *
 * @example
 * ```ts
 * print("Connected by", client.remoteAddr); // Connected by ('127.0.0.1', 55320)
 * ```
 */
export function print(...values: Printable[]): void {
  let line = shown(values[0]);
  for (let i = 1; i < values.length; i++) line += " " + shown(values[i]);
  write(line + "\n");
}

/** Prints a line about one client or message, which `--quiet` leaves out. */
export function log(...values: Printable[]) {
  if (!settings.quiet) print(...values);
}

function shown(value: Printable): string {
  if (typeof value === "string") return escaped(value);
  if (typeof value === "function") return escaped(value());
  if (value instanceof Uint8Array) return text(value);
  return typeof value === "number" ? `${value}` : address(value);
}

/**
 * Writes to stdout as it is: at once, but when very much is printed, together with all
 * else that is printed within 10 ms.
 */
export function write(output: string): void {
  gathered += output;
  if (flushIsDue && gathered.length < GATHERED_AT_MOST) return;
  const now = Date.now();
  if (now - windowStart > WINDOW) [windowStart, linesInWindow] = [now, 0];
  if (flushIsDue || linesInWindow++ < LINES_A_WINDOW) return flush();
  flushIsDue = true;
  setTimeout(() => {
    flushIsDue = false;
    flush();
  }, GATHERING);
}

/** Writes what was printed and still is gathered. Ends the program where stdout is closed. */
function flush() {
  if (gathered === "") return;
  lineIsOpen = !gathered.endsWith("\n");
  let data = encoder.encode(gathered);
  gathered = "";
  while (data.length > 0) {
    try {
      data = data.subarray(Deno.stdout.writeSync(data));
    } catch (error) {
      if (error instanceof Deno.errors.WouldBlock) { // a pipe that is full, and set not to wait
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
        continue;
      }
      if (error instanceof Deno.errors.BrokenPipe) Deno.exit(0); // `| head -1` has seen enough
      complain(`cannot write the transcript: ${reason(error)}`);
      Deno.exit(1);
    }
  }
}
globalThis.addEventListener("unload", flush);

/** Tells the user something that is no part of the transcript: one line on stderr. */
export function note(message: string) {
  tell(`note: ${escaped(message)}\n`);
}

/** Tells the user what went wrong, and in further lines what to do about it. */
export function complain(message: string, ...hints: string[]) {
  tell([`error: ${message}`, ...hints, ""].join("\n"));
}

function tell(lines: string) {
  freshLine();
  try {
    Deno.stderr.writeSync(encoder.encode(lines));
  } catch { /* nobody listens */ }
}

/** Writes what is gathered, and leaves the line of a prompt, where the user sees it. */
function freshLine() {
  flush();
  if (!lineIsOpen) return;
  lineIsOpen = false;
  if (Deno.stdout.isTerminal()) write("\n");
}

/** Formats an address as Python prints it: `('127.0.0.1', 42961)`. */
export function address(peer: Deno.Addr): string {
  const { hostname, port } = peer as Deno.NetAddr;
  return `('${hostname}', ${port})`;
}

/**
 * Formats bytes as text in one line: control characters show as escapes, and so
 * do bytes that are no valid UTF-8.
 *
 * @param data The bytes.
 * @returns The text.
 *
 * @example
 * ```ts
 * text(new Uint8Array([104, 105, 10, 255])); // the six characters hi\n and four more: \xff
 * ```
 */
export function text(data: Uint8Array): string {
  const result = lenient.decode(data);
  // Nearly all text needs no more: no byte of it was replaced.
  if (!result.includes("\ufffd")) return escaped(result);
  return new Decoder().decode(data);
}

const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Formats bytes that come in pieces as `text()` does. A character that is cut
 * in two comes out whole, with the second piece.
 */
export class Decoder {
  #held = new Uint8Array(0); // the beginning of a character

  /**
   * Formats the next piece.
   *
   * @param piece The next bytes.
   * @param options `stream: true` when more will follow.
   * @returns The text of the piece, without a character that has only begun.
   */
  decode(
    piece: Uint8Array = new Uint8Array(0),
    { stream = false } = {},
  ): string {
    const data = joined([this.#held, piece]);
    let end = data.length;
    if (stream) {
      const first = data.findLastIndex((byte) => (byte & 0xc0) !== 0x80);
      // The last character has only begun, unless all its bytes are there.
      if (first >= 0 && first + continuationBytes(data[first]) >= end) {
        end = first;
      }
    }
    this.#held = data.slice(end);
    let result = "";
    for (let at = 0; at < end;) {
      const length = 1 + continuationBytes(data[at]);
      const bytes = data.subarray(at, Math.min(at + length, end));
      const char = lenient.decode(bytes);
      // What is no character is shown byte by byte, but U+FFFD itself is one.
      const isReplaced = char.includes("\ufffd") &&
        `${bytes}` !== "239,191,189";
      result += isReplaced ? hex(data[at]) : escaped(char);
      at += isReplaced ? 1 : length;
    }
    return result;
  }
}

/** How many bytes follow the first one of a UTF-8 sequence, by that one alone. */
function continuationBytes(first: number): number {
  if (first < 0xc0 || first > 0xf7) return 0;
  return first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
}

const NAMED: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Shows C0 and C1 control characters and DEL as escapes. */
function escaped(value: string): string {
  if (!/\p{Cc}/u.test(value)) return value;
  return value.replace(
    /\p{Cc}/gu,
    (char) => NAMED[char] ?? hex(char.charCodeAt(0)),
  );
}

function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, "0")}`;
}

/**
 * Formats bytes exactly as Python's `repr` does: `b'Hello, world'`.
 *
 * @param data The bytes.
 * @returns Python's notation for them.
 */
export function repr(data: Uint8Array): string {
  const plain = lenient.decode(data);
  if (/^[ -~]*$/.test(plain) && !/['\\]/.test(plain)) return `b'${plain}'`;
  const quote = data.includes(39) && !data.includes(34) ? '"' : "'";
  let result = `b${quote}`;
  for (const byte of data) {
    const char = String.fromCharCode(byte);
    if (char === "\\" || char === quote) result += `\\${char}`;
    else if (byte >= 0x20 && byte < 0x7f) result += char;
    else result += NAMED[char] ?? hex(byte);
  }
  return result + quote;
}

const lines = readLines();

/**
 * Asks for a line from the keyboard, or from the file or pipe that stands in
 * for it, as Python's `input` does.
 *
 * @param prompt Printed before, without a line end.
 * @returns The line without its line end, or `null` at the end of input.
 * @throws {Failure} What was read is no UTF-8.
 */
export async function input(prompt: string): Promise<string | null> {
  write(prompt);
  flush();
  const { value, done } = await lines.next();
  if (done) return null;
  if (Deno.stdin.isTerminal()) lineIsOpen = false;
  try {
    return utf8.decode(value).replace(/\r$/, ""); // Windows ends lines with \r\n
  } catch {
    throw new Failure("the input is not UTF-8 text");
  }
}

async function* readLines(): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(65536);
  let pieces: Uint8Array<ArrayBuffer>[] = []; // of the line that has begun
  for (let length; (length = await Deno.stdin.read(buffer)) !== null;) {
    const data = buffer.slice(0, length);
    let start = 0;
    for (let end; (end = data.indexOf(10, start)) >= 0; start = end + 1) {
      yield joined([...pieces, data.subarray(start, end)]);
      pieces = [];
    }
    if (start < length) pieces.push(data.subarray(start));
  }
  if (pieces.length > 0) yield joined(pieces);
}

function joined(pieces: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(
    pieces.reduce((length, piece) => length + piece.length, 0),
  );
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/**
 * Writes all bytes; a single `write` may take fewer.
 *
 * @param connection Where to.
 * @param data The bytes.
 */
export async function writeAll(
  connection: Pick<Deno.Conn, "write">,
  data: Uint8Array,
) {
  for (let sent = 0; sent < data.length;) {
    sent += await connection.write(data.subarray(sent));
  }
}

/** Characters in the header of a message: its length, aligned to the right. */
const HEADER_SIZE = 10;

/**
 * Puts the header before a message: 10 characters that hold its length as a
 * decimal number. The length counts characters (code points), as Python's
 * `len(str)` does, not bytes.
 *
 * @param message The text.
 * @returns Header and text in UTF-8.
 *
 * @example
 * ```ts
 * encodeMessage("h\u00e9llo"); // the bytes of "         5h\u00e9llo"
 * ```
 */
export function encodeMessage(message: string): Uint8Array {
  const data = encoder.encode(message);
  let length = 0;
  for (let i = 0; i < data.length; i++) {
    if ((data[i] & 0xc0) !== 0x80) length++; // the first byte of a character
  }
  return joined([encoder.encode(`${length}`.padStart(HEADER_SIZE)), data]);
}

/**
 * Reads messages with headers, as `encodeMessage()` makes them, from a
 * connection. They may arrive in any pieces; what follows one message in the
 * same piece belongs to the next.
 */
export class MessageReader {
  #connection: Deno.Conn;
  #buffer: Uint8Array<ArrayBuffer>;
  #maxLength: number; // characters
  #timeout: number; // seconds
  #piece = new Uint8Array(0); // what was read last
  #used = 0; // bytes of it that were taken
  #lastRead = 0; // milliseconds
  #isInside = false; // of a message
  #isSilent = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Reads messages from a connection, beginning with what comes next.
   *
   * @param connection Where to read from.
   * @param options Bytes to read at a time, the characters that a message may
   * have, and the seconds that the other side may be silent inside of one.
   */
  constructor(
    connection: Deno.Conn,
    options: { bufferSize: number; maxLength: number; timeout: number },
  ) {
    this.#connection = connection;
    this.#buffer = new Uint8Array(options.bufferSize);
    this.#maxLength = options.maxLength;
    this.#timeout = options.timeout;
  }

  /**
   * Reads the next message.
   *
   * @returns Its text, or `null` when the other side has ended the connection.
   * @throws {Failure} What came is no message or too long, or it broke off.
   */
  async read(): Promise<string | null> {
    if (this.#used === this.#piece.length && !await this.#readPiece()) {
      return null;
    }
    this.#isInside = true;
    this.#lastRead = Date.now();
    this.#timer ??= setTimeout(() => this.#watch(), this.#timeout * 1000);
    try {
      const header = await this.#take(HEADER_SIZE, "header");
      if (!/^ *\d+ *$/.test(header)) {
        throw new Failure(`this is no header of a message: ${escaped(header)}`);
      }
      const length = Number(header);
      if (length > this.#maxLength) {
        const most = `at most ${this.#maxLength} are allowed`;
        throw new Failure(`a message of ${length} characters: ${most}`);
      }
      return await this.#take(length, "message");
    } finally {
      this.#isInside = false;
    }
  }

  /** Takes so many characters, with all their bytes. */
  async #take(characters: number, what: string): Promise<string> {
    let data = new Uint8Array(64);
    let length = 0; // bytes
    let begun = 0; // characters
    let missing = 0; // bytes of the last of them
    while (begun < characters || missing > 0) {
      if (this.#used === this.#piece.length && !await this.#readPiece()) {
        const part = `${begun} of ${characters} characters of a ${what}`;
        throw new Failure(`the connection ended after ${part}`);
      }
      const piece = this.#piece;
      const start = this.#used;
      let end = start;
      while (end < piece.length && (begun < characters || missing > 0)) {
        const byte = piece[end++];
        if (missing > 0) {
          missing--;
        } else {
          begun++;
          if (byte >= 0x80) missing = continuationBytes(byte);
        }
      }
      const needed = length + end - start;
      if (needed > data.length) {
        const larger = new Uint8Array(2 * needed);
        larger.set(data.subarray(0, length));
        data = larger;
      }
      data.set(piece.subarray(start, end), length);
      length = needed;
      this.#used = end;
    }
    return utf8.decode(data.subarray(0, length));
  }

  /** Reads on. Returns whether anything came. */
  async #readPiece(): Promise<boolean> {
    let length: number | null;
    try {
      length = await this.#connection.read(this.#buffer);
    } catch (error) {
      if (!this.#isSilent) throw error;
      const silence = `nothing came for ${this.#timeout} s`;
      throw new Failure(`${silence} in the middle of a message`);
    }
    this.#lastRead = Date.now();
    this.#piece = this.#buffer.subarray(0, length ?? 0);
    this.#used = 0;
    return length !== null;
  }

  /** Closes the connection when it is silent for too long inside of a message. */
  #watch() {
    const silence = this.#isInside ? Date.now() - this.#lastRead : 0;
    const left = this.#timeout * 1000 - silence;
    if (left > 0) {
      this.#timer = setTimeout(() => this.#watch(), left);
    } else {
      this.#isSilent = true;
      this.#connection.close();
    }
  }

  /** Ends the watch over the connection, which stays open. */
  [Symbol.dispose]() {
    clearTimeout(this.#timer);
  }
}

/**
 * Finds the address of a host, IPv4 before IPv6, as an AF_INET socket does.
 * `localhost` is 127.0.0.1, even where the system names `::1` first.
 *
 * @param host A name or an address.
 * @returns The address.
 * @throws {Error} There is no such host.
 */
export async function resolve(host: string): Promise<string> {
  if (host.toLowerCase() === "localhost") return "127.0.0.1";
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host)) return host;
  if (host.includes(":")) {
    return URL.parse(`http://[${host}]`)?.hostname.slice(1, -1) ?? host;
  }
  const { lookup } = await import("node:dns/promises"); // takes 25 ms, so only when needed
  const addresses = await lookup(host, { all: true });
  return (addresses.find(({ family }) => family === 4) ?? addresses[0]).address;
}

const PAUSE = 100; // milliseconds before a failed accept or receive is tried again
const CALM = 60_000; // milliseconds without failure before the next is told
const LINGER = 2000; // milliseconds that a client may take to end its connection

/**
 * Serves every client that connects, all at the same time. What goes wrong
 * with one client is told on stderr and ends the connection to that client
 * alone. Each connection is closed when its handler has ended.
 *
 * @param listener Where clients connect. Serving ends when it is closed.
 * @param handle Serves one client.
 */
export async function serve(
  listener: Deno.TcpListener,
  handle: (client: Deno.TcpConn) => Promise<void>,
) {
  note(`listening on ${listener.addr.hostname} port ${listener.addr.port}`);
  let lastFailure = -Infinity;
  while (true) {
    try {
      attend(await listener.accept(), handle);
    } catch (error) {
      if (error instanceof Deno.errors.BadResource) return;
      if (error instanceof Deno.errors.NotConnected) {
        complain("a client broke off before it was served");
        continue;
      }
      // Usually EMFILE: the next client waits until another one has gone.
      if (Date.now() - lastFailure > CALM) {
        complain(`no more clients for now: ${reason(error)}`);
      }
      lastFailure = Date.now();
      await delay(PAUSE);
    }
  }
}

async function attend(
  client: Deno.TcpConn,
  handle: (client: Deno.TcpConn) => Promise<void>,
) {
  try {
    await handle(client);
  } catch (error) {
    complain(`client ${address(client.remoteAddr)}: ${reason(error)}`);
  }
  await hangUp(client);
}

const rubbish = new Uint8Array(65536);

/**
 * Closes a connection so that all that was sent arrives. Closing while data is
 * unread would reset the connection and could destroy the last reply on its
 * way (RFC 1122, 4.2.2.13); so our half is closed first, and what the client
 * still sends is read until it has closed its own.
 */
async function hangUp(client: Deno.TcpConn) {
  const close = () => {
    try {
      client.close();
    } catch { /* closed already */ }
  };
  const timer = setTimeout(close, LINGER);
  try {
    await client.closeWrite();
    while (await client.read(rubbish) !== null);
  } catch { /* nobody is there any more */ }
  clearTimeout(timer);
  close();
}

/**
 * Repeats a step of a UDP server for ever: receive a datagram, answer it. What
 * goes wrong in one step is told on stderr, and the next one follows.
 *
 * @param socket The server's socket. Serving ends when it is closed.
 * @param step Receives one datagram and answers it.
 */
export async function serveDatagrams(
  socket: Deno.DatagramConn,
  step: () => Promise<void>,
) {
  const { hostname, port } = socket.addr as Deno.NetAddr;
  note(`listening on ${hostname} port ${port}`);
  for (let failures = 0;;) {
    try {
      await step();
      failures = 0;
    } catch (error) {
      if (
        error instanceof Deno.errors.BadResource ||
        error instanceof Deno.errors.Interrupted
      ) return;
      // Windows tells so that an earlier reply found nobody: clients may go.
      if (error instanceof Deno.errors.ConnectionReset) continue;
      complain(reason(error));
      if (++failures > 3) await delay(PAUSE);
    }
  }
}

/** Bytes of a buffer that holds any datagram: a 16-bit number is its length (RFC 768). */
export const LONGEST_DATAGRAM = 65535;

/**
 * Receives the next datagram from one peer, and ignores what anybody else sends.
 *
 * @param socket Where to receive.
 * @param peer Who is listened to.
 * @param size Bytes at most: what is longer arrives cut, as with `recvfrom(size)`.
 * @returns The datagram's bytes.
 */
export async function receiveFrom(
  socket: Deno.DatagramConn,
  peer: Deno.NetAddr,
  size: number,
): Promise<Uint8Array> {
  const buffer = new Uint8Array(LONGEST_DATAGRAM);
  const anyHost = /^(0\.0\.0\.0|::)$/.test(peer.hostname); // then it answers with an address of its own
  while (true) {
    try {
      const [data, address] = await socket.receive(buffer);
      const { hostname, port } = address as Deno.NetAddr;
      if (port === peer.port && (anyHost || hostname === peer.hostname)) {
        return data.subarray(0, size);
      }
    } catch (error) {
      // Windows tells so that nobody listens there; elsewhere that stays unknown.
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
    }
  }
}

/** The address by which a UDP client leaves its own address to the system. */
export function anyAddress(peer: string): string {
  return peer.includes(":") ? "::" : "0.0.0.0";
}

/**
 * Sends a question over UDP until an answer comes: either may get lost.
 *
 * @param send Sends the question.
 * @param answer Settles when the answer is there.
 * @param waiting Seconds to wait for the answer before the question is sent
 * again, and how often it is sent at most.
 * @returns The answer.
 * @throws {Failure} No answer came.
 */
export async function ask<T>(
  send: () => Promise<unknown>,
  answer: Promise<T>,
  { timeout, tries }: { timeout: number; tries: number },
): Promise<T> {
  answer.catch(() => {}); // when nobody waits for it any more
  for (let attempt = 1; attempt <= tries; attempt++) {
    if (attempt > 1) {
      note(`no reply within ${timeout} s: try ${attempt} of ${tries}`);
    }
    await send();
    try {
      return await deadline(answer, timeout * 1000);
    } catch (error) {
      if ((error as Error).name !== "TimeoutError") throw error;
    }
  }
  const { host = "", port = 0 } = settings;
  throw new Failure(
    `no reply from ${host} port ${port} after ${tries} ${tries === 1 ? "try" : "tries"}`,
    startTheServer(host, port),
  );
}
