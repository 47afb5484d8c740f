/**
 * What a server must live through, for the tests and the soak: honest clients
 * that know their own answer, clients that misbehave, and rubbish.
 *
 * @module
 */
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import { address, writeAll } from "../../scripts/lib.ts";
import { DENO_RUN, portOf, Program } from "../../scripts/lab/program.ts";
import {
  connect,
  decode,
  encode,
  LONGEST_DATAGRAM,
  readToEnd,
  reset,
  SCRIPTS,
  sendTo,
  udpSocket,
  withHeader,
} from "../helpers.ts";

const PATIENCE = 20; // seconds for anything that must happen
const TRIES = 40; // of a question over UDP, where datagrams may get lost
const SOCKETS = 40; // of honest clients over UDP, more than ask at once amid rubbish
const RETRY = 500; // milliseconds until it is asked again
const STALLED = 300; // milliseconds in which a server takes nothing more

/** What one honest client sends, gets back, and leaves in the transcript. */
export interface Talk {
  question: Uint8Array;
  answer: string;
  /** Lines that this client alone can have caused. */
  lines: string[];
}

/** A server script, and what may come from it. */
export interface Server {
  script: string;
  transport: "tcp" | "udp";
  args: string[];
  /** Lines that stand in the transcript before the first client. */
  firstLines: number;
  /** Lines that each client of `talk()` adds. */
  linesEach: number;
  /** Every line has one of these shapes. */
  shapes: RegExp[];
  /** A line that a client would like to smuggle in. */
  forgery: string;
  /** Whether it reads but once from a client. */
  readsOnce: boolean;
  /** Whether lengths stand before messages. */
  isFramed: boolean;
  /** A question that nobody else asks, by its number. */
  talk(number: number, address: string): Talk;
}

const ADDRESS = String.raw`\('127\.0\.0\.1', \d{1,5}\)`;
const BYTES = String.raw`b(?:'(?:[ -&(-[\]-~]|\\(?:[\\'nrt]|x[\da-f]{2}))*'` +
  String.raw`|"(?:[ !#-[\]-~]|\\(?:[\\nrt]|x[\da-f]{2}))*")`;
// Nothing but the server itself writes this address, so a line with a piece
// of it must be one of the other shapes, and whole.
const PLAIN_TEXT = /^(?!.*127\.0\.0\.1).*$/s;
const FORGED = "('6.6.6.6', 666)";

// `s`: a line separator of Unicode is a character like others here.
const shape = (...parts: string[]) => new RegExp(`^${parts.join("")}$`, "s");
const question = (number: number) => `n${number} h\u00e9llo`;
const inBytes = (number: number) => `b'n${number} h\\xc3\\xa9llo'`;
const echoes = (number: number) => ({
  question: encode(question(number)),
  answer: question(number),
});
const shouts = (number: number) => ({
  question: encode(question(number)),
  answer: `N${number} H\u00c9LLO`,
  lines: [],
});
/** Messages with their headers, one after the other. */
const framed = (...messages: string[]) => {
  const frames = messages.map(withHeader).join("");
  return { question: encode(frames), answer: frames };
};

const TCP = {
  transport: "tcp" as const,
  args: [],
  readsOnce: false,
  isFramed: false,
};
const UDP = { ...TCP, transport: "udp" as const };
const VERSIONS = {
  firstLines: 1,
  forgery: `Connection Address is:  ${FORGED}`,
};
const UPPER = {
  firstLines: 1,
  linesEach: 0,
  shapes: [/^The server is ready to receive$/],
  forgery: "The server is ready to receive",
  talk: shouts,
};

