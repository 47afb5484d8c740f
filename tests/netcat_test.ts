/** netcat.ts against OpenBSD's nc, ncat and socat, in both roles, and with the labs. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import net from "node:net";
import { writeAll } from "../scripts/lib.ts";
import { DENO_RUN, portOf, Program } from "../scripts/lab/program.ts";
import {
  closedPort,
  connect,
  decode,
  encode,
  has,
  LINUX_ONLY,
  LONGEST_DATAGRAM,
  NOT_ON_WINDOWS,
  readToEnd,
  reset,
  resultOf,
  runScript,
  SCRIPTS,
  sendTo,
  start,
  startServer,
  udpSocket,
  WITH_IPV6,
} from "./helpers.ts";

const WITH_NC = { ignore: !has("nc.openbsd") };
const WITH_SOCAT = { ignore: !has("socat") };
const WITH_SCRIPT = { ignore: LINUX_ONLY.ignore || !has("script") };

const netcat = (args: string) => runScript("netcat.ts", args.split(" "));

/** Starts `netcat -l` on a free port and waits until it listens there. */
async function listen(
  flags: string,
): Promise<{ server: Program; port: number }> {
  const server = start("netcat.ts", [...flags.split(" "), "0"]);
  assert(await server.until(() => portOf(server) !== undefined), server.errors);
  return { server, port: portOf(server)! };
}

function ownListener(hostname = "127.0.0.1"): Deno.TcpListener {
  return Deno.listen({ hostname, port: 0 });
}

const NETCAT = [...DENO_RUN, "--allow-net", `${SCRIPTS}netcat.ts`];

/** Who netcat must get along with: how it connects, and how it listens. */
const PEERS = [
  {
    name: "nc.openbsd",
    client: (port: string) => ["nc.openbsd", "-N", "127.0.0.1", port],
    server: (port: string) => ["nc.openbsd", "-Nlv", "127.0.0.1", port],
  },
  {
    name: "ncat",
    client: (port: string) => ["ncat", "127.0.0.1", port],
    server: (port: string) => ["ncat", "-lv", "127.0.0.1", port],
  },
  {
    name: "socat",
    client: (port: string) => ["socat", "-t9", "-", `TCP:127.0.0.1:${port}`],
    server: (port: string) => {
      const address = `TCP-LISTEN:${port},bind=127.0.0.1`;
      return ["socat", "-t9", "-d", "-d", "-", address];
    },
  },
  {
    name: "another netcat",
    client: (port: string) => [...NETCAT, "127.0.0.1", port],
    server: (port: string) => [...NETCAT, "-lv", port],
  },
];

/** What stands in for a keyboard and a screen: a file, and a command that the output goes to. */
type Ends = { input?: string; into?: string };

function redirected(command: string[], { input, into }: Ends): string[] {
  if (!input && !into) return command;
  const script = '"$@"' + (input ? ` <'${input}'` : "") +
    (into ? ` | ${into}` : "");
  return ["sh", "-c", script, "sh", ...command];
}

class Pair {
  constructor(readonly ours: Program, readonly theirs: Program) {}

  async ended() {
    assertEquals((await resultOf(this.ours)).status, 0);
    await resultOf(this.theirs);
  }

  async [Symbol.asyncDispose]() {
    await this.ours.end("SIGKILL");
    await this.theirs.end("SIGKILL");
  }
}

type Role = "client" | "server";

/** Starts netcat in its role and a peer in the other, connected to each other. */
async function startPair(
  peer: typeof PEERS[number],
  role: Role,
  ends: { ours?: Ends; theirs?: Ends } = {},
): Promise<Pair> {
  const port = `${closedPort()}`;
  const isClient = role === "client";
  const our = isClient ? [...NETCAT, "127.0.0.1", port] : [...NETCAT, "-lv", port];
  const their = isClient ? peer.server(port) : peer.client(port);
  const startOurs = () => new Program(redirected(our, ends.ours ?? {}));
  const startTheirs = () => new Program(redirected(their, ends.theirs ?? {}));
  const server = isClient ? startTheirs() : startOurs();
  const listens = await server.until(() => /listening on/i.test(server.errors));
  assert(listens, server.errors);
  return isClient ? new Pair(startOurs(), server) : new Pair(server, startTheirs());
}

