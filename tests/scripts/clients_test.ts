/** What every client promises beside its session: see the table of clients. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { findLabs } from "../../scripts/lab/header.ts";
import { writeAll } from "../../scripts/lib.ts";
import {
  closedPort,
  decode,
  defaultHost,
  encode,
  LONGEST_DATAGRAM,
  NOT_ON_WINDOWS,
  runScript,
  start,
  startServer,
  udpSocket,
} from "../helpers.ts";

/** The clients over TCP; `stdin` is what they ask for. */
const TCP_CLIENTS = [
  { script: "echo_client.ts", stdin: "" },
  { script: "echo_client_v1.ts", stdin: "" },
  { script: "echo_client_v2.ts", stdin: "" },
  { script: "echo_client_v3.ts", stdin: "hello\n" },
  { script: "practical12_client_tcp.ts", stdin: "hello\n" },
  { script: "upper_client_tcp.ts", stdin: "hello\n" },
  { script: "tcp_client.ts", stdin: "" },
];

/** The same over UDP. */
const UDP_CLIENTS = [
  { script: "echo_client_udp.ts", stdin: "" },
  { script: "guess_client.ts", stdin: "50\n" },
  { script: "practical12_client_udp.ts", stdin: "hello\n" },
  { script: "upper_client_udp.ts", stdin: "hello\n" },
];

const CLIENTS = [...TCP_CLIENTS, ...UDP_CLIENTS];
// Windows starts no program with more than 32,767 characters of arguments.
const LONGEST_MESSAGE = Deno.build.os === "windows" ? 30_000 : 100_000;
const labs = findLabs();

Deno.test("every client script is in a table of this file", () => {
  assertEquals(
    CLIENTS.map(({ script }) => script).sort(),
    labs.map(({ client }) => client.name).sort(),
  );
});

for (const { script, stdin } of TCP_CLIENTS) {
  Deno.test(`${script} says that nothing is listening, and what to start`, async () => {
    const port = closedPort();
    const { status, stderr } = await runScript(script, [`--port=${port}`], stdin);
    assertEquals(status, 1);
    const [message, hint, ...more] = stderr.split("\n");
    const host = defaultHost(script);
    assertEquals(message, `error: nothing is listening on ${host} port ${port}`);
    const server = script.replace("client", "server");
    assertStringIncludes(hint, `start the server first: deno run -A `);
    assertStringIncludes(hint, `scripts/${server} --port=${port}`);
    assertEquals(more, [""]);
  });
}

for (const { script, stdin } of UDP_CLIENTS) {
  Deno.test(`${script} gives up when no reply comes`, async () => {
    const port = closedPort();
    const args = [`--port=${port}`, "--timeout=0.05"];
    const { status, stderr } = await runScript(script, args, stdin);
    assertEquals(status, 1);
    const [second, third, message, hint, ...more] = stderr.split("\n");
    assertEquals(second, "note: no reply within 0.05 s: try 2 of 3");
    assertEquals(third, "note: no reply within 0.05 s: try 3 of 3");
    assertEquals(message, `error: no reply from ${defaultHost(script)} port ${port} after 3 tries`);
    assertStringIncludes(hint, script.replace("client", "server"));
    assertEquals(more, [""]);
  });
}

for (const { script, stdin } of CLIENTS) {
  Deno.test(`${script} says that a host is unknown`, async () => {
    const { status, stderr } = await runScript(script, ["--host=nosuch.invalid"], stdin);
    assertEquals([status, stderr], [1, "error: unknown host nosuch.invalid\n"]);
  });
}

for (const script of labs.flatMap(({ server, client }) => [server.name, client.name])) {
  for (const args of [["--port=70000"], ["--prot=1"], ["--port"], ["extra"]]) {
    Deno.test(`${script} ${args} is wrong usage`, async () => {
      const { status, stdout, stderr } = await runScript(script, args);
      assertEquals([status, stdout], [2, ""]);
      const [message, usage, ...more] = stderr.split("\n");
      assert(/^error: .*(port|prot|extra)/.test(message), message);
      assert(usage.startsWith(`usage: ${script} [--host=`), usage);
      assertEquals(more, [""]);
    });
  }

  Deno.test(`${script} --help shows its header and its flags`, async () => {
    const { status, stdout, stderr } = await runScript(script, ["--help"]);
    assertEquals([status, stderr], [0, ""]);
    assertStringIncludes(stdout, "Mirrors ");
    assertStringIncludes(stdout, `\n$ deno run -A scripts/${script}`);
    assertStringIncludes(stdout, `\nusage: ${script} [--host=`);
  });
}

