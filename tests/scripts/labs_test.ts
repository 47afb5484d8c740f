/** What single labs do in addition to their sessions. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { labs } from "../../scripts/lab/catalog/labs.ts";
import { writeAll } from "../../scripts/lib.ts";
import { DENO_RUN, Program } from "../../scripts/lab/process/program.ts";
import {
  connect,
  decode,
  encode,
  hasPort81,
  readToEnd,
  runScript,
  SCRIPTS,
  sendTo,
  start,
  startServer,
  udpSocket,
  upToThreeTimes,
  WITH_FULL_BUFFERS,
  withHeader,
  WITHOUT_PORT_81,
} from "../helpers.ts";

const PROMPT = 'Enter a message: "exit" to abort:';
const SENTENCE = "Input lowercase sentence:";
const MEGABYTE = "0123456789".repeat(100_000);
const LETTERS = "hélloworld".repeat(91_000);

/** What a client gets from flags or the keyboard, and what it prints when its server replies. */
interface Exchange {
  client: string;
  args?: string[];
  typed?: string;
  stdout: string;
  stderr?: string;
  status?: number;
}

const EXCHANGES: Record<string, Exchange[]> = {
  "a server that reads once sends back what it read": [{
    client: "echo_client_v1.ts",
    args: [`--message=${"x".repeat(2000)}`],
    stdout: "x".repeat(1024) + "\n",
    stderr: "error: the server closed after 1024 of 2000 bytes\n",
    status: 1,
  }],
  "the end of input counts as exit": [{
    client: "echo_client_v3.ts",
    typed: "héllo\n\n",
    stdout: `${PROMPT}héllo\n${PROMPT}\n${PROMPT}exit\nConnection Closed\n`,
  }],
  "the end of the input is not a sentence": ["upper_client_tcp.ts", "upper_client_udp.ts"].map((
    client,
  ) => (
    { client, stdout: SENTENCE, stderr: "error: no sentence was typed\n", status: 1 }
  )),
  "the end of input counts as an empty line": [
    ...["practical12_client_tcp.ts", "practical12_client_udp.ts"].map((client) => (
      { client, stdout: "Enter a message: Received b'Hello, world'\n" }
    )),
  ],
  "an empty line sends Hello, world, --message prompts for nothing, bytes print as in Python": [
    ...["practical12_client_tcp.ts", "practical12_client_udp.ts"].flatMap((client) => [
      { client, typed: "\n", stdout: "Enter a message: Received b'Hello, world'\n" },
      {
        client,
        typed: "it's 😀\r\n", // as Windows ends lines
        stdout: `Enter a message: Received b"it's \\xf0\\x9f\\x98\\x80"\n`,
      },
      { client, args: ["--message=\x1b[2J"], stdout: "Received b'\\x1b[2J'\n" },
    ]),
  ],
  "a megabyte comes back whole through the 1024-byte buffer": [{
    client: "practical12_client_tcp.ts",
    typed: MEGABYTE,
    stdout: `Enter a message: Received b'${MEGABYTE}'\n`,
  }],
  "a megabyte comes back in upper case": [{
    client: "upper_client_tcp.ts",
    typed: LETTERS,
    stdout: `${SENTENCE}From Server: ${LETTERS.toUpperCase()}\n`,
  }],
  "a datagram is truncated, and the client reports it": [
    {
      client: "practical12_client_udp.ts",
      args: [`--message=${"x".repeat(3000)}`],
      stdout: `Received b'${"x".repeat(1024)}'\n`,
      stderr: "note: only 1024 of 3000 bytes came back\n",
    },
    {
      client: "upper_client_udp.ts",
      typed: "a".repeat(2047) + "é".repeat(100),
      stdout: `${SENTENCE}${"A".repeat(2047)}\n`,
      stderr: "note: the server takes only 2048 of these 2247 bytes\n",
    },
  ],
};

for (const [what, exchanges] of Object.entries(EXCHANGES)) {
  for (const client of new Set(exchanges.map(({ client }) => client))) {
    Deno.test(`${client}: ${what}`, async () => {
      const { server, port } = await startServer(client.replace("client", "server"));
      await using _ = server;
      for (const exchange of exchanges.filter((exchange) => exchange.client === client)) {
        const { args = [], typed = "", stdout, stderr = "", status = 0 } = exchange;
        const result = await runScript(client, [`--port=${port}`, ...args], typed);
        assertEquals([result.status, result.stderr], [status, stderr]);
        assert(result.stdout === stdout, result.stdout.slice(0, 1000));
      }
    });
  }
}

