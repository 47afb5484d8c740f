/**
 * The causes that `lab check` names for servers, each with one deliberate mistake. The servers run in
 * this process: what counts is what they send.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  CheckRun,
  type Problem,
  problemIn,
  screenProblem,
  wrongEndpoint,
} from "../../scripts/lab/check/check_run.ts";
import { Connection, Datagrams, resetConnection } from "../../scripts/lab/check/endpoints.ts";
import { rangeProblem } from "../../scripts/lab/check/check_secret.ts";
import { Exchange } from "../../scripts/lab/check/exchange.ts";
import { findNumber } from "../../scripts/lab/check/find_number.ts";
import { serverProbes } from "../../scripts/lab/check/probes/all.ts";
import type { Sandbox } from "../../scripts/lab/check/sandbox.ts";
import { runSteps } from "../../scripts/lab/check/run_steps.ts";
import type { SubmissionProgram } from "../../scripts/lab/check/start.ts";
import { Observed } from "../../scripts/lab/trace/run_traced.ts";
import { scripts } from "../../scripts/lab/catalog/labs.ts";
import { find } from "../../scripts/lab/terminal/names.ts";
import { decode, encode } from "../helpers.ts";

const HOST = "127.0.0.1";
const SILENCE = 300; // milliseconds after which a server that runs here has sent nothing

/** Serves one client. `count` is 0 for the first. */
type Serve = (client: Deno.TcpConn, count: number) => Promise<void>;

/** Returns what is sent for a datagram. */
type Answer = (datagram: Uint8Array, count: number) => (string | Uint8Array)[];

/** Starts a TCP server in this process. */
function serve(handler: Serve): { port: number } & Disposable {
  const listener = Deno.listen({ hostname: HOST, port: 0 });
  const clients: Deno.TcpConn[] = [];
  const run = async () => {
    for await (const client of listener) {
      handler(client, clients.push(client) - 1).catch(() => {}); // the probe has closed it
    }
  };
  run();
  return {
    port: listener.addr.port,
    [Symbol.dispose]() {
      listener.close();
      clients.forEach(closeQuietly);
    },
  };
}

/** Starts a UDP server in this process. */
function answer(answers: Answer, size = 65535): { port: number } & Disposable {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: HOST, port: 0 });
  const run = async () => {
    for (let count = 0;; count++) {
      // With a small buffer, Windows fails instead of truncating the datagram.
      const [data, peer] = await socket.receive(new Uint8Array(65535));
      for (const reply of answers(data.slice(0, size), count)) {
        await socket.send(typeof reply === "string" ? encode(reply) : reply, peer);
      }
    }
  };
  run().catch(() => {}); // it was closed
  return { port: (socket.addr as Deno.NetAddr).port, [Symbol.dispose]: () => socket.close() };
}

function closeQuietly(client: Deno.Conn) {
  try {
    client.close();
  } catch { /* it is closed already */ }
}

/** Makes the state of a check whose programs are in this process. */
function runFor(name: string, isStrict = false): CheckRun {
  const script = find(scripts(), name);
  const submission = { name, path: "", source: "", isPython: false, script };
  return new CheckRun(submission, {} as Sandbox, isStrict, () => {}, 10_000, 1);
}

