/**
 * What every server bears: many clients at once, clients that misbehave,
 * rubbish, and being stopped in the middle of it. `TROUBLE_SEED=N` makes other
 * rubbish than the usual; a failure names the seed that made it.
 */
import { assert, assertEquals } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { findLabs } from "../../scripts/lab/header.ts";
import { portOf } from "../../scripts/lab/program.ts";
import { connect, LINUX_ONLY, NOT_ON_WINDOWS } from "../helpers.ts";
import { seededRandom } from "../scripts/lossy.ts";
import { dump, FAULTS, makeRubbish, runAll, type Server, SERVERS, Subject } from "./trouble.ts";

const CLIENTS = 500; // at once
const CASES = 300; // of rubbish for a server
const GROWTH = 64; // MB of memory
const FRAMED_GROWTH = 96; // MB, where messages of a megabyte are allowed
const SEED = Number(Deno.env.get("TROUBLE_SEED") ?? 20261121);

Deno.test("every server script is in the table of trouble", () => {
  assertEquals(
    SERVERS.map(({ script, transport }) => `${script} ${transport}`).sort(),
    findLabs().map(({ server, transport }) => `${server.name} ${transport}`),
  );
});

/** Looks whether an honest client is served, and all that was seen is right. */
async function assertAllIsWell(subject: Subject, more = "") {
  await subject.serveOne();
  await subject.settle();
  assertEquals(subject.problems, [], more);
  assert(!await subject.program.ended(0), subject.program.errors);
}

for (const server of SERVERS) {
  const { script, transport } = server;

  Deno.test(`${script} gives ${CLIENTS} clients at once their own answers`, async () => {
    await using subject = await Subject.start(server);
    const allAreThere = Promise.withResolvers<void>();
    let there = 0;
    const isReady = () => {
      if (++there === CLIENTS) allAreThere.resolve();
      return allAreThere.promise;
    };
    await Promise.all(Array.from({ length: CLIENTS }, () => subject.serveOne(isReady)));
    await subject.settle();
    const { program, transcript, problems } = subject;
    assertEquals(problems, []);
    const lines = server.firstLines + CLIENTS * server.linesEach;
    if (transport === "tcp") {
      await program.until(() => transcript.count >= lines);
      assertEquals(transcript.count, lines);
    } else {
      assert(transcript.count >= lines); // a question asked again adds lines
    }
    assertEquals(subject.served, CLIENTS);
  });

  for (
    const { name, isHeavy, inflict } of FAULTS.filter((fault) => fault.transport === transport)
  ) {
    Deno.test(`${script} serves others while and after a client ${name}`, async () => {
      await using subject = await Subject.start(server);
      const others = () => subject.serveOne();
      await runAll(Array(isHeavy ? 1 : 10).fill(() => inflict(subject, others)), 3);
      await assertAllIsWell(subject);
    });
  }

  Deno.test(
    `${script} needs no more memory for clients that never read`,
    LINUX_ONLY,
    async () => {
      const { inflict } = FAULTS.find((fault) =>
        fault.transport === transport && fault.name.includes("never reads")
      )!;
      await using subject = await Subject.start(server);
      await runAll(Array(100).fill(() => subject.serveOne()), 10);
      const before = subject.memory();
      let most = 0;
      await inflict(subject, async () => {
        await subject.serveOne();
        most = subject.memory();
      });
      if (Deno.env.has("SHOW")) console.log(script, before, most);
      const growth = server.isFramed ? FRAMED_GROWTH : GROWTH;
      assert(most - before < growth, `${before} MB, then ${most} MB`);
    },
  );

  Deno.test(`${script} bears ${CASES} cases of rubbish`, async () => {
    const random = seededRandom(SEED);
    const cases = Array.from({ length: CASES }, () => makeRubbish(server, random));
    await using subject = await Subject.start(server);
    await runAll(
      cases.map((rubbish, i) => async () => {
        await dump(subject, rubbish);
        if (i % 10 === 0) await subject.serveOne();
      }),
      10,
    );
    await assertAllIsWell(subject, `TROUBLE_SEED=${SEED}`);
  });

  for (const [signal, status] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    Deno.test(
      `${script} ends under load on ${signal}, all lines written, its port free`,
      NOT_ON_WINDOWS,
      async () => {
        await using subject = await Subject.start(server);
        const { port, program, transcript } = subject;
        const open = transport === "udp" ? [] : await Promise.all(
          Array.from({ length: 100 }, () => connect(port)),
        );
        const isBusy = Promise.withResolvers<void>();
        let isStopped = false;
        const load = Array.from({ length: 20 }, async () => {
          try {
            while (!isStopped) {
              await subject.serveOne();
              if (subject.served >= 200) isBusy.resolve();
            }
          } catch { /* in the middle of an exchange */ }
        });
        await deadline(isBusy.promise, 20_000);
        subject.isStopping = true;
        const before = Date.now();
        const ended = await program.end(signal);
        const seconds = (Date.now() - before) / 1000;
        isStopped = true;
        assertEquals(ended, status);
        assert(seconds < 1, `it took ${seconds} s`);
        await using again = await Subject.start(server, { port });
        await again.serveOne();
        assertEquals(again.problems, []);
        for (const client of open) client.close();
        await Promise.all(load);
        subject.look();
        // Over UDP this line is printed when the answer is already on its way.
        const mayMiss = (problem: string) =>
          transport === "udp" && problem.startsWith("missing: sent");
        const problems = subject.problems.filter((each) => !mayMiss(each));
        assertEquals(problems, []);
        assertEquals(transcript.rest, "");
      },
    );
  }

  Deno.test(
    `${script} ends quietly when stdout is closed early`,
    NOT_ON_WINDOWS,
    async () => {
      // The server starts when nobody reads the pipe any more.
      const wait = 'trap "" PIPE; while echo; do :; done 2>/dev/null';
      const shell = `{ ${wait}; "$0" "$@"; echo "status: $?" >&2; } | :`;
      const { status, said } = await endWithoutStdout(server, shell);
      assertEquals([status, said], [0, ""]);
    },
  );

  Deno.test(
    `${script} says that the disk behind stdout is full`,
    LINUX_ONLY,
    async () => {
      const shell = '"$0" "$@" > /dev/full; echo "status: $?" >&2';
      const { status, said } = await endWithoutStdout(server, shell);
      const message = "cannot write the transcript: No space left on device";
      assertEquals([status, said], [1, `error: ${message}\n`]);
    },
  );
}

/** Runs a server whose stdout does not work, until it notices: how it ended, and what it said. */
async function endWithoutStdout(server: Server, shell: string) {
  await using subject = new Subject(server, { shell });
  const { program } = subject;
  while (!await program.ended(0.05)) {
    subject.port = portOf(program) ?? 0;
    if (subject.port === 0) continue;
    // One that prints nothing before its first client notices by that.
    const { question } = server.talk(1, "");
    await dump(subject, { pieces: [question], pauses: [0], end: "half-close" })
      .catch(() => {});
  }
  const errors = program.errors.replace(/^note: listening on .*\n/m, "");
  const [, said, status] = errors.match(/^([^]*)status: (\d+)\n$/) ?? [];
  return { status: Number(status), said };
}
