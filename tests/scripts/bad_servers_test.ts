/** What the TCP clients do when their server is silent, disconnects, or sends garbage. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { delay } from "@std/async/delay";
import net from "node:net";
import { labs } from "../../scripts/lab/catalog/labs.ts";
import { Program } from "../../scripts/lab/process/program.ts";
import { writeAll } from "../../scripts/lib.ts";
import {
  encode,
  inParallel,
  LINUX_ONLY,
  readToEnd,
  start,
  THOROUGH,
  WITH_SIGNALS,
  withHeader,
} from "../helpers.ts";
import { seededRandom } from "./lossy.ts";

const MESSAGE = "héllo €😀"; // characters of 1, 2, 3 and 4 bytes
const BYTES = encode(MESSAGE).length;
const GARBAGE_SEEDS = THOROUGH ? [1, 2, 3, 4, 5, 6] : [1];
const MEMORY = 256 * 2 ** 20; // bytes; a client takes 80 MiB without a message

/** A client, and what it prints with correct and with misbehaving servers. */
interface Client {
  script: string;
  /** What it sends, as `--message` or typed. */
  message: string;
  isTyped?: true;
  /** More flags. */
  flags?: string[];
  /** What the server receives, and a correct server's reply. */
  question: string;
  answer: string;
  /** What it prints before the answer, and after a correct answer. */
  before: string;
  prints: string;
  /** What it prints then, and its error, when the server closes without an answer. */
  unanswered: readonly [prints: string, error: string];
  /** The same when the server sends only the first byte of the answer. */
  broken: readonly [prints: string, error: string];
  /** What it may print when the server sends garbage, or resets the connection. */
  garbage: RegExp;
}

const CLOSING = "Closing connection to the server\n";
const PLAIN = { message: MESSAGE, question: MESSAGE, answer: MESSAGE, before: "" };
const FRAMES = {
  before: "",
  unanswered: ["", "the server closed the connection without a reply"],
  broken: ["", "the connection closed in the middle of a message"],
  garbage: /^$/,
} as const;