/** Every server of the labs. */
export const SERVERS: Server[] = [
  {
    ...TCP,
    script: "echo_server.ts",
    readsOnce: true,
    firstLines: 2,
    linesEach: 3,
    shapes: [
      /^Starting up echo server on localhost port \d+$/,
      /^Waiting to receive message from client$/,
      /^Data: .+$/s,
      shape("sent .+ bytes back to ", ADDRESS),
    ],
    forgery: `sent it bytes back to ${FORGED}`,
    talk: (number, address) => ({
      ...echoes(number),
      lines: [`Data: ${question(number)}`, `sent ${question(number)} bytes back to ${address}`],
    }),
  },
  {
    ...UDP,
    script: "echo_server_udp.ts",
    firstLines: 2,
    linesEach: 4,
    shapes: [
      /^Starting up echo server on localhost port \d+$/,
      /^Waiting to receive message from client$/,
      shape(String.raw`received \d+ bytes from `, ADDRESS),
      /^Data: .*$/s,
      shape(String.raw`sent \d+ bytes back to `, ADDRESS),
    ],
    forgery: `received 666 bytes from ${FORGED}`,
    talk: (number, address) => {
      const bytes = encode(question(number)).length;
      return {
        ...echoes(number),
        lines: [
          `received ${bytes} bytes from ${address}`,
          `Data: ${question(number)}`,
          `sent ${bytes} bytes back to ${address}`,
        ],
      };
    },
  },
  {
    ...TCP,
    ...VERSIONS,
    script: "echo_server_v1.ts",
    readsOnce: true,
    linesEach: 2,
    shapes: [shape("Connection Address is:  ", ADDRESS), PLAIN_TEXT],
    talk: (number, address) => ({
      ...echoes(number),
      lines: [`Connection Address is:  ${address}`, question(number)],
    }),
  },
  {
    ...TCP,
    ...VERSIONS,
    script: "echo_server_v2.ts",
    isFramed: true,
    linesEach: 2,
    shapes: [shape("Connection Address is:  ", ADDRESS), PLAIN_TEXT],
    talk: (number, address) => ({
      ...framed(question(number)),
      lines: [`Connection Address is:  ${address}`, question(number)],
    }),
  },
  {
    ...TCP,
    ...VERSIONS,
    script: "echo_server_v3.ts",
    isFramed: true,
    linesEach: 6,
    shapes: [
      shape("Connection Address is:  ", ADDRESS),
      shape("Finished serving client:  ", ADDRESS),
      PLAIN_TEXT,
    ],
    talk: (number, address) => ({
      ...framed(question(number), "exit"),
      lines: [
        `Connection Address is:  ${address}`,
        question(number),
        `Finished serving client:  ${address}`,
      ],
    }),
  },
  {
    ...UDP,
    script: "guess_server.ts",
    args: ["--secret=42"],
    firstLines: 2,
    linesEach: 1,
    shapes: [
      /^Starting up guess server on localhost port \d+$/,
      /^Waiting for guesses$/,
      shape(ADDRESS, " guessed .*: (?:HIGHER|LOWER|CORRECT|INVALID)"),
    ],
    forgery: `${FORGED} guessed 42: CORRECT`,
    talk: (number, address) => {
      const [guess, answer] = [
        [`${1000 + number}`, "LOWER"],
        [`-${number}`, "HIGHER"],
        [`n${number}`, "INVALID"],
      ][number % 3];
      return {
        question: encode(guess),
        answer,
        lines: [`${address} guessed ${guess}: ${answer}`],
      };
    },
  },
  {
    ...TCP,
    script: "practical12_server_tcp.ts",
    firstLines: 0,
    linesEach: 2,
    shapes: [shape("Connected by ", ADDRESS), shape("Received ", BYTES)],
    forgery: `Connected by ${FORGED}`,
    talk: (number, address) => ({
      ...echoes(number),
      lines: [`Connected by ${address}`, `Received ${inBytes(number)}`],
    }),
  },
  {
    ...UDP,
    script: "practical12_server_udp.ts",
    firstLines: 0,
    linesEach: 1,
    shapes: [shape("Received ", BYTES, " from ", ADDRESS)],
    forgery: `Received b'it' from ${FORGED}`,
    talk: (number, address) => ({
      ...echoes(number),
      lines: [`Received ${inBytes(number)} from ${address}`],
    }),
  },
  {
    ...TCP,
    script: "tcp_server.ts",
    firstLines: 1,
    linesEach: 4,
    shapes: [
      /^Waiting for connection$/,
      shape("Connected to client IP: ", ADDRESS),
      /^Received data: .*$/s,
    ],
    forgery: `Connected to client IP: ${FORGED}`,
    talk: (number, address) => ({
      question: encode(question(number)),
      answer: "",
      lines: [`Connected to client IP: ${address}`, `Received data: ${question(number)}`],
    }),
  },
  { ...TCP, ...UPPER, script: "upper_server_tcp.ts" },
  { ...UDP, ...UPPER, script: "upper_server_udp.ts" },
];