/** Texts, and what python3 prints for their upper(). */
const UPPER_CASE = [
  ["straße", "STRASSE"],
  ["ŉ", "ʼN"],
  ["ﬁ", "FI"],
  ["σς ὀδυσσεύς", "ΣΣ ὈΔΥΣΣΕΎΣ"],
  ["\u0390", "\u0399\u0308\u0301"],
  ["ǆ", "Ǆ"],
  ["i ı", "I I"],
  ["සිංහල 😀 123", "සිංහල 😀 123"],
  ["", ""],
];

Deno.test("upper_server_tcp.ts and upper_server_udp.ts return Python's upper case", async () => {
  const tcp = await startServer("upper_server_tcp.ts");
  await using _tcp = tcp.server;
  const udp = await startServer("upper_server_udp.ts");
  await using _udp = udp.server;
  using socket = udpSocket();
  for (const [lower, upper] of UPPER_CASE) {
    using client = await connect(tcp.port);
    await writeAll(client, encode(lower));
    await client.closeWrite();
    assertEquals(decode(await readToEnd(client)), upper);
    await sendTo(socket, udp.port, lower);
    assertEquals(decode((await deadline(socket.receive(), 20_000))[0]), upper);
  }
});

Deno.test("echo v3: a client whose server is killed reports it when it next sends", async () => {
  const { server, port } = await startServer("echo_server_v3.ts");
  await using _ = server;
  await using client = start("echo_client_v3.ts", [`--port=${port}`]);
  await client.type("hello");
  assert(await client.until(() => client.screen.endsWith(`hello\n${PROMPT}`)));
  await server.end("SIGKILL");
  await client.type("still there?");
  assert(await client.ended());
  assertEquals(await client.status, 1);
  const possible = [
    "error: the server closed the connection without a reply\n",
    `error: 127.0.0.1 port ${port} reset the connection\n`,
    `error: 127.0.0.1 port ${port} closed the connection\n`,
  ];
  assert(possible.includes(client.errors), client.errors);
});

Deno.test("echo v3: the server closes the connection after exit, and a client that disconnects without exit is not an error", async () => {
  const { server, port } = await startServer("echo_server_v3.ts");
  await using _ = server;
  const waits: number[] = [];
  do { // a busy machine can delay any of them
    using client = await connect(port);
    const start = performance.now();
    await writeAll(client, encode(withHeader("exit")));
    await writeAll(client, encode(withHeader("after")));
    assertEquals(decode(await deadline(readToEnd(client), 20_000)), withHeader("exit"));
    waits.push(performance.now() - start);
    await client.closeWrite();
  } while (waits.at(-1)! > 1500 && waits.length < 5);
  assert(waits.at(-1)! < 1500, `${waits}`); // after 2 s the server would close by force
  (await connect(port)).close();
  const twice = /Finished[^]*Finished/;
  assert(await server.until(() => twice.test(server.screen)), server.screen);
  assert(!server.screen.includes("after"));
  assert(!server.errors.includes("error"), server.errors);
});

Deno.test("upper case over TCP: a character at the end of the buffer is not split", async () => {
  const { server, port } = await startServer("upper_server_tcp.ts");
  await using _ = server;
  for (const character of ["é", "ΐ", "😀"]) {
    for (let before = 2044; before <= 2048; before++) {
      using client = await connect(port);
      await writeAll(client, encode("a".repeat(before) + character + "b"));
      await client.closeWrite();
      const expected = "A".repeat(before) + character.toUpperCase() + "B";
      assertEquals(decode(await readToEnd(client)), expected);
    }
  }
});

Deno.test("upper case over TCP: a client that never ends its half gets its answer", async () => {
  // Like the sheet's client: one send, one recv, close.
  const { server, port } = await startServer("upper_server_tcp.ts");
  await using _ = server;
  using client = await connect(port);
  await writeAll(client, encode("hello"));
  const buffer = new Uint8Array(2048);
  const length = await client.read(buffer);
  assertEquals(decode(buffer.subarray(0, length!)), "HELLO");
});