/** Gives a test a file that holds some bytes, and the line that `cksum` prints of it. */
async function withFile(
  data: Uint8Array,
  body: (file: string, sum: string) => Promise<void>,
) {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeFile(file, data);
    const sum = new Program(redirected(["cksum"], { input: file }));
    await body(file, (await resultOf(sum)).stdout);
  } finally {
    await Deno.remove(file);
  }
}

function randomBytes(length: number): Uint8Array {
  const data = new Uint8Array(length);
  const most = 65536; // bytes given at a time
  for (let at = 0; at < length; at += most) {
    crypto.getRandomValues(data.subarray(at, at + most));
  }
  return data;
}

/** Sends three lines in the course of a second, each of which must arrive at once. */
async function sendSlowly(from: Program, to: Program) {
  for (const line of ["one\n", "two\n", "three\n"]) {
    await from.send(encode(line));
    assert(await to.until(() => to.screen.endsWith(line)), `no ${line}`);
    await delay(330); // what is tested is that nobody gives up in the meantime
  }
}

/** One side ends its input; what the other one sends in the next second must arrive. */
async function testHalf(
  peer: typeof PEERS[number],
  role: Role,
  first: "ours" | "theirs",
) {
  await using pair = await startPair(peer, role);
  const [ending, sending] = first === "ours" ? [pair.ours, pair.theirs] : [pair.theirs, pair.ours];
  await ending.send(encode("my last\n"));
  await ending.endInput();
  assert(await sending.until(() => sending.screen === "my last\n"));
  await sendSlowly(sending, ending);
  await sending.endInput();
  await pair.ended();
}

/** One side sends a file, and the other one gets all of it. */
async function testTransfer(
  peer: typeof PEERS[number],
  role: Role,
  sender: "ours" | "theirs",
  input: string,
  sum: string,
) {
  const receiver = sender === "ours" ? "theirs" : "ours";
  await using pair = await startPair(peer, role, {
    [sender]: { input },
    [receiver]: { into: `{ head -c ${MANY} | cksum; cat; }` },
  });
  // Not before all is there: some peers end when the other half has ended.
  await pair[receiver].until(() => pair[receiver].screen !== "");
  await pair[receiver].endInput();
  await pair.ended();
  assertEquals(pair[receiver].screen, sum);
}

const MANY = 100_000_000; // bytes

for (const peer of PEERS) {
  const itself = peer.name === "another netcat";
  const ignore = NOT_ON_WINDOWS.ignore || (!itself && !has(peer.name));
  const roles: Role[] = itself ? ["client"] : ["client", "server"];

  for (const role of roles) {
    const name = `netcat as the ${role} of ${peer.name}`;

    Deno.test(`${name} passes what both sides type, line by line`, {
      ignore,
    }, async () => {
      await using pair = await startPair(peer, role);
      const { ours, theirs } = pair;
      for (const line of ["one\n", "zwölf\n", "三\n"]) {
        await ours.send(encode(line));
        assert(await theirs.until(() => theirs.screen.endsWith(line)));
        await theirs.send(encode(`not ${line}`));
        assert(await ours.until(() => ours.screen.endsWith(`not ${line}`)));
      }
      await ours.endInput();
      await theirs.endInput();
      await pair.ended();
    });

    for (const length of [0, 256]) {
      Deno.test(`${name} sends a file of ${length} different bytes`, {
        ignore,
      }, async () => {
        const data = Uint8Array.from({ length }, (_, i) => i);
        await withFile(data, async (input, sum) => {
          await using pair = await startPair(peer, role, {
            ours: { input },
            theirs: { input: "/dev/null", into: "cksum" },
          });
          await pair.ended();
          assertEquals(pair.theirs.screen, sum);
        });
      });
    }
  }

  Deno.test(
    `netcat and ${peer.name} pass 100 MB there and back unchanged, in both roles`,
    {
      ignore,
    },
    async () => {
      await withFile(randomBytes(MANY), async (input, sum) => {
        for (const role of roles) {
          await Promise.all([
            testTransfer(peer, role, "ours", input, sum),
            testTransfer(peer, role, "theirs", input, sum),
          ]);
        }
      });
    },
  );

  Deno.test(
    `netcat and ${peer.name} lose nothing when one half ends a second before the other`,
    {
      ignore,
    },
    async () => {
      await Promise.all(roles.flatMap((role) => [
        testHalf(peer, role, "theirs"),
        // These end with their client's half, and drop what they still have to send.
        ...role === "client" && /^nc/.test(peer.name) ? [] : [testHalf(peer, role, "ours")],
      ]));
    },
  );
}