for (
  const message of [
    "héllo 😀",
    "",
    "x".repeat(LONGEST_MESSAGE),
    "\x1b[2J",
    "two\nlines",
    "12345678901234€",
  ]
) {
  const name = message.length > 20 ? `${message.length} bytes` : JSON.stringify(message);

  Deno.test(`echo_client.ts sends and shows ${name}`, async () => {
    // A server of the test's own: echo_server.ts sends back 2048 bytes at most.
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const args = [`--port=${listener.addr.port}`, `--message=${message}`];
    await using client = start("echo_client.ts", args);
    using connection = await listener.accept();
    const data = encode(message);
    const received = new Uint8Array(data.length);
    for (let length = 0; length < data.length;) {
      length += await connection.read(received.subarray(length)) ?? NaN;
    }
    assertEquals(received, data);
    await writeAll(connection, data);
    assert(await client.ended());
    assertEquals([await client.status, client.errors], [0, ""]);

    const lines = client.screen.split("\n");
    const shown = message.replace("\x1b", "\\x1b").replace("\n", "\\n");
    assertEquals(lines.slice(0, 2), [
      `Connecting to localhost port ${listener.addr.port}`,
      `Sending ${shown}`,
    ]);
    const pieces = lines.slice(2, -2);
    assert(pieces.every((line) => line.startsWith("Received: ")), client.screen);
    assertEquals(pieces.map((line) => line.slice("Received: ".length)).join(""), shown);
    assertEquals(lines.slice(-2), ["Closing connection to the server", ""]);
  });
}

Deno.test("echo_client.ts and echo_server.ts fail clearly when the message is longer than the server reads", async () => {
  const { server, port } = await startServer("echo_server.ts");
  await using _ = server;
  const message = "€".repeat(30_000);
  const { status, stdout, stderr } = await runScript("echo_client.ts", [
    `--port=${port}`,
    `--message=${message}`,
  ]);
  assertEquals(status, 1);
  assertEquals(stderr, "error: the server closed after 2048 of 90000 bytes\n");
  const received = [...stdout.matchAll(/^Received: (.*)$/gm)].map(([, piece]) => piece).join("");
  assertEquals(received, "€".repeat(682));
  assert(stdout.endsWith("\nClosing connection to the server\n"));
});

Deno.test("echo_client_udp.ts sends and shows odd messages", async () => {
  const { server, port } = await startServer("echo_server_udp.ts");
  await using _ = server;
  for (
    const [message, shown] of [["héllo 😀", "héllo 😀"], ["\x1b[2J\n", "\\x1b[2J\\n"], [
      "x".repeat(Math.min(LONGEST_DATAGRAM, LONGEST_MESSAGE)),
      "x".repeat(2048),
    ]]
  ) {
    const { status, stdout, stderr } = await runScript("echo_client_udp.ts", [
      `--port=${port}`,
      `--message=${message}`,
    ]);
    assertEquals([status, stderr], [0, ""]);
    assertStringIncludes(stdout, `\nreceived ${shown}\nClosing connection to the server\n`);
  }
});

// On Windows a message that an argument holds also fits into a datagram.
Deno.test(
  "echo_client_udp.ts says that a message is too long for a datagram",
  NOT_ON_WINDOWS,
  async () => {
    const { status, stdout, stderr } = await runScript("echo_client_udp.ts", [
      `--message=${"x".repeat(LONGEST_MESSAGE)}`,
    ]);
    assertEquals([status, stderr], [1, "error: the message is too long for one datagram\n"]);
    assert(stdout.endsWith("\nClosing connection to the server\n"));
  },
);

