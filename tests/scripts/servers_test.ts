/** What every server promises beside its session: see the table of servers. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { findLabs } from "../../scripts/lab/header.ts";
import { DENO_RUN, portOf, Program } from "../../scripts/lab/program.ts";
import { writeAll } from "../../scripts/lib.ts";
import {
  connect,
  decode,
  defaultHost,
  encode,
  NOT_ON_WINDOWS,
  readToEnd,
  reset,
  SCRIPTS,
  sendTo,
  start,
  startServer,
  udpSocket,
  WITH_IPV6,
} from "../helpers.ts";

/** The servers over TCP, and what an honest client sends and gets back. */
const TCP_SERVERS = [
  { script: "echo_server.ts", question: "hello", answer: "hello" },
  { script: "echo_server_v1.ts", question: "hello", answer: "hello" },
  { script: "echo_server_v2.ts", question: "    5héllo", answer: "    5héllo" },
  { script: "echo_server_v3.ts", question: "    5héllo", answer: "    5héllo" },
  { script: "practical12_server_tcp.ts", question: "hello", answer: "hello" },
  { script: "upper_server_tcp.ts", question: "hello", answer: "HELLO" },
  { script: "tcp_server.ts", question: "hello", answer: "" },
].map(({ script, question, answer }) => ({
  script,
  question: question.replace("    5", "         5"),
  answer: answer.replace("    5", "         5"),
}));

/** The same over UDP. */
const UDP_SERVERS = [
  { script: "echo_server_udp.ts", question: "hello", answer: "hello" },
  { script: "guess_server.ts", question: "0", answer: "HIGHER" },
  { script: "practical12_server_udp.ts", question: "hello", answer: "hello" },
  { script: "upper_server_udp.ts", question: "hello", answer: "HELLO" },
];

const SERVERS = [...TCP_SERVERS, ...UDP_SERVERS];

Deno.test("every server script is in a table of this file", () => {
  assertEquals(
    SERVERS.map(({ script }) => script).sort(),
    findLabs().map(({ server }) => server.name),
  );
});

/** Asks over TCP, and gives all that comes until the server has ended. */
async function askOverTcp(port: number, question: string): Promise<string> {
  using client = await connect(port);
  await writeAll(client, encode(question));
  await client.closeWrite();
  return decode(await readToEnd(client));
}

async function askOverUdp(port: number, question: string | Uint8Array): Promise<string> {
  using socket = udpSocket();
  await sendTo(socket, port, question);
  const [answer] = await socket.receive();
  return decode(answer);
}

for (const { script, question, answer } of TCP_SERVERS) {
  Deno.test(`${script} is not held up by 200 silent clients`, async () => {
    const { server, port } = await startServer(script);
    await using _ = server;
    const silent = await Promise.all(Array.from({ length: 200 }, () => connect(port)));
    assertEquals(await askOverTcp(port, question), answer);
    for (const client of silent) client.close();
  });

  Deno.test(`${script} goes on after clients that reset`, async () => {
    const { server, port } = await startServer(script);
    await using _ = server;
    for (let i = 0; i < 10; i++) {
      await reset(port);
      await reset(port, "half a mess");
    }
    const told = /reset|broke off/; // in or before its turn
    assert(await server.until(() => told.test(server.errors)), server.errors);
    assertEquals(await askOverTcp(port, question), answer);
  });

  Deno.test(
    `${script} outlives a lack of file descriptors`,
    NOT_ON_WINDOWS,
    async () => {
      const limited = 'ulimit -n 100; exec "$0" "$@"';
      const run = [...DENO_RUN, "--allow-net", SCRIPTS + script];
      await using server = new Program(["sh", "-c", limited, ...run, "--port=0"]);
      await server.until(() => portOf(server) !== undefined);
      const port = portOf(server)!;
      const clients = await Promise.all(Array.from({ length: 200 }, () => connect(port)));
      assert(await server.until(() => server.errors.includes("no more clients")));
      for (const client of clients) client.close();
      assertEquals(await askOverTcp(port, question), answer);
      assertEquals(server.errors.match(/no more clients/g)?.length, 1);
    },
  );
}