Deno.test("netcat -l serves one client, refuses the next, and ends with the first", async () => {
  const { server, port } = await listen("-l");
  await using _ = server;
  using client = await connect(port);
  await writeAll(client, encode("hello"));
  assert(await server.until(() => server.screen === "hello"));
  await assertRejects(() => connect(port), Deno.errors.ConnectionRefused);
  await server.endInput();
  await client.closeWrite();
  assertEquals((await resultOf(server)).status, 0);
});

Deno.test("netcat -l ends after its client, also when its own input never ends", async () => {
  const { server, port } = await listen("-l");
  await using _ = server;
  const client = await connect(port);
  client.close();
  assertEquals((await resultOf(server)).status, 0);
});

Deno.test("netcat -lk serves one client after the other, also after one that resets", async () => {
  const { server, port } = await listen("-lk");
  await using _ = server;
  await server.endInput();
  for (const name of ["one", "two", "three"]) {
    using client = await connect(port);
    await writeAll(client, encode(name));
    await client.closeWrite();
    assertEquals(decode(await readToEnd(client)), "");
    await reset(port, "bye");
  }
  const shown = () => server.screen.replaceAll("bye", ""); // which the reset may destroy
  assert(await server.until(() => shown() === "onetwothree"), server.screen);
});

Deno.test("netcat -lk gives what is typed to the client of that moment", async () => {
  const { server, port } = await listen("-lk -w 1");
  await using _ = server;
  for (const name of ["one", "two"]) {
    using client = await connect(port);
    await writeAll(client, encode(name));
    assert(await server.until(() => server.screen.endsWith(name)));
    await server.send(encode(`for ${name}`));
    const buffer = new Uint8Array(100);
    const length = await client.read(buffer);
    assertEquals(decode(buffer.subarray(0, length!)), `for ${name}`);
  }
});

for (
  const args of ["-l 127.0.0.1 PORT", "-l PORT", "-l -p PORT", "-lvp PORT"]
) {
  Deno.test(`netcat ${args} listens on 127.0.0.1`, async () => {
    const port = closedPort();
    const verbose = ["-v", ...args.replace("PORT", `${port}`).split(" ")];
    await using server = start("netcat.ts", verbose);
    await server.until(() => server.errors !== "");
    assertEquals(server.errors, `note: listening on 127.0.0.1 port ${port}\n`);
    (await connect(port)).close();
    await server.endInput();
    assertEquals((await resultOf(server)).status, 0);
  });
}

Deno.test(
  "netcat -6 talks over IPv6, in both roles, also to localhost",
  WITH_IPV6,
  async () => {
    const { server, port } = await listen("-6lv");
    await using _ = server;
    assertStringIncludes(server.errors, `listening on ::1 port ${port}\n`);
    await using client = start("netcat.ts", ["-6", "localhost", `${port}`]);
    await client.send(encode("hello"));
    assert(await server.until(() => server.screen === "hello"));
    await client.endInput();
    await server.endInput();
    assertEquals((await resultOf(client)).status, 0);
  },
);

Deno.test("netcat connects to ::1 without -6", WITH_IPV6, async () => {
  using listener = ownListener("::1");
  const { port } = listener.addr;
  assertEquals((await netcat(`-z ::1 ${port}`)).status, 0);
});

for (
  const [args, message] of [
    ["-4 ::1 80", "::1 is no IPv4 address"],
    ["-6 127.0.0.1 80", "127.0.0.1 is no IPv6 address"],
    ["-n localhost 80", "localhost is a name, and -n looks up none"],
    ["nobody.invalid 80", "unknown host nobody.invalid"],
    ["-6 nobody.invalid 80", "unknown host nobody.invalid"],
    ["-l 192.0.2.1 8080", "192.0.2.1 is no address of this machine"],
  ]
) {
  Deno.test(`netcat ${args} says that ${message}`, async () => {
    const { status, stderr } = await netcat(args);
    assertEquals([status, stderr], [1, `error: ${message}\n`]);
  });
}