/** Runs a lab's probes with a server, and returns the first problem. Probes with flags are left out. */
async function firstProblem(
  name: string,
  port: number,
  number?: number,
): Promise<Problem | undefined> {
  const run = runFor(name);
  const { transport, name: lab } = run.submission.script.lab;
  const peer = { transport: "udp", hostname: HOST, port } as const;
  const probes = serverProbes(lab, undefined, number);
  for (const probe of probes.filter(({ args, isPlain }) => !args && !isPlain)) {
    if (number !== undefined && probe.isSession) continue; // it has the header's number
    const exchange = new Exchange();
    const result = await runSteps(probe.steps, {
      exchange,
      pause: 20,
      patience: () => ({
        milliseconds: SILENCE,
        end: Date.now() + 10_000,
        isBusy: () => false,
        work: () => 0,
      }),
      open: async () =>
        transport === "tcp"
          ? new Connection(await Deno.connect({ hostname: HOST, port }), "client", exchange)
          : new Datagrams(
            Deno.listenDatagram({ transport, hostname: HOST, port: 0 }),
            exchange,
            peer,
          ),
      reset: (data) => resetConnection(port, data, 20),
      hasEnded: () => Promise.resolve(true),
      type: () => Promise.resolve(),
      endInput: () => Promise.resolve(),
      hasPrinted: () => Promise.resolve(true),
    });
    const problem = problemIn(result, probe, run, exchange);
    if (problem) return problem;
    run.earlier.push(result.sent);
  }
}

/** Reads once, and returns the bytes. */
async function read(client: Deno.Conn, size = 65536): Promise<Uint8Array> {
  const buffer = new Uint8Array(size);
  return buffer.slice(0, await client.read(buffer) ?? 0);
}

/** Returns a server that reads once, replies, and closes. */
const echoing =
  (reply: (data: Uint8Array, count: number) => string | Uint8Array, size = 2048): Serve =>
  async (client, count) => {
    const data = await read(client, size);
    const answer = data.length > 0 ? reply(data, count) : "";
    await client.write(typeof answer === "string" ? encode(answer) : answer);
    client.close();
  };

const same = (data: Uint8Array) => data;

/** What a server that takes a message with its header makes of it. */
interface Framing {
  /** Returns the header for a reply. */
  header?: (text: string) => string;
  /** Returns whether a text is all of a message. */
  isAll?: (text: string, length: number) => boolean;
  /** Decodes what has come in pieces. */
  decoded?: (pieces: Uint8Array[]) => string;
  /** Returns what is sent back. */
  reply?: (text: string) => string;
}

/** Returns a server of version 2. */
const framing = ({
  header = (text) => `${[...text].length}`.padStart(10),
  isAll = (text, length) => [...text].length >= length,
  decoded = (pieces) => decode(joined(pieces)),
  reply = (text) => text,
}: Framing): Serve =>
async (client) => {
  const pieces: Uint8Array[] = [];
  for (let piece; (piece = await read(client, 15)).length > 0;) {
    pieces.push(piece);
    const text = decoded(pieces);
    const [length, rest] = [Number(text.slice(0, 10)), text.slice(10)];
    if (text.length < 10 || !isAll(rest, length)) continue;
    const answer = reply(rest);
    await client.write(encode(header(answer) + answer));
    break;
  }
  if (Deno.build.os === "windows") { // there a reset can destroy the reply, and the mistake with it
    await client.closeWrite();
    while ((await read(client)).length > 0);
  }
  client.close();
};

const joined = (pieces: Uint8Array[]) => Uint8Array.from(pieces.flatMap((piece) => [...piece]));