/** What a server may say on stderr; a stack trace has other lines as well. */
const ERRORS = [
  shape(String.raw`note: listening on 127\.0\.0\.1 port \d+`),
  shape("error: client ", ADDRESS, ": .+"),
  /^error: a client broke off before it was served$/,
  /^error: this is not UTF-8 text$/,
];

/** Looks at every line of a stream, however it is cut on its way. */
class Lines {
  /** How often each line came. */
  seen = new Map<string, number>();
  /** How many lines came. */
  count = 0;
  /** A line that has begun. */
  rest = "";
  #shapes: RegExp[];
  #complain: (problem: string) => void;

  constructor(shapes: RegExp[], complain: (problem: string) => void) {
    this.#shapes = shapes;
    this.#complain = complain;
  }

  take(output: string) {
    const lines = (this.rest + output).split("\n");
    this.rest = lines.pop()!;
    for (const line of lines) {
      this.count++;
      this.seen.set(line, (this.seen.get(line) ?? 0) + 1);
      if (
        /\p{Cc}/u.test(line) || !this.#shapes.some((shape) => shape.test(line))
      ) this.#complain(`no line of this server: ${JSON.stringify(line)}`);
    }
  }
}

/** How a server is started. */
export interface Options {
  port?: number;
  /** What a shell makes of the command line: "$0" "$@" runs it. */
  shell?: string;
}

let number = 0; // of the question asked last

/** A server that runs, and everything wrong that was seen of it. */
export class Subject {
  readonly server: Server;
  readonly program: Program;
  readonly transcript: Lines;
  port = 0;
  /** Lines of no known shape, lines missing, answers that are not right. */
  problems: string[] = [];
  /** Whether it was told to stop. */
  isStopping = false;
  /** Honest exchanges that went well. */
  served = 0;
  #expected: string[] = [];
  #sockets: Deno.DatagramConn[] = []; // of honest clients
  #idle: Deno.DatagramConn[] = [];

  constructor(server: Server, { port = 0, shell }: Options = {}) {
    this.server = server;
    const complain = (problem: string) => this.problems.push(problem);
    this.transcript = new Lines(server.shapes, complain);
    const errors = new Lines(ERRORS, complain);
    const run = [...DENO_RUN, "--allow-net", SCRIPTS + server.script];
    const command = [...run, `--port=${port}`, ...server.args];
    this.program = new Program(
      [...(shell ? ["sh", "-c", shell] : []), ...command],
      (output) => this.transcript.take(output),
      {},
      (output) => errors.take(output),
    );
  }

  /** Starts a server, and waits until it listens. */
  static async start(server: Server, options?: Options): Promise<Subject> {
    const subject = new Subject(server, options);
    const { program } = subject;
    if (!await program.until(() => portOf(program) !== undefined)) {
      const { errors } = program;
      await program.end("SIGKILL");
      throw new Error(`${server.script} does not start: ${errors}`);
    }
    subject.port = portOf(program)!;
    if (server.transport === "udp") {
      subject.#idle = Array.from({ length: SOCKETS }, () => subject.#open());
    }
    return subject;
  }

  async [Symbol.asyncDispose]() {
    for (const socket of this.#sockets) socket.close();
    await this.program.end("SIGKILL");
  }

  /**
   * One honest client: is told its own answer and nothing else.
   *
   * @param isReady Waited for when the client has connected, before it asks.
   */
  async serveOne(isReady: () => void | Promise<void> = () => {}) {
    const { talk, transport } = this.server;
    if (transport === "tcp") {
      using client = await connect(this.port);
      await isReady();
      const its = talk(++number, address(client.localAddr));
      await writeAll(client, its.question);
      await client.closeWrite();
      const answer = await deadline(readToEnd(client), PATIENCE * 1000);
      this.#check(its, answer);
    } else {
      // An honest client's port was never that of a client that left: what is
      // still on its way to such a one would come to its successor.
      const socket = this.#idle.pop() ?? this.#open();
      await isReady();
      const its = talk(++number, address(socket.addr));
      this.#check(its, await this.#askOverUdp(socket, its.question));
    }
  }

  #open(): Deno.DatagramConn {
    const socket = udpSocket();
    this.#sockets.push(socket);
    return socket;
  }