for (
  const [args, message] of [
    ["80", "host and port are missing"],
    ["-l", "a port is missing"],
    ["localhost http", "a port is a number up to 65535, not http"],
    ["localhost 65536", "a port is a number up to 65535, not 65536"],
    ["-z localhost 9-8", "a port is a number up to 65535, not 9-8"],
    ["localhost 20-25", "a range of ports needs -z"],
    ["localhost 0", "nobody listens on port 0"],
    ["localhost 80 81", "unexpected argument 81"],
    ["-k localhost 80", "-k needs -l"],
    ["-lz 80", "-z is for TCP clients"],
    ["-uz localhost 80", "-z is for TCP clients"],
    ["-46 localhost 80", "-4 excludes -6"],
    ["-w 0 localhost 80", "-w must be from 1 to 86400, not 0"],
    ["-p 65536 localhost 80", "a port is a number up to 65535, not 65536"],
    ["-e sh localhost 80", "unknown flag -e"],
  ]
) {
  Deno.test(`netcat ${args} is wrong usage: ${message}`, async () => {
    const { status, stdout, stderr } = await netcat(args);
    const [line, usage, ...rest] = stderr.split("\n");
    assertEquals([status, stdout, line], [2, "", `error: ${message}`]);
    assertMatch(usage, /^usage: netcat.ts .*PORT/);
    assertEquals(rest, [""]);
  });
}

Deno.test("netcat takes -N, alone and among other letters", async () => {
  for (const flags of ["-N", "-Nv", "-vN"]) {
    const { stderr } = await netcat(`${flags} 127.0.0.1 ${closedPort()}`);
    assertStringIncludes(stderr, "nothing is listening on 127.0.0.1 port");
  }
});

Deno.test("netcat says that nothing is listening, where nothing is", async () => {
  const port = closedPort();
  const { status, stderr } = await netcat(`localhost ${port}`);
  assertEquals(status, 1);
  assertStringIncludes(
    stderr,
    `nothing is listening on localhost port ${port}`,
  );
});

Deno.test("netcat -l says that a port is taken", async () => {
  using listener = ownListener();
  const { port } = listener.addr;
  const { status, stderr } = await netcat(`-l ${port}`);
  assertEquals(status, 1);
  assertStringIncludes(stderr, `port ${port} on 127.0.0.1 is already in use`);
  assertMatch(stderr, /-l 0\n$/); // and how to take another one
});

Deno.test("netcat says that its peer broke off, when it has shown what came before", async () => {
  const { server, port } = await listen("-l");
  await using _ = server;
  const client = net.connect(port, "127.0.0.1");
  client.write("half a mess");
  assert(await server.until(() => server.screen === "half a mess"));
  client.resetAndDestroy();
  const { status, stderr } = await resultOf(server);
  assertEquals(status, 1);
  assertMatch(stderr, /127\.0\.0\.1 port \d+ broke off the connection\n$/);
});

Deno.test(
  "netcat ends quietly when its stdout is closed",
  NOT_ON_WINDOWS,
  async () => {
    using listener = ownListener();
    const command = [...NETCAT, "127.0.0.1", `${listener.addr.port}`];
    const status = '{ "$@"; echo $? >&2; } | head -c 10';
    await using client = new Program(["sh", "-c", status, "sh", ...command]);
    using server = await listener.accept();
    const sending = async () => {
      while (true) await writeAll(server, new Uint8Array(65536).fill(65));
    };
    const broken = sending().catch(() => {});
    assertEquals(await resultOf(client), {
      status: 0,
      stdout: "A".repeat(10),
      stderr: "0\n",
    });
    await broken;
  },
);

Deno.test("netcat -z tells whether a port is open", async () => {
  using listener = ownListener();
  const { port } = listener.addr;
  const open = { status: 0, stdout: "", stderr: "" };
  assertEquals(await netcat(`-z 127.0.0.1 ${port}`), open);
  assertEquals(await netcat(`-zv localhost ${port}`), {
    ...open,
    stderr: `note: localhost port ${port} is open\n`,
  });
  assertEquals((await netcat(`-z 127.0.0.1 ${closedPort()}`)).status, 1);
});

Deno.test("netcat -zv names the open port of a range", async () => {
  using listener = ownListener();
  const { port } = listener.addr;
  const range = `${port - 1}-${port + 1}`;
  const { status, stderr } = await netcat(`-zv 127.0.0.1 ${range}`);
  assertEquals(status, 0);
  assertStringIncludes(stderr, `note: 127.0.0.1 port ${port} is open\n`);
  assertEquals(stderr.match(/^note/gm)?.length, 3);
});

