/** netcat.ts: who ends first, what is then still sent and shown, and with which status it ends. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { delay } from "@std/async/delay";
import net from "node:net";
import { writeAll } from "../../scripts/lib.ts";
import { Program } from "../../scripts/lab/program.ts";
import {
  closedPort,
  connect,
  decode,
  encode,
  NOT_ON_WINDOWS,
  readToEnd,
  reset,
  resultOf,
  start,
} from "../helpers.ts";
import { listen, NETCAT, netcat, ownListener } from "./helpers.ts";

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
  const { server, port } = await listen("-lk");
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

/** Starts netcat as a client, and gives its connection. */
async function startClient(...flags: string[]) {
  using listener = ownListener();
  const client = start("netcat.ts", [...flags, "127.0.0.1", `${listener.addr.port}`]);
  return { client, server: await listener.accept() };
}

Deno.test("netcat sends what comes long after the other side has ended its half", async () => {
  const { client, server } = await startClient();
  await using _ = client;
  using _server = server;
  await client.send(encode("a"));
  await server.closeWrite();
  await delay(2500); // longer than anybody's patience used to be
  await client.send(encode("b"));
  await client.endInput();
  assertEquals(decode(await readToEnd(server)), "ab");
  assertEquals(await resultOf(client), { status: 0, stdout: "", stderr: "" });
});

Deno.test("netcat -l sends the rest of its input after its client's half has ended", async () => {
  const { server, port } = await listen("-l");
  await using _ = server;
  using client = await connect(port);
  await server.send(encode("a"));
  assertEquals(await client.read(new Uint8Array(9)), 1);
  await client.closeWrite();
  await delay(500);
  await server.send(encode("b"));
  await server.endInput();
  assertEquals(decode(await readToEnd(client)), "b");
  assertEquals((await resultOf(server)).status, 0);
});

Deno.test("netcat says how much of its input did not get through when its peer is gone", async () => {
  const { client, server } = await startClient();
  await using _ = client;
  const { port } = server.localAddr as Deno.NetAddr;
  server.close();
  await delay(50); // the end is there, and nothing shows it
  await client.send(encode("b\n")); // which the system takes, and nobody reads
  assertEquals(await resultOf(client), {
    status: 1,
    stdout: "",
    stderr: `error: 127.0.0.1 port ${port} broke off the connection\n` +
      "at least 2 bytes of the input did not get through\n",
  });
});

Deno.test("netcat says so also where its input ends at once", async () => {
  const { client, server } = await startClient();
  await using _ = client;
  await client.send(encode("a"));
  assertEquals(await server.read(new Uint8Array(9)), 1);
  server.close();
  await delay(50);
  await client.send(encode("b"));
  await client.endInput();
  const { status, stderr } = await resultOf(client);
  assertEquals(status, 1);
  assertStringIncludes(stderr, "at least 1 bytes of the input did not get through");
});

Deno.test("netcat -w says how much of its input was not taken", async () => {
  const { client, server } = await startClient("-w1");
  await using _ = client;
  using _server = server; // reads nothing
  const length = 20_000_000;
  client.send(new Uint8Array(length));
  const { status, stderr } = await resultOf(client);
  assertEquals(status, 1);
  const lost = stderr.match(
    /^error: nothing was taken for 1 s\nat least (\d+) bytes of the input did not get through\n$/,
  );
  assert(lost && Number(lost[1]) < length, stderr);
});

Deno.test("netcat with an input that cannot be read shows what comes, and ends with status 1", {
  ignore: NOT_ON_WINDOWS.ignore,
}, async () => {
  using listener = ownListener();
  const command = [...NETCAT, "127.0.0.1", `${listener.addr.port}`];
  await using client = new Program(["sh", "-c", '"$@" < /', "sh", ...command]);
  using server = await listener.accept();
  await writeAll(server, encode("shown"));
  await server.closeWrite();
  const stderr = "error: cannot read the input: Is a directory\n";
  assertEquals(await resultOf(client), { status: 1, stdout: "shown", stderr });
});

Deno.test("netcat ends its half with the input, but not while the other side is sending", async () => {
  const { client, server } = await startClient();
  await using _ = client;
  using _server = server;
  await client.send(encode("question"));
  await client.endInput();
  let hasEnded = false;
  const received = readToEnd(server).then((data) => {
    hasEnded = true;
    return decode(data);
  });
  for (let i = 0; i < 40; i++) {
    await writeAll(server, encode("."));
    await delay(20);
  }
  assertEquals(hasEnded, false);
  assertEquals(await received, "question");
  await server.closeWrite();
  assertEquals((await resultOf(client)).stdout, ".".repeat(40));
});

Deno.test("netcat -N and -q end its half with the input at once", async () => {
  for (const flag of ["-N", "-q5"]) {
    const { client, server } = await startClient(flag);
    await using _ = client;
    using _server = server;
    await client.endInput();
    const sending = async () => {
      for (let i = 0; i < 500; i++) { // it never is silent for long
        await writeAll(server, encode("."));
        await delay(20);
      }
    };
    const broken = sending().catch(() => {});
    const start = Date.now();
    await readToEnd(server);
    assert(Date.now() - start < 5000, flag);
    await client.end();
    await broken;
  }
});

Deno.test("netcat -q ends so long after its input, whatever the other side does", async () => {
  const { client, server } = await startClient("-q1");
  await using _ = client;
  using _server = server; // which never ends
  await client.endInput();
  assertEquals((await resultOf(client)).status, 0);
});

Deno.test("netcat -d reads nothing and ends when the other side does", async () => {
  const { client, server } = await startClient("-d");
  await using _ = client;
  using _server = server;
  await client.send(encode("not sent"));
  await client.endInput();
  await writeAll(server, encode("shown"));
  await delay(500); // longer than it takes to end its half
  await server.closeWrite();
  assertEquals(decode(await readToEnd(server)), "");
  assertEquals(await resultOf(client), { status: 0, stdout: "shown", stderr: "" });
});

Deno.test("netcat -lk lets no client wait for an input that is silent", async () => {
  const { server, port } = await listen("-lk");
  await using _ = server;
  const begin = Date.now();
  for (let i = 0; i < 5; i++) {
    using client = await connect(port);
    await writeAll(client, encode(`${i}`));
    await client.closeWrite();
    assertEquals(decode(await readToEnd(client)), "");
  }
  assert(Date.now() - begin < 5000, "as long as it used to");
  assert(await server.until(() => server.screen === "01234"), server.screen);
});

Deno.test("netcat -lk sends what comes later to the next client", async () => {
  const { server, port } = await listen("-lk");
  await using _ = server;
  using first = await connect(port);
  await first.closeWrite();
  assertEquals(decode(await readToEnd(first)), "");
  await server.send(encode("1"));
  using second = await connect(port);
  const buffer = new Uint8Array(9);
  for (const piece of ["1", "2", "3"]) { // and nothing twice, nor lost
    const length = await second.read(buffer);
    assertEquals(decode(buffer.subarray(0, length!)), piece);
    if (piece !== "3") await server.send(encode(`${Number(piece) + 1}`));
  }
});