Deno.test("upper case: bytes that are not UTF-8 cause one line on stderr", async () => {
  for (const [data, answer] of [[[0x61, 0xff], ""], [[0x61, 0xc3], "A"]] as const) {
    const { server, port } = await startServer("upper_server_tcp.ts");
    await using _ = server;
    using client = await connect(port);
    await writeAll(client, new Uint8Array(data));
    await client.closeWrite();
    assertEquals(decode(await readToEnd(client)), answer);
    const { port: ownPort } = client.localAddr as Deno.NetAddr;
    const line = `error: client ('127.0.0.1', ${ownPort}): the text is not valid UTF-8\n`;
    assert(await server.until(() => server.errors.endsWith(line)), server.errors);
    await server.end();
    assertEquals(server.errors.split("\n").length, 3, server.errors);
  }
});

Deno.test("upper case: the client refuses a server that never stops sending", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using client = start("upper_client_tcp.ts", [`--port=${listener.addr.port}`]);
  await client.type("hello");
  using connection = await listener.accept();
  const flood = new Uint8Array(65536).fill(65);
  while (await connection.write(flood).catch(() => 0)) {
    /* until the client disconnects */
  }
  assert(await client.ended());
  assertEquals(await client.status, 1);
  assertStringIncludes(client.errors, "error: the server sends more than the sentence");
});

for (const script of ["upper_client_tcp.ts", "practical12_client_tcp.ts"]) {
  Deno.test(
    `${script} reports that the server reads nothing of a long message`,
    WITH_FULL_BUFFERS,
    async () => {
      using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      await using client = start(script, [`--port=${listener.addr.port}`, "--timeout=0.5"]);
      using _connection = await listener.accept(); // it is never read
      await client.type("x".repeat(12_000_000)); // more than the buffers of the system hold
      assert(await client.ended());
      assertEquals(await client.status, 1);
      assertStringIncludes(client.errors, "error: the server read nothing for 0.5 s\n");
    },
  );
}

for (const { client } of labs.filter(({ transport }) => transport === "tcp")) {
  if (client.name === "tcp_client.ts") continue; // it reads nothing
  Deno.test(`${client.name} prints what came, then an error, when the server stays silent`, () =>
    upToThreeTimes(async () => {
      using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const { port } = listener.addr;
      await using program = start(client.name, [`--port=${port}`, "--timeout=0.3"]);
      using connection = await listener.accept();
      if (client.typed.length > 0) await program.type(client.typed[0]);
      await connection.read(new Uint8Array(100));
      await writeAll(connection, encode("H"));
      assert(await program.ended());
      assertEquals(await program.status, 1);
      const error = /^error: no reply from \S+ port \d+ for 0.3 s\n.*--timeout=60\n$/;
      assertMatch(program.errors, error);
      if (!client.name.includes("_v")) assertMatch(program.screen, /: (H|b'H')\n|Received b'H'\n/);
    }));
}

Deno.test("tcp_server.ts prints each piece when it comes, and a split character with the next piece", async () => {
  const { server, port } = await startServer("tcp_server.ts");
  await using _ = server;
  using client = await connect(port);
  const { port: ownPort } = client.localAddr as Deno.NetAddr;
  let expected = `Waiting for connection\nConnected to client IP: ('127.0.0.1', ${ownPort})\n`;
  for (
    const [piece, lines] of [
      [encode("typed into nc\n"), ["typed into nc\\n"]],
      [encode("x".repeat(32)), ["x".repeat(32)]],
      [encode("y".repeat(31) + "é!"), ["y".repeat(31), "é!"]],
      [Uint8Array.of(0xc3), [""]],
    ] as const
  ) {
    await writeAll(client, piece);
    expected += lines.map((line) => `Received data: ${line}\n`).join("");
    assert(await server.until(() => server.screen === expected), server.screen);
  }
  await client.closeWrite();
  expected += `Received data: \ufffd\nWaiting for connection\n`;
  assert(await server.until(() => server.screen === expected), server.screen);
});

const ignore = hasPort81();
Deno.test(
  "tcp_server.ts reports that it has no permission to listen on port 81",
  { ignore },
  async () => {
    const script = `${SCRIPTS}tcp_server.ts`;
    await using server = new Program([...WITHOUT_PORT_81, ...DENO_RUN, "--allow-net", script]);
    assert(await server.ended(), server.errors);
    assertEquals(await server.status, 1);
    assertEquals(server.screen, "");
    assertEquals(
      server.errors,
      "error: no permission to listen on port 81: ports below 1024 need administrator rights\n" +
        "take another port, for instance --port=8081\n",
    );
  },
);
