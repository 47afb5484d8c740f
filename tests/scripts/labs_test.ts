/** What single labs promise beside their session. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { repr, writeAll } from "../../scripts/lib.ts";
import { DENO_RUN, Program } from "../../scripts/lab/program.ts";
import {
  connect,
  decode,
  encode,
  hasPort81,
  readToEnd,
  runScript,
  SCRIPTS,
  start,
  startServer,
  withHeader,
  WITHOUT_PORT_81,
} from "../helpers.ts";

const PROMPT = 'Enter a message: "exit" to abort:';

Deno.test("echo_server_v1.ts reads once", async () => {
  const { server, port } = await startServer("echo_server_v1.ts");
  await using _ = server;
  const { status, stdout, stderr } = await runScript("echo_client_v1.ts", [
    `--port=${port}`,
    `--message=${"x".repeat(2000)}`,
  ]);
  assertEquals([status, stdout], [1, "x".repeat(1024) + "\n"]);
  assertEquals(stderr, "error: the server sent 1024 of 2000 bytes back\n");
});

Deno.test("echo v3: the end of input at the client counts as exit", async () => {
  const { server, port } = await startServer("echo_server_v3.ts");
  await using _ = server;
  const { status, stdout, stderr } = await runScript("echo_client_v3.ts", [
    `--port=${port}`,
  ], "héllo\n\n");
  assertEquals([status, stderr], [0, ""]);
  assertEquals(stdout, `${PROMPT}héllo\n${PROMPT}\n${PROMPT}exit\nConnection Closed\n`);
  assert(
    await server.until(() => server.screen.includes("\nexit\nFinished serving client:  (")),
    server.screen,
  );
});

Deno.test("echo v3: several clients keep their connections open at once", async () => {
  const { server, port } = await startServer("echo_server_v3.ts");
  await using _ = server;
  await using first = start("echo_client_v3.ts", [`--port=${port}`]);
  await using second = start("echo_client_v3.ts", [`--port=${port}`]);
  for (const round of ["a", "b"]) {
    for (const client of [first, second]) {
      await client.type(round);
      assert(await client.until(() => client.screen.endsWith(`${round}\n${PROMPT}`)));
    }
  }
  for (const client of [first, second]) {
    await client.type("exit");
    assert(await client.ended());
    assertEquals(await client.status, 0);
  }
});

Deno.test("echo v3: a client whose server is killed at the prompt says so when it next sends", async () => {
  const { server, port } = await startServer("echo_server_v3.ts");
  await using _ = server;
  await using client = start("echo_client_v3.ts", [`--port=${port}`]);
  await client.type("hello");
  assert(await client.until(() => client.screen.endsWith(`hello\n${PROMPT}`)));
  await server.end("SIGKILL");
  await client.type("still there?");
  assert(await client.ended());
  assertEquals(await client.status, 1);
  const said = [
    "error: the server closed before all of its reply came\n",
    `error: 127.0.0.1 port ${port} broke off the connection\n`,
  ];
  assert(said.includes(client.errors), client.errors);
});

Deno.test("echo v3: the server ends the connection after exit, and a client that goes without it is no error", async () => {
  const { server, port } = await startServer("echo_server_v3.ts");
  await using _ = server;
  using client = await connect(port);
  await writeAll(client, encode(withHeader("exit")));
  await writeAll(client, encode(withHeader("after")));
  assertEquals(decode(await readToEnd(client)), "         4exit");
  (await connect(port)).close();
  const twice = /Finished[^]*Finished/;
  assert(await server.until(() => twice.test(server.screen)), server.screen);
  assert(!server.screen.includes("after"));
  assert(!server.errors.includes("error"), server.errors);
});

Deno.test("practical 12: 5,000,000 bytes come back whole through the 1024-byte buffer", async () => {
  const { server, port } = await startServer("practical12_server_tcp.ts", ["--quiet"]);
  await using _ = server;
  const message = "0123456789".repeat(500_000);
  const { status, stdout, stderr } = await runScript(
    "practical12_client_tcp.ts",
    [`--port=${port}`],
    message,
  );
  assertEquals([status, stderr], [0, ""]);
  assert(stdout === `Enter a message: Received b'${message}'\n`);
});

for (const transport of ["tcp", "udp"]) {
  Deno.test(`practical 12 over ${transport}: an empty line sends Hello, world, --message asks nothing, bytes show as in Python`, async () => {
    const { server, port } = await startServer(`practical12_server_${transport}.ts`);
    await using _ = server;
    for (
      const [stdin, args, stdout] of [
        ["\n", [], "Enter a message: Received b'Hello, world'\n"],
        ["it's 😀\n", [], `Enter a message: Received b"it's \\xf0\\x9f\\x98\\x80"\n`],
        ["", ["--message=\x1b[2J"], "Received b'\\x1b[2J'\n"],
      ] as const
    ) {
      const result = await runScript(`practical12_client_${transport}.ts`, [
        `--port=${port}`,
        ...args,
      ], stdin);
      assertEquals(result, { status: 0, stdout, stderr: "" });
    }
    assert(await server.until(() => server.screen.includes("Received b'\\x1b[2J'")), server.screen);
  });
}

Deno.test("practical 12 over UDP: the client says when not all came back", async () => {
  const { server, port } = await startServer("practical12_server_udp.ts");
  await using _ = server;
  const result = await runScript("practical12_client_udp.ts", [
    `--port=${port}`,
    `--message=${"x".repeat(3000)}`,
  ]);
  assertEquals(result, {
    status: 0,
    stdout: `Received b'${"x".repeat(1024)}'\n`,
    stderr: "note: only 1024 of 3000 bytes came back\n",
  });
});

// Each right side is what python3 prints for upper() of the left side.
const UPPER = [
  ["hello", "HELLO"],
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

for (const transport of ["tcp", "udp"]) {
  Deno.test(`upper case over ${transport} is Python's`, async () => {
    const { server, port } = await startServer(`upper_server_${transport}.ts`);
    await using _ = server;
    for (const [lower, upper] of UPPER) {
      const { status, stdout, stderr } = await runScript(
        `upper_client_${transport}.ts`,
        [`--port=${port}`],
        `${lower}\n`,
      );
      assertEquals([status, stderr], [0, ""]);
      const label = transport === "tcp" ? "From Server: " : "";
      assertEquals(stdout, `Input lowercase sentence:${label}${upper}\n`);
    }
  });
}

Deno.test("upper case over TCP: a character at the buffer's edge, and 10,000,000 bytes", async () => {
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
  const { status, stdout, stderr } = await runScript("upper_client_tcp.ts", [
    `--port=${port}`,
  ], "hélloworld".repeat(910_000));
  assertEquals([status, stderr], [0, ""]);
  assert(stdout === `Input lowercase sentence:From Server: ${"HÉLLOWORLD".repeat(910_000)}\n`);
});

Deno.test("upper case over TCP: a client that never closes its half gets its answer", async () => {
  // As the sheet's own client: one send, one recv, close.
  const { server, port } = await startServer("upper_server_tcp.ts");
  await using _ = server;
  using client = await connect(port);
  await writeAll(client, encode("hello"));
  const buffer = new Uint8Array(2048);
  const length = await client.read(buffer);
  assertEquals(decode(buffer.subarray(0, length!)), "HELLO");
});

Deno.test("upper case: bytes that are no UTF-8 cost one line on stderr", async () => {
  for (const [data, answer] of [[[0x61, 0xff], ""], [[0x61, 0xc3], "A"]] as const) {
    const { server, port } = await startServer("upper_server_tcp.ts");
    await using _ = server;
    using client = await connect(port);
    await writeAll(client, new Uint8Array(data));
    await client.closeWrite();
    assertEquals(decode(await readToEnd(client)), answer);
    await server.end();
    const { port: ownPort } = client.localAddr as Deno.NetAddr;
    const [, line, ...more] = server.errors.split("\n");
    assertEquals(line, `error: client ('127.0.0.1', ${ownPort}): this is not UTF-8 text`);
    assertEquals(more, [""]);
  }
});

Deno.test("upper case: the client does not believe a server that sends without end", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using client = start("upper_client_tcp.ts", [`--port=${listener.addr.port}`]);
  await client.type("hello");
  using connection = await listener.accept();
  const flood = new Uint8Array(65536).fill(65);
  while (await connection.write(flood).catch(() => 0)) {
    /* until it hangs up */
  }
  assert(await client.ended());
  assertEquals(await client.status, 1);
  assertStringIncludes(client.errors, "error: the server sends more than the sentence");
});

