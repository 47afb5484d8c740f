/** What the TCP clients do when their server is silent, breaks off, or sends rubbish. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { delay } from "@std/async/delay";
import net from "node:net";
import { findLabs } from "../../scripts/lab/header.ts";
import { DENO_RUN, Program } from "../../scripts/lab/program.ts";
import { writeAll } from "../../scripts/lib.ts";
import { encode, LINUX_ONLY, NOT_ON_WINDOWS, SCRIPTS } from "../helpers.ts";
import { seededRandom } from "./lossy.ts";

const MESSAGE = "héllo €😀"; // characters of 1, 2, 3 and 4 bytes
const BYTES = encode(MESSAGE).length;
const FRAMED = `         8${MESSAGE}`;

/** How an exchange ends: what is printed in it, and the error it ends with. */
interface End {
  prints: string | RegExp;
  error: string;
}

/** A client, and what it does with servers of all kinds. */
interface Client {
  script: string;
  args: string[];
  /** The keyboard's input. */
  stdin: string;
  /** What the server gets. */
  question: string;
  /** What an honest server answers. */
  answer: string;
  /** What stands on the screen before the answer. */
  before: string;
  /** What follows there when the answer is right. */
  prints: string;
  /** How it ends when the server closes without an answer. */
  unanswered: End;
  /** How it ends when only the first byte of the answer comes. */
  broken: End;
  /** What it may print when it gets rubbish, or is reset. */
  rubbish: RegExp;
}

const CLOSING = "Closing connection to the server\n";