for (const { script } of SERVERS) {
  Deno.test(`${script} says that its port is taken, and what to do`, async () => {
    const { server, port } = await startServer(script);
    await using _ = server;
    await using second = start(script, [`--port=${port}`]);
    await second.ended();
    assertEquals(await second.status, 1);
    assertEquals(second.screen, "");
    const host = defaultHost(script);
    const [message, hint, ...more] = second.errors.split("\n");
    assertEquals(message, `error: port ${port} on ${host} is already in use`);
    assertStringIncludes(hint, `kill_port.ts ${port}`);
    assertStringIncludes(hint, "--port=0");
    assertEquals(more, [""]);
  });

  Deno.test(
    `${script} listens on IPv6 where that is asked for`,
    WITH_IPV6,
    async () => {
      const { server, port } = await startServer(script, ["--host=::1"]);
      await using _ = server;
      assertStringIncludes(server.errors, `listening on ::1 port ${port}`);
    },
  );
}

Deno.test("echo_server.ts shows and sends back what clients send", async () => {
  const { server, port } = await startServer("echo_server.ts");
  await using _ = server;
  const big = "0123456789".repeat(10_000);
  for (
    const [sent, shown, back] of [
      ["héllo 😀", "héllo 😀"],
      ["\x1b[2J", "\\x1b[2J"],
      ["a\nData: forged\n", "a\\nData: forged\\n"],
      [new Uint8Array([0xff, 0x61, 0xe2, 0x82]), "\ufffda\ufffd"],
      [big, big.slice(0, 2048), big.slice(0, 2048)],
    ]
  ) {
    using client = await connect(port);
    const data = typeof sent === "string" ? encode(sent) : sent as Uint8Array;
    await writeAll(client, data);
    await client.closeWrite();
    assertEquals(await readToEnd(client), back ? encode(back as string) : data);
    assert(
      await server.until(() =>
        server.screen.includes(`\nData: ${shown}\nsent ${shown} bytes back`)
      ),
      server.screen,
    );
  }
});

Deno.test("echo_server.ts prints no Data line for a client that sends nothing", async () => {
  const { server, port } = await startServer("echo_server.ts");
  await using _ = server;
  (await connect(port)).close();
  const waiting = "Waiting to receive message from client\n";
  const expected = `Starting up echo server on localhost port ${port}\n${waiting}${waiting}`;
  assert(await server.until(() => server.screen === expected), server.screen);
});

Deno.test("echo_server.ts --buffer-size=4 reads 4 bytes", async () => {
  const { server, port } = await startServer("echo_server.ts", ["--buffer-size=4"]);
  await using _ = server;
  assertEquals(await askOverTcp(port, "hello"), "hell");
});

Deno.test("echo_server_udp.ts shows an empty datagram and does not echo it", async () => {
  const { server, port } = await startServer("echo_server_udp.ts");
  await using _ = server;
  using socket = udpSocket();
  await sendTo(socket, port, "");
  await sendTo(socket, port, "next");
  const [answer] = await socket.receive();
  assertEquals(decode(answer), "next");
  const from = `('127.0.0.1', ${socket.port})`;
  const expected = [
    `Starting up echo server on localhost port ${port}`,
    "Waiting to receive message from client",
    `received 0 bytes from ${from}`,
    "Data: ",
    "Waiting to receive message from client",
    `received 4 bytes from ${from}`,
    "Data: next",
    `sent 4 bytes back to ${from}`,
    "Waiting to receive message from client",
    "",
  ].join("\n");
  assert(await server.until(() => server.screen === expected), server.screen);
});

Deno.test("echo_server_udp.ts cuts a datagram to 2048 bytes", async () => {
  const { server, port } = await startServer("echo_server_udp.ts");
  await using _ = server;
  assertEquals(await askOverUdp(port, "x".repeat(3000)), "x".repeat(2048));
});