const CLIENTS: Client[] = [
  {
    ...PLAIN,
    script: "echo_client.ts",
    before: `Connecting to localhost port PORT\nSending ${MESSAGE}\n`,
    prints: `Received: ${MESSAGE}\n${CLOSING}`,
    unanswered: [CLOSING, `the server closed after 0 of ${BYTES} bytes`],
    broken: [`Received: h\n${CLOSING}`, `the server closed after 1 of ${BYTES} bytes`],
    garbage: new RegExp(`^(Received: .*\n)*${CLOSING}$`),
  },
  {
    ...PLAIN,
    script: "echo_client_v1.ts",
    prints: `${MESSAGE}\n`,
    unanswered: ["", `the server closed after 0 of ${BYTES} bytes`],
    broken: ["h\n", `the server closed after 1 of ${BYTES} bytes`],
    garbage: /^(.*\n)?$/,
  },
  {
    ...PLAIN,
    ...FRAMES,
    script: "echo_client_v2.ts",
    question: withHeader(MESSAGE),
    answer: withHeader(MESSAGE),
    prints: `${MESSAGE}\n`,
  },
  {
    ...FRAMES,
    script: "echo_client_v3.ts",
    message: "exit",
    isTyped: true,
    question: withHeader("exit"),
    answer: withHeader("exit"),
    before: 'Enter a message: "exit" to abort:',
    prints: "exit\nConnection Closed\n",
  },
  {
    ...PLAIN,
    script: "practical12_client_tcp.ts",
    isTyped: true,
    before: "Enter a message: ",
    prints: "Received b'h\\xc3\\xa9llo \\xe2\\x82\\xac\\xf0\\x9f\\x98\\x80'\n",
    unanswered: ["", `the server closed after 0 of ${BYTES} bytes`],
    broken: ["Received b'h'\n", `the server closed after 1 of ${BYTES} bytes`],
    garbage: /^(Received b['"].*['"]\n)?$/,
  },
  {
    ...PLAIN,
    script: "upper_client_tcp.ts",
    isTyped: true,
    answer: MESSAGE.toUpperCase(),
    before: "Input lowercase sentence:",
    prints: `From Server: ${MESSAGE.toUpperCase()}\n`,
    // The end of the connection is the end of the answer.
    unanswered: ["From Server: \n", "the server sent nothing back"],
    broken: ["From Server: H\n", ""],
    garbage: /^(From Server: .*\n)?$/,
  },
  {
    ...PLAIN,
    script: "tcp_client.ts",
    answer: "",
    prints: "Closing socket\n", // it reads nothing
    unanswered: ["Closing socket\n", ""],
    broken: ["Closing socket\n", ""],
    garbage: /^Closing socket\n$/,
  },
];

Deno.test("every TCP client is in the table of bad_servers_test.ts", () => {
  const clients = labs.filter(({ transport }) => transport === "tcp");
  const names = clients.map(({ client }) => client.name).sort();
  assertEquals(CLIENTS.map(({ script }) => script).sort(), names);
});

/** A running client, and the server's end of its connection. */
interface Pair extends AsyncDisposable {
  program: Program;
  connection: Deno.TcpConn;
  /** What the client prints before the answer. */
  before: string;
}

async function startClient(client: Client, port: number): Promise<Program> {
  const { script, message, isTyped, flags = [] } = client;
  const messageFlags = isTyped ? [] : [`--message=${message}`];
  const program = start(script, [`--port=${port}`, ...messageFlags, ...flags]);
  if (isTyped) await program.send(encode(`${message}\n`));
  return program;
}

/** Starts a client with a server of the test's own. */
async function connected(client: Client): Promise<Pair> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const [connection, program] = await Promise.all([listener.accept(), startClient(client, port)]);
  return {
    program,
    connection,
    before: client.before.replace("PORT", `${port}`),
    async [Symbol.asyncDispose]() {
      connection.close();
      await program.end("SIGKILL");
    },
  };
}

/** Reads a number of bytes, or until the client ends or disconnects. */
const take = (connection: Deno.Conn, bytes: number) => readToEnd(connection, bytes).catch(() => {});

/** Sends some last bytes and ends the connection. The client may have ended before. */
async function sendLast(connection: Deno.TcpConn, data: string | Uint8Array) {
  try {
    await writeAll(connection, typeof data === "string" ? encode(data) : data);
    await connection.closeWrite();
  } catch { /* it has ended */ }
}

/** Waits until a client ends, and checks its errors. Returns what it printed after `before`. */
async function ended({ program, before }: Pick<Pair, "program" | "before">): Promise<string> {
  assert(await program.ended(20), `it hangs: ${program.screen}`);
  const { screen, errors } = program;
  assertMatch(errors, /^(error: [^\n]+\n)?$/);
  assert(!/ at \S+:\d|os error|[a-z]Error\b/.test(errors), errors);
  assert(!/\p{Cc}/u.test((screen + errors).replaceAll("\n", "")), JSON.stringify(screen + errors));
  assertEquals(await program.status, errors === "" ? 0 : 1);
  assert(screen.startsWith(before), screen);
  return screen.slice(before.length);
}

for (const client of CLIENTS) {
  const { script, question, answer, before, prints, garbage } = client;
  const length = encode(question).length;
  const [first] = answer;

  Deno.test(`${script} puts together an answer that comes one byte at a time`, async () => {
    await using pair = await connected(client);
    await take(pair.connection, length);
    for (const byte of encode(answer)) {
      await writeAll(pair.connection, Uint8Array.of(byte));
      await delay(1); // or the system puts the bytes together
    }
    await sendLast(pair.connection, "");
    // The first lab prints each piece that it reads.
    const shown = (await ended(pair)).replaceAll(/(?<=Received: .*)\nReceived: /g, "");
    assertEquals([shown, pair.program.errors], [prints, ""]);
  });

  Deno.test(`${script} reports that its server closed before or in the middle of its answer`, async () => {
    for (
      const [bytes, sent, [shown, error]] of [
        [0, "", client.unanswered],
        ...THOROUGH ? [[length, "", client.unanswered] as const] : [],
        [length, first ?? "", client.broken],
      ] as const
    ) {
      await using pair = await connected(client);
      await take(pair.connection, bytes);
      await sendLast(pair.connection, sent);
      assertEquals(await ended(pair), shown);
      assertEquals(pair.program.errors, error && `error: ${error}\n`);
    }
  });

  Deno.test(`${script} reports that its server reset the connection`, async () => {
    const moments: [awaited: number, sent: string][] = [[0, ""], [length, first ?? ""]];
    if (THOROUGH) moments.push([length, ""]);
    for (const [awaited, sent] of moments) {
      using server = await resettingServer(awaited, sent);
      await using program = await startClient(client, server.port);
      // A reset at once may come before the client knows that it is connected.
      const shown = before.replace("PORT", `${server.port}`);
      const [earlier] = awaited > 0 ? [shown] : shown.match(/^Connecting.*\n/) ?? [""];
      const rest = await ended({ program, before: earlier });
      const after = rest.startsWith(shown.slice(earlier.length))
        ? rest.slice(shown.length - earlier.length)
        : rest;
      assert(garbage.test(after) || awaited === 0 && after === "", program.screen);
      // tcp_client.ts may be done before the reset comes.
      if (answer === "" && program.errors === "") continue;
      const expected = new RegExp(
        `^error: \\S+ port ${server.port} (reset|closed) the connection\n$`,
      );
      assertMatch(program.errors, expected);
    }
  });

  Deno.test(`${script} shows garbage as text, or reports it`, async () => {
    const receive = async (seed: number) => {
      const random = seededRandom(seed);
      const size = { length: Math.floor(2 * length * random()) };
      await using pair = await connected(client);
      await take(pair.connection, length);
      await sendLast(pair.connection, Uint8Array.from(size, () => 256 * random()));
      assertMatch(await ended(pair), garbage, `seed ${seed}`);
    };
    await inParallel(GARBAGE_SEEDS.map((seed) => () => receive(seed)), GARBAGE_SEEDS.length, 1);
  });

  Deno.test(
    `${script} needs little memory when its server never stops sending`,
    { ignore: LINUX_ONLY.ignore || !THOROUGH && !/^echo_client(_v2)?\.ts$/.test(script) },
    async () => {
      for (const header of answer.startsWith("     ") ? ["", "   1048576"] : [""]) {
        // A buffer of 15 bytes would need 300,000 reads for the longest message.
        const flags = header === "" ? [] : ["--buffer-size=4096"];
        await using pair = await connected({ ...client, flags });
        const peak = peakMemory(pair.program);
        sendWithoutEnd(pair.connection, header);
        const most = await peak;
        assertMatch(await ended(pair), header === "" ? garbage : /^(😀){1048576}\n/u);
        // tcp_client.ts does not wait for an answer, so it may have ended already.
        assert(most < MEMORY && (most > 0 || answer === ""), `${most} bytes`);
      }
    },
  );

  if (answer === "") continue;
  Deno.test(
    `Ctrl-C ends ${script} at once while it waits for its server`,
    WITH_SIGNALS,
    async () => {
      for (const sent of THOROUGH ? ["", first] : [first]) {
        await using pair = await connected(client);
        const { program, connection } = pair;
        await take(connection, length);
        await writeAll(connection, encode(sent));
        const piece = script === "echo_client.ts" && sent !== "" ? `Received: ${sent}\n` : "";
        const shown = pair.before + piece;
        assert(await program.until(() => program.screen === shown), program.screen);
        assertEquals(await program.end("SIGINT"), 130); // otherwise it ended before
        assertEquals([program.screen, program.errors], [shown, ""]);
      }
      if (!client.isTyped || !THOROUGH) return;
      const message = "x".repeat(16_000_000); // more than all buffers on the way: it is not read
      await using pair = await connected({ ...client, message });
      await take(pair.connection, 1);
      assertEquals(await pair.program.end("SIGINT"), 130);
      assertEquals([pair.program.screen, pair.program.errors], [pair.before, ""]);
    },
  );
}

/** Sends the same character until the client disconnects. */
async function sendWithoutEnd(connection: Deno.Conn, header: string) {
  try {
    await writeAll(connection, encode(header));
    const data = encode("😀".repeat(16384));
    while (true) await writeAll(connection, data);
  } catch { /* the client has disconnected */ }
}

/** Waits for a program's end, and returns the most memory that it used, in bytes. */
async function peakMemory(program: Program): Promise<number> {
  let most = 0;
  for (let hasEnded = false; !hasEnded;) {
    let status = "";
    try { // not awaited: the first look comes before the client can end
      status = Deno.readTextFileSync(`/proc/${program.pid}/status`);
    } catch { /* it has ended */ }
    const [, kibibytes = 0] = status.match(/^VmHWM:\s+(\d+) kB$/m) ?? [];
    most = Math.max(most, 1024 * Number(kibibytes));
    assert(most < 4 * MEMORY, "it takes more and more memory");
    hasEnded = await program.ended(0.005);
  }
  return most;
}

/** Starts a server that resets each connection after a number of bytes and an answer. */
async function resettingServer(
  awaited: number,
  answer: string,
): Promise<{ port: number } & Disposable> {
  const server = net.createServer((socket) => {
    socket.on("error", () => {}); // the client was faster
    const reset = () => socket.resetAndDestroy();
    if (awaited === 0) return reset();
    let length = 0;
    socket.on("data", (data: Uint8Array) => {
      length += data.length;
      if (length < awaited) return;
      if (answer === "") reset();
      else socket.write(answer, reset);
    });
  });
  await new Promise<void>((listens) => server.listen(0, "127.0.0.1", listens));
  const { port } = server.address() as net.AddressInfo;
  return { port, [Symbol.dispose]: () => void server.close() };
}
