/** What clients do in addition to their sessions. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { labs } from "../../scripts/lab/catalog/labs.ts";
import { DENO_RUN, Program } from "../../scripts/lab/process/program.ts";
import { writeAll } from "../../scripts/lib.ts";
import {
  decode,
  defaultHost,
  encode,
  LONGEST_DATAGRAM,
  quietPort,
  readToEnd,
  resultOf,
  runScript,
  SCRIPTS,
  start,
  startServer,
  temporary,
  udpSocket,
  WITH_SIGNALS,
  WITH_ZERO_ADDRESS,
} from "../helpers.ts";

const PROMPT = "Guess a number between 1 and 99: ";
// Windows starts no program with more than 32,767 characters of arguments.
const LONGEST_MESSAGE = Deno.build.os === "windows" ? 30_000 : 100_000;

for (const { transport, server, client: { name, typed } } of labs) {
  const stdin = typed.map((line) => `${line}\n`).join("");

  Deno.test(`${name} reports that its server does not run and how to start it, or that the host is unknown`, async () => {
    const port = quietPort();
    const flags = transport === "udp" ? ["--timeout=0.05"] : [];
    const { status, stderr } = await runScript(name, [`--port=${port}`, ...flags], stdin);
    const place = `${defaultHost(name)} port ${port}`;
    const noReply = [
      "note: no reply within 0.05 s: try 2 of 3",
      "note: no reply within 0.05 s: try 3 of 3",
      `error: no reply from ${place} after 3 tries`,
    ];
    const messages = transport === "udp" ? noReply : [`error: nothing is listening on ${place}`];
    const lines = stderr.split("\n");
    const hint = lines.splice(-2)[0];
    assertEquals([status, lines], [1, messages]);
    assertStringIncludes(hint, "start the server first: deno run -A ");
    assertStringIncludes(hint, `scripts/${server.name} --port=${port}`);
    const unknown = await runScript(name, ["--host=nosuch.invalid"], stdin);
    assertEquals(unknown.stderr, "error: unknown host nosuch.invalid\n");
  });
}

Deno.test("a client copied to another name does not give its own name as the server's", async () => {
  await using folder = await temporary();
  const port = quietPort();
  await Deno.mkdir(`${folder.path}/scripts`);
  await Deno.copyFile(`${SCRIPTS}../deno.json`, `${folder.path}/deno.json`);
  for (const [from, to] of [["lib", "lib"], ["cli", "cli"], ["echo_client_v1", "mine"]]) {
    await Deno.copyFile(`${SCRIPTS}${from}.ts`, `${folder.path}/scripts/${to}.ts`);
  }
  const command = [...DENO_RUN, "--allow-net", "scripts/mine.ts", `--port=${port}`];
  await using program = new Program(command, undefined, { cwd: folder.path });
  const { status, stderr } = await resultOf(program);
  const message = `error: nothing is listening on 127.0.0.1 port ${port}\n`;
  assertEquals([status, stderr], [1, `${message}start the server first, with --port=${port}\n`]);
});

Deno.test("echo_client.ts sends and shows messages of all kinds", async () => {
  const messages = ["héllo 😀", "", "x".repeat(LONGEST_MESSAGE), "\x1b[2J", "two\nlines"];
  for (const message of [...messages, "12345678901234€"]) {
    // The test is the server, because echo_server.ts sends back at most 2048 bytes.
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    await using client = start("echo_client.ts", [`--port=${port}`, `--message=${message}`]);
    using connection = await listener.accept();
    const data = encode(message);
    const received = await readToEnd(connection, data.length);
    assertEquals(received, data);
    await writeAll(connection, received);
    assert(await client.ended());
    assertEquals([await client.status, client.errors], [0, ""]);
    const shown = message.replace("\x1b", "\\x1b").replace("\n", "\\n");
    const [first, second, ...pieces] = client.screen.split("\n");
    assertEquals(first, `Connecting to localhost port ${port}`);
    assertEquals(second, `Sending ${shown}`);
    assertEquals(pieces.splice(-2), ["Closing connection to the server", ""]);
    assert(pieces.every((line) => line.startsWith("Received: ")), client.screen);
    assertEquals(pieces.map((line) => line.slice("Received: ".length)).join(""), shown);
  }
});

Deno.test("echo_client_udp.ts sends and shows messages of all kinds, or reports that one is too long", async () => {
  const { server, port } = await startServer("echo_server_udp.ts");
  await using _ = server;
  const run = (message: string) =>
    runScript("echo_client_udp.ts", [`--port=${port}`, `--message=${message}`]);
  const closing = "\nClosing connection to the server\n";
  const long = "x".repeat(Math.min(LONGEST_DATAGRAM, LONGEST_MESSAGE));
  for (
    const [message, shown] of [
      ["héllo 😀", "héllo 😀"],
      ["\x1b[2J\n", "\\x1b[2J\\n"],
      [long, long.slice(0, 2048)],
    ]
  ) {
    const { status, stdout, stderr } = await run(message);
    assertEquals([status, stderr], [0, ""]);
    assertStringIncludes(stdout, `\nreceived ${shown}${closing}`);
  }
  if (Deno.build.os === "windows") return; // there every argument fits into a datagram
  const { status, stdout, stderr } = await run("x".repeat(LONGEST_MESSAGE));
  assertEquals([status, stderr], [1, "error: the message is too long for one datagram\n"]);
  assert(stdout.endsWith(closing));
});

Deno.test("guess_client.ts shows the correct answer for each guess when an earlier answer comes late", async () => {
  using socket = udpSocket();
  const args = [`--port=${socket.port}`, "--timeout=0.2", "--tries=100"];
  await using client = start("guess_client.ts", args);
  await client.type("50");
  // The first guess gets its answer only after the third try, and then three times. The client does
  // not wait for the last two answers.
  const asked = [await socket.receive(), await socket.receive(), await socket.receive()];
  assertEquals(asked.map(([data]) => decode(data)), ["50", "50", "50"]);
  const [[, from]] = asked;
  /** Returns the sender of a guess. On a busy machine, the earlier guess may come once more. */
  const senderOf = async (question: string, earlier: string) => {
    while (true) {
      const [data, peer] = await socket.receive();
      if (decode(data) === question) return peer;
      assertEquals(decode(data), earlier);
    }
  };
  for (let i = 0; i < 3; i++) await socket.send(encode("LOWER"), from);
  assert(await client.until(() => client.screen.includes("LOWER\n")));
  await client.type("25");
  const peer = await senderOf("25", "50");
  await socket.send(encode("LOWER"), from); // late again
  await socket.send(encode("HIGHER"), peer);
  assert(await client.until(() => client.screen.includes("HIGHER\n")));
  await client.type("42");
  await socket.send(encode("CORRECT"), await senderOf("42", "25"));
  assert(await client.ended());
  assertEquals(await client.status, 0);
  assertEquals(client.screen.replaceAll(PROMPT, ""), "50\nLOWER\n25\nHIGHER\n42\nCORRECT\n");
});