Deno.test("guess_server.ts judges guesses", async () => {
  const { server, port } = await startServer("guess_server.ts", ["--secret=42"]);
  await using _ = server;
  for (
    const [guess, verdict] of [
      ["41", "HIGHER"],
      ["43", "LOWER"],
      [" 42\n", "CORRECT"],
      ["+42", "CORRECT"],
      ["-42", "HIGHER"],
      ["042", "CORRECT"],
      ["9".repeat(32), "LOWER"],
      ["9".repeat(33), "INVALID"],
      ["42.0", "INVALID"],
      ["4 2", "INVALID"],
      ["", "INVALID"],
      ["forty-two", "INVALID"],
      ["42", "CORRECT"],
    ]
  ) {
    assertEquals(await askOverUdp(port, guess), verdict, guess);
  }
  const invalid = new Uint8Array([0x34, 0xff]);
  assertEquals(await askOverUdp(port, invalid), "INVALID");
  assert(
    await server.until(() => server.screen.includes("guessed 4\ufffd: INVALID\n")),
    server.screen,
  );
});

Deno.test("guess_server.ts judges every guess from 0 to 100 by its number", async () => {
  for (const secret of [1, 42, 97, 98, 99]) {
    const { server, port } = await startServer("guess_server.ts", [`--secret=${secret}`]);
    await using _ = server;
    for (let guess = 0; guess <= 100; guess++) {
      const verdict = guess < secret ? "HIGHER" : guess > secret ? "LOWER" : "CORRECT";
      assertEquals(await askOverUdp(port, `${guess}`), verdict, `${guess} of ${secret}`);
    }
  }
});

Deno.test("guess_server.ts draws from 1 to 99, and another number each time", async () => {
  const draw = async () => {
    const { server, port } = await startServer("guess_server.ts");
    await using _ = server;
    for (let guess = 1; guess < 100; guess++) {
      if (await askOverUdp(port, `${guess}`) === "CORRECT") return guess;
    }
    throw new Error("no number from 1 to 99 was right");
  };
  const drawn = [await draw(), await draw(), await draw(), await draw(), await draw()];
  assert(new Set(drawn).size > 1, `${drawn}`); // all the same: once in 96 million runs
});

Deno.test("--quiet leaves only the first lines", async () => {
  const { server, port } = await startServer("echo_server.ts", ["--quiet"]);
  await using _ = server;
  assertEquals(await askOverTcp(port, "hello"), "hello");
  await server.end();
  assertEquals(server.screen, `Starting up echo server on localhost port ${port}\n`);
});

Deno.test("a reply in several writes does not wait for the client's ACK", async () => {
  const args = ["--quiet", "--buffer-size=5"];
  const { server, port } = await startServer("practical12_server_tcp.ts", args);
  await using _ = server;
  using client = await connect(port);
  const question = encode("a question in several pieces");
  const before = Date.now();
  for (let i = 0; i < 100; i++) {
    await writeAll(client, question);
    await readToEnd(client, question.length);
  }
  assert(Date.now() - before < 2000); // 40 ms each where Linux delays its ACKs
});

Deno.test("a closed stdout ends a server quietly", NOT_ON_WINDOWS, async () => {
  const command = '{ "$0" run --allow-net "$1" --port=0; echo "status $?" >&2; } | head -2';
  const script = `${SCRIPTS}echo_server.ts`;
  await using shell = new Program(["sh", "-c", command, Deno.execPath(), script]);
  assert(await shell.until(() => portOf(shell) !== undefined), shell.errors);
  const port = portOf(shell)!;
  // The third line meets a closed pipe, or a later one when `head` is slow.
  while (await askOverTcp(port, "x").catch(() => "")) { /* it still runs */ }
  assert(await shell.ended());
  const note = `note: listening on 127.0.0.1 port ${port}\n`;
  assertEquals(shell.errors, `${note}status 0\n`);
});
