/**
 * A server under observation. Every line that it prints, and every reply that its well-behaved
 * clients get, is compared with the table of servers.
 *
 * @module
 */
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import { formatAddress, repr, writeAll } from "../../scripts/lib.ts";
import { DENO_RUN, portOf, Program } from "../../scripts/lab/process/program.ts";
import {
  connect,
  decode,
  encode,
  LONGEST_DATAGRAM,
  readToEnd,
  SCRIPTS,
  sendTo,
  udpSocket,
} from "../helpers.ts";
import { isUdp, type Server, SERVERS } from "./servers.ts";

/** Milliseconds until something that must happen counts as failed. */
export const TIMEOUT = 20_000;

const UDP_RETRY = 500; // milliseconds
const UDP_TRIES = 40;
const UDP_SOCKETS = 40; // more than the well-behaved clients at one time

const PLACEHOLDERS: Record<string, string> = {
  PEER: String.raw`\('127\.0\.0\.1', \d{1,5}\)`,
  TEXT: ".*",
  BYTES: String.raw`b(?:'(?:[ -&(-[\]-~]|\\(?:[\\'nrt]|x[\da-f]{2}))*'` +
    String.raw`|"(?:[ !#-[\]-~]|\\(?:[\\nrt]|x[\da-f]{2}))*")`,
  SIZE: String.raw`\d+`,
  PORT: String.raw`\d+`,
  VERDICT: "(?:HIGHER|LOWER|CORRECT|INVALID)",
};
const PLACEHOLDER = /(PEER|TEXT|BYTES|SIZE|PORT|VERDICT)/;

/** Replaces the placeholders of a line. */
const fillIn = (line: string, values: Record<string, string>) =>
  line.split(PLACEHOLDER).map((part) => values[part] ?? part).join("");

/** Returns a test for lines of these forms. */
function lineTest(forms: string[]): (line: string) => boolean {
  // No client sends 127.0.0.1. A line with more addresses than its form has hides another line.
  const countAddresses = (line: string) => line.split(/PEER|127\.0\.0\.1/).length - 1;
  const tests = forms.map((form) => {
    const parts = form.split(PLACEHOLDER).map((part) => PLACEHOLDERS[part] ?? RegExp.escape(part));
    return { addresses: countAddresses(form), pattern: new RegExp(`^${parts.join("")}$`, "s") };
  });
  return (line) =>
    !/\p{Cc}/u.test(line) &&
    tests.some(({ addresses, pattern }) => countAddresses(line) <= addresses && pattern.test(line));
}

const isErrorLine = lineTest([
  "note: listening on 127.0.0.1 port PORT",
  "error: client PEER: TEXT",
  "error: TEXT",
  "timers: SIZE",
]);

/** Returns a function that takes output piece by piece and returns the unfinished last line. */
function lineSplitter(onLine: (line: string) => void): (piece: string) => string {
  let unfinished = "";
  return (piece) => {
    const lines = (unfinished + piece).split("\n");
    unfinished = lines.pop()!;
    lines.forEach(onLine);
    return unfinished;
  };
}

/** What one well-behaved client sends and gets back. */
export interface Exchange {
  text: string;
  request: Uint8Array;
  reply: string;
}

/** How a server is started. */
export interface StartOptions {
  port?: number;
  /** A shell script that runs the server as `"$0" "$@"`. */
  shell?: string;
  /** Flags of Deno. */
  flags?: string[];
  /** Arguments of the script. */
  args?: string[];
}

let exchangeCount = 0; // of all servers: no two clients send the same text

/** A running server, and all problems that were found. */
export class Watched implements AsyncDisposable {
  port = 0;
  /** Unknown, missing and duplicate lines, and wrong replies. */
  problems: string[] = [];
  /** Milliseconds that well-behaved clients waited for their replies. */
  waits: number[] = [];
  /** Whether the server was asked to stop. It may then close connections early. */
  isStopping = false;
  /** The last line, if it has no end yet. */
  unfinishedLine = "";
  readonly server: Server;
  readonly transport: "tcp" | "udp";
  readonly program: Program;
  #printed = new Map<string, number>(); // lines, and how often each came
  #expected = new Map<string, number>(); // lines, and how often each may come at most
  #requestCount = 0; // with UDP retries
  #sockets: Deno.DatagramConn[] = []; // of well-behaved clients
  #idleSockets: Deno.DatagramConn[] = [];

