/** netcat.ts -u: with nc, socat, ncat and itself, and with the test; -uz and -uU. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import { DENO_RUN, Program } from "../../scripts/lab/process/program.ts";
import {
  decode,
  encode,
  LONGEST_DATAGRAM,
  quietPort,
  resultOf,
  runScript,
  SCRIPTS,
  sendTo,
  start,
  temporary,
  udpSocket,
  WITH_IPV6,
  WITH_UNIX_SOCKETS,
} from "../helpers.ts";
import {
  endBy,
  listen,
  NETCAT,
  netcat,
  type Peer,
  peer,
  TIMEOUT,
  WITH_FILES,
  WITH_SOCAT,
} from "./helpers.ts";

const SOCAT: Peer = {
  name: "socat",
  ...WITH_SOCAT,
  client: (port) => ["socat", "-", `UDP:127.0.0.1:${port}`],
  server: (port) => ["socat", "-d", "-d", "-d", "-", `UDP-LISTEN:${port},bind=127.0.0.1`],
};

// By name, as ncat then uses ::1 if the system resolves it to that first.
const NCAT = {
  ...peer("ncat", ["ncat", "-u"]),
  client: (port: string) => ["ncat", "-u", "localhost", port],
};

for (
  const { name, ignore, client, server } of [
    peer("nc", ["nc.openbsd", "-u"]),
    NCAT,
    SOCAT,
    peer("another netcat", [...NETCAT, "-u"]),
  ]
) {
  Deno.test(`netcat -u and ${name} type to each other, in both roles`, { ignore }, async () => {
    {
      await using ours = await listen("-ul");
      await using theirs = new Program(client(`${ours.port}`));
      await question(theirs, ours);
    }
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
  const [data, from] = await deadline(socket.receive(), TIMEOUT);
  const { hostname, port } = from as Deno.NetAddr;
  return { message: decode(data), hostname, port };
}

Deno.test("netcat -ul talks to the sender of the first datagram only", async () => {
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

Deno.test(
  "netcat -ul receives on both addresses of localhost, as clients may choose ::1",
  WITH_IPV6,
  async () => {
    for (const flags of ["-ul", "-ulk"]) {
      await using server = await listen(flags);
      for (const hostname of flags === "-ul" ? ["::1"] : ["::1", "127.0.0.1"]) {
        using peer = udpSocket(hostname);
        await peer.send(encode(hostname), { transport: "udp", hostname, port: server.port });
        assert(await server.until(() => server.screen.endsWith(hostname)), server.errors);
        await server.send(encode("answer"));
        assertEquals((await receive(peer)).message, "answer");
      }
    }
  },
);

Deno.test("netcat -ulk receives from everyone and answers the last sender", async () => {
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

Deno.test("netcat -u sends long input in several datagrams, from the port of -p, and ends after -w", async () => {
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

Deno.test("netcat -ul -w waits longer than -w for its first peer", async () => {
  await using server = await listen("-ul -w 1");
  await delay(1500);
  using peer = udpSocket();
  await sendTo(peer, server.port, "at last");
  assert(await server.until(() => server.screen === "at last"), server.errors);
  assertEquals((await resultOf(server)).status, 0); // after a second without more
});

Deno.test("netcat -u fails when it lacks the permission to send", async () => {
  const permission = "--allow-net=0.0.0.0"; // to bind the socket
  const args = [permission, `${SCRIPTS}netcat.ts`, "-u", "127.0.0.1", "9"];
  await using client = new Program([...DENO_RUN, "--no-prompt", ...args]);
  await client.send(encode("hello\n"));
  const { status, stderr } = await resultOf(client);
  assertEquals(status, 1);
  assertStringIncludes(stderr, 'permission missing: net access to "127.0.0.1:9"');
});

Deno.test("netcat -u -q ends after its input, and sends from the address of -s", async () => {
  using socket = udpSocket();
  const args = ["-u", "-q0", "-s", "127.0.0.1", "127.0.0.1", `${socket.port}`];
  const running = runScript("netcat.ts", args, "hello");
  const { message, hostname } = await receive(socket);
  assertEquals([message, hostname], ["hello", "127.0.0.1"]);
  assertEquals(await running, { status: 0, stdout: "", stderr: "" });
});

Deno.test("netcat -uz reports whether a port of this machine is open, and sends a byte 0", async () => {
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
  "netcat -u localhost finds a server that receives on ::1 only",
  WITH_IPV6,
  async () => {
    using socket = udpSocket("::1", quietPort()); // which is free on 127.0.0.1
    const running = runScript("netcat.ts", ["-uq0", "localhost", `${socket.port}`], "hello");
    assertEquals((await receive(socket)).message, "hello");
    assertEquals((await running).status, 0);
  },
);

Deno.test(
  "netcat -uU sends datagrams to a Unix socket, and leaves no file",
  WITH_UNIX_SOCKETS,
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
    assertEquals(await endBy(server, "SIGINT"), 130);
    assertEquals([...Deno.readDirSync(folder.path)], []);
  },
);
