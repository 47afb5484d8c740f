/** netcat.ts: how a connection ends, which data is still sent and printed, and the exit status. */
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
import { Program } from "../../scripts/lab/process/program.ts";
import {
  connect,
  encode,
  quietPort,
  readToEnd,
  reset,
  resultOf,
  temporary,
  testAtOnce,
  upToThreeTimes,
  WITH_SHELL,
  WITH_SIGNALS,
} from "../helpers.ts";
import { listen, NETCAT, netcat, readAllText, readText, shell, withServer } from "./helpers.ts";

const LOST = "the end of the input did not arrive";

testAtOnce("netcat ends its half of the connection", {}, {
  "2 s after its input, so that a slow HTTP server's answer arrives": () =>
    upToThreeTimes(async () => {
      // Like Node's, this server drops a request when the client ends its half before the answer.
      const options = { hostname: "127.0.0.1", port: 0, onListen() {} };
      await using server = Deno.serve(options, async () => {
        await delay(1200);
        return new Response("the answer");
      });
      await using client = new Program([...NETCAT, "127.0.0.1", `${server.addr.port}`]);
      await client.send(encode("GET / HTTP/1.0\r\n\r\n"));
      await client.endInput();
      const { status, stdout } = await resultOf(client);
      assertEquals(status, 0);
      assertMatch(stdout, /^HTTP[^]*\r\n\r\nthe answer$/);
    }),

  "2 s after its input, whether its peer ends or not": () =>
    withServer("", async (client, server) => {
      await client.send(encode("a"));
      await client.endInput();
      assertEquals(await readAllText(server), "a");
      await server.closeWrite();
      assertEquals((await resultOf(client)).status, 0);
    }),

  "not while the other side is sending": () =>
    upToThreeTimes(() =>
      withServer("", async (client, server) => {
        await client.endInput();
        const end = readToEnd(server);
        for (let i = 0; i < 4; i++) {
          await delay(800);
          await writeAll(server, encode("."));
        }
        const isEarly = await Promise.race([end.then(() => true), delay(0, { persistent: false })]);
        assertEquals(isEarly, undefined);
        await end;
        await server.closeWrite();
        assertEquals((await resultOf(client)).stdout, "....");
      })
    ),

  "at once with -N": () => endsAtOnce("-N"),
  "at once with -q": () => endsAtOnce("-q5"),

  "never with -d, and reads nothing": () =>
    withServer("-d", async (client, server) => {
      await client.send(encode("not sent"));
      await client.endInput();
      const received = readAllText(server);
      await delay(2500); // longer than without -d
      await writeAll(server, encode("shown"));
      await server.closeWrite();
      assertEquals(await received, "");
      assertEquals(await resultOf(client), { status: 0, stdout: "shown", stderr: "" });
    }),
});

/** The other side is never silent, so that without the flag the half would not end. */
async function endsAtOnce(flag: string) {
  await withServer(flag, async (client, server) => {
    await client.endInput();
    let isOver = false;
    const sending = async () => {
      while (!isOver) {
        await writeAll(server, encode("."));
        await delay(20);
      }
    };
    const sent = sending().catch(() => {});
    assertEquals(await readAllText(server), "");
    isOver = true;
    await sent;
  });
}

Deno.test(
  "netcat does not count the time in which it was stopped as silence",
  WITH_SIGNALS,
  () =>
    withServer("", async (client, server) => {
      await client.send(encode("question"));
      assertEquals(await readText(server), "question");
      await client.endInput();
      await writeAll(server, encode("1"));
      assert(await client.until(() => client.screen === "1"));
      Deno.kill(client.pid, "SIGSTOP"); // as Ctrl-Z does
      await delay(2500);
      await writeAll(server, encode("2"));
      const end = readToEnd(server);
      Deno.kill(client.pid, "SIGCONT");
      const first = [
        client.until(() => client.screen === "12").then(() => "output"),
        end.then(() => "end"),
      ];
      assertEquals(await Promise.race(first), "output");
      await server.closeWrite();
      assertEquals((await resultOf(client)).status, 0);
    }),
);