  async #askOverUdp(socket: Deno.DatagramConn, question: Uint8Array): Promise<Uint8Array> {
    const reply = socket.receive(new Uint8Array(LONGEST_DATAGRAM)).then(([data]) => data);
    reply.catch(() => {}); // closed when nobody waits any more
    for (let i = 0; i < TRIES && !await this.program.ended(0); i++) {
      await sendTo(socket, this.port, question);
      const answer = await deadline(reply, RETRY).catch(() => undefined);
      if (answer) {
        // After a second try a second answer may come, so that socket rests.
        if (i === 0) this.#idle.push(socket);
        return answer;
      }
    }
    throw new Error(`no answer to ${decode(question)}`);
  }

  #check({ question, answer, lines }: Talk, actual: Uint8Array) {
    // A server that stops breaks off what it is at: that is no wrong answer.
    const isPart = answer.startsWith(decode(actual));
    if (this.isStopping && isPart && (actual.length === 0 || decode(actual) !== answer)) {
      throw new Error("broken off");
    }
    if (decode(actual) === answer) {
      this.served++;
    } else {
      this.problems.push(`to ${decode(question)} came ${JSON.stringify(decode(actual))}`);
    }
    for (const line of lines) this.#expected.push(line);
  }

  /** Waits for the lines of the honest clients so far; what is missing is a problem. */
  async settle() {
    let missing = this.#expected;
    await this.program.until(() => {
      missing = missing.filter((line) => !this.transcript.seen.has(line));
      return missing.length === 0;
    }, PATIENCE);
    this.look();
  }

  /** Looks whether lines of the honest clients so far are missing, or any is forged. */
  look() {
    const { server, transcript, problems } = this;
    for (const line of this.#expected) {
      if (!transcript.seen.has(line)) problems.push(`missing: ${line}`);
    }
    const isForged = server.linesEach === 0
      ? transcript.count > server.firstLines
      : transcript.seen.has(server.forgery);
    if (isForged) problems.push(`forged: ${server.forgery}`);
  }

  /** Forgets what was printed and expected so far, so that a long run needs little memory. */
  forget() {
    this.#expected = [];
    this.transcript.seen.clear();
    this.program.screen = "";
    this.program.errors = "";
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
}

/** A way in which a client misbehaves. */
export interface Fault {
  name: string;
  transport: "tcp" | "udp";
  /** Whether it takes long, and once is enough. */
  isHeavy?: boolean;
  /**
   * @param subject The server that suffers it.
   * @param meanwhile Called when the client is at its worst: others must be served then.
   * @throws {Error} The server does not bear it.
   */
  inflict(subject: Subject, meanwhile: () => Promise<void>): Promise<void>;
}

/** An honest question that is not in the list of those whose lines are expected. */
function someQuestion({ server }: Subject): Talk {
  return server.talk(++number, "");
}

/** Sends until all is sent, or until the server takes no more. */
async function flood(client: Deno.Conn, data: Uint8Array) {
  for (let sent = 0; sent < data.length;) {
    const write = client.write(data.subarray(sent, sent + 65536));
    const length = await deadline(write, STALLED).catch(() => 0);
    if (length === 0) return;
    sent += length;
  }
}

const MEGABYTE = 1_000_000;

/** Text of ten megabytes, in messages where the server wants such. */
function tenMegabytes({ isFramed }: Server): Uint8Array {
  const megabyte = "x".repeat(MEGABYTE);
  return isFramed ? framed(...Array(10).fill(megabyte)).question : encode(megabyte.repeat(10));
}

