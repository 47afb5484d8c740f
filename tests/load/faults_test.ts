/**
 * Every server with many clients at once, clients that misbehave, garbage, and a signal under load.
 * `SEED=N` makes other garbage than the default. soak.ts does the same for minutes, and looks for
 * memory that is not freed.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { labs } from "../../scripts/lab/catalog/labs.ts";
import { portOf } from "../../scripts/lab/process/program.ts";
import { connect, inParallel, LINUX_ONLY, quietPort, THOROUGH, WITH_SIGNALS } from "../helpers.ts";
import { seededRandom } from "../scripts/lossy.ts";
import { BAD_CLIENTS, FLOODS, makeGarbage, sendGarbage, serveAtOnce } from "./bad_clients.ts";
import { isUdp, SERVERS } from "./servers.ts";
import { Watched } from "./watched.ts";

const AT_ONCE = THOROUGH ? 200 : 100; // clients
const LONG_SUFFIX = " héllo 😀".repeat(12_500); // 100,000 characters, 160 kB
const GARBAGE_COUNT = THOROUGH ? 100 : 50; // clients
const SILENT = 50; // clients while the server is stopped
const BUSY = 10; // clients that send messages meanwhile
const MAX_WAIT = 2000; // milliseconds
const MAX_MEMORY = 64; // MB more during a flood
const SEED = Number(Deno.env.get("SEED") ?? 20261121);

Deno.test("the table of servers has every server script", () => {
  assertEquals(Object.keys(SERVERS).sort(), labs.map(({ server }) => server.name));
});

/** Runs a well-behaved client, and asserts that no problem was found so far. */
async function assertHealthy(server: Watched, message?: string) {
  await server.serve();
  await server.settle();
  assertEquals(server.problems, [], message);
  assert(!await server.program.ended(0), server.program.errors);
}

for (const script of Object.keys(SERVERS)) {
  Deno.test(`${script} under load, misuse and a signal`, async (test) => {
    await using server = await Watched.start(script, { port: quietPort() });
    const { transport, program, port } = server;
    await server.serve();
    const idle = await server.resources();

    await test.step(`gives ${AT_ONCE} clients at once their own replies`, async () => {
      await serveAtOnce(server, AT_ONCE);
      await server.settle();
      await server.checkLineCount();
      assertEquals(server.problems, []);
      assertEquals(server.waits.length, 1 + AT_ONCE);
    });

    if (transport === "tcp" && !server.server.readsOnce) {
      await test.step("replies to a long message", async () => {
        await server.serve(undefined, LONG_SUFFIX);
        await assertHealthy(server);
      });
    }

    for (const [behavior, client] of Object.entries(BAD_CLIENTS[transport])) {
      const passes =
        await test.step(`serves others while and after a client ${behavior}`, async () => {
          await inParallel(Array(3).fill(() => client(server, () => server.serve())), 3);
          await assertHealthy(server);
        });
      if (!passes) return; // with the next clients it would take 20 s again to fail
    }

    await test.step("serves others while and after clients send garbage", async () => {
      const random = seededRandom(SEED);
      const all = Array.from({ length: GARBAGE_COUNT }, () => makeGarbage(server, random));
      const jobs = all.map((garbage, i) => async () => {
        await sendGarbage(server, garbage);
        if (i % 10 === 0) await server.serve();
      });
      await inParallel(jobs, 10);
      await assertHealthy(server, `SEED=${SEED}`);
    });

    await test.step("replies soon, and closes all connections and timers", async () => {
      server.waits = [];
      for (let i = 0; i < 3; i++) await server.serve();
      // The shortest wait: a busy machine can delay any of them.
      const wait = Math.min(...server.waits);
      assert(wait < MAX_WAIT, `each client waited ${wait} ms or longer`);
      const { descriptors, timers } = await server.resources(idle);
      assert(descriptors <= idle.descriptors, `${descriptors} descriptors`);
      assert(timers <= idle.timers, `${timers} timers`);
    });

    const name = "ends on SIGTERM under load, with all lines written and its port free";
    await test.step({
      name,
      ...WITH_SIGNALS,
      async fn() {
        const count = transport === "udp" ? 0 : SILENT;
        const silent = await Promise.all(Array.from({ length: count }, () => connect(port)));
        const isBusy = Promise.withResolvers<void>();
        server.waits = [];
        const load = Array.from({ length: BUSY }, async () => {
          try {
            while (!await program.ended(0)) {
              await server.serve();
              if (server.waits.length >= 10 * BUSY) isBusy.resolve();
            }
          } catch { /* the server stopped during the exchange */ }
        });
        await deadline(isBusy.promise, 20_000);
        server.isStopping = true;
        assertEquals(await program.end("SIGTERM"), 143);
        if (transport === "tcp") Deno.listen({ hostname: "127.0.0.1", port }).close();
        else Deno.listenDatagram({ transport, hostname: "127.0.0.1", port }).close();
        for (const client of silent) client.close();
        await Promise.all(load);
        server.checkLines();
        // A server prints these lines after the reply. The signal can come between the two, for each
        // of the clients that it serves at that moment.
        const isAfterReply = (problem: string) => /^missing: (sent|Finished)/.test(problem);
        const late = server.problems.filter(isAfterReply);
        assert(late.length <= BUSY, late.join("\n"));
        const others = server.problems.filter((problem) => !isAfterReply(problem));
        assertEquals([others, server.unfinishedLine], [[], ""]);
      },
    });
  });
}

