/**
 * What the lab scripts share and no lab is about: flags, errors in words, printing, the keyboard,
 * many clients at once, lost datagrams. What the labs teach stands in the scripts.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { parseArgs } from "@std/cli/parse-args";

/** The work failed for a reason that the user reads in one line, with a hint: exit status 1. */
export class Failure extends Error {
  /** Says what happened, and to what; the hint says what to do about it. */
  constructor(message: string, readonly hint?: string) {
    super(escaped(message));
  }
}

/** The command line is wrong: exit status 2, and the usage line is shown. */
export class UsageError extends Error {}

/**
 * A script's flags with their values when not given: `bufferSize` is `--buffer-size`, `p` is `-p`.
 * Without a value a number is `NaN`, a text `""`. A list named `_` lets words follow, and names them.
 */
export type Flags = Record<string, string | number | boolean | string[]>;

let settings: { host?: string; port?: number; quiet?: boolean } = {}; // what the script was told

/**
 * Runs a script and ends the program: with status 0, 1 when the work failed, 2 when the command line
 * was wrong, 130 after Ctrl-C, 143 after SIGTERM. `--help` shows the comment at the script's head.
 */
export async function run<F extends Flags>(flags: F, main: (_: F) => unknown, args = Deno.args) {
  Deno.addSignalListener("SIGINT", () => exit(130, true));
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", () => exit(143, true));
  try {
    if (args.includes("--help")) write(`${await manual()}\n\n${usage(flags)}\n`);
    else await main(settings = parse(args, flags));
    await exit(0);
  } catch (error) {
    const isUsage = error instanceof UsageError;
    if (isUsage) complain(escaped(error.message), usage(flags));
    else complain(...explain(error, settings.host, settings.port));
    await exit(isUsage ? 2 : 1);
  }
}

/** Ends the program when all is written; after a signal, it waits 0.5 s for who reads it. */
async function exit(status: number, isSignal = false) {
  if (lineIsOpen && Deno.stdout.isTerminal()) write("\n");
  isEnding = isSignal;
  while (writing && !isSignal) await writing;
  if (isSignal) await delay(0); // what was just sent is printed
  if (isSignal && await Promise.race([writing, delay(500).then(() => true)])) queue.length = 0;
  Deno.exit(status);
}

const LEAST: Record<string, number> = { bufferSize: 1, timeout: 0.001, tries: 1, secret: 1 };
const MOST: Record<string, number> = { port: 65535, bufferSize: 2 ** 30, tries: 1000, secret: 99 };

function parse<F extends Flags>(args: string[], defaults: F): F {
  const names = Object.keys(defaults);
  const isBoolean = (name: string) => typeof defaults[name] === "boolean";
  const given = parseArgs(args, {
    boolean: names.filter(isBoolean).map(spelled),
    string: names.filter((name) => !isBoolean(name)).map(spelled),
    unknown(word, flag) {
      if (flag !== undefined) throw new UsageError(`unknown flag ${word}`);
    },
  });
  const extra = names.includes("_") ? undefined : given._.find((word) => word !== "");
  if (extra !== undefined) throw new UsageError(`unexpected argument ${extra}`);
  const flags: Flags = { ...defaults };
  for (const name of names) {
    const [flag, value] = [dashed(name), given[spelled(name)] as Flags[string] | undefined];
    const word = args.find((arg) => arg.startsWith(`${flag}=`));
    if (value === true && word) throw new UsageError(`${flag} takes no value: ${word}`);
    // An empty message is one, but `--message` with nothing behind it is a mistake.
    const mayBeEmpty = name === "message" && (word || args.includes(""));
    if (value === "" && !mayBeEmpty) throw new UsageError(`${flag} needs a value`);
    const isNumber = typeof defaults[name] === "number" && typeof value === "string";
    if (value !== undefined) flags[name] = isNumber ? toNumber(name, value) : value;
  }
  if (flags.port === 0 && !("quiet" in flags)) throw new UsageError("--port=0 is for servers");
  return flags as F;
}

function toNumber(name: string, value: string): number {
  const [least, most] = [LEAST[name] ?? 0, MOST[name] ?? 86400];
  const form = name === "timeout" ? /^\d*\.?\d+$/ : /^\d+$/;
  if (form.test(value) && Number(value) >= least && Number(value) <= most) return Number(value);
  const kind = name === "timeout" ? "a number" : "a whole number";
  throw new UsageError(`${dashed(name)} must be ${kind} from ${least} to ${most}, not ${value}`);
}