Deno.test("netcat -z fails when no port of a range is open", async () => {
  const { status, stderr } = await netcat("-z 127.0.0.1 1-3");
  assertEquals(status, 1);
  assertEquals(stderr, "error: none of these ports of 127.0.0.1 is open\n");
});

Deno.test("netcat -w gives up when the connection is not answered", async () => {
  // Nobody accepts, and the queue is full: then the system answers no more.
  using listener = Deno.listen({
    hostname: "127.0.0.1",
    port: 0,
    tcpBacklog: 1,
  });
  const { port } = listener.addr;
  const waiting: Deno.TcpConn[] = [];
  try {
    while (true) {
      const signal = AbortSignal.timeout(200);
      waiting.push(
        await Deno.connect({ hostname: "127.0.0.1", port, signal }),
      );
    }
  } catch { /* it is full now */ }
  const allFlags = ["-w 1", "-zw1", `-w1 -p ${closedPort()}`];
  const results = allFlags.map((flags) => netcat(`${flags} 127.0.0.1 ${port}`));
  const stderr = `error: no answer from 127.0.0.1 port ${port} within 1 s\n`;
  for (const result of await Promise.all(results)) {
    assertEquals(result, { status: 1, stdout: "", stderr });
  }
  for (const connection of waiting) connection.close();
});

Deno.test("netcat -w ends when nothing was sent or received for so long", async () => {
  using listener = ownListener();
  const args = ["-vw1", "127.0.0.1", `${listener.addr.port}`];
  await using client = start("netcat.ts", args);
  using server = await listener.accept();
  for (let i = 0; i < 3; i++) { // longer than a second, but with life in it
    await writeAll(server, encode("."));
    await delay(400);
  }
  const { status, stdout, stderr } = await resultOf(client);
  assertEquals([status, stdout], [0, "..."]); // as OpenBSD's
  assertStringIncludes(stderr, "note: nothing came for 1 s\n");
});

Deno.test("netcat -p takes a port on its own side, and passes much data both ways", async () => {
  using listener = ownListener();
  const own = closedPort();
  const args = ["-p", `${own}`, "127.0.0.1", `${listener.addr.port}`];
  await using client = start("netcat.ts", args);
  using server = await listener.accept();
  assertEquals(server.remoteAddr.port, own);
  const text = "0123456789".repeat(100_000);
  await client.send(encode(text));
  await client.endInput();
  assertEquals(decode(await readToEnd(server)), text);
  await writeAll(server, encode(text));
  await server.closeWrite();
  const { status, stdout } = await resultOf(client);
  assertEquals(status, 0);
  assert(stdout === text);
});

Deno.test("netcat -p says which of the two ports is the trouble", async () => {
  using listener = ownListener();
  const { port } = listener.addr;
  const taken = await netcat(`-p ${port} 127.0.0.1 9`);
  assertStringIncludes(taken.stderr, `port ${port} on this machine is already`);
  using socket = udpSocket("0.0.0.0");
  const udp = await netcat(`-u -p ${socket.port} 127.0.0.1 9`);
  assertStringIncludes(udp.stderr, `port ${socket.port} on this machine is`);
  const closed = closedPort();
  const refused = await netcat(`-p ${closedPort()} 127.0.0.1 ${closed}`);
  assertStringIncludes(refused.stderr, `listening on 127.0.0.1 port ${closed}`);
  assertEquals([taken.status, udp.status, refused.status], [1, 1, 1]);
});

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