// Not for every server: soak.ts does that.
for (const script of ["practical12_server_tcp.ts", "echo_server_udp.ts"]) {
  for (const [behavior, flood] of Object.entries(FLOODS[isUdp(script) ? "udp" : "tcp"])) {
    Deno.test(`${script} needs little memory while a client ${behavior}`, LINUX_ONLY, async () => {
      // Long writes are often cut short.
      await using server = await Watched.start(script, { args: ["--buffer-size=65536"] });
      await inParallel(Array(50).fill(() => server.serve()), 10);
      const before = server.memory();
      let max = 0;
      await flood(server, async () => {
        await server.serve();
        max = Math.max(max, server.memory());
      });
      await assertHealthy(server);
      assert(max - before < MAX_MEMORY, `${before} MB, then ${max} MB`);
    });
  }
}

for (const script of ["echo_server.ts", "echo_server_udp.ts"]) {
  Deno.test(`${script} ends quietly when stdout is closed`, LINUX_ONLY, async () => {
    // The server starts when the other end of the pipe is closed.
    const wait = 'trap "" PIPE; while echo; do :; done 2>/dev/null';
    const shell = `{ ${wait}; "$0" "$@"; echo "status: $?" >&2; } | :`;
    assertEquals(await errorsWithoutStdout(script, shell), "status: 0\n");
  });

  Deno.test(`${script} fails when the disk is full`, LINUX_ONLY, async () => {
    const shell = '"$0" "$@" > /dev/full; echo "status: $?" >&2';
    const errors = await errorsWithoutStdout(script, shell);
    assertMatch(errors, /^error: .*No space left on device\nstatus: 1\n$/);
  });
}

/** Runs a server that cannot write to stdout until it ends. Returns its stderr. */
async function errorsWithoutStdout(script: string, shell: string): Promise<string> {
  await using server = new Watched(script, { shell });
  const { program } = server;
  while (!await program.ended(0.05)) {
    server.port = portOf(program) ?? 0;
    if (server.port === 0) continue;
    // Some servers print nothing before their first client.
    const pieces = [server.newExchange().request];
    await sendGarbage(server, { pieces, pauses: [0], end: "half-close" }).catch(() => {});
  }
  return program.errors.replace(/^note: listening on .*\n/m, "");
}