Deno.test("guess_client.ts asks again for anything that is not a whole number, and reads lines of all kinds", async () => {
  const { server, port } = await startServer("guess_server.ts", ["--secret=42"]);
  await using _ = server;
  const typed = "abc\n\n4.2\n1\r\n 42 "; // the last line has no line end
  const result = await runScript("guess_client.ts", [`--port=${port}`], typed);
  const note = (line: string) => `note: not a whole number: ${line}\n`;
  assertEquals(result, {
    status: 0,
    stdout: `${PROMPT.repeat(4)}HIGHER\n${PROMPT}CORRECT\n`,
    stderr: note("abc") + note("") + note("4.2"),
  });
  await server.end(); // then its output is complete
  assertEquals(server.screen.match(/guessed .*/g), ["guessed 1: HIGHER", "guessed 42: CORRECT"]);
});

Deno.test("guess_client.ts ends with status 1 at the end of input", async () => {
  const stderr = "error: the number was not found\n";
  assertEquals(await runScript("guess_client.ts"), { status: 1, stdout: PROMPT, stderr });
});

Deno.test("guess_client.ts reports garbage that is not an answer", async () => {
  using socket = udpSocket();
  await using client = start("guess_client.ts", [`--port=${socket.port}`]);
  await client.type("50");
  const [, peer] = await socket.receive();
  await socket.send(encode("\x1b[31mMAYBE"), peer);
  assert(await client.ended());
  assertEquals(await client.status, 1);
  assertEquals(client.errors, "error: this is not a guess server, it answered: \\x1b[31mMAYBE\n");
});

// Windows sends nothing to 0.0.0.0.
Deno.test("a client works with --host=0.0.0.0, as its server does", WITH_ZERO_ADDRESS, async () => {
  const host = "--host=0.0.0.0";
  const { server, port } = await startServer("echo_server_udp.ts", [host]);
  await using _ = server;
  assertEquals((await runScript("echo_client_udp.ts", [host, `--port=${port}`])).status, 0);
});

Deno.test(
  "Ctrl-C ends a client that waits for its keyboard with status 130",
  WITH_SIGNALS,
  async () => {
    await using client = start("guess_client.ts");
    assert(await client.until(() => client.screen === PROMPT));
    assertEquals(await client.end("SIGINT"), 130);
    assertEquals([client.screen, client.errors], [PROMPT, ""]);
  },
);