/** What clients do wrong, or at least unusually. */
export const FAULTS: Fault[] = [
  {
    name: "resets before its message",
    transport: "tcp",
    inflict: ({ port }, meanwhile) => reset(port, "", meanwhile),
  },
  {
    name: "resets in the middle of its message",
    transport: "tcp",
    inflict(subject, meanwhile) {
      const { question } = someQuestion(subject);
      return reset(subject.port, question.subarray(0, 5), meanwhile);
    },
  },
  {
    name: "resets after its message",
    transport: "tcp",
    inflict: async (subject, meanwhile) => {
      const { question } = someQuestion(subject);
      await reset(subject.port, question);
      await meanwhile();
    },
  },
  {
    name: "resets when its answer comes",
    transport: "tcp",
    inflict: async (subject, meanwhile) => {
      const { question, answer } = someQuestion(subject);
      await reset(subject.port, question, async (client) => {
        if (answer === "") return;
        await deadline(new Promise((resolve) => client.on("data", resolve)), PATIENCE * 1000);
      });
      await meanwhile();
    },
  },
  {
    name: "half-closes without a word",
    transport: "tcp",
    inflict: async ({ port }, meanwhile) => {
      using client = await connect(port);
      await client.closeWrite();
      await meanwhile();
      await deadline(readToEnd(client), PATIENCE * 1000);
    },
  },
  {
    name: "half-closes in the middle of its message",
    transport: "tcp",
    inflict: async (subject, meanwhile) => {
      using client = await connect(subject.port);
      await writeAll(client, someQuestion(subject).question.subarray(0, 5));
      await client.closeWrite();
      await meanwhile();
      await deadline(readToEnd(client), PATIENCE * 1000);
    },
  },
  {
    name: "says nothing",
    transport: "tcp",
    inflict: async ({ port }, meanwhile) => {
      using _client = await connect(port);
      await meanwhile();
    },
  },
  {
    name: "sends one byte at a time",
    transport: "tcp",
    inflict: async (subject, meanwhile) => {
      using client = await connect(subject.port);
      client.setNoDelay();
      const { question, answer } = someQuestion(subject);
      const { readsOnce } = subject.server;
      try {
        for (const byte of question) {
          await writeAll(client, new Uint8Array([byte]));
          await delay(0); // lets the server read it alone
        }
        await meanwhile();
        await client.closeWrite();
      } catch (error) {
        if (!readsOnce) throw error;
      }
      const back = await deadline(readToEnd(client), PATIENCE * 1000);
      const isRight = readsOnce
        ? back.length > 0 && back.every((byte, i) => byte === question[i])
        : decode(back) === answer;
      if (!isRight) {
        subject.problems.push(`byte by byte: ${JSON.stringify(decode(back))}`);
      }
    },
  },
  {
    name: "sends 10 MB and never reads",
    transport: "tcp",
    isHeavy: true,
    inflict: async (subject, meanwhile) => {
      using client = await connect(subject.port);
      await flood(client, tenMegabytes(subject.server));
      await meanwhile();
    },
  },
  {
    name: "comes 1,000 times and leaves without a word",
    transport: "tcp",
    isHeavy: true,
    inflict: async ({ port }, meanwhile) => {
      for (let i = 0; i < 10; i++) {
        const clients = await Promise.all(Array.from({ length: 100 }, () => connect(port)));
        if (i === 5) await meanwhile();
        for (const client of clients) client.close();
      }
    },
  },
  {
    name: "sends an empty datagram",
    transport: "udp",
    inflict: async ({ port }, meanwhile) => {
      using socket = udpSocket();
      await sendTo(socket, port, new Uint8Array(0));
      await meanwhile();
    },
  },
  {
    name: "sends the longest datagram",
    transport: "udp",
    inflict: async ({ port }, meanwhile) => {
      using socket = udpSocket();
      await sendTo(socket, port, new Uint8Array(LONGEST_DATAGRAM).fill(255));
      await meanwhile();
    },
  },
  {
    name: "leaves before its answer comes",
    transport: "udp",
    inflict: async (subject, meanwhile) => {
      const socket = udpSocket();
      await sendTo(socket, subject.port, someQuestion(subject).question);
      socket.close();
      await meanwhile();
    },
  },
  {
    name: "sends one byte at a time",
    transport: "udp",
    inflict: async (subject, meanwhile) => {
      using socket = udpSocket();
      for (const byte of someQuestion(subject).question) {
        await sendTo(socket, subject.port, new Uint8Array([byte]));
      }
      await meanwhile();
    },
  },
  {
    name: "sends 10 MB and never reads",
    transport: "udp",
    isHeavy: true,
    inflict: async ({ port }, meanwhile) => {
      using socket = udpSocket();
      const datagram = new Uint8Array(1000).fill(0x78);
      for (let i = 0; i < 10_000; i++) {
        await sendTo(socket, port, datagram);
        // Who is answered now knows that the server has got all before.
        if (i % 50 === 49) await meanwhile();
      }
    },
  },
  {
    name: "comes 1,000 times and leaves without a word",
    transport: "udp",
    isHeavy: true,
    inflict: async ({ port }, meanwhile) => {
      for (let i = 0; i < 1000; i++) {
        using socket = udpSocket();
        await sendTo(socket, port, new Uint8Array(0));
        if (i === 500) await meanwhile();
      }
    },
  },
];