testAtOnce("netcat waits", {}, {
  "for its input, however long after the other side's end it comes": () =>
    withServer("", async (client, server) => {
      await client.send(encode("a"));
      await server.closeWrite();
      await delay(2500);
      await client.send(encode("b"));
      await client.endInput();
      assertEquals(await readAllText(server), "ab");
      assertEquals(await resultOf(client), { status: 0, stdout: "", stderr: "" });
    }),

  "the same with -p": () =>
    withServer(`-p ${quietPort()}`, async (client, server) => {
      await server.closeWrite();
      await client.send(encode("a"));
      assertEquals(await readText(server), "a");
      await client.send(encode("b"));
      await client.endInput();
      assertEquals(await readAllText(server), "b");
      assertEquals(await resultOf(client), { status: 0, stdout: "", stderr: "" });
    }),

  "as a server for the rest of its input, when its client has ended": async () => {
    await using server = await listen("-l");
    using client = await connect(server.port);
    await client.closeWrite();
    await delay(500);
    await server.send(encode("a"));
    assertEquals(await readText(client), "a");
    await server.endInput();
    assertEquals(await readAllText(client), "");
    assertEquals((await resultOf(server)).status, 0);
  },

  "with -w until nothing was sent or received for that long": () =>
    upToThreeTimes(() =>
      withServer("-vw1", async (client, server) => {
        for (let i = 0; i < 3; i++) { // longer than a second
          await writeAll(server, encode("."));
          await delay(400);
        }
        const { status, stdout, stderr } = await resultOf(client);
        assertEquals([status, stdout], [0, "..."]); // as OpenBSD's
        assertStringIncludes(stderr, "note: nothing was sent or received for 1 s\n");
      })
    ),

  "with -w until the other side took no input for that long": () =>
    withServer("-w1", async (client) => { // the server reads nothing
      client.send(new Uint8Array(20_000_000));
      const { status, stderr } = await resultOf(client);
      assertEquals(status, 1);
      assertEquals(stderr, `error: the other side took no input for 1 s\n${LOST}\n`);
    }),

  "with -w for a connection": async () => {
    // With a full backlog, the system does not answer further clients.
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
    const { port } = listener.addr;
    const waiting: Deno.TcpConn[] = [];
    try {
      while (true) {
        const signal = AbortSignal.timeout(200);
        waiting.push(await Deno.connect({ hostname: "127.0.0.1", port, signal }));
      }
    } catch { /* it is full now */ }
    const allFlags = ["-w 1", "-zw1", `-w1 -p ${quietPort()}`];
    const results = allFlags.map((flags) => netcat(`${flags} 127.0.0.1 ${port}`));
    const stderr = `error: no answer from 127.0.0.1 port ${port} within 1 s\n`;
    for (const result of await Promise.all(results)) {
      assertEquals(result, { status: 1, stdout: "", stderr });
    }
    for (const connection of waiting) connection.close();
  },
});

Deno.test("netcat -q loses neither its input nor the answer", () =>
  withServer("-q1", async (client, server) => {
    await writeAll(server, new Uint8Array(100_000)); // unread when our half ends
    const length = 20_000_000; // more than the buffers of the system hold
    const sending = client.send(new Uint8Array(length)).then(() => client.endInput());
    const received = await readToEnd(server);
    await sending;
    assertEquals(received.length, length);
    await writeAll(server, encode("answer"));
    await server.closeWrite();
    const begin = Date.now();
    const { status, stdout } = await resultOf(client);
    assertEquals([status, stdout.length], [0, 100_000 + "answer".length]);
    assert(Date.now() - begin > 900, "no delay after both have ended");
  }));

Deno.test("netcat -l serves one client, refuses the next, and ends with the first", async () => {
  await using server = await listen("-l"); // its input never ends
  using client = await connect(server.port);
  await writeAll(client, encode("hello"));
  assert(await server.until(() => server.screen === "hello"));
  await assertRejects(() => connect(server.port), Deno.errors.ConnectionRefused);
  client.close();
  assertEquals((await resultOf(server)).status, 0);
});

Deno.test("netcat -l in a fifo ends when its client does", WITH_SHELL, async () => {
  await using folder = await temporary();
  const port = quietPort();
  // The examples of nc's manual: a shell for the client, and a proxy.
  const line = `mkfifo fifo; cat fifo | sh 2>&1 | "$@" > fifo`;
  const command = shell(line)([...NETCAT, "-lv", `${port}`]);
  await using server = new Program(command, undefined, { cwd: folder.path });
  assert(await server.until(() => server.errors.includes("listening")), server.errors);
  const client = await connect(port);
  await writeAll(client, encode("echo $((6*7))\n"));
  assertEquals(await readText(client), "42\n");
  client.close();
  assertEquals((await resultOf(server)).status, 0);
});

Deno.test("netcat -l and a second netcat in a fifo are a proxy", WITH_SHELL, async () => {
  await using folder = await temporary();
  const port = quietPort();
  await withServer(
    "",
    async (proxy, server) => {
      assert(await proxy.until(() => proxy.errors.includes("listening")), proxy.errors);
      const client = await connect(port);
      await writeAll(client, encode("question"));
      assertEquals(await readText(server), "question");
      await writeAll(server, encode("answer"));
      assertEquals(await readText(client), "answer");
      client.close();
      assertEquals(await readAllText(server), "");
      server.close();
      assertEquals((await resultOf(proxy)).status, 0);
    },
    (command) => {
      const line = `cd ${folder.path}; mkfifo fifo; ${
        NETCAT.join(" ")
      } -lv ${port} < fifo | "$@" > fifo`;
      return shell(line)(command);
    },
  );
});