/** Mistakes of TCP servers: the script, the mistake, the cause, and the server that makes it. */
const TCP: [script: string, mistake: string, cause: RegExp, server: Serve][] = [
  [
    "echo_server",
    "serves one client",
    /^only the first client was served/,
    async (client, count) => {
      if (count === 0) await echoing(same)(client, count);
    },
  ],
  [
    "echo_server",
    "does not close the second connection",
    /^the connection is still open/,
    async (client, count) => {
      if (count !== 1) return await echoing(same)(client, count);
      await client.write(await read(client));
    },
  ],
  [
    "echo_server",
    "does not reply to the second client",
    /^the second client was accepted, and got no reply/,
    echoing((data, count) => count === 1 ? "" : data),
  ],
  [
    "echo_server",
    "has a fixed text",
    /^the reply is written into the program/,
    echoing(() => "Test message. This will be echoed"),
  ],
  [
    "echo_server",
    "counts characters",
    /^only 5 of 6 bytes came back/,
    echoing((data) => data.subarray(0, [...decode(data)].length)),
  ],
  [
    "echo_server",
    "decodes bytes that are not text",
    /^bytes that are not UTF-8 came back as others/,
    echoing((data) => decode(data)),
  ],
  [
    "echo_server",
    "sends all of its buffer",
    /^more came back than should: 2015 zeros/,
    echoing((data) => {
      const buffer = new Uint8Array(2048);
      buffer.set(data);
      return buffer;
    }),
  ],
  [
    "echo_server",
    "takes bytes for characters",
    /^each byte was taken for a character/,
    echoing((data) => String.fromCharCode(...data)),
  ],
  ["tcp_server", "replies", /^it sent `.*`, though no reply was due/, async (client) => {
    for (let data; (data = await read(client)).length > 0;) await client.write(data);
    client.close();
  }],
  [
    "upper_server_tcp",
    "puts only a to z into upper case",
    /^only a to z were put into upper case/,
    async (client) => {
      for (let data; (data = await read(client)).length > 0;) {
        await client.write(data.map((byte) => byte >= 97 && byte <= 122 ? byte - 32 : byte));
      }
      client.close();
    },
  ],
  [
    "practical12_server_tcp",
    "loses what a read does not hold",
    /bytes in the middle are missing/,
    async (client) => {
      for (let data; (data = await read(client)).length > 0;) {
        await client.write(
          data.subarray(0, 1024),
        );
      }
      client.close();
    },
  ],
  [
    "echo_server_v2",
    "reads once",
    /^only a part of the message was taken/,
    framing({ isAll: () => true }),
  ],
  [
    "echo_server_v2",
    "sends a header of 9 characters",
    /^the header has 9 characters: it should have 10/,
    framing({ header: (text) => `${text.length}`.padStart(9) }),
  ],
  [
    "echo_server_v2",
    "counts bytes",
    /^the length counts bytes: `héllo`/,
    framing({ header: (text) => `${encode(text).length}`.padStart(10) }),
  ],
  [
    "echo_server_v2",
    "waits for bytes",
    /^it takes 5 bytes, where the length counts characters/,
    framing({
      isAll: (text, length) => encode(text).length >= length,
      reply: (text) => text.startsWith("hé") ? text.slice(0, 4) : text,
    }),
  ],
  [
    "echo_server_v2",
    "counts UTF-16 units",
    /^the length counts UTF-16 units, as `.length` does/,
    framing({ header: (text) => `${text.length}`.padStart(10) }),
  ],
  [
    "echo_server_v2",
    "decodes each piece alone",
    /^a character that was cut in two/,
    framing({ decoded: (pieces) => pieces.map(decode).join("") }),
  ],
  [
    "echo_server_v2",
    "cuts off white space",
    /^white space at the ends was cut off/,
    framing({ reply: (text) => text.trim() }),
  ],
];

for (const [script, mistake, cause, server] of TCP) {
  Deno.test(`check names the cause when ${script} ${mistake}`, async () => {
    using running = serve(server);
    assertMatch((await firstProblem(script, running.port))?.problem ?? "not caught", cause);
  });
}

/** Mistakes of UDP servers. */
const UDP: [script: string, mistake: string, cause: RegExp, answer: Answer, size?: number][] = [
  ["echo_server_udp", "replies twice", /^a reply came twice/, (data) => [data, data]],
  [
    "echo_server_udp",
    "replies once",
    /^the first datagram was answered, and the second was not/,
    (data, count) => count === 0 ? [data] : [],
  ],
  [
    "echo_server_udp",
    "has a small buffer",
    /^only 1024 of 2048 bytes came: its buffer is too small/,
    (data) => [data],
    1024,
  ],
  [
    "echo_server_udp",
    "has a fixed text",
    /^the reply is written into the program/,
    () => ["Test message. This will be echoed"],
  ],
  [
    "echo_server_udp",
    "echoes an empty datagram",
    /^it echoes an empty datagram/,
    (data) => [data],
    2048,
  ],
  [
    "upper_server_udp",
    "does not change the text",
    /^it came back as it was sent, not in upper case/,
    (data) => [data],
    2048,
  ],
];

