/**
 * What every server bears: many clients at once, clients that misbehave, rubbish, and being stopped
 * in the middle of it. `RUBBISH_SEED=N` makes other rubbish than the usual.
 */
import { assert, assertEquals } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { findLabs } from "../../scripts/lab/header.ts";
import { portOf } from "../../scripts/lab/program.ts";
import {
  connect,
  inParallel,
  LINUX_ONLY,
  NOT_ON_WINDOWS,
  quietPort,
  sendTo,
  udpSocket,
} from "../helpers.ts";
import { seededRandom } from "../scripts/lossy.ts";
import { crowd, dump, FLOODS, makeRubbish, MISDEEDS } from "./bad_clients.ts";
import { isUdp, SERVERS } from "./servers.ts";
import { Watched } from "./watched.ts";

const AT_ONCE = 500; // clients
const IN_TURN = 600; // more than 1,000 with those: every one of a thousand is looked at
const LONGEST_WAIT = 2000; // milliseconds
const CASES = 300; // of rubbish for a server
const GROWTH = 64; // MB of memory amid a flood
const FRAMED_GROWTH = 96; // where messages of a megabyte are allowed
const LEFT = 18; // MB of memory after many datagrams: 6 are usual, keeping 1 KB of each takes 20 more
const SEED = Number(Deno.env.get("RUBBISH_SEED") ?? 20261121);

Deno.test("every server script is in the table of servers", () => {
  assertEquals(Object.keys(SERVERS).sort(), findLabs().map(({ server }) => server.name));
});

/** Looks whether an honest client is served, and all that was seen is right. */
async function assertAllIsWell(server: Watched, after: string) {
  await server.serve();
  await server.settle();
  assertEquals(server.problems, [], after);
  assert(!await server.program.ended(0), server.program.errors);
}

