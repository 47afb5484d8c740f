/** netcat.ts -u: with nc, socat and another netcat, and on its own; -uz and -uU. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import { DENO_RUN, Program } from "../../scripts/lab/program.ts";
import {
  decode,
  encode,
  LONGEST_DATAGRAM,
  NOT_ON_WINDOWS,
  quietPort,
  resultOf,
  runScript,
  SCRIPTS,
  sendTo,
  start,
  temporary,
  udpSocket,
  WITH_IPV6,
} from "../helpers.ts";
import { listen, NETCAT, netcat, type Peer, peer, WITH_FILES, WITH_SOCAT } from "./helpers.ts";

const SOCAT: Peer = {
  name: "socat",
  ...WITH_SOCAT,
  client: (port) => ["socat", "-", `UDP:127.0.0.1:${port}`],
  server: (port) => ["socat", "-d", "-d", "-d", "-", `UDP-LISTEN:${port},bind=127.0.0.1`],
};

for (
  const { name, ignore, client, server } of [
    peer("nc", ["nc.openbsd", "-u"]),
    SOCAT,
    peer("another netcat", [...NETCAT, "-u"]),
  ]
) {
  Deno.test(`netcat -u and ${name} type to each other, in both roles`, { ignore }, async () => {
    await using ours = await listen("-ul");
    await using theirs = new Program(client(`${ours.port}`));
    await question(theirs, ours);

    const port = `${quietPort()}`;
    await using listening = new Program(server(port));
    assert(await listening.until(() => /bound|listening/i.test(listening.errors)));
    await using asking = start("netcat.ts", ["-u", "127.0.0.1", port]);
    await question(asking, listening);
  });
}

async function question(client: Program, server: Program) {
  await client.send(encode("hello\n"));
  assert(await server.until(() => server.screen === "hello\n"), server.screen);
  await server.send(encode("who is there?\n"));
  assert(await client.until(() => client.screen === "who is there?\n"), client.screen);
}

/** Waits for a datagram. */
async function receive(socket: Deno.DatagramConn) {
  const [data, from] = await deadline(socket.receive(), 10_000);
  const { hostname, port } = from as Deno.NetAddr;
  return { message: decode(data), hostname, port };
}

Deno.test("netcat -ul talks to the first peer that it hears", async () => {
  await using server = await listen("-ul");
  using first = udpSocket();
  using second = udpSocket();
  await sendTo(first, server.port, "first");
  assert(await server.until(() => server.screen === "first"));
  await sendTo(second, server.port, "second");
  await sendTo(first, server.port, " again");
  assert(await server.until(() => server.screen === "first again"));
  await server.send(encode("answer"));
  assertEquals((await receive(first)).message, "answer");
});

Deno.test("netcat -ulk hears everybody and answers who was heard last", async () => {
  await using server = await listen("-ulk");
  const peers = [udpSocket(), udpSocket()];
  for (const peer of peers) {
    await sendTo(peer, server.port, `from ${peer.port}\n`);
    assert(await server.until(() => server.screen.endsWith(`from ${peer.port}\n`)));
    await server.send(encode(`to ${peer.port}`));
    assertEquals((await receive(peer)).message, `to ${peer.port}`);
  }
  for (const peer of peers) peer.close();
});

Deno.test("netcat -u sends from the port of -p, long input in several datagrams, and -w ends it", async () => {
  using socket = udpSocket();
  const most = Math.min(16384, LONGEST_DATAGRAM);
  const own = quietPort();
  const args = `-u -w 1 -p ${own} 127.0.0.1 ${socket.port}`.split(" ");
  const running = runScript("netcat.ts", args, "x".repeat(most + 1000));
  const first = await receive(socket);
  const second = await receive(socket);
  assertEquals([first.port, second.port], [own, own]);
  assertEquals([first.message.length, second.message.length], [most, 1000]);
  assertEquals(await running, { status: 0, stdout: "", stderr: "" });
});

Deno.test("netcat -ul -w waits for its first peer as long as it takes", async () => {
  await using server = await listen("-ul -w 1");
  await delay(1500);
  using peer = udpSocket();
  await sendTo(peer, server.port, "at last");
  assert(await server.until(() => server.screen === "at last"), server.errors);
  assertEquals((await resultOf(server)).status, 0); // after a second without more
});

Deno.test("netcat -u ends when it may not send", async () => {
  const permission = "--allow-net=0.0.0.0"; // to bind the socket
  const args = [permission, `${SCRIPTS}netcat.ts`, "-u", "127.0.0.1", "9"];
  await using client = new Program([...DENO_RUN, "--no-prompt", ...args]);
  await client.send(encode("hello\n"));
  const { status, stderr } = await resultOf(client);
  assertEquals(status, 1);
  assertStringIncludes(stderr, 'permission missing: net access to "127.0.0.1:9"');
});

Deno.test("netcat -u -q ends so long after its input, and -s is the address on its side", async () => {
  using socket = udpSocket();
  const args = ["-u", "-q0", "-s", "127.0.0.1", "127.0.0.1", `${socket.port}`];
  const running = runScript("netcat.ts", args, "hello");
  const { message, hostname } = await receive(socket);
  assertEquals([message, hostname], ["hello", "127.0.0.1"]);
  assertEquals(await running, { status: 0, stdout: "", stderr: "" });
  const none = await netcat("-u -s 192.0.2.1 127.0.0.1 9");
  assertEquals(none.stderr, "error: 192.0.2.1 is no address of this machine\n");
});

Deno.test("netcat -uz tells whether somebody has a port of this machine, and sends a byte 0", async () => {
  using socket = udpSocket();
  const [open, closed] = [socket.port, quietPort()];
  const { status, stderr } = await netcat(`-uzv localhost ${open},${closed}`);
  assertEquals(status, 0);
  assertStringIncludes(stderr, `note: localhost port ${open} is open\n`);
  assertStringIncludes(stderr, `note: nothing is listening on localhost port ${closed}\n`);
  assertEquals((await receive(socket)).message, "\0");
  const none = await netcat(`-uz localhost ${closed}`);
  assertEquals(none.status, 1);
  assertStringIncludes(none.stderr, `error: nothing is listening on localhost port ${closed}\n`);
});

Deno.test(
  "netcat -u finds who receives on ::1 alone by the name localhost",
  WITH_IPV6,
  async () => {
    using socket = udpSocket("::1", quietPort()); // which nobody has on 127.0.0.1
    const running = runScript("netcat.ts", ["-uq0", "localhost", `${socket.port}`], "hello");
    assertEquals((await receive(socket)).message, "hello");
    assertEquals((await running).status, 0);
  },
);

Deno.test(
  "netcat -uU sends datagrams to a Unix socket, and leaves no file",
  NOT_ON_WINDOWS,
  async () => {
    await using folder = await temporary();
    const path = `${folder.path}/socket`;
    await using server = new Program([...WITH_FILES, "-luUv", path]);
    assert(
      await server.until(() => server.errors === `note: listening on ${path}\n`),
      server.errors,
    );
    await using client = new Program([...WITH_FILES, "-uU", "-s", `${path}.own`, path]);
    await client.send(encode("hello"));
    assert(await server.until(() => server.screen === "hello"), server.errors);
    const note = `note: datagram from ${path}.own\n`;
    assert(await server.until(() => server.errors.endsWith(note)), server.errors);
    await client.endInput();
    assertEquals(await resultOf(client), { status: 0, stdout: "", stderr: "" });
    assertEquals(await server.end("SIGINT"), 130);
    assertEquals([...Deno.readDirSync(folder.path)], []);
  },
);