const thisScript = () => decodeURIComponent(Deno.mainModule.split("/").at(-1)!);
const spelled = (name: string) => name.replace(/(?<=.)[A-Z]/g, (char) => `-${char.toLowerCase()}`);
const dashed = (name: string) => name.length === 1 ? `-${name}` : `--${spelled(name)}`;

function usage(flags: Flags): string {
  const parts = Object.entries(flags).map(([name, value]) => {
    if (Array.isArray(value)) return value.join(" ");
    if (typeof value === "boolean") return `[${dashed(name)}]`;
    const quoted = `${value}`.replace(/.*[^\w.:-].*/, "'$&'");
    const shown = value === "" ? "TEXT" : Number.isNaN(value) ? "N" : quoted;
    return `[${dashed(name)}${name.length === 1 ? " " : "="}${shown}]`;
  });
  return `usage: ${thisScript()} ${parts.join(" ")} [--help]`;
}

/** The comment at the head of the running script. A module may always import itself. */
async function manual(): Promise<string> {
  const { default: source } = await import(Deno.mainModule, { with: { type: "text" } });
  const [, comment] = source.match(/\/\*\*\r?\n([^]*?)\*\//) ?? ["", ""];
  return comment.replace(/^ \* ?/gm, "").replace(/^(```.*|@module *)\r?\n/gm, "").trimEnd();
}

/** The command that runs a script of this folder from where the user stands. */
function commandFor(script: string, permission = "-A"): string {
  const here = `${Deno.cwd()}/`.replaceAll("\\", "/").replace("//", "/");
  const path = `${import.meta.dirname}/${script}`.replaceAll("\\", "/");
  const short = path.startsWith(here) ? path.slice(here.length) : path;
  return `deno run ${permission} ${/[^\w./:-]/.test(short) ? `"${short}"` : short}`;
}

function startServer(host: string, port: number): string {
  const server = thisScript().replace("_client", "_server"); // itself: netcat, or a renamed copy
  const at = /^(localhost|127\.0\.0\.1)$/.test(host) ? "" : ` --host=${host}`;
  const by = settings.host && server === thisScript() ? ", with" : `: ${commandFor(server)}`;
  return `start the server first${by}${at} --port=${port}`;
}

/** Says in words what went wrong with a host and port, and in a second line what to do about it. */
export function explain(error: unknown, host = "", port = 0): [string, string?] {
  host = escaped(host);
  const place = `${host} port ${port}`;
  const { message = "", code = "" } = error as Error & { code?: string };
  const is = (kind: keyof typeof Deno.errors) => error instanceof Deno.errors[kind];
  const isLookUp = /^(getaddrinfo|failed to lookup)/.test(message);
  if (error instanceof Failure) return [message, error.hint];
  const free = `free it: ${commandFor("kill_port.ts")} ${port} # or take --port=0`;
  if (is("AddrInUse")) return [`port ${port} on ${host} is already in use`, free];
  if (is("ConnectionRefused")) return [`nothing is listening on ${place}`, startServer(host, port)];
  const noReply = `no reply from ${place}${/ after.*/.exec(message) ?? ""}`;
  if (is("TimedOut")) return [noReply, startServer(host, port)];
  const missing = isLookUp ? `permission missing: net access to "${host}"` : reason(error);
  const allow = `allow it: ${commandFor(thisScript(), "--allow-net")}`;
  if (is("NotCapable") || isLookUp && code === "EPERM") return [missing, allow];
  const why = `no right to listen on port ${port}: ports below 1024 belong to the administrator`;
  const instead = `take another port, for instance --port=${8000 + port}`;
  if (is("PermissionDenied") && port > 0 && port < 1024) return [why, instead];
  if (is("AddrNotAvailable")) return [`${host} is no address of this machine`];
  if (isLookUp) return [`unknown host ${host}`];
  if (/^(ECONNRESET|ECONNABORTED|EPIPE)$/.test(code)) return [`${place} broke off the connection`];
  if (code === "EMSGSIZE") return ["the message is too long for one datagram"];
  return [host === "" || !code ? reason(error) : `${place}: ${reason(error)}`];
}

/** Says in one line why something failed; a mistake in the script comes with its stack. */
function reason(error: unknown): string {
  const { message, stack, code } = error as Error & { code?: string };
  if (error instanceof TypeError && /encoded data/.test(message)) return "this is not UTF-8 text";
  const isTold = [Failure, ...Object.values(Deno.errors)].some((kind) => error instanceof kind);
  if (!code && !isTold) return stack ?? String(error);
  const short = message.replace(/ \(os error.*|, run again.*/, "");
  return short.replace(/^Requires/, "permission missing:");
}

const encode = (text: string) => new TextEncoder().encode(text);
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const queue: { to: typeof Deno.stdout; output: string }[] = []; // printed, but not yet written
let queued = 0; // characters in it
const isSlow = () => queued > 2 ** 22; // whoever reads the output
let writing: Promise<void> | undefined;
let isEnding = false; // then nothing is sent any more
let pace = 0; // writes that did not wait for more to come; in a flood always 20
const told = new Set<string>(); // what went wrong within the last minute
let lineIsOpen = false; // a prompt stands at the end of stdout

/** What a line may hold; a function is called when the line is printed. */
export type Printable = string | number | Uint8Array | Deno.Addr | (() => string);

/**
 * Prints a line as Python's `print` does: bytes as text, an address as a tuple, and what would leave
 * the line as escapes. Where much waits to be written, its promise settles when that is done.
 */
export function print(first: Printable, ...rest: Printable[]): Promise<void> | undefined {
  let line = shown(first);
  for (const value of rest) line += ` ${shown(value)}`;
  put(Deno.stdout, escaped(line) + "\n");
  lineIsOpen = false;
  if (isSlow()) return writing;
}

/** Prints a line about one client or message, which `--quiet` leaves out. */
export const log = (...values: Parameters<typeof print>): ReturnType<typeof print> =>
  settings.quiet ? undefined : print(...values);

function shown(value: Printable): string {
  if (typeof value === "string") return value;
  if (typeof value === "function") return value();
  if (value instanceof Uint8Array) return decoder.decode(value);
  return typeof value === "number" ? `${value}` : address(value);
}

/** Writes to stdout as it is: at once, or with what else is printed while others are written. */
export function write(output: string): void {
  put(Deno.stdout, output);
  lineIsOpen = !output.endsWith("\n");
}

function put(to: typeof Deno.stdout, output: string) {
  if (to === Deno.stderr && lineIsOpen && Deno.stdout.isTerminal()) write("\n");
  if (queue.at(-1)?.to !== to) queue.push({ to, output: "" });
  queue.at(-1)!.output += output;
  queued += output.length;
  writing ??= writeQueue();
}

async function writeQueue() {
  await (pace < 20 ? null : delay(10)); // milliseconds in which more may come
  pace = queued < 2000 ? (pace + 1) % 21 : 20;
  for (let next; !isEnding && (next = queue.shift()) !== undefined;) {
    queued -= next.output.length;
    for (let data = encode(next.output); data.length > 0;) {
      try {
        data = data.subarray(await next.to.write(data));
      } catch (error) {
        if (error instanceof Deno.errors.WouldBlock) await delay(1); // full, and set not to wait
        else if (next.to === Deno.stderr) break; // nobody listens
        else if (error instanceof Deno.errors.BrokenPipe) Deno.exit(0); // `| head` has seen enough
        else {
          Deno.stderr.writeSync(encode(`error: cannot write the transcript: ${reason(error)}\n`));
          Deno.exit(1);
        }
      }
    }
  }
  writing = undefined;
}

addEventListener("unload", () => { // however the program ends
  try {
    for (const { to, output } of queue) {
      for (let data = encode(output); data.length > 0;) data = data.subarray(to.writeSync(data));
    }
  } catch { /* nobody reads it */ }
});

/** Tells the user something that is no part of the transcript: one line on stderr. */
export const note = (message: string): void => put(Deno.stderr, `note: ${escaped(message)}\n`);

/** Tells the user what went wrong, and in a second line what to do about it. */
export const complain = (message: string, hint = ""): void =>
  put(Deno.stderr, `error: ${message}\n${hint && `${hint}\n`}`);

function complainOnce(what: string, error: unknown) {
  if (told.has(what)) return;
  complain(`${what}: ${reason(error)}`);
  told.add(what);
  setTimeout(() => told.delete(what), 60_000);
}

/** Formats an address as Python prints it: `('127.0.0.1', 42961)`. */
export function address(peer: Deno.Addr): string {
  const { hostname, port } = peer as Deno.NetAddr;
  return `('${hostname}', ${port})`;
}

/** Formats bytes as text in one line. What is no UTF-8 shows as U+FFFD. */
export const text = (data: Uint8Array): string => escaped(decoder.decode(data));

// What turns or breaks a line, or nobody sees; but emoji and some scripts need the joiners.
const HIDDEN = /[[\p{Cc}\p{Zl}\p{Zp}\p{DI}]--[\u200c\u200d\p{VS}]]/gv; // DI: default ignorable
const NAMED: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Shows control characters, and others that nobody sees, as Python does: `\n`, `\x1b`, `\u202e`. */
export function escaped(value: string): string {
  return /^[ -~]*$/.test(value) ? value : value.replace(HIDDEN, escape);
}

function escape(char: string): string {
  const code = char.codePointAt(0)!.toString(16);
  const [letter, digits] = code.length > 4 ? ["U", 8] : code.length > 2 ? ["u", 4] : ["x", 2];
  return NAMED[char] ?? `\\${letter}${code.padStart(digits as number, "0")}`;
}

/** Formats bytes exactly as Python's `repr` does: `b'Hello, world'`. */
export function repr(data: Uint8Array): string {
  const plain = decoder.decode(data);
  if (/^[ -&(-[\]-~]*$/.test(plain)) return `b'${plain}'`; // no quote, no backslash
  const quote = data.includes(39) && !data.includes(34) ? '"' : "'";
  let result = `b${quote}`;
  for (const byte of data) {
    const char = String.fromCharCode(byte);
    if (char === "\\" || char === quote) result += `\\${char}`;
    else result += byte >= 0x20 && byte < 0x7f ? char : escape(char);
  }
  return result + quote;
}

const lines = readLines();

/** Asks for a line from the keyboard, as Python's `input` does: `null` at the end of input. */
export async function input(prompt: string): Promise<string | null> {
  write(prompt);
  const { value, done } = await lines.next();
  if (!done && Deno.stdin.isTerminal()) lineIsOpen = false;
  return done ? null : value.replace(/\r$/, ""); // Windows ends lines with \r\n
}

async function* readLines(): AsyncGenerator<string> {
  let begun = ""; // a line without its end
  const decoder = new TextDecoderStream("utf-8", { fatal: true, ignoreBOM: true });
  for await (const piece of Deno.stdin.readable.pipeThrough(decoder)) {
    const lines = piece.split("\n");
    lines[0] = begun + lines[0];
    begun = lines.pop()!;
    yield* lines;
  }
  if (begun !== "") yield begun;
}

/** Finds a host's address: IPv4 first, `localhost` is 127.0.0.1, and each address has one form. */
export async function resolve(host: string): Promise<string> {
  if (host.toLowerCase() === "localhost") return "127.0.0.1";
  const bare = host.replace(/^::ffff:(?=[\d.]+$)/i, ""); // an IPv4 address in IPv6's form
  if (/^[\d.]+$/.test(bare)) return URL.parse(`http://${bare}`)?.hostname ?? host;
  if (host.includes(":")) return URL.parse(`http://[${host}]`)?.hostname.slice(1, -1) ?? host;
  const { lookup } = await import("node:dns/promises"); // takes 25 ms, so only when needed
  const addresses = await lookup(host, { all: true });
  return (addresses.find(({ family }) => family === 4) ?? addresses[0]).address;
}

const rubbish = new Uint8Array(65536); // what nobody wants to read
const waits = new Map<Disposable, number>(); // connections, and how many seconds they may wait
let watch: ReturnType<typeof setInterval> | undefined; // made when needed: timers take 4 ms to load

/** Writes all bytes; one `write` may take fewer. */
export async function writeAll(to: Pick<Deno.Conn, "write"> & Disposable, data: Uint8Array) {
  if (isSlow()) await writing;
  for (let sent = 0; sent < data.length;) {
    if (isEnding) await new Promise(() => {});
    waits.set(to, 10);
    try {
      sent += await to.write(data.subarray(sent));
    } catch (error) {
      throw waits.get(to) === 0 ? new Failure("nothing was taken for 10 s") : error;
    } finally {
      waits.delete(to);
    }
  }
}

/**
 * Repeats what brings a server its next client or datagram. Where that fails, as when descriptors run
 * out, it is told and tried again. What comes from the server's own address would go round for ever.
 */
export async function* each<T>(at: { addr: Deno.Addr }, next: () => Promise<T>): AsyncGenerator<T> {
  const { hostname, port } = at.addr as Deno.NetAddr;
  note(`listening on ${hostname} port ${port}`);
  while (true) {
    if (isEnding) await new Promise(() => {});
    if (isSlow()) await writing;
    try {
      const item = await next();
      const isOwn = Array.isArray(item) && isSame(item[1], { hostname, port });
      if (isOwn) unsent(new Failure("it bears the server's own address"));
      else yield item;
    } catch (error) {
      const { BadResource, ConnectionReset, NotConnected } = Deno.errors;
      if (error instanceof BadResource) return; // it was closed
      if (error instanceof ConnectionReset) continue; // Windows: an answer met nobody
      if (error instanceof NotConnected) complain("a client broke off before it was served");
      else {
        complainOnce("no more clients for now", error);
        await delay(100);
      }
    }
  }
}

/**
 * Attends to a client; what goes wrong costs it alone, and who takes nothing for 10 s is let go.
 * Closing while data is unread would reset the connection and could destroy the last reply on its
 * way (RFC 1122, 4.2.2.13): so our half is closed first, and what still comes is read to its end.
 */
export async function attend(client: Deno.TcpConn, handle: () => Promise<void>): Promise<void> {
  using connection = client;
  watch ??= setInterval(() =>
    waits.forEach((left, peer) => {
      waits.set(peer, left - 1);
      if (left === 1) peer[Symbol.dispose]();
    }), 1000);
  try {
    await handle();
  } catch (error) {
    complain(`client ${address(client.remoteAddr)}: ${reason(error)}`);
  }
  waits.set(connection, 2); // it may take so long to end
  try {
    await client.closeWrite();
    while (await client.read(rubbish) !== null);
  } catch { /* nobody is there any more */ }
  waits.delete(client);
}

/** Tells, where a datagram cannot be sent, why; not when its socket is closed. Then 0 bytes are sent. */
export function unsent(error: unknown): number {
  if (!(error instanceof Deno.errors.BadResource)) complainOnce("a datagram is not sent", error);
  return 0;
}

/** Whether a peer has an address: one like 0.0.0.0 stands for any of a machine. */
const isSame = (peer: Omit<Deno.NetAddr, "transport">, { hostname, port }: typeof peer) =>
  peer.port === port && [peer.hostname, "0.0.0.0", "::"].includes(hostname);

/**
 * Lets a client's UDP socket ask again: `receive` sends the last datagram anew, after some seconds
 * and some times, until its receiver answers, and ignores what others send.
 */
export function asking(
  socket: Deno.DatagramConn,
  { timeout = 2, tries = 3 },
): Pick<Deno.DatagramConn, "send" | "receive" | "close"> {
  let question: [Uint8Array<ArrayBuffer>, Deno.NetAddr];
  return {
    send: (...sent) => socket.send(...question = sent as typeof question),
    async receive(buffer) {
      const times = tries === 1 ? "1 try" : `${tries} tries`;
      const noReply = Promise.withResolvers<never>();
      let tried = 1;
      const timer = setInterval(() => {
        if (tried++ === tries) return noReply.reject(new Deno.errors.TimedOut(` after ${times}`));
        note(`no reply within ${timeout} s: try ${tried} of ${tries}`);
        Promise.resolve(writing).then(() => socket.send(...question)).catch(unsent); // first told
      }, timeout * 1000);
      try {
        while (true) {
          const received = Promise.race([socket.receive(buffer), noReply.promise]);
          const [data, peer] = await received as typeof question;
          if (isSame(peer, question[1])) return [data, peer];
        }
      } finally {
        clearInterval(timer);
      }
    },
    close: () => socket.close(),
  };
}