/** What one client without sense does. */
export interface Rubbish {
  pieces: Uint8Array[];
  /** Milliseconds before each piece. */
  pauses: number[];
  end: "close" | "half-close" | "reset";
}

/** Makes up what a client without sense does; the same numbers make the same. */
export function makeRubbish(server: Server, random: () => number): Rubbish {
  const below = (limit: number) => Math.floor(random() * limit);
  const pick = <T>(values: T[]) => values[below(values.length)];
  const bytes = (length: number) => Uint8Array.from({ length }, () => below(256));
  const lineEnd = pick(["\n", "\r\n", "\r", "\x1b[2J\n", "\0\n", "\u0085"]);
  // Never at the start: a client may say what it wants in its own line.
  const forgery = `x${lineEnd}${server.forgery}${lineEnd}`;
  const header = (length: unknown) => `${length}`.padStart(10).slice(-10);
  const data = pick([
    () => bytes(below(40)),
    () => bytes(below(4000)),
    () => encode(forgery),
    () => encode(withHeader(forgery) + forgery),
    () => encode("é😀\u2028\u202e".repeat(below(300))),
    () => encode("😀".repeat(below(100))).slice(0, -1 - below(3)),
    () => encode("9".repeat(below(400))),
    () => encode(header(below(100)) + "x".repeat(below(200))),
    () => encode(header(pick([-1, 1e9, "1e3", "0x10", "", "1 1", "\u0661"]))),
    () => encode(header(9_999_999_999) + forgery),
    () => {
      const damaged = server.talk(below(1000), FORGED).question.slice();
      damaged[below(damaged.length)] = below(256);
      return damaged;
    },
  ])();
  const cuts = server.transport === "udp" ? below(2) : below(6);
  const places = Array.from({ length: cuts }, () => below(data.length + 1))
    .sort((a, b) => a - b);
  const pieces = [0, ...places].map((start, i) => data.subarray(start, places[i] ?? data.length));
  return {
    pieces,
    pauses: pieces.map(() => random() < 0.2 ? below(4) : 0),
    end: pick(["close", "half-close", "reset"]),
  };
}

/** Sends rubbish. The server may break off at any time. */
export async function dump({ server, port }: Subject, { pieces, pauses, end }: Rubbish) {
  if (server.transport === "udp") {
    using socket = udpSocket();
    for (const [i, piece] of pieces.entries()) {
      if (pauses[i] > 0) await delay(pauses[i]);
      await sendTo(socket, port, piece);
    }
    return;
  }
  if (end === "reset") {
    return await reset(port, "", async (client) => {
      for (const [i, piece] of pieces.entries()) {
        if (pauses[i] > 0) await delay(pauses[i]);
        if (client.destroyed) return;
        await new Promise<unknown>((resolve) => client.write(piece, resolve));
      }
    });
  }
  using client = await connect(port);
  client.setNoDelay();
  const brokenOff = async () => {
    for (const [i, piece] of pieces.entries()) {
      if (pauses[i] > 0) await delay(pauses[i]);
      await writeAll(client, piece);
    }
    if (end === "close") return;
    await client.closeWrite();
    await deadline(readToEnd(client), PATIENCE * 1000);
  };
  await brokenOff().catch((error) => {
    if (error.name === "TimeoutError") throw error; // it hangs
  });
}

/** Runs jobs, so many of them at a time. */
export async function runAll(jobs: Iterable<() => Promise<unknown>>, atATime: number) {
  const queue = jobs[Symbol.iterator]();
  const work = async () => {
    for (let next; !(next = queue.next()).done;) await next.value();
  };
  await Promise.all(Array.from({ length: atATime }, work));
}
