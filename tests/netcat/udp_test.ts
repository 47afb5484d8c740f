/** netcat.ts -u: with nc, socat and another netcat, and on its own. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import { DENO_RUN, Program } from "../../scripts/lab/program.ts";
import {
  decode,
  encode,
  LONGEST_DATAGRAM,
  resultOf,
  runScript,
  SCRIPTS,
  sendTo,
  start,
  udpSocket,
} from "../helpers.ts";
import { listen, NETCAT, netcat, WITH_NC, WITH_SOCAT } from "./helpers.ts";

const UDP_PEERS = [
  {
    name: "nc.openbsd",
    options: WITH_NC,
    client: (port: number) => ["nc.openbsd", "-u", "127.0.0.1", `${port}`],
    server: (port: number) => ["nc.openbsd", "-ulv", "127.0.0.1", `${port}`],
  },
  {
    name: "socat",
    options: WITH_SOCAT,
    client: (port: number) => ["socat", "-", `UDP:127.0.0.1:${port}`],
    server: (port: number) => [
      ...["socat", "-d", "-d", "-d", "-"],
      `UDP-LISTEN:${port},bind=127.0.0.1`,
    ],
  },
  {
    name: "another netcat",
    options: {},
    client: (port: number) => [...NETCAT, "-u", "127.0.0.1", `${port}`],
    server: (port: number) => [...NETCAT, "-ulv", `${port}`],
  },
];

for (const { name, options, client, server } of UDP_PEERS) {
  Deno.test(`netcat -u and ${name} type to each other`, options, async () => {
    const { server: listening, port } = await listen("-ul");
    await using ours = listening;
    await using theirs = new Program(client(port));
    await theirs.send(encode("hello\n"));
    assert(await ours.until(() => ours.screen === "hello\n"), ours.screen);
    await ours.send(encode("who is there?\n"));
    assert(await theirs.until(() => theirs.screen === "who is there?\n"));
  });

  Deno.test(
    `netcat -u and ${name} -l type to each other`,
    options,
    async () => {
      const port = freeUdpPort();
      await using theirs = new Program(server(port));
      assert(await theirs.until(() => /bound|listening/i.test(theirs.errors)));
      await using ours = start("netcat.ts", ["-u", "127.0.0.1", `${port}`]);
      await ours.send(encode("hello\n"));
      assert(await theirs.until(() => theirs.screen === "hello\n"));
      await theirs.send(encode("who is there?\n"));
      assert(await ours.until(() => ours.screen === "who is there?\n"));
    },
  );
}

function freeUdpPort(): number {
  using socket = udpSocket();
  return socket.port;
}

/** Waits for a datagram. */
async function receive(socket: Deno.DatagramConn) {
  const [data, from] = await deadline(socket.receive(), 10_000);
  return { message: decode(data), port: (from as Deno.NetAddr).port };
}

Deno.test("netcat -ul talks to the first peer that it hears", async () => {
  const { server, port } = await listen("-ul");
  await using _ = server;
  using first = udpSocket();
  using second = udpSocket();
  await sendTo(first, port, "first");
  assert(await server.until(() => server.screen === "first"));
  await sendTo(second, port, "second");
  await sendTo(first, port, " again");
  assert(await server.until(() => server.screen === "first again"));
  await server.send(encode("answer"));
  assertEquals(await receive(first), { message: "answer", port });
});

Deno.test("netcat -ulk hears everybody and answers who was heard last", async () => {
  const { server, port } = await listen("-ulk");
  await using _ = server;
  const peers = [udpSocket(), udpSocket()];
  for (const peer of peers) {
    await sendTo(peer, port, `from ${peer.port}\n`);
    const heard = () => server.screen.endsWith(`from ${peer.port}\n`);
    assert(await server.until(heard));
    await server.send(encode(`to ${peer.port}`));
    const answer = { message: `to ${peer.port}`, port };
    assertEquals(await receive(peer), answer);
  }
  for (const peer of peers) peer.close();
});

Deno.test("netcat -u sends from the port of -p, long input in several datagrams, and -w ends it", async () => {
  using socket = udpSocket();
  const most = Math.min(16384, LONGEST_DATAGRAM);
  const own = freeUdpPort();
  const args = `-u -w 1 -p ${own} 127.0.0.1 ${socket.port}`.split(" ");
  const running = runScript("netcat.ts", args, "x".repeat(most + 1000));
  const first = await receive(socket);
  const second = await receive(socket);
  assertEquals([first.port, second.port], [own, own]);
  const lengths = [first.message.length, second.message.length];
  assertEquals(lengths, [most, 1000]);
  assertEquals(await running, { status: 0, stdout: "", stderr: "" });
});

Deno.test("netcat -ul -w waits for its first peer as long as it takes", async () => {
  const { server, port } = await listen("-ul -w 1");
  await using _ = server;
  await delay(1500);
  using peer = udpSocket();
  await sendTo(peer, port, "at last");
  assert(await server.until(() => server.screen === "at last"), server.errors);
  assertEquals((await resultOf(server)).status, 0); // after a second without more
});

Deno.test("netcat -u ends when it may not send", async () => {
  const script = `${SCRIPTS}netcat.ts`;
  const permission = "--allow-net=0.0.0.0"; // to bind the socket
  const args = [permission, script, "-u", "127.0.0.1", "9"];
  await using client = new Program([...DENO_RUN, "--no-prompt", ...args]);
  await client.send(encode("hello\n"));
  const { status, stderr } = await resultOf(client);
  assertEquals(status, 1);
  assertStringIncludes(
    stderr,
    'permission missing: net access to "127.0.0.1:9"',
  );
});

Deno.test("netcat -u -q ends so long after its input", async () => {
  using socket = udpSocket();
  const args = ["-u", "-q1", "127.0.0.1", `${socket.port}`];
  const running = runScript("netcat.ts", args, "hello");
  assertEquals((await receive(socket)).message, "hello");
  assertEquals(await running, { status: 0, stdout: "", stderr: "" });
});

Deno.test("netcat -u -s sends from that address", async () => {
  using socket = udpSocket();
  const args = ["-u", "-q0", "-s", "127.0.0.1", "127.0.0.1", `${socket.port}`];
  const running = runScript("netcat.ts", args, "hello");
  const [, from] = await deadline(socket.receive(), 10_000);
  assertEquals((from as Deno.NetAddr).hostname, "127.0.0.1");
  await running;
  const none = await netcat("-u -s 192.0.2.1 127.0.0.1 9");
  assertEquals(none.stderr, "error: 192.0.2.1 is no address of this machine\n");
});