Deno.test("netcat -lk serves the next client after one that resets", async () => {
  await using server = await listen("-lk");
  await server.endInput();
  for (const name of ["one", "two", "three"]) {
    using client = await connect(server.port);
    await writeAll(client, encode(name));
    await client.closeWrite();
    assertEquals(await readAllText(client), "");
    await reset(server.port, "bye");
  }
  const shown = () => server.screen.replaceAll("bye", ""); // which the reset may destroy
  assert(await server.until(() => shown() === "onetwothree"), server.screen);
});

Deno.test("netcat -lk serves 30 clients without delay when its input is a silent pipe", async () => {
  await using server = await listen("-lk");
  let fastest = Infinity; // a busy machine can delay any of them
  for (let i = 0; i < 30; i++) {
    const begin = performance.now();
    using client = await connect(server.port);
    await writeAll(client, encode("."));
    await client.closeWrite();
    assertEquals(await readAllText(client), "");
    fastest = Math.min(fastest, performance.now() - begin);
  }
  assert(fastest < 150, `${fastest} ms`); // it used to be 200 ms for each client
  assert(await server.until(() => server.screen === ".".repeat(30)), server.screen);
});

Deno.test("netcat -lk sends what is typed to the current client, or to the next one", async () => {
  await using server = await listen("-lk");
  using first = await connect(server.port);
  await writeAll(first, encode("first"));
  assert(await server.until(() => server.screen === "first"));
  await server.send(encode("for the first"));
  assertEquals(await readText(first), "for the first");
  await first.closeWrite();
  assertEquals(await readAllText(first), "");
  await server.send(encode("1"));
  using second = await connect(server.port);
  for (const piece of ["1", "2", "3"]) { // no duplicates, and no loss
    assertEquals(await readText(second), piece);
    await server.send(encode(`${Number(piece) + 1}`));
  }
});

Deno.test(
  "netcat -lk sends a file to a client that ends its half at once",
  WITH_SHELL,
  async () => {
    const port = quietPort();
    const line = 'head -c 3000000 /dev/zero > "$0"; exec "$@" < "$0"';
    await using folder = await temporary();
    const command = ["sh", "-c", line, `${folder.path}/file`, ...NETCAT, "-lkv", `${port}`];
    await using server = new Program(command);
    assert(await server.until(() => server.errors.includes("listening")), server.errors);
    using client = await connect(port);
    await client.closeWrite();
    assertEquals((await readToEnd(client)).length, 3_000_000);
  },
);

Deno.test("netcat reports a reset after it has printed what came before", async () => {
  await using server = await listen("-l");
  const client = net.connect(server.port, "127.0.0.1");
  client.write("half a mess");
  assert(await server.until(() => server.screen === "half a mess"));
  client.resetAndDestroy();
  const { status, stderr } = await resultOf(server);
  assertEquals(status, 1);
  assertMatch(stderr, /\nerror: 127\.0\.0\.1 port \d+ (reset|closed) the connection.*\n/);
});

Deno.test("netcat reports lost input after its peer has disconnected, whether the input ends or not", async () => {
  for (const ends of [true, false]) {
    await withServer("", async (client, server) => {
      const { port } = server.localAddr as Deno.NetAddr;
      await client.send(encode("a"));
      assertEquals(await readText(server), "a");
      server.close();
      await delay(50); // until its end has arrived
      await client.send(encode("b\n")); // the system takes it, but no program reads it
      if (ends) await client.endInput();
      const { status, stdout, stderr } = await resultOf(client);
      assertEquals([status, stdout], [1, ""]);
      assertMatch(stderr, new RegExp(`^error: 127\\.0\\.0\\.1 port ${port} .*\n${LOST}\n$`));
    });
  }
});

Deno.test(
  "netcat fails when it cannot read its input, and still prints what comes",
  WITH_SHELL,
  () =>
    withServer("-N", async (client, server) => {
      assertEquals(await readAllText(server), "");
      await writeAll(server, encode("shown"));
      await server.closeWrite();
      const stderr = "error: cannot read the input: Is a directory\n";
      assertEquals(await resultOf(client), { status: 1, stdout: "shown", stderr });
    }, shell('"$@" < /')),
);

Deno.test(
  "netcat ends quietly when its stdout is closed",
  WITH_SHELL,
  () =>
    withServer("", async (client, server) => {
      const sending = async () => {
        while (true) await writeAll(server, new Uint8Array(65536).fill(65));
      };
      const broken = sending().catch(() => {});
      const stdout = "A".repeat(10);
      assertEquals(await resultOf(client), { status: 0, stdout, stderr: "0\n" });
      await broken;
    }, shell('{ "$@"; echo $? >&2; } | head -c 10')),
);
