/**
 * The sessions in the scripts' headers, and how they are run: both halves of a
 * lab as separate programs, typed to and looked at as a user would.
 *
 * @module
 */
import { deadline } from "@std/async/deadline";
import { parseNetstat } from "./kill_port.ts";
import { Failure, text, writeAll } from "./lib.ts";

/** Who of the two halves of a lab. */
export type Half = "server" | "client";

/** A script with what its header says. */
export interface Script {
  /** The file's name. */
  name: string;
  /** What it is, in one sentence. */
  summary: string;
  /** What it mirrors: a file of the course, or a task. */
  original: string;
  /** The course that the original belongs to. */
  course: string;
  /** The port it takes when none is given. */
  port: number;
  /** The arguments on the command line of its session. */
  args: string[];
  /** The lines that the user types in it. */
  typed: string[];
  /** What then stands on the screen: what is printed and what is typed. */
  screen: string;
}

/**
 * Reads what a script's header says. The session is a console block: its first
 * line is the command; what the user types follows there in a comment, each
 * line with the sign of the Enter key behind it: `# and type 50⏎ 25⏎`. A space
 * at the end of a line, which editors take away, is written as `␣`.
 *
 * @param name The file's name.
 * @param source The script's text.
 * @returns What the header says.
 * @throws {Failure} The header shows no session.
 */
