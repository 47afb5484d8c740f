/** What servers do in addition to their sessions. Misuse of all servers is tested in tests/load. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { writeAll } from "../../scripts/lib.ts";
import { portOf, Program } from "../../scripts/lab/process/program.ts";
import {
  connect,
  decode,
  defaultHost,
  encode,
  inParallel,
  readToEnd,
  SCRIPTS,
  sendTo,
  start,
  startServer,
  THOROUGH,
  udpSocket,
  WITH_IPV6,
  WITH_SHELL,
} from "../helpers.ts";
import { isUdp, SERVERS } from "../load/servers.ts";
import { Watched } from "../load/watched.ts";

/** Sends a question over TCP, and returns everything until the server ends the connection. */
async function askOverTcp(port: number, question: string | Uint8Array): Promise<string> {
  using client = await connect(port);
  await writeAll(client, typeof question === "string" ? encode(question) : question);
  await client.closeWrite();
  return decode(await readToEnd(client));
}

/** Sends a question over UDP, and returns the reply. */
async function askOverUdp(port: number, question: string | Uint8Array): Promise<string> {
  using socket = udpSocket();
  await sendTo(socket, port, question);
  return decode((await deadline(socket.receive(), 20_000))[0]);
}

for (const script of Object.keys(SERVERS)) {
  Deno.test(`${script} reports that its port is already in use, and how to free it`, async () => {
    const { server, port } = await startServer(script);
    await using _ = server;
    await using second = start(script, [`--port=${port}`]);
    await second.ended();
    assertEquals([await second.status, second.screen], [1, ""]);
    const [message, hint, ...more] = second.errors.split("\n");
    assertEquals(message, `error: port ${port} on ${defaultHost(script)} is already in use`);
    assertMatch(hint, new RegExp(`--port=0, .*: deno run -A .*kill_port\\.ts ${port}$`));
    assertEquals(more, [""]);
  });

  Deno.test(`${script} listens on IPv6 when --host is ::1`, WITH_IPV6, async () => {
    const { server, port } = await startServer(script, ["--host=::1"]);
    await using _ = server;
    assertEquals(server.errors, `note: listening on ::1 port ${port}\n`);
  });

  if (isUdp(script)) continue;
  Deno.test(`${script} survives a lack of file descriptors`, WITH_SHELL, async () => {
    await using server = await Watched.start(script, { shell: 'ulimit -n 100; exec "$0" "$@"' });
    const { program, port } = server;
    const clients = await Promise.all(Array.from({ length: 200 }, () => connect(port)));
    assert(await program.until(() => program.errors.includes("cannot serve more clients")));
    for (const client of clients) client.close();
    await server.serve();
    await server.settle();
    assertEquals(server.problems, []);
    assert(server.waits[0] < 10_000, `the next client waited for ${server.waits[0]} ms`);
    assertEquals(program.errors.match(/cannot serve more clients/g)?.length, 1);
  });
}