Deno.test("upper case over UDP: a sentence over 2048 bytes arrives cut, and the client says so", async () => {
  const { server, port } = await startServer("upper_server_udp.ts");
  await using _ = server;
  const result = await runScript(
    "upper_client_udp.ts",
    [`--port=${port}`],
    "a".repeat(2047) + "é".repeat(100),
  );
  assertEquals(result, {
    status: 0,
    stdout: `Input lowercase sentence:${"A".repeat(2047)}\n`,
    stderr: "note: the server takes 2048 of these 2247 bytes\n",
  });
});

for (const script of ["upper_client_tcp.ts", "upper_client_udp.ts"]) {
  Deno.test(`${script} ends with status 1 at the end of input`, async () => {
    const { server, port } = await startServer(script.replace("client", "server"));
    await using _ = server;
    const { status, stderr } = await runScript(script, [`--port=${port}`]);
    assertEquals([status, stderr], [1, "error: no sentence was typed\n"]);
  });
}

Deno.test("tcp_server.ts prints each piece when it comes, and a cut character with the next", async () => {
  const { server, port } = await startServer("tcp_server.ts");
  await using _ = server;
  using client = await connect(port);
  const { port: ownPort } = client.localAddr as Deno.NetAddr;
  let expected = `Waiting for connection\nConnected to client IP: ('127.0.0.1', ${ownPort})\n`;
  for (
    const [piece, shown] of [["typed into nc\n", "typed into nc\\n"], [
      "x".repeat(32),
      "x".repeat(32),
    ]]
  ) {
    await writeAll(client, encode(piece));
    expected += `Received data: ${shown}\n`;
    assert(await server.until(() => server.screen === expected), server.screen);
  }
  await writeAll(client, encode("y".repeat(31) + "é!"));
  expected += `Received data: ${"y".repeat(31)}\nReceived data: é!\n`;
  assert(await server.until(() => server.screen === expected), server.screen);
  await writeAll(client, new Uint8Array([0xc3]));
  await client.closeWrite();
  expected += `Received data: \nReceived data: \ufffd\nWaiting for connection\n`;
  assert(await server.until(() => server.screen === expected), server.screen);
});

Deno.test("tcp_server.ts on port 81 without the right to it says so", {
  ignore: hasPort81(),
}, async () => {
  const script = `${SCRIPTS}tcp_server.ts`;
  await using server = new Program([...WITHOUT_PORT_81, ...DENO_RUN, "--allow-net", script]);
  assert(await server.ended(), server.errors);
  assertEquals(await server.status, 1);
  assertEquals(server.screen, "");
  assertEquals(
    server.errors,
    "error: no right to listen on port 81: ports below 1024 belong to the administrator\n" +
      "take another port, for instance --port=8081\n",
  );
});

Deno.test("repr() of long data costs time in proportion", () => {
  assertEquals(repr(new Uint8Array(1_000_000)).length, 4_000_003);
});
