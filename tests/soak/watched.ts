/**
 * A server under observation: every line that it prints, and every answer that its honest clients
 * get, is compared with what the table of servers says.
 *
 * @module
 */
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import { formatAddress, repr, writeAll } from "../../scripts/lib.ts";
import { DENO_RUN, portOf, Program } from "../../scripts/lab/program.ts";
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

export const PATIENCE = 20_000; // milliseconds for anything that must happen
const RETRY = 500; // milliseconds until it is asked again over UDP, where datagrams may get lost
const TRIES = 40;
const SOCKETS = 40; // of honest clients over UDP, more than ask at once amid rubbish

const PLACES: Record<string, string> = {
  PEER: String.raw`\('127\.0\.0\.1', \d{1,5}\)`,
  TEXT: ".*",
  BYTES: String.raw`b(?:'(?:[ -&(-[\]-~]|\\(?:[\\'nrt]|x[\da-f]{2}))*'` +
    String.raw`|"(?:[ !#-[\]-~]|\\(?:[\\nrt]|x[\da-f]{2}))*")`,
  SIZE: String.raw`\d+`,
  PORT: String.raw`\d+`,
  VERDICT: "(?:HIGHER|LOWER|CORRECT|INVALID)",
};
const PLACE = /(PEER|TEXT|BYTES|SIZE|PORT|VERDICT)/;

/** Whether a line is one of these; nothing but the server itself writes 127.0.0.1. */
function isOneOf(lines: string[]): (line: string) => boolean {
  const peers = (line: string) => line.split(/PEER|127\.0\.0\.1/).length;
  const shapes = lines.map((line) => {
    const pattern = line.split(PLACE).map((part) => PLACES[part] ?? RegExp.escape(part)).join("");
    return { most: peers(line), shape: new RegExp(`^${pattern}$`, "s") };
  });
  const isRight = (line: string) =>
    shapes.some(({ most, shape }) => peers(line) === most && shape.test(line));
  return (line) => !/\p{Cc}/u.test(line) && isRight(line);
}

/** Puts lines together that come in pieces; gives the begun one. */
function linesTo(use: (line: string) => void): (piece: string) => string {
  let rest = "";
  return (piece) => {
    const lines = (rest + piece).split("\n");
    rest = lines.pop()!;
    lines.forEach(use);
    return rest;
  };
}

const isError = isOneOf([
  "note: listening on 127.0.0.1 port PORT",
  "error: client PEER: TEXT",
  "error: a client closed its connection before it was accepted",
  "error: cannot serve more clients at the moment: TEXT",
  "timers: SIZE",
]);

/** What one honest client sends and gets back. */
export interface Talk {
  text: string;
  question: Uint8Array;
  answer: string;
}

let number = 0; // of the client that came last

/** A server that runs, and everything wrong that was seen of it. */
export class Watched implements AsyncDisposable {
  port = 0;
  /** Lines that are no line of it, are missing or doubled, answers that are not right. */
  problems: string[] = [];
  /** Milliseconds that honest clients waited for their right answers. */
  waits: number[] = [];
  /** Whether it was told to stop: then it may break off what it is at. */
  isStopping = false;
  /** How often it printed each line, and the last one as far as it came. */
  seen = new Map<string, number>();
  rest = "";
  readonly server: Server;
  readonly transport: "tcp" | "udp";
  readonly program: Program;
  #expected = new Map<string, number>(); // lines, and how often they may come at most
  #asked = 0;
  #sockets: Deno.DatagramConn[] = []; // of honest clients
  #idle: Deno.DatagramConn[] = [];