for (const [script, mistake, cause, answers, size] of UDP) {
  Deno.test(`check names the cause when ${script} ${mistake}`, async () => {
    using running = answer(answers, size);
    assertMatch((await firstProblem(script, running.port))?.problem ?? "not caught", cause);
  });
}

/** Returns a guess server with a number. */
const guessing = (number: number, verdicts = ["HIGHER", "CORRECT", "LOWER"]): Answer => (data) => {
  const guess = Number(decode(data));
  return [verdicts[Math.sign(guess - number) + 1]];
};

/** Guess servers that draw their number, and what is wrong about them. */
const GAMES: [mistake: string, problem: RegExp, answer: Answer][] = [
  [
    "swaps the verdicts",
    /^HIGHER and LOWER are swapped: the number is 42/,
    guessing(42, ["LOWER", "CORRECT", "HIGHER"]),
  ],
  ["compares text", /^it compares text, not numbers/, (data) => {
    const guess = decode(data);
    return [guess === "42" ? "CORRECT" : guess < "42" ? "HIGHER" : "LOWER"];
  }],
  [
    "draws a number for each guess",
    /^the verdicts contradict each other/,
    (data, count) => guessing(10 + 37 * count % 80)(data, count),
  ],
  ["draws 0", /^it draws numbers below 1/, guessing(0)],
  ["draws 100", /^it draws numbers above 99/, guessing(100)],
  [
    "replies in lower case",
    /^it came in lower case: `higher`, not HIGHER/,
    guessing(99, ["higher", "correct", "lower"]),
  ],
  [
    "replies with a newline",
    /^white space was added/,
    guessing(99, ["HIGHER\n", "CORRECT\n", "LOWER\n"]),
  ],
];

/** Plays with a guess server that runs here. */
async function play(port: number) {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: HOST, port: 0 });
  return await findNumber(runFor("guess_server"), { port, clients: [socket] });
}

for (const [mistake, problem, answers] of GAMES) {
  Deno.test(`check names the cause when guess_server ${mistake}`, async () => {
    using running = answer(answers);
    assertMatch((await play(running.port)).problem ?? "not caught", problem);
  });
}

Deno.test("check finds the number of a guess server that does what its sheet asks", async () => {
  for (const number of [1, 42, 99]) {
    using running = answer(guessing(number));
    assertEquals((await play(running.port)).number, number);
  }
});

Deno.test("check names the cause when guess_server draws again after CORRECT", async () => {
  let number = 42;
  using running = answer((data, count) => {
    const [verdict] = guessing(number)(data, count);
    if (verdict === "CORRECT") number = 77;
    return [verdict];
  });
  const { problem } = await firstProblem("guess_server", running.port, 42) ?? {};
  assertMatch(problem ?? "not caught", /^after CORRECT the number is another one/);
});

Deno.test("check names the cause when guess_server with a known number compares text", async () => {
  using running = answer((data) => {
    const guess = decode(data);
    return [guess === "42" ? "CORRECT" : guess < "42" ? "HIGHER" : "LOWER"];
  });
  const { problem } = await firstProblem("guess_server", running.port, 42) ?? {};
  assertMatch(problem ?? "not caught", /^it compares text, not numbers/);
});

Deno.test("check says which numbers a guess server draws", () => {
  const problem = (...numbers: number[]) => rangeProblem(numbers, "random.randrange(1, 99)");
  assertEquals(problem(1, 98), "the greatest number that it draws is 98: it should be 99");
  assertEquals(problem(2, 99), "the least number that it draws is 2: it should be 1");
  assertEquals(
    problem(55, 55),
    "the number is always the same, 55: it should be drawn at each start",
  );
  assertEquals(problem(1, 99), undefined);
});