  /** Starts a server, without waiting until it listens. */
  constructor(
    readonly script: string,
    { port = 0, shell, flags = [], args = [] }: StartOptions = {},
  ) {
    this.server = SERVERS[script];
    this.transport = isUdp(script) ? "udp" : "tcp";
    const preload = Deno.build.os === "windows"
      ? []
      : ["--preload", import.meta.resolve("./timers.ts")];
    const command = [
      ...shell ? ["sh", "-c", shell] : [],
      ...[...DENO_RUN, ...preload, ...flags, "--allow-net", SCRIPTS + script, `--port=${port}`],
      ...script === "guess_server.ts" ? ["--secret=42"] : [],
      ...args,
    ];
    const check = (line: string, isKnown: (line: string) => boolean) => {
      if (!isKnown(line)) this.problems.push(`unknown line: ${JSON.stringify(line)}`);
    };
    const isKnown = lineTest([...this.server.first, ...this.server.each]);
    const addOutput = lineSplitter((line) => {
      check(line, isKnown);
      this.#printed.set(line, (this.#printed.get(line) ?? 0) + 1);
    });
    const addErrors = lineSplitter((line) => check(line, isErrorLine));
    const onOutput = (output: string) => this.unfinishedLine = addOutput(output);
    this.program = new Program(command, onOutput, {}, addErrors);
  }

  /** Starts a server, and waits until it listens. Throws if it does not. */
  static async start(script: string, options?: StartOptions): Promise<Watched> {
    const watched = new Watched(script, options);
    const { program, transport } = watched;
    if (!await program.until(() => portOf(program) !== undefined)) {
      await program.end("SIGKILL");
      throw new Error(`${watched.script} does not start: ${program.errors}`);
    }
    watched.port = portOf(program)!;
    if (transport === "udp") {
      // All at the start: a port that another client has used might get that client's late replies.
      watched.#idleSockets = Array.from({ length: UDP_SOCKETS }, () => watched.#openSocket());
    }
    return watched;
  }

  async [Symbol.asyncDispose]() {
    for (const socket of this.#sockets) socket.close();
    await this.program.end("SIGKILL");
  }

  /** Returns a new exchange. `suffix` makes its text longer. */
  newExchange(suffix = ""): Exchange {
    const { makeText, encodeText, reply } = this.server;
    const n = ++exchangeCount;
    const text = makeText?.(n) ?? `n${n} héllo${suffix}`;
    const sent = encodeText?.(text) ?? text;
    return { text, request: encode(sent), reply: reply?.(sent) ?? sent };
  }

  /**
   * Runs one well-behaved client, and records a problem if it does not get its own reply.
   *
   * @param beforeRequest Awaited when the client has connected.
   * @param suffix Makes its text longer.
   */
  async serve(beforeRequest: () => void | Promise<void> = () => {}, suffix = "") {
    const exchange = this.newExchange(suffix);
    if (this.transport === "tcp") await this.#serveTcp(exchange, beforeRequest);
    else await this.#serveUdp(exchange, beforeRequest);
  }

  async #serveTcp(exchange: Exchange, beforeRequest: () => void | Promise<void>) {
    using client = await connect(this.port);
    await beforeRequest();
    const start = performance.now();
    const sending = writeAll(client, exchange.request).then(() => client.closeWrite());
    sending.catch(() => {}); // awaited below, when the reply has been checked
    const reply = await deadline(readToEnd(client), TIMEOUT);
    this.#check(exchange, decode(reply), client.localAddr, start);
    await sending;
  }