const CLIENTS: Client[] = [
  {
    script: "echo_client.ts",
    args: [`--message=${MESSAGE}`],
    stdin: "",
    question: MESSAGE,
    answer: MESSAGE,
    before: `Connecting to localhost port PORT\nSending ${MESSAGE}\n`,
    prints: `Received: ${MESSAGE}\n${CLOSING}`,
    unanswered: {
      prints: CLOSING,
      error: `the server closed after 0 of ${BYTES} bytes`,
    },
    broken: {
      prints: `Received: h\n${CLOSING}`,
      error: `the server closed after 1 of ${BYTES} bytes`,
    },
    rubbish: new RegExp(`^(Received: .*\n)*${CLOSING}$`),
  },
  {
    script: "echo_client_v1.ts",
    args: [`--message=${MESSAGE}`],
    stdin: "",
    question: MESSAGE,
    answer: MESSAGE,
    before: "",
    prints: `${MESSAGE}\n`,
    unanswered: {
      prints: "",
      error: `the server sent 0 of ${BYTES} bytes back`,
    },
    broken: {
      prints: "h\n",
      error: `the server sent 1 of ${BYTES} bytes back`,
    },
    rubbish: /^(.*\n)?$/,
  },
  {
    script: "echo_client_v2.ts",
    args: [`--message=${MESSAGE}`],
    stdin: "",
    question: FRAMED,
    answer: FRAMED,
    before: "",
    prints: `${MESSAGE}\n`,
    unanswered: { prints: "", error: "the server closed before all of its reply came" },
    broken: {
      prints: "",
      error: "the server closed before all of its reply came",
    },
    rubbish: /^$/,
  },
  {
    script: "echo_client_v3.ts",
    args: [],
    stdin: "exit\n",
    question: "         4exit",
    answer: "         4exit",
    before: 'Enter a message: "exit" to abort:',
    prints: "exit\nConnection Closed\n",
    unanswered: { prints: "", error: "the server closed before all of its reply came" },
    broken: {
      prints: "",
      error: "the server closed before all of its reply came",
    },
    rubbish: /^$/,
  },
  {
    script: "practical12_client_tcp.ts",
    args: [],
    stdin: `${MESSAGE}\n`,
    question: MESSAGE,
    answer: MESSAGE,
    before: "Enter a message: ",
    prints: "Received b'h\\xc3\\xa9llo \\xe2\\x82\\xac\\xf0\\x9f\\x98\\x80'\n",
    unanswered: {
      prints: "",
      error: `the server closed after 0 of ${BYTES} bytes`,
    },
    broken: {
      prints: "Received b'h'\n",
      error: `the server closed after 1 of ${BYTES} bytes`,
    },
    rubbish: /^(Received b['"].*['"]\n)?$/,
  },
  {
    script: "upper_client_tcp.ts",
    args: [],
    stdin: `${MESSAGE}\n`,
    question: MESSAGE,
    answer: MESSAGE.toUpperCase(),
    before: "Input lowercase sentence:",
    prints: `From Server: ${MESSAGE.toUpperCase()}\n`,
    // The end of the connection is the end of the answer.
    unanswered: { prints: "From Server: \n", error: "the server sent nothing back" },
    broken: { prints: "From Server: H\n", error: "" },
    rubbish: /^(From Server: .*\n)?$/,
  },
  {
    script: "tcp_client.ts",
    args: [`--message=${MESSAGE}`],
    stdin: "",
    question: MESSAGE,
    answer: "",
    before: "",
    prints: "Closing socket\n", // it reads nothing
    unanswered: { prints: "Closing socket\n", error: "" },
    broken: { prints: "Closing socket\n", error: "" },
    rubbish: /^Closing socket\n$/,
  },
];

const LISTENERS = CLIENTS.filter(({ answer }) => answer !== "");
const FRAMING = CLIENTS.filter(({ answer }) => answer.startsWith("     "));
const ASKING = CLIENTS.filter(({ stdin }) => stdin !== "");

Deno.test("every TCP client is in the table of bad_servers_test.ts", () => {
  assertEquals(
    CLIENTS.map(({ script }) => script).sort(),
    findLabs().filter(({ transport }) => transport === "tcp")
      .map(({ client }) => client.name).sort(),
  );
});

/** A client that has been started, and the server's end of its connection. */
interface Pair extends AsyncDisposable {
  program: Program;
  connection: Deno.TcpConn;
  /** What stands on the client's screen before the answer. */
  before: string;
}

/** Starts a client with a server of the test's own, and types all of its input. */
async function connected(
  { script, args, stdin, before }: Client,
  more: string[] = [],
): Promise<Pair> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const run = [...DENO_RUN, "--allow-net", SCRIPTS + script];
  const program = new Program([...run, `--port=${port}`, ...args, ...more]);
  const connection = await listener.accept();
  await program.send(encode(stdin));
  return {
    program,
    connection,
    before: before.replace("PORT", `${port}`),
    async [Symbol.asyncDispose]() {
      connection.close();
      await program.end("SIGKILL");
    },
  };
}

/** Reads so many bytes, or until the client ends or breaks off. */
async function take(connection: Deno.Conn, bytes = Infinity) {
  const buffer = new Uint8Array(65536);
  for (let length = 0; length < bytes;) {
    const read = await connection.read(buffer).catch(() => null);
    if (read === null) return;
    length += read;
  }
}

/** Waits until a client ends, and checks what holds for all ends. */
async function ended(program: Program, script: string) {
  assert(await program.ended(20), `${script} hangs: ${program.screen}`);
  assertMatch(program.errors, /^(error: [^\n]+\n)?$/);
  assert(!/ at \S+:\d|os error|[a-z]Error\b/.test(program.errors), program.errors);
  for (const output of [program.screen, program.errors]) {
    assert(!/\p{Cc}/u.test(output.replaceAll("\n", "")), JSON.stringify(output));
  }
  assertEquals(await program.status, program.errors === "" ? 0 : 1);
}

/** Checks how a client ended that had a certain answer. */
async function assertEnd({ program, before }: Pair, script: string, { prints, error }: End) {
  await ended(program, script);
  assertEquals(program.errors, error && `error: ${error}\n`);
  const rest = program.screen.slice(before.length);
  assertEquals(program.screen, before + rest);
  if (typeof prints === "string") assertEquals(rest, prints);
  else assertMatch(rest, prints);
}

/** The first lab prints each piece that it reads: puts them together. */
function withoutCuts(screen: string): string {
  return screen.replaceAll(/(?<=Received: .*)\nReceived: /g, "");
}

for (const client of CLIENTS) {
  const { script, question, answer, before, prints, rubbish } = client;
  const questionBytes = encode(question).length;

  Deno.test(`${script} puts an answer together that comes one byte at a time`, async () => {
    await using pair = await connected(client);
    await take(pair.connection, questionBytes);
    for (const byte of encode(answer)) {
      // tcp_client.ts may have ended.
      await writeAll(pair.connection, Uint8Array.of(byte)).catch(() => {});
      await delay(1); // or the system puts the bytes together
    }
    await pair.connection.closeWrite().catch(() => {});
    await ended(pair.program, script);
    assertEquals(withoutCuts(pair.program.screen), pair.before + prints);
    assertEquals(pair.program.errors, "");
  });

  Deno.test(`${script} ends clearly when its server closes before it answers`, async () => {
    for (const bytes of [0, questionBytes]) {
      await using pair = await connected(client);
      await take(pair.connection, bytes);
      await pair.connection.closeWrite().catch(() => {});
      await assertEnd(pair, script, client.unanswered);
    }
  });

  Deno.test(`${script} ends clearly when its server closes in the middle of its answer`, async () => {
    await using pair = await connected(client);
    await take(pair.connection, questionBytes);
    const [first] = encode(answer);
    await pair.connection.write(Uint8Array.of(first ?? 0)).catch(() => {});
    await pair.connection.closeWrite().catch(() => {});
    await assertEnd(pair, script, client.broken);
  });

  for (
    const [when, awaited, sent] of [
      ["at once", 0, ""],
      ["before it answers", questionBytes, ""],
      ["in the middle of its answer", questionBytes, answer.slice(0, 1)],
    ] as const
  ) {
    Deno.test(`${script} ends clearly when its server resets the connection ${when}`, async () => {
      const server = await resettingServer(awaited, sent);
      try {
        const run = [...DENO_RUN, "--allow-net", SCRIPTS + script];
        await using program = new Program([...run, `--port=${server.port}`, ...client.args]);
        await program.send(encode(client.stdin));
        await ended(program, script);
        const shown = before.replace("PORT", `${server.port}`);
        // A reset at once may come before the client knows that it is connected.
        if (awaited > 0 || program.screen.startsWith(shown) && shown !== "") {
          const rest = program.screen.slice(shown.length);
          assertEquals(program.screen, shown + rest);
          assertMatch(rest, rubbish);
        } else if (program.screen !== prints) {
          const [first] = shown.match(/^Connecting.*\n/) ?? [""];
          assertEquals(program.screen, first);
        }
        // tcp_client.ts may be done before the reset comes.
        if (answer === "" && program.errors === "") return;
        assertMatch(
          program.errors,
          new RegExp(`^error: \\S+ port ${server.port} broke off the connection\n$`),
        );
      } finally {
        server.close();
      }
    });
  }

  Deno.test(`${script} shows rubbish as what it is, or says so`, async () => {
    await Promise.all([1, 2, 3, 4, 5, 6].map(async (seed) => {
      const random = seededRandom(seed);
      const length = Math.floor(2 * questionBytes * random());
      const garbage = Uint8Array.from({ length }, () => 256 * random());
      await using pair = await connected(client);
      const { program, connection } = pair;
      await take(connection, questionBytes);
      await writeAll(connection, garbage).catch(() => {});
      await connection.closeWrite().catch(() => {});
      await ended(program, script);
      const rest = program.screen.slice(pair.before.length);
      assertEquals(program.screen, pair.before + rest);
      assertMatch(rest, rubbish, `seed ${seed}`);
    }));
  });

  Deno.test(
    `${script} ends within little memory when its server sends without end`,
    LINUX_ONLY,
    async () => {
      const headers = FRAMING.includes(client) ? ["", "   1048576"] : [""];
      for (const header of headers) {
        await using pair = await connected(client);
        const { program, connection } = pair;
        const peak = peakMemory(program);
        sendWithoutEnd(connection, header);
        const most = await peak;
        await ended(program, script);
        // tcp_client.ts waits for no answer: it may be done already.
        assert(most < MEMORY && (most > 0 || answer === ""), `${most} bytes`);
        const rest = program.screen.slice(pair.before.length);
        assertEquals(program.screen, pair.before + rest);
        assertMatch(rest, header === "" ? rubbish : /^(😀){1048576}\n/u);
      }
    },
  );
}

const MEMORY = 256 * 2 ** 20; // bytes; a client takes 80 MiB without a message

/** Sends the same character until the client has gone. */
async function sendWithoutEnd(connection: Deno.Conn, header: string) {
  try {
    await writeAll(connection, encode(header));
    const data = encode("😀".repeat(16384));
    while (true) await writeAll(connection, data);
  } catch { /* it has gone */ }
}

/** The most memory that a process has had by its end, in bytes. */
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

/** A server that resets each connection after so many bytes and an answer. */
async function resettingServer(
  awaited: number,
  answer: string,
): Promise<{ port: number; close: () => void }> {
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
  return { port, close: () => server.close() };
}

for (const client of LISTENERS) {
  const { script, question, answer } = client;

  for (const sent of ["", answer.slice(0, 1)]) {
    const when = sent === "" ? "a server that says nothing" : "the rest of an answer";
    Deno.test(
      `Ctrl-C ends ${script} at once while it waits for ${when}`,
      NOT_ON_WINDOWS,
      async () => {
        await using pair = await connected(client);
        const { program, connection, before } = pair;
        await take(connection, encode(question).length);
        await writeAll(connection, encode(sent));
        const piece = script === "echo_client.ts" && sent !== "" ? `Received: ${sent}\n` : "";
        const isThere = () => program.screen === before + piece;
        assert(await program.until(isThere), program.screen);
        assertEquals(await program.end("SIGINT"), 130); // or it had ended before
        assertEquals([program.screen, program.errors], [before + piece, ""]);
      },
    );
  }
}

for (const client of ASKING) {
  Deno.test(
    `Ctrl-C ends ${client.script} at once while its server does not read`,
    NOT_ON_WINDOWS,
    async () => {
      const message = `${"x".repeat(16_000_000)}\n`; // more than all buffers on the way
      await using pair = await connected({ ...client, stdin: message });
      const { program, connection, before } = pair;
      await take(connection, 1);
      assertEquals(await program.end("SIGINT"), 130);
      assertEquals([program.screen, program.errors], [before, ""]);
    },
  );
}