Deno.test("guess_client.ts gives each guess its own answer when the first comes late", async () => {
  using socket = udpSocket();
  const args = [`--port=${socket.port}`, "--timeout=0.2", "--tries=20"];
  await using client = start("guess_client.ts", args);
  await client.type("50");
  // The first question is answered only when it has been asked three times,
  // and then three times over: two answers come when nobody waits for them.
  const asked: string[] = [];
  let from: Deno.Addr;
  for (let i = 0; i < 3; i++) {
    const [data, peer] = await socket.receive();
    asked.push(decode(data));
    from = peer;
  }
  assertEquals(asked, ["50", "50", "50"]);
  for (let i = 0; i < 3; i++) await socket.send(encode("LOWER"), from!);
  assert(await client.until(() => client.screen.includes("LOWER\n")));
  await client.type("25");
  const [data, peer] = await socket.receive();
  assertEquals(decode(data), "25");
  await socket.send(encode("LOWER"), from!); // late once more
  await socket.send(encode("HIGHER"), peer);
  assert(await client.until(() => client.screen.includes("HIGHER\n")));
  await client.type("42");
  const [, last] = await socket.receive();
  await socket.send(encode("CORRECT"), last);
  assert(await client.ended());
  assertEquals(await client.status, 0);
  const prompt = "Guess a number between 1 and 99: ";
  assertEquals(client.screen.replaceAll(prompt, ""), "50\nLOWER\n25\nHIGHER\n42\nCORRECT\n");
});

Deno.test("guess_client.ts asks again for what is no whole number, and does not send it", async () => {
  const { server, port } = await startServer("guess_server.ts", ["--secret=42"]);
  await using _ = server;
  const { status, stdout, stderr } = await runScript("guess_client.ts", [
    `--port=${port}`,
  ], "abc\n\n4.2\n 42 \n50\n");
  const prompt = "Guess a number between 1 and 99: ";
  assertEquals([status, stdout], [0, `${prompt.repeat(4)}CORRECT\n`]);
  assertEquals(
    stderr,
    ["abc", "", "4.2"].map((line) => `note: not a whole number: ${line}\n`)
      .join(""),
  );
  await server.end(); // then all of its lines are there
  assertEquals(server.screen.match(/guessed/g)?.length, 1);
});

Deno.test("guess_client.ts reads the last line also without a line end, and CRLF", async () => {
  const { server, port } = await startServer("guess_server.ts", ["--secret=42"]);
  await using _ = server;
  const { status, stdout } = await runScript("guess_client.ts", [`--port=${port}`], "1\r\n42");
  assertEquals(status, 0);
  assertStringIncludes(stdout, "HIGHER\n");
  assert(await server.until(() => server.screen.includes("guessed 1: HIGHER\n")));
});

Deno.test("guess_client.ts ends with status 1 at the end of input", async () => {
  const { status, stdout, stderr } = await runScript("guess_client.ts");
  assertEquals([status, stdout], [1, "Guess a number between 1 and 99: "]);
  assertEquals(stderr, "error: the number was not found\n");
});

Deno.test("guess_client.ts does not take rubbish for an answer", async () => {
  using socket = udpSocket();
  await using client = start("guess_client.ts", [`--port=${socket.port}`]);
  await client.type("50");
  const [, peer] = await socket.receive();
  await socket.send(encode("\x1b[31mMAYBE"), peer);
  assert(await client.ended());
  assertEquals(await client.status, 1);
  assertEquals(client.errors, "error: this is no guess server, it answers: \\x1b[31mMAYBE\n");
});

// Windows sends nothing to 0.0.0.0.
Deno.test(
  "a client works with --host=0.0.0.0, as its server does",
  NOT_ON_WINDOWS,
  async () => {
    const { server, port } = await startServer("echo_server_udp.ts", ["--host=0.0.0.0"]);
    await using _ = server;
    const { status } = await runScript("echo_client_udp.ts", ["--host=0.0.0.0", `--port=${port}`]);
    assertEquals(status, 0);
  },
);

Deno.test(
  "Ctrl-C ends a client that waits for its keyboard with status 130",
  NOT_ON_WINDOWS,
  async () => {
    await using client = start("guess_client.ts");
    assert(await client.until(() => client.screen.endsWith(": ")));
    assertEquals(await client.end("SIGINT"), 130);
    assertEquals([client.screen, client.errors], ["Guess a number between 1 and 99: ", ""]);
  },
);