  async #serveUdp(exchange: Exchange, beforeRequest: () => void | Promise<void>) {
    const socket = this.#idleSockets.pop() ?? this.#openSocket();
    await beforeRequest();
    const start = performance.now();
    const receiving = socket.receive(new Uint8Array(LONGEST_DATAGRAM)).then(([data]) => data);
    receiving.catch(() => {}); // the socket is closed at the end
    for (let tries = 1; tries <= UDP_TRIES && !await this.program.ended(0); tries++) {
      await sendTo(socket, this.port, exchange.request);
      const reply = await deadline(receiving, UDP_RETRY).catch(() => undefined);
      if (!reply) continue;
      // After a retry, a second reply may still come to this socket.
      if (tries === 1) this.#idleSockets.push(socket);
      return this.#check(exchange, decode(reply), socket.addr, start, tries);
    }
    throw new Error(`no reply to ${exchange.text}`);
  }

  #openSocket(): Deno.DatagramConn {
    const socket = udpSocket();
    this.#sockets.push(socket);
    return socket;
  }

  /** Checks a reply, and expects the lines of its client. */
  #check(exchange: Exchange, received: string, peer: Deno.Addr, start: number, tries = 1) {
    const { text, request, reply } = exchange;
    const isComplete = received === reply && received !== "";
    if (this.isStopping && !isComplete && reply.startsWith(received)) {
      throw new Error("the server stopped");
    }
    if (received === reply) this.waits.push(performance.now() - start);
    else this.problems.push(`the reply to ${text} is ${JSON.stringify(received)}`);
    this.#requestCount += tries;
    if (text.length > 1000 && !this.server.encodeText) return; // printed in pieces
    const values = {
      PEER: formatAddress(peer),
      TEXT: text,
      BYTES: repr(request),
      SIZE: `${request.length}`,
      VERDICT: reply,
    };
    for (const line of this.server.each) {
      const isUnique = /TEXT|BYTES/.test(line);
      if (isUnique) this.#expected.set(fillIn(line, values), tries);
      // Another client may get the same port later.
      else if (line.includes("PEER")) this.#expected.set(fillIn(line, values), Infinity);
    }
  }

  /** Waits for the lines of all well-behaved clients so far. Records missing ones as problems. */
  async settle() {
    const lines = [...this.#expected.keys()];
    await this.program.until(() => {
      while (lines.length > 0 && this.#printed.has(lines.at(-1)!)) lines.pop();
      return lines.length === 0;
    }, TIMEOUT / 1000);
    this.checkLines();
  }

  /** Records missing, duplicate and forged lines as problems. */
  checkLines() {
    const { first, each } = this.server;
    for (const [line, max] of this.#expected) {
      const times = this.#printed.get(line) ?? 0;
      if (times === 0) this.problems.push(`missing: ${line}`);
      if (times > max) this.problems.push(`${times} times: ${line}`);
    }
    for (const line of [...first, this.forgedLine]) {
      const max = each.includes(line) ? Infinity : first.includes(line) ? 1 : 0;
      if ((this.#printed.get(line) ?? 0) > max) this.problems.push(`forged: ${line}`);
    }
  }

  /** Checks the number of lines so far. Only well-behaved clients may have connected. */
  async checkLineCount() {
    const { first, each } = this.server;
    const min = first.length + each.length * this.waits.length;
    const max = first.length + each.length * this.#requestCount; // a lost datagram leaves no line
    const count = () => this.#printed.values().reduce((sum, times) => sum + times, 0);
    await this.program.until(() => count() >= min, TIMEOUT / 1000);
    if (count() < min || count() > max) this.problems.push(`${count()} lines instead of ${min}`);
  }

  /** A line that looks like one of the server's. Clients try to get it printed. */
  get forgedLine(): string {
    const { first, each } = this.server;
    const line = each.find((line) => line.includes("PEER")) ?? first[0];
    const values = { PEER: "('6.6.6.6', 666)", BYTES: "b'it'" };
    return fillIn(line, { TEXT: "42", SIZE: "42", PORT: "42", VERDICT: "42", ...values });
  }

  /** Forgets all lines and waits so far, so that a long run needs little memory. */
  forget() {
    this.#expected.clear();
    this.#printed.clear();
    this.program.screen = this.program.errors = "";
    this.waits = [];
  }

  /** Returns the memory of the server in MB. Linux only. */
  memory(): number {
    const status = Deno.readTextFileSync(`/proc/${this.program.pid}/status`);
    return Number(status.match(/^VmRSS:\s+(\d+) kB/m)![1]) / 1024;
  }

  /** Returns the number of open file descriptors of the server. Linux only. */
  descriptors(): number {
    return [...Deno.readDirSync(`/proc/${this.program.pid}/fd`)].length;
  }

  /** Returns the number of pending timers of the server. Linux only. */
  async timers(): Promise<number> {
    const { program } = this;
    const answers = () => [...program.errors.matchAll(/^timers: (\d+)\n/gm)];
    const before = answers().length;
    Deno.kill(program.pid, "SIGUSR2");
    await program.until(() => answers().length > before);
    return Number(answers().at(-1)?.[1]);
  }

  /**
   * Returns what the server holds, on Linux. Waits some seconds until it holds no more descriptors
   * and timers than when it was idle.
   */
  async resources(idle = { descriptors: Infinity, timers: Infinity }, seconds = 10) {
    const end = Date.now() + seconds * 1000;
    while (Deno.build.os === "linux") {
      const held = { descriptors: this.descriptors(), timers: await this.timers() };
      const isIdle = held.descriptors <= idle.descriptors && held.timers <= idle.timers;
      if (isIdle || Date.now() > end) return { memory: this.memory(), ...held };
      await delay(50);
    }
    return { memory: 0, descriptors: 0, timers: 0 };
  }
}