export function readScript(name: string, source: string): Script {
  const comment = source.match(/\/\*\*\r?\n([^]*?)\*\//)?.[1] ?? "";
  const header = comment.replaceAll("\r", "").replace(/^ \* ?/gm, "");
  const prose = header.replaceAll(/\s+/g, " ");
  const block = header.match(/^```console\n\$ (.*)\n([^]*?)^```/m);
  if (!block) throw new Failure(`${name} shows no session in its header`);
  const [, original = "", course = ""] = prose.match(/Mirrors (.+?) \((.+?)\)/) ??
    [];
  const [command, typed = ""] = block[1].split(" # and type ");
  const words = command.match(/[^\s']*'[^']*'|\S+/g) ?? [];
  return {
    name,
    summary: prose.match(/^.+?\.(?= )/)?.[0] ?? "",
    original: original.replaceAll("`", ""),
    course,
    port: Number(source.match(/host: ".*?",\s+port: (\d+)/)?.[1]),
    args: words.slice(words.findIndex((word) => word.endsWith(name)) + 1)
      .map((word) => word.replaceAll("'", "")),
    typed: typed.split("⏎").slice(0, -1).map((line) => line.trimStart()),
    screen: block[2].replaceAll("␣\n", " \n"),
  };
}

/** A lab: a server and its client. */
export interface Lab {
  /** The scripts' common name, without `_server` and `_client`. */
  name: string;
  /** What it runs over. */
  transport: "tcp" | "udp";
  /** The script that waits for clients. */
  server: Script;
  /** The script that connects to it. */
  client: Script;
}

/** The folder of the scripts. */
export const SCRIPTS = `${import.meta.dirname}/`;

/** Finds the labs among the scripts of this folder, in the order of their names. */
export function findLabs(): Lab[] {
  return [...Deno.readDirSync(SCRIPTS)]
    .map(({ name }) => name)
    .filter((name) => /_server\w*\.ts$/.test(name))
    .sort()
    .map((name) => {
      const source = Deno.readTextFileSync(SCRIPTS + name);
      const other = name.replace("_server", "_client");
      return {
        name: labName(name),
        transport: source.includes("Deno.listenDatagram") ? "udp" : "tcp",
        server: readScript(name, source),
        client: readScript(other, Deno.readTextFileSync(SCRIPTS + other)),
      };
    });
}

/** `echo_server_udp.ts`, `echo_client_udp` and `echo_udp` all name the lab `echo_udp`. */
export function labName(name: string): string {
  return name.replace(/\.(ts|py)$/, "").replace(/_(server|client)/, "");
}

const PATIENCE = 1500; // milliseconds that a program may take to end when told to

/** A program that runs: what it prints, and its keyboard. */
export class Program {
  /** What stands on its screen: its stdout, and what was typed. */
  screen = "";
  /** What it printed on stderr. */
  errors = "";
  /** Its exit status. */
  readonly status: Promise<number>;
  #child: Deno.ChildProcess;
  #keyboard?: WritableStreamDefaultWriter<Uint8Array>;
  #hasEnded = false;
  #change = Promise.withResolvers<void>();

  /**
   * Starts a program.
   *
   * @param command The program and its arguments.
   * @param onScreen Called with everything that appears on its screen.
   * @param options Options of `Deno.Command`.
   * @param onErrors Called with everything it prints on stderr.
   */
  constructor(
    command: string[],
    readonly onScreen: (output: string) => void = () => {},
    options: Deno.CommandOptions = {},
    readonly onErrors: (output: string) => void = () => {},
  ) {
    this.#child = new Deno.Command(command[0], {
      args: command.slice(1),
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      ...options,
    }).spawn();
    this.#keyboard = this.#child.stdin.getWriter();
    this.status = this.#follow();
  }

  /** Its process's number. */
  get pid(): number {
    return this.#child.pid;
  }

  async #follow(): Promise<number> {
    await Promise.all([
      this.#read(this.#child.stdout, (output) => this.#show(output)),
      this.#read(this.#child.stderr, (output) => {
        this.errors += output;
        this.onErrors(output);
      }),
    ]);
    const { code } = await this.#child.status;
    this.#hasEnded = true;
    this.#changed();
    return code;
  }

  async #read(
    stream: ReadableStream<Uint8Array<ArrayBuffer>>,
    use: (output: string) => void,
  ) {
    for await (const output of stream.pipeThrough(new TextDecoderStream())) {
      use(output);
      this.#changed();
    }
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
  async until(condition: () => boolean, seconds = 10): Promise<boolean> {
    const end = Date.now() + seconds * 1000;
    while (!condition()) {
      if (this.#hasEnded || Date.now() > end) return false;
      await deadline(this.#change.promise, end - Date.now()).catch(() => {});
    }
    return true;
  }

  /** Waits until it has ended by itself, some seconds at most. */
  async ended(seconds = 10): Promise<boolean> {
    await this.until(() => false, seconds);
    return this.#hasEnded;
  }

  /** Types a line; it shows on the screen, as on a terminal. */
  async type(line: string) {
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
    this.#kill(signal);
    await deadline(this.status, PATIENCE).catch(() => this.#kill("SIGKILL"));
    await this.endInput();
    return await this.status;
  }

  #kill(signal: Deno.Signal) {
    try {
      if (!this.#hasEnded) this.#child.kill(signal);
    } catch { /* it has just ended */ }
  }
}

/** A program that can take one half of a lab. */
export interface Player {
  /** How reports name it. */
  name: string;
  /** Its port, where it leaves no choice. */
  port?: number;
  /** Whether it tells its port on stderr, as our servers do, and takes port 0. */
  tellsPort: boolean;
  /** Whether its stderr must be empty, and its end be a server's end by Ctrl-C. */
  isStrict: boolean;
  /** The command that starts it. */
  command(port: number): string[];
}

/** Runs a script; what Deno itself says, for instance of downloads, stays unsaid. */
export const DENO_RUN = [Deno.execPath(), "run", "--quiet"];

/** The session of one of our scripts, with other permissions or more arguments. */
export function ourPlayer(
  script: Script,
  permissions = "-A",
  more: string[] = [],
): Player {
  return {
    ...studentPlayer(script, SCRIPTS + script.name, permissions, more),
    tellsPort: true,
  };
}

/** A file that takes the place of one of our scripts. */
export function studentPlayer(
  { args }: Script,
  file: string,
  permissions = "-A",
  more: string[] = [],
): Player {
  const others = args.filter((arg) => !arg.startsWith("--port="));
  const run = file.endsWith(".py") ? PYTHON_RUN : [...DENO_RUN, permissions];
  return {
    name: file.split(/[/\\]/).at(-1)!,
    tellsPort: false,
    isStrict: !file.endsWith(".py"),
    command: (port) => [...run, file, ...others, ...more, `--port=${port}`],
  };
}

const PYTHON = Deno.build.os === "windows" ? "python" : "python3";
const PYTHON_RUN = [PYTHON, "-u"]; // unbuffered

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

/**
 * A Python program that takes the place of one of our scripts. It is given the
 * flags of the session that its source knows; where it does not know `--port`,
 * it has a port of its own.
 *
 * @throws {Failure} The port can't be found in its source.
 */
export function pythonPlayer({ args, port }: Script, file: string): Player {
  const source = Deno.readTextFileSync(file);
  const player = {
    name: file.split(/[/\\]/).at(-1)!,
    tellsPort: false,
    isStrict: false,
  };
  if (source.includes("--port")) {
    const known = args.filter((arg) =>
      !arg.startsWith("--port=") && source.includes(arg.split("=")[0])
    );
    return {
      ...player,
      command: (port) => [...PYTHON_RUN, file, ...known, `--port=${port}`],
    };
  }
  const own = source.match(/\bport\w*\s*=\s*(\d+)/i) ??
    source.match(new RegExp(`\\b(${port})\\b`)) ??
    source.match(/(?:bind|connect|sendto)\(.*?(\d{2,5})\s*\)/);
  if (!own) throw new Failure(`${file}: no port found in it`);
  return {
    ...player,
    port: Number(own[1]),
    command: () => [...PYTHON_RUN, file],
  };
}

/** Something that should be, and if it is not, what is instead. */
export interface Check {
  /** What should be. */
  what: string;
  /** What is wrong about it, in words. */
  problem?: string;
  /** The screen as it should be. */
  expected?: string;
  /** The screen as it is. */
  actual?: string;
  /** Whether only the notation for bytes differs. */
  isNotation?: boolean;
}

/** How a lab went. */
export interface Outcome {
  /** What was looked at. */
  checks: Check[];
  /** What stood on the screens in the end. */
  screens: Record<Half, string>;
}

/** How to run a lab. */
export interface Options {
  /** Called with everything that appears on a screen. */
  onScreen?: (half: Half, output: string) => void;
  /** Called with everything that a half prints on stderr. */
  onErrors?: (half: Half, output: string) => void;
  /** Seconds to wait for each step. */
  patience?: number;
  /** The lines that a user types. The headers' sessions count no longer then. */
  keyboard?: AsyncIterable<string>;
  /** Whether to look at the server's end of the connection as well. */
  closes?: boolean;
}

/**
 * Runs a lab as its two headers show it: starts the server on a free port, then
 * the client, types what is typed, and ends the server with Ctrl-C.
 *
 * @param lab The lab.
 * @param players The programs that take its halves.
 * @param options How to run it.
 * @returns How it went.
 * @throws {Failure} The port of a program is taken.
 */
export async function runPair(
  lab: Lab,
  players: Record<Half, Player>,
  {
    onScreen = () => {},
    onErrors = () => {},
    patience = 10,
    keyboard,
    closes,
  }: Options = {},
): Promise<Outcome> {
  const checks: Check[] = [];
  const outcome = { checks, screens: { server: "", client: "" } };
  const begin = (half: Half, port: number) =>
    new Program(
      players[half].command(port),
      (output) => {
        outcome.screens[half] += output;
        onScreen(half, output);
      },
      { env: { NO_COLOR: "1" } },
      (output) => onErrors(half, output),
    );

  const { server: serverPlayer, client: clientPlayer } = players;
  for (const { name, port } of [serverPlayer, clientPlayer]) {
    if (port !== undefined && await isBound(port, lab.transport)) {
      throw new Failure(`port ${port}, which ${name} uses, is already in use`);
    }
  }
  using relay = closes && lab.transport === "tcp" &&
      serverPlayer.port === undefined
    ? new Relay(clientPlayer.port)
    : undefined;
  let port = serverPlayer.port ?? (relay ? undefined : clientPlayer.port) ??
    (serverPlayer.tellsPort ? 0 : freePort(lab.transport));

  await using server = begin("server", port);
  const listens = await isListening(server, port, lab.transport, patience);
  checks.push({
    what: `${serverPlayer.name} starts and listens on its port`,
    problem: listens ? undefined : whyNot(server, port),
  });
  if (!listens) return outcome;
  if (port === 0) port = portOf(server)!;
  relay?.connectTo(port);

  const clientPort = relay?.port ?? port;
  await using client = begin("client", clientPort);
  if (keyboard) {
    type(client, keyboard);
    const status = await client.status;
    checks.push({
      what: `${clientPlayer.name} ends with status 0`,
      problem: status === 0 ? undefined : `it ended with status ${status}${said(client)}`,
    });
    await server.ended(0.3); // its last lines
    await server.end();
    return outcome;
  }
  let wait = patience;
  for (const { line, before } of prompts(lab.client)) {
    const asks = () => settled(client.screen, before, clientPort);
    if (!await client.until(asks, wait)) wait = 0.1; // it gets the rest at once
    await client.type(line);
  }
  await client.endInput();
  const clientEnded = await client.ended(patience);
  const clientSaid = said(client);
  const clientStatus = await client.end();
  if (relay) {
    checks.push({
      what: `${serverPlayer.name} closes the connection`,
      problem: await relay.isClosed()
        ? undefined
        : "the connection is still open after the client has ended",
    });
  }
  checks.push({
    what: `${clientPlayer.name} ends with status 0`,
    problem: !clientEnded
      ? `it still ran after ${patience} s${clientSaid}`
      : clientStatus !== 0
      ? `it ended with status ${clientStatus}${clientSaid}`
      : undefined,
  });
  checks.push(...lookAt(lab.client, clientPlayer, client, clientPort));

  // The server may still be printing; when the client failed it hardly will.
  await server.until(
    () => settled(server.screen, lab.server.screen, port),
    checks.some(({ problem }) => problem) ? Math.min(1, patience) : patience,
  );
  const runs = !await server.ended(0);
  const serverStatus = await server.end();
  const isRight = serverStatus === (Deno.build.os === "windows" ? 1 : 130);
  checks.push({
    what: `${serverPlayer.name} serves until Ctrl-C ends it`,
    problem: runs && isRight || !serverPlayer.isStrict
      ? undefined
      : `it ended with status ${serverStatus}${runs ? "" : " before that"}${said(server)}`,
  });
  checks.push(...lookAt(lab.server, serverPlayer, server, port));
  return outcome;
}

async function type(client: Program, keyboard: AsyncIterable<string>) {
  for await (const line of keyboard) await client.type(line);
  await client.endInput();
}

/** Compares what a program printed with the session that it should show. */
function lookAt(
  script: Script,
  player: Player,
  program: Program,
  port: number,
): Check[] {
  const { name } = player;
  const shown = atPort(script.screen, port);
  const checks: Check[] = [{
    what: `${name} prints the transcript`,
    ...difference(program.screen, shown),
  }];
  const errors = program.errors.replace(/^note: listening on .*\n/, "");
  if (player.isStrict) {
    checks.push({
      what: `${name} prints no errors`,
      problem: errors === "" ? undefined : `it printed on stderr:\n${errors}`,
    });
  }
  return checks;
}

/** What a program printed on stderr, for the end of a sentence. */
function said({ errors }: Program): string {
  return errors === "" ? "" : `; on stderr it said:\n${errors}`;
}

/** Says why a server does not listen. */
function whyNot(server: Program, port: number): string {
  const where = port === 0 ? "" : ` on port ${port}`;
  const output = server.screen === "" ? "" : `; it printed:\n${server.screen}`;
  return `it does not listen${where}${output}${said(server)}`;
}

/** Waits until a server listens: it says so when its port is 0, or the system knows. */
export async function isListening(
  server: Program,
  port: number,
  transport: "tcp" | "udp",
  patience: number,
): Promise<boolean> {
  const end = Date.now() + patience * 1000;
  while (Date.now() < end) {
    const isThere = port === 0 ? portOf(server) !== undefined : await isBound(port, transport);
    if (isThere) return true;
    if (await server.ended(0.02)) return false;
  }
  return false;
}

/** The port that a server says it listens on. */
export function portOf(server: Program): number | undefined {
  const [, port] = server.errors.match(/^note: listening on \S+ port (\d+)\n/m) ?? [];
  return port === undefined ? undefined : Number(port);
}

/** Whether a TCP socket listens on a port, or a UDP socket is bound to it. */
async function isBound(
  port: number,
  transport: "tcp" | "udp",
): Promise<boolean> {
  if (Deno.build.os === "linux") {
    const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
    const tables = [transport, `${transport}6`].map((table) => {
      try {
        return Deno.readTextFileSync(`/proc/net/${table}`);
      } catch {
        return ""; // no IPv6 here
      }
    });
    return tables.join("\n").split("\n").some((line) => {
      const [, address, , state] = line.trim().split(/\s+/);
      return address?.endsWith(local) &&
        (transport === "udp" || state === "0A");
    });
  }
  const { stdout } = await new Deno.Command("netstat", { args: ["-an"] })
    .output();
  const sockets = new TextDecoder().decode(stdout);
  if (Deno.build.os === "windows") {
    return parseNetstat(sockets, new Map(), port)
      .some(({ protocol }) => protocol.toLowerCase() === transport);
  }
  const state = transport === "tcp" ? ".*LISTEN" : "";
  const local = `^${transport}\\S*\\s+\\d+\\s+\\d+\\s+\\S+\\.${port}\\s`;
  return new RegExp(local + state, "m").test(sockets);
}

/** A port that was free a moment ago. */
export function freePort(transport: "tcp" | "udp"): number {
  const hostname = "127.0.0.1";
  const socket = transport === "tcp"
    ? Deno.listen({ hostname, port: 0 })
    : Deno.listenDatagram({ transport, hostname, port: 0 });
  const { port } = socket.addr as Deno.NetAddr;
  socket.close();
  return port;
}

/** Stands between a client and its server, and sees whether the server closes. */
class Relay {
  #listener: Deno.TcpListener;
  #port = 0;
  #open = new Set<Promise<void>>(); // servers' halves

  constructor(port = 0) {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port });
  }

  /** Where clients connect. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /** Passes clients on to a server from now on. */
  async connectTo(port: number) {
    this.#port = port;
    try {
      for await (const client of this.#listener) this.#pass(client);
    } catch { /* closed */ }
  }

  async #pass(client: Deno.Conn) {
    const hostname = "127.0.0.1";
    const server = await Deno.connect({ hostname, port: this.#port });
    const serverEnds = pump(server, client);
    this.#open.add(serverEnds);
    await Promise.all([serverEnds, pump(client, server)]);
    server.close();
    client.close();
  }

  /** Waits a moment, and tells whether servers have ended all their halves. */
  async isClosed(): Promise<boolean> {
    const all = Promise.all(this.#open).then(() => true);
    return await deadline(all, 1500).catch(() => false);
  }

  [Symbol.dispose]() {
    this.#listener.close();
  }
}

/** Passes on what one side sends, until its end. */
async function pump(from: Deno.Conn, to: Deno.Conn) {
  const buffer = new Uint8Array(65536);
  try {
    for (let length; (length = await from.read(buffer)) !== null;) {
      await writeAll(to, buffer.subarray(0, length));
    }
  } catch { /* a reset ends it as well */ }
  await to.closeWrite().catch(() => {});
}

/** What is typed in a session, and what stands on the screen when it is typed. */
function prompts(
  { typed, screen }: Script,
): { line: string; before: string }[] {
  let end = 0;
  return typed.map((line) => {
    end = screen.indexOf(`${line}\n`, end);
    const before = screen.slice(0, end);
    end += line.length + 1;
    return { line, before };
  });
}

/**
 * Compares a screen with the one that a header shows. Only the port that the
 * server listens on and the ports of clients may differ; the same client must
 * have the same port everywhere.
 */
export function sameScreen(
  actual: string,
  shown: string,
  port: number,
): boolean {
  return comparable(actual) === comparable(atPort(shown, port));
}

/** A screen as it is when the server listens on another port. */
function atPort(shown: string, port: number): string {
  return shown.replace(/\bport \d+/g, `port ${port}`);
}

/** Gives all clients' ports numbers in the order in which they appear. */
function comparable(screen: string): string {
  const clients: string[] = [];
  return screen.replace(/\('([^']+)', (\d+)\)/g, (_, host, client) => {
    if (!clients.includes(client)) clients.push(client);
    return `('${host}', client ${clients.indexOf(client)})`;
  });
}

/** Whether a growing screen has become the one shown, or never will. */
function settled(actual: string, shown: string, port: number): boolean {
  // An address in the last line may still be incomplete.
  const sure = actual.replace(/.*\('[^\n]*$/, "");
  return sameScreen(actual, shown, port) ||
    !comparable(atPort(shown, port)).startsWith(comparable(sure));
}

/** How the lines of two screens compare, and the first that differs, in words. */
function difference(actual: string, expected: string): Partial<Check> {
  if (comparable(actual) === comparable(expected)) return {};
  const marks = compareLines(actual, expected);
  const line = marks.findIndex(({ mark }) => mark === "≠");
  if (line < 0 && marks.some(({ mark }) => mark === "~")) {
    return { isNotation: true };
  }
  if (line < 0) {
    return { problem: "its last line has no line end", actual, expected };
  }
  const [is, should] = [actual, expected].map((screen) => linesOf(screen)[line]);
  const problem = is === undefined
    ? `line ${line + 1} is missing: ${should}`
    : should === undefined
    ? `line ${line + 1} is too much: ${is}`
    : `line ${line + 1} is: ${is}\nand should be: ${should}`;
  return { problem, actual, expected };
}

/** Two lines next to each other: alike, alike but for notation, or not. */
export interface Row {
  /** The line of the left screen. */
  left: string;
  /** The line of the right one. */
  right: string;
  /** How they compare. */
  mark: " " | "~" | "≠";
}

/**
 * Compares two screens line by line. `~` marks lines that say the same, but one
 * of them in Python's notation for bytes.
 */
export function compareLines(left: string, right: string): Row[] {
  const [a, b] = [left, right].map(linesOf);
  const [c, d] = [left, right].map((screen) => linesOf(comparable(screen)));
  return Array.from({ length: Math.max(a.length, b.length) }, (_, i) => ({
    left: a[i] ?? "",
    right: b[i] ?? "",
    mark: c[i] === d[i] ? " " : c[i] !== undefined && d[i] !== undefined &&
        withoutNotation(c[i]) === withoutNotation(d[i])
      ? "~"
      : "≠",
  }));
}

function linesOf(screen: string): string[] {
  const lines = screen.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** A line with the bytes that Python shows as `b'...'` shown as text. */
function withoutNotation(line: string): string {
  return line.replace(
    /b'((?:[^'\\]|\\.)*)'|b"((?:[^"\\]|\\.)*)"/g,
    (_, a, b) => {
      const bytes = (a ?? b).replace(
        /\\(x[0-9a-f]{2}|.)/g,
        (_: string, escape: string) =>
          escape.startsWith("x")
            ? String.fromCharCode(parseInt(escape.slice(1), 16))
            : ({ n: "\n", r: "\r", t: "\t" })[escape] ?? escape,
      );
      return text(Uint8Array.from(bytes, (char: string) => char.charCodeAt(0)));
    },
  );
}
