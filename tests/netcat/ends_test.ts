/** netcat.ts: who ends first, what is then still sent and shown, and with which status it ends. */
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
import { writeAll } from "../../scripts/lib.ts";
import {
  connect,
  decode,
  encode,
  NOT_ON_WINDOWS,
  quietPort,
  readToEnd,
  reset,
  resultOf,
  testAtOnce,
} from "../helpers.ts";
import { listen, netcat, readAllText, readText, shell, withServer } from "./helpers.ts";

Deno.test("netcat -l serves one client, refuses the next, and ends with the first", async () => {
  await using server = await listen("-l");
  using client = await connect(server.port);
  await writeAll(client, encode("hello"));
  assert(await server.until(() => server.screen === "hello"));
  await assertRejects(() => connect(server.port), Deno.errors.ConnectionRefused);
  await server.endInput();
  await client.closeWrite();
  assertEquals((await resultOf(server)).status, 0);
});

Deno.test("netcat -l ends after its client, also when its own input never ends", async () => {
  await using server = await listen("-l");
  (await connect(server.port)).close();
  assertEquals((await resultOf(server)).status, 0);
});

Deno.test("netcat -lk serves one client after the other, also after one that resets", async () => {
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

Deno.test("netcat -lk lets no client wait for an input that is silent", async () => {
  await using server = await listen("-lk");
  const begin = Date.now();
  for (let i = 0; i < 5; i++) {
    using client = await connect(server.port);
    await writeAll(client, encode(`${i}`));
    await client.closeWrite();
    assertEquals(await readAllText(client), "");
  }
  assert(Date.now() - begin < 5000, "as long as it used to");
  assert(await server.until(() => server.screen === "01234"), server.screen);
});

Deno.test("netcat -lk sends what is typed to the client of that moment, or to the next", async () => {
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
  for (const piece of ["1", "2", "3"]) { // and nothing twice, nor lost
    assertEquals(await readText(second), piece);
    await server.send(encode(`${Number(piece) + 1}`));
  }
});

Deno.test("netcat says that its peer broke off, when it has shown what came before", async () => {
  await using server = await listen("-l");
  const client = net.connect(server.port, "127.0.0.1");
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

/** Sends 100 dots, one every 20 ms: gives the longest time between two of them. */
async function sendDots(server: Deno.TcpConn, meanwhile: (count: number) => void): Promise<number> {
  let longest = 0;
  for (let count = 1, before = Date.now(); count <= 100; count++, before = Date.now()) {
    await writeAll(server, encode("."));
    meanwhile(count);
    await delay(20);
    longest = Math.max(longest, Date.now() - before);
  }
  return longest;
}

for (const when of ["", ", nor when it was stopped in the meantime, as by Ctrl-Z"]) {
  Deno.test(
    `netcat ends its half with the input, but not while the other side is sending${when}`,
    when === "" ? {} : NOT_ON_WINDOWS,
    async () => {
      // A pause that a busy machine makes is one of the other side: then it is tried again.
      for (let longest = Infinity; longest > 150;) {
        await withServer("", async (client, server) => {
          await client.send(encode("question"));
          await client.endInput();
          let hasEnded = false;
          const received = readToEnd(server).then((data) => {
            hasEnded = true;
            return decode(data);
          });
          longest = await sendDots(server, (count) => {
            if (when === "") return;
            if (count % 20 === 5) Deno.kill(client.pid, "SIGSTOP");
            if (count % 20 === 0) Deno.kill(client.pid, "SIGCONT");
          });
          if (longest <= 150) assertEquals(hasEnded, false);
          assertEquals(await received, "question");
          await server.closeWrite();
          assertEquals((await resultOf(client)).stdout, ".".repeat(100));
        });
      }
    },
  );
}

Deno.test("netcat waits for the rest where much comes, and then nothing for half a second", () =>
  withServer("", async (client, server) => {
    await client.endInput();
    const [half, ended] = [new Uint8Array(1_000_000), readToEnd(server)];
    await writeAll(server, half);
    const isEarly = deadline(ended, 500).then(() => true, () => false);
    assert(!await isEarly, "it has ended its half: some programs would stop now");
    await writeAll(server, half);
    await server.closeWrite();
    assertEquals((await resultOf(client)).stdout.length, 2 * half.length);
  }));

for (const flag of ["-N", "-q5"]) {
  Deno.test(`netcat ${flag} ends its half with the input at once`, () =>
    withServer(flag, async (client, server) => {
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
      assert(Date.now() - start < 5000);
      await client.end();
      await broken;
    }));
}

Deno.test("netcat says how much of its input did not get through when its peer is gone", () =>
  withServer("", async (client, server) => {
    const { port } = server.localAddr as Deno.NetAddr;
    server.close();
    await delay(50); // the end is there, and nothing shows it
    await client.send(encode("b\n")); // which the system takes, and nobody reads
    const stderr = `error: 127.0.0.1 port ${port} broke off the connection\n` +
      "at least 2 bytes of the input did not get through\n";
    assertEquals(await resultOf(client), { status: 1, stdout: "", stderr });
  }));

Deno.test("netcat says so also where its input ends at once", () =>
  withServer("", async (client, server) => {
    await client.send(encode("a"));
    assertEquals(await readText(server), "a");
    server.close();
    await delay(50);
    await client.send(encode("b"));
    await client.endInput();
    const { status, stderr } = await resultOf(client);
    assertEquals(status, 1);
    assertStringIncludes(stderr, "at least 1 bytes of the input did not get through");
  }));

Deno.test(
  "netcat ends its half where it cannot read its input, shows what comes, and fails",
  NOT_ON_WINDOWS,
  () =>
    withServer("", async (client, server) => {
      assertEquals(await readAllText(server), "");
      await writeAll(server, encode("shown"));
      await server.closeWrite();
      const stderr = "error: cannot read the input: Is a directory\n";
      assertEquals(await resultOf(client), { status: 1, stdout: "shown", stderr });
    }, shell('"$@" < /')),
);

testAtOnce("netcat waits", {}, {
  "for an input that comes long after the other side has ended its half": () =>
    withServer("", async (client, server) => {
      await client.send(encode("a"));
      await server.closeWrite();
      await delay(2500); // longer than anybody's patience used to be
      await client.send(encode("b"));
      await client.endInput();
      assertEquals(await readAllText(server), "ab");
      assertEquals(await resultOf(client), { status: 0, stdout: "", stderr: "" });
    }),

  "as a server for the rest of its input": async () => {
    await using server = await listen("-l");
    using client = await connect(server.port);
    await server.send(encode("a"));
    assertEquals(await readText(client), "a");
    await client.closeWrite();
    await delay(500);
    await server.send(encode("b"));
    await server.endInput();
    assertEquals(await readAllText(client), "b");
    assertEquals((await resultOf(server)).status, 0);
  },

  "with -d for the other side alone, and reads nothing": () =>
    withServer("-d", async (client, server) => {
      await client.send(encode("not sent"));
      await client.endInput();
      await writeAll(server, encode("shown"));
      await delay(500); // longer than it takes to end its half
      await server.closeWrite();
      assertEquals(await readAllText(server), "");
      assertEquals(await resultOf(client), { status: 0, stdout: "shown", stderr: "" });
    }),

  "with -q so long after its input, whatever the other side does": () =>
    withServer("-vq1", async (client) => {
      await client.endInput();
      const { status, stderr } = await resultOf(client);
      assertEquals([status, stderr.split("\n").length], [0, 2]); // one note, that it is connected
    }),

  "with -w until nothing was sent or received for so long": () =>
    withServer("-vw1", async (client, server) => {
      for (let i = 0; i < 3; i++) { // longer than a second, but with life in it
        await writeAll(server, encode("."));
        await delay(400);
      }
      const { status, stdout, stderr } = await resultOf(client);
      assertEquals([status, stdout], [0, "..."]); // as OpenBSD's
      assertStringIncludes(stderr, "note: nothing came for 1 s\n");
    }),

  "with -w until nothing was taken, and says how much of its input was not": () =>
    withServer("-w1", async (client) => { // the server reads nothing
      const length = 20_000_000;
      client.send(new Uint8Array(length));
      const { status, stderr } = await resultOf(client);
      assertEquals(status, 1);
      const lost = stderr.match(
        /^error: nothing was taken for 1 s\nat least (\d+) bytes of the input did not get through\n$/,
      );
      assert(lost && Number(lost[1]) < length, stderr);
    }),

  "with -w for a connection": async () => {
    // Nobody accepts, and the queue is full: then the system answers no more.
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