Deno.test("check accepts a length at the left of a header unless it is strict", () => {
  const [left, right] = ["2         hi", "         2hi"].map(encode);
  assertEquals(runFor("echo_server_v2").isSame(left, right), true);
  assertEquals(runFor("echo_server_v2", true).isSame(left, right), false);
  assertEquals(runFor("echo_server").isSame(left, right), false);
});

Deno.test("check refuses bytes notation in an echo server only if it is strict", () => {
  const notes = [false, true].map((isStrict) => {
    const run = runFor("echo_server", isStrict);
    const { screen, port } = run.submission.script;
    const bytes = screen.replaceAll(/Test message. This will be echoed/g, "b'$&'");
    return screenProblem(run, bytes, screen, port);
  });
  assertMatch(notes[0].note ?? "", /^beyond the sheet: it prints bytes in Python's notation/);
  assertMatch(notes[1].problem ?? "", /^it prints bytes in Python's notation/);
});

/** Screens after the session, each with what is wrong about it. */
const SCREENS: [script: string, mistake: string, problem: RegExp, from: string, to: string][] = [
  [
    "echo_server_udp",
    "swaps two lines",
    /^the lines are in another order: `received 33 .*` should come before `Data: /,
    "received 33 bytes from ('127.0.0.1', 43542)\nData: Test message. This will be echoed\n",
    "Data: Test message. This will be echoed\nreceived 33 bytes from ('127.0.0.1', 43542)\n",
  ],
  [
    "echo_server",
    "prints a property that does not exist",
    /^line 4 shows `undefined`/,
    "('127.0.0.1', 42961)",
    "('127.0.0.1', undefined)",
  ],
  [
    "guess_client",
    "puts a newline after its prompt",
    /^line 1 ends after its prompt \(a newline is too much\)/,
    "99: 50\n",
    "99: \n50\n",
  ],
  [
    "echo_client",
    "reads 32 bytes at a time",
    /^it prints pieces of 32 bytes, where the header shows 16/,
    "Test message. Th\nReceived: is will be echoe\nReceived: d\n",
    "Test message. This will be echoe\nReceived: d\n",
  ],
  [
    "echo_client",
    "prints a promise",
    /^an `await` is missing: line 3/,
    "Test message. Th\n",
    "[object Promise]\n",
  ],
  [
    "echo_client",
    "prints only a part",
    /^line 2 is cut: ` message. This will be echoed` is missing at its end/,
    "Sending Test message. This will be echoed",
    "Sending Test",
  ],
  [
    "upper_client_tcp",
    "does not print what the sheet shows",
    /^line 2 is `HELLO`, and should be `From Server: HELLO`/,
    "From Server: HELLO",
    "HELLO",
  ],
];

for (const [script, mistake, problem, from, to] of SCREENS) {
  Deno.test(`check names the cause when ${script} ${mistake}`, () => {
    const run = runFor(script);
    const { screen, port } = run.submission.script;
    const changed = screen.replace(from, to);
    assert(changed !== screen, screen);
    assertMatch(screenProblem(run, changed, screen, port).problem ?? "not caught", problem);
  });
}

Deno.test("check does not take the port to which a server connects for the one on which it listens", async () => {
  const observed = new Observed();
  const program = {
    ports: [],
    observe: () => Promise.resolve(observed),
    ended: () => Promise.resolve(false),
  } as unknown as SubmissionProgram;
  const problem = () => wrongEndpoint(runFor("echo_server").submission, program, "listens on");
  const place = { host: HOST, port: 5000 };
  observed.add({ kind: "connect", at: 0, transport: "tcp", peer: place });
  assertEquals(await problem(), undefined);
  observed.add({ kind: "listen", at: 0, transport: "tcp", local: place });
  assertEquals(await problem(), "it listens on port 5000: the lab's port is 9900");
});