  /** Starts a server. A shell runs it as `"$0" "$@"`. */
  constructor(readonly script: string, { port = 0, shell = "", flags = [] as string[] } = {}) {
    this.server = SERVERS[script];
    this.transport = isUdp(script) ? "udp" : "tcp";
    const preload = Deno.build.os === "windows"
      ? []
      : ["--preload", import.meta.resolve("./timers.ts")];
    const run = [...DENO_RUN, ...preload, ...flags, "--allow-net", SCRIPTS + script];
    const secret = script === "guess_server.ts" ? ["--secret=42"] : [];
    const command = [...shell ? ["sh", "-c", shell] : [], ...run, `--port=${port}`, ...secret];
    const expect = (line: string, isRight: (line: string) => boolean) => {
      if (!isRight(line)) this.problems.push(`no line of it: ${JSON.stringify(line)}`);
    };
    const isKnown = isOneOf([...this.server.first, ...this.server.each]);
    const take = linesTo((line) => {
      expect(line, isKnown);
      this.seen.set(line, (this.seen.get(line) ?? 0) + 1);
    });
    const takeError = linesTo((line) => expect(line, isError));
    this.program = new Program(command, (output) => this.rest = take(output), {}, takeError);
  }

  /** Starts a server, and waits until it listens. */
  static async start(...args: ConstructorParameters<typeof Watched>): Promise<Watched> {
    const watched = new Watched(...args);
    const { program, transport } = watched;
    if (!await program.until(() => portOf(program) !== undefined)) {
      await program.end("SIGKILL");
      throw new Error(`${watched.script} does not start: ${program.errors}`);
    }
    watched.port = portOf(program)!;
    if (transport === "udp") watched.#idle = Array.from({ length: SOCKETS }, () => watched.#open());
    return watched;
  }

  async [Symbol.asyncDispose]() {
    for (const socket of this.#sockets) socket.close();
    await this.program.end("SIGKILL");
  }

  /** What an honest client says that has not come yet, and what it gets. */
  talk(long = ""): Talk {
    const { says, wire, answer } = this.server;
    const text = says?.(++number) ?? `n${++number} héllo${long}`;
    const sent = wire?.(text) ?? text;
    return { text, question: encode(sent), answer: answer?.(sent) ?? sent };
  }

  /**
   * One honest client: must be told its own answer and nothing else.
   *
   * @param isReady Waited for when the client has connected, before it asks.
   * @param long Follows in what it says.
   */
  async serve(isReady: () => void | Promise<void> = () => {}, long = "") {
    const talk = this.talk(long);
    const ask = this.transport === "tcp" ? this.#askOverTcp : this.#askOverUdp;
    await ask.call(this, talk, isReady);
  }

  async #askOverTcp(talk: Talk, isReady: () => void | Promise<void>) {
    using client = await connect(this.port);
    await isReady();
    const start = performance.now();
    const sent = writeAll(client, talk.question).then(() => client.closeWrite());
    sent.catch(() => {}); // then the answer is not right either
    const answer = await deadline(readToEnd(client), PATIENCE);
    this.#check(talk, decode(answer), formatAddress(client.localAddr), start);
    await sent;
  }