/** Starts netcat as a client whose output nobody reads yet. */
async function startUnread() {
  using listener = ownListener();
  const [deno, ...args] = NETCAT;
  const client = new Deno.Command(deno, {
    args: [...args, "127.0.0.1", `${listener.addr.port}`],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const keyboard = client.stdin.getWriter();
  return { client, keyboard, server: await listener.accept() };
}

/** Sends until nothing is taken any more: how many bytes were sent, and the last write. */
async function fill(write: (data: Uint8Array) => Promise<unknown>) {
  const data = randomBytes(1_000_000);
  for (let sent = data.length; sent <= MANY / 2; sent += data.length) {
    const writing = write(data);
    try {
      await deadline(writing, 300);
    } catch {
      return { sent, writing };
    }
  }
  throw new Error("netcat takes everything, whether it can pass it on or not");
}

Deno.test("netcat stops its peer while nobody reads its output, and still sends", async () => {
  const { client, keyboard, server } = await startUnread();
  const { sent, writing } = await fill((data) => writeAll(server, data));
  await keyboard.write(encode("typed"));
  await keyboard.close();
  assertEquals(decode(await readToEnd(server)), "typed");

  const end = writing.then(() => server.closeWrite());
  let received = 0;
  for await (const piece of client.stdout) received += piece.length;
  await end;
  assertEquals(received, sent);
  assertEquals((await client.status).code, 0);
  server.close();
});

Deno.test("netcat takes no more input while its peer reads nothing, and still shows what comes", async () => {
  const { client, keyboard, server } = await startUnread();
  const { sent, writing } = await fill((data) => keyboard.write(data));
  await writeAll(server, encode("shown"));
  await server.closeWrite();
  const reader = client.stdout.getReader();
  let screen = "";
  while (screen.length < "shown".length) {
    screen += decode((await reader.read()).value!);
  }
  const end = writing.then(() => keyboard.close());
  const received = await readToEnd(server);
  await end;
  assertEquals(received.length, sent);
  assertEquals((await reader.read()).done, true);
  assertEquals((await client.status).code, 0);
  server.close();
});

Deno.test(
  "netcat ends with Ctrl-C also while nobody reads its output",
  NOT_ON_WINDOWS,
  async () => {
    const { client, keyboard, server } = await startUnread();
    const { writing } = await fill((data) => writeAll(server, data));
    client.kill("SIGINT");
    assertEquals((await client.status).code, 130);
    await writing.catch(() => {});
    await keyboard.close().catch(() => {});
    await client.stdout.cancel();
    server.close();
  },
);

/** Starts netcat as a client, at a terminal. */
async function startAtTerminal() {
  using listener = ownListener();
  const command = [...NETCAT, "127.0.0.1", listener.addr.port].join(" ");
  const client = new Program(["script", "-qec", command, "/dev/null"]);
  return { client, server: await listener.accept() };
}

Deno.test(
  "netcat at a terminal sends each line at once and ends its half with Ctrl-D",
  WITH_SCRIPT,
  async () => {
    const { client, server } = await startAtTerminal();
    await using _ = client;
    const buffer = new Uint8Array(100);
    for (const line of ["hello\n", "world\n"]) {
      await client.send(encode(line));
      const length = await server.read(buffer);
      assertEquals(decode(buffer.subarray(0, length!)), line);
    }
    await client.send(encode("\x04"));
    assertEquals(await server.read(buffer), null);
    await writeAll(server, encode("still shown"));
    server.close();
    assertEquals((await resultOf(client)).status, 0);
    assertStringIncludes(client.screen, "still shown");
  },
);

Deno.test(
  "netcat at a terminal ends when its peer does",
  WITH_SCRIPT,
  async () => {
    const { client, server } = await startAtTerminal();
    await using _ = client;
    server.close();
    assertEquals((await resultOf(client)).status, 0);
  },
);

Deno.test(
  "netcat at a terminal ends with Ctrl-C, status 130",
  WITH_SCRIPT,
  async () => {
    const { client, server } = await startAtTerminal();
    await using _ = client;
    await writeAll(server, encode("ready"));
    assert(await client.until(() => client.screen.includes("ready")));
    await client.send(encode("\x03"));
    assertEquals((await resultOf(client)).status, 130);
    server.close();
  },
);

Deno.test("netcat talks to the labs' servers", async () => {
  for (const protocol of ["", "_udp"]) {
    const { server, port } = await startServer(`echo_server${protocol}.ts`);
    await using _ = server;
    const args = ["localhost", `${port}`, ...protocol ? ["-u"] : []];
    await using client = start("netcat.ts", args);
    await client.send(encode("hello\n"));
    assert(await client.until(() => client.screen === "hello\n"));
  }
});

Deno.test("netcat -l is a server for the labs' clients", async () => {
  const { server, port } = await listen("-l");
  await using _ = server;
  const { status } = await runScript("tcp_client.ts", [`--port=${port}`]);
  await server.endInput();
  assertEquals(status, 0);
  assertEquals(await resultOf(server), {
    status: 0,
    stdout: "Hi. I am a TCP client sending data to the server",
    stderr: `note: listening on 127.0.0.1 port ${port}\n`,
  });
});