for (const [script, { wire }] of Object.entries(SERVERS)) {
  const transport = isUdp(script) ? "udp" : "tcp";

  Deno.test(`${script} gives ${AT_ONCE} clients at once and ${IN_TURN} in turn their own answers soon, and keeps nothing`, async () => {
    await using server = await Watched.start(script);
    await server.serve();
    const idle = await server.held();
    await crowd(server, AT_ONCE);
    await server.settle();
    await server.count();
    const waits = server.waits.splice(0);
    for (let i = 0; i < IN_TURN; i++) await server.serve();
    await server.settle();
    assertEquals([server.problems, waits.length], [[], 1 + AT_ONCE]);
    const longest = Math.max(...server.waits);
    assert(longest < LONGEST_WAIT, `a client waited for ${longest} ms`);
    const { memory: _, ...held } = await server.held(idle);
    assert(
      held.descriptors <= idle.descriptors && held.timers <= idle.timers,
      JSON.stringify(held),
    );
  });

  Deno.test(`${script} serves others while and after clients misbehave`, async () => {
    await using server = await Watched.start(script);
    for (const [name, misdeed] of Object.entries(MISDEEDS[transport])) {
      await inParallel(Array(10).fill(() => misdeed(server, () => server.serve())), 3);
      await assertAllIsWell(server, `a client ${name}`);
    }
    const random = seededRandom(SEED);
    const cases = Array.from({ length: CASES }, () => makeRubbish(server, random));
    const jobs = cases.map((rubbish, i) => async () => {
      await dump(server, rubbish);
      if (i % 10 === 0) await server.serve();
    });
    await inParallel(jobs, 10);
    await assertAllIsWell(server, `RUBBISH_SEED=${SEED}`);
  });

  for (const [name, flood] of Object.entries(FLOODS[transport])) {
    Deno.test(`${script} serves others, and needs little memory, while a client ${name}`, async () => {
      await using server = await Watched.start(script);
      await inParallel(Array(100).fill(() => server.serve()), 10);
      const memory = () => Deno.build.os === "linux" ? server.memory() : 0;
      const before = memory();
      let most = 0;
      await flood(server, async () => {
        await server.serve();
        most = memory();
      });
      await assertAllIsWell(server, name);
      assert(most - before < (wire ? FRAMED_GROWTH : GROWTH), `${before} MB, then ${most} MB`);
    });
  }

  for (const [signal, status] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    Deno.test(
      `${script} ends under load on ${signal}, all lines written, its port free`,
      NOT_ON_WINDOWS,
      async () => {
        const port = quietPort(); // which nobody is given when the server has ended
        await using server = await Watched.start(script, { port });
        const { program } = server;
        const count = transport === "udp" ? 0 : 100;
        const silent = await Promise.all(Array.from({ length: count }, () => connect(port)));
        const isBusy = Promise.withResolvers<void>();
        const load = Array.from({ length: 20 }, async () => {
          try {
            while (!await program.ended(0)) {
              await server.serve();
              if (server.waits.length >= 200) isBusy.resolve();
            }
          } catch { /* in the middle of an exchange */ }
        });
        await deadline(isBusy.promise, 20_000);
        server.isStopping = true;
        const before = Date.now();
        assertEquals(await program.end(signal), status);
        const seconds = (Date.now() - before) / 1000;
        assert(seconds < 1, `it took ${seconds} s`);
        await using again = await Watched.start(script, { port });
        await again.serve();
        assertEquals(again.problems, []);
        for (const client of silent) client.close();
        await Promise.all(load);
        server.look();
        // Over UDP this line is printed when the answer is already on its way.
        const mayMiss = transport === "udp" ? "missing: sent" : "nothing";
        const problems = server.problems.filter((problem) => !problem.startsWith(mayMiss));
        assertEquals([problems, server.rest], [[], ""]);
      },
    );
  }

  Deno.test(
    `${script} ends when stdout is closed early, quietly, or the disk behind it is full`,
    LINUX_ONLY,
    async () => {
      // The server starts when nobody reads the pipe any more.
      const wait = 'trap "" PIPE; while echo; do :; done 2>/dev/null';
      const closed = `{ ${wait}; "$0" "$@"; echo "status: $?" >&2; } | :`;
      assertEquals(await endWithoutStdout(script, closed), "status: 0\n");
      const full = '"$0" "$@" > /dev/full; echo "status: $?" >&2';
      const told = "error: cannot write the transcript: No space left on device\n";
      assertEquals(await endWithoutStdout(script, full), `${told}status: 1\n`);
    },
  );

  if (transport === "tcp") continue;

  Deno.test(`${script} keeps nothing of the datagrams that it got`, LINUX_ONLY, async () => {
    // With little room for what is young, the garbage collector lets memory rise but slowly.
    await using server = await Watched.start(script, {
      flags: ["--v8-flags=--max-semi-space-size=1"],
    });
    const ask = async () => {
      using socket = udpSocket();
      for (let i = 0; i < 1000; i++) {
        await sendTo(socket, server.port, "7");
        await deadline(socket.receive(), 1000).catch(() => {}); // one may get lost
      }
    };
    await inParallel(Array(10).fill(ask), 10);
    const before = server.memory();
    await inParallel(Array(20).fill(ask), 20);
    const after = server.memory();
    assert(after - before < LEFT, `${before} MB, then ${after} MB`);
  });
}

/** Runs a server whose stdout does not work, until it notices: what it then says, and its status. */
async function endWithoutStdout(script: string, shell: string): Promise<string> {
  await using server = new Watched(script, { shell });
  const { program } = server;
  while (!await program.ended(0.05)) {
    server.port = portOf(program) ?? 0;
    if (server.port === 0) continue;
    // One that prints nothing before its first client notices by that.
    const pieces = [server.talk().question];
    await dump(server, { pieces, pauses: [0], end: "half-close" }).catch(() => {});
  }
  return program.errors.replace(/^note: listening on .*\n/m, "");
}