  async #askOverUdp(talk: Talk, isReady: () => void | Promise<void>) {
    // An honest client's port was never that of a client that left: what is still on its way to
    // such a one would come to its successor.
    const socket = this.#idle.pop() ?? this.#open();
    await isReady();
    const start = performance.now();
    const reply = socket.receive(new Uint8Array(LONGEST_DATAGRAM)).then(([data]) => data);
    reply.catch(() => {}); // closed when nobody waits any more
    for (let tries = 1; tries <= TRIES && !await this.program.ended(0); tries++) {
      await sendTo(socket, this.port, talk.question);
      const answer = await deadline(reply, RETRY).catch(() => undefined);
      if (!answer) continue;
      // After a second try a second answer may come, so that socket rests.
      if (tries === 1) this.#idle.push(socket);
      return this.#check(talk, decode(answer), formatAddress(socket.addr), start, tries);
    }
    throw new Error(`no answer to ${talk.text}`);
  }

  #open(): Deno.DatagramConn {
    const socket = udpSocket();
    this.#sockets.push(socket);
    return socket;
  }

  #check({ text, question, answer }: Talk, came: string, peer: string, start: number, asked = 1) {
    const isWhole = came === answer && came !== ""; // else the end may be that of the server
    if (this.isStopping && !isWhole && answer.startsWith(came)) throw new Error("broken off");
    if (came === answer) this.waits.push(performance.now() - start);
    else this.problems.push(`to ${text} came ${JSON.stringify(came)}`);
    this.#asked += asked;
    const values: Record<string, string> = {
      PEER: peer,
      TEXT: text,
      BYTES: repr(question),
      SIZE: `${question.length}`,
      VERDICT: answer,
    };
    if (text.length > 1000 && !this.server.wire) return; // it is read and printed in pieces
    for (const line of this.server.each.filter((line) => /PEER|TEXT|BYTES/.test(line))) {
      const most = /TEXT|BYTES/.test(line) ? asked : Infinity; // a port may come to somebody else
      this.#expected.set(line.split(PLACE).map((part) => values[part] ?? part).join(""), most);
    }
  }

  /** Waits for the lines of the honest clients so far; what is missing is a problem. */
  async settle() {
    const lines = [...this.#expected.keys()];
    await this.program.until(() => {
      while (lines.length > 0 && this.seen.has(lines.at(-1)!)) lines.pop();
      return lines.length === 0;
    }, PATIENCE / 1000);
    this.look();
  }

  /** Looks whether lines of the honest clients so far are missing or doubled, or any is forged. */
  look() {
    const { first, each } = this.server;
    for (const [line, most] of this.#expected) {
      const times = this.seen.get(line) ?? 0;
      if (times === 0) this.problems.push(`missing: ${line}`);
      if (times > most) this.problems.push(`${times} times: ${line}`);
    }
    for (const line of [...first, this.forgery]) {
      const most = each.includes(line) ? Infinity : first.includes(line) ? 1 : 0;
      if ((this.seen.get(line) ?? 0) > most) this.problems.push(`forged: ${line}`);
    }
  }

  /** Looks whether all lines so far are those of honest clients, where nobody else was there. */
  async count() {
    const { first, each } = this.server;
    const least = first.length + each.length * this.waits.length;
    const most = first.length + each.length * this.#asked; // one that was asked again may be lost
    const count = () => this.seen.values().reduce((sum, times) => sum + times, 0);
    await this.program.until(() => count() >= least, PATIENCE / 1000);
    if (count() < least || count() > most) this.problems.push(`${count()} lines, not ${least}`);
  }

  /** A line that a client would like to smuggle in. */
  get forgery(): string {
    const { first, each } = this.server;
    const values: Record<string, string> = { PEER: "('6.6.6.6', 666)", BYTES: "b'it'" };
    const line = each.find((line) => line.includes("PEER")) ?? first[0];
    return line.split(PLACE).map((part) => values[part] ?? (PLACES[part] ? "42" : part)).join("");
  }

  /** Forgets what was printed and expected so far, so that a long run needs little memory. */
  forget() {
    this.#expected.clear();
    this.seen.clear();
    this.program.screen = this.program.errors = "";
    this.waits = [];
  }

  /** Memory that the server has, in MB. Linux only. */
  memory(): number {
    const status = Deno.readTextFileSync(`/proc/${this.program.pid}/status`);
    return Number(status.match(/^VmRSS:\s+(\d+) kB/m)![1]) / 1024;
  }

  /** Descriptors that the server has open. Linux only. */
  descriptors(): number {
    return [...Deno.readDirSync(`/proc/${this.program.pid}/fd`)].length;
  }

  /** Timers of the server that wait. Linux only. */
  async timers(): Promise<number> {
    const { program } = this;
    const told = () => [...program.errors.matchAll(/^timers: (\d+)\n/gm)];
    const before = told().length;
    Deno.kill(program.pid, "SIGUSR2");
    await program.until(() => told().length > before);
    return Number(told().at(-1)?.[1]);
  }

  /** What the server holds when nobody is connected any more, at most some seconds later. Linux only. */
  async held(idle = { descriptors: Infinity, timers: Infinity }, seconds = 10) {
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