Deno.test("echo_server.ts shows and sends back what clients send", async () => {
  const { server, port } = await startServer("echo_server.ts");
  await using _ = server;
  const big = "0123456789".repeat(10_000);
  const first = big.slice(0, 2048);
  for (
    const [sent, shown, back] of [
      ["héllo 😀", "héllo 😀", "héllo 😀"],
      ["\x1b[2J", "\\x1b[2J", "\x1b[2J"],
      ["a\nData: forged\n", "a\\nData: forged\\n", "a\nData: forged\n"],
      [Uint8Array.of(0xff, 0x61, 0xe2, 0x82), "\ufffda\ufffd", "\ufffda\ufffd"],
      [big, first, first],
    ] as const
  ) {
    assertEquals(await askOverTcp(port, sent), back);
    const lines = `\nData: ${shown}\nsent ${shown} bytes back`;
    assert(await server.until(() => server.screen.includes(lines)), server.screen);
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

Deno.test("echo_server.ts reads --buffer-size=4 bytes, and --quiet leaves only the first line", async () => {
  const { server, port } = await startServer("echo_server.ts", ["--buffer-size=4", "--quiet"]);
  await using _ = server;
  const first = `Starting up echo server on localhost port ${port}\n`;
  assert(await server.until(() => server.screen !== ""));
  assertEquals(await askOverTcp(port, "hello"), "hell");
  await server.end();
  assertEquals(server.screen, first);
});

Deno.test("echo_server_udp.ts shows an empty datagram without an echo, and truncates a long one", async () => {
  const { server, port } = await startServer("echo_server_udp.ts");
  await using _ = server;
  using socket = udpSocket();
  await sendTo(socket, port, "");
  await sendTo(socket, port, "x".repeat(3000));
  const text = "x".repeat(2048);
  assertEquals(decode((await socket.receive())[0]), text);
  const from = `('127.0.0.1', ${socket.port})`;
  const waiting = "Waiting to receive message from client\n";
  const expected = `Starting up echo server on localhost port ${port}\n${waiting}` +
    `received 0 bytes from ${from}\nData: \n${waiting}` +
    `received 2048 bytes from ${from}\nData: ${text}\nsent 2048 bytes back to ${from}\n${waiting}`;
  assert(await server.until(() => server.screen === expected), server.screen);
});

Deno.test("guess_server.ts judges guesses", async () => {
  const { server, port } = await startServer("guess_server.ts", ["--secret=42"]);
  await using _ = server;
  for (
    const [guess, verdict] of [
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
      [Uint8Array.of(0x34, 0xff), "INVALID"],
      ["42", "CORRECT"],
    ] as const
  ) {
    assertEquals(await askOverUdp(port, guess), verdict, `${guess}`);
  }
  const isShown = () => server.screen.includes("guessed 4\ufffd: INVALID\n");
  assert(await server.until(isShown), server.screen);
});

Deno.test("guess_server.ts judges every guess from 0 to 100 by its number", async () => {
  for (const secret of THOROUGH ? [1, 42, 97, 98, 99] : [1, 42, 99]) {
    const { server, port } = await startServer("guess_server.ts", [`--secret=${secret}`]);
    await using _ = server;
    for (let guess = 0; guess <= 100; guess++) {
      const verdict = guess < secret ? "HIGHER" : guess > secret ? "LOWER" : "CORRECT";
      assertEquals(await askOverUdp(port, `${guess}`), verdict, `${guess} of ${secret}`);
    }
  }
});

Deno.test("guess_server.ts chooses a number from 1 to 99, and not always the same", async () => {
  const drawn: (number | undefined)[] = [];
  const draw = async () => {
    const { server, port } = await startServer("guess_server.ts");
    await using _ = server;
    for (let guess = 1; guess < 100; guess++) {
      if (await askOverUdp(port, `${guess}`) === "CORRECT") return drawn.push(guess);
    }
    drawn.push(undefined);
  };
  await inParallel(Array(5).fill(draw), 5, 1);
  assert(!drawn.includes(undefined), `${drawn}: no number from 1 to 99 was right`);
  assert(new Set(drawn).size > 1, `${drawn}`); // all the same: once in 96 million runs
});

Deno.test("a reply in several writes does not wait for the client's ACK", async () => {
  const args = ["--quiet", "--buffer-size=5"];
  const { server, port } = await startServer("practical12_server_tcp.ts", args);
  await using _ = server;
  using client = await connect(port);
  const question = encode("a question in several pieces");
  const times: number[] = [];
  for (let i = 0; i < 101; i++) {
    const before = performance.now();
    await writeAll(client, question);
    await readToEnd(client, question.length);
    times.push(performance.now() - before);
  }
  // When Linux delays its ACKs, each takes 40 ms. The fastest quarter: a busy machine delays many.
  const [fast] = times.sort((a, b) => a - b).slice(25);
  assert(fast < 30, `${fast} ms`);
});

Deno.test("a stdout that is closed later ends a server quietly", WITH_SHELL, async () => {
  const command = '{ "$0" run --allow-net "$1" --port=0; echo "status $?" >&2; } | head -2';
  const script = `${SCRIPTS}echo_server.ts`;
  await using shell = new Program(["sh", "-c", command, Deno.execPath(), script]);
  assert(await shell.until(() => portOf(shell) !== undefined), shell.errors);
  const port = portOf(shell)!;
  // The third line finds a closed pipe, or a later line when `head` is slow.
  while (await askOverTcp(port, "x").catch(() => "")) { /* the server still runs */ }
  assert(await shell.ended());
  assertEquals(shell.errors, `note: listening on 127.0.0.1 port ${port}\nstatus 0\n`);
});
