/** What the UDP clients do when datagrams get lost, come twice, late, or from strangers. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { findLabs } from "../../scripts/lab/header.ts";
import { DENO_RUN, Program } from "../../scripts/lab/program.ts";
import {
  decode,
  encode,
  LINUX_ONLY,
  NOT_ON_WINDOWS,
  runScript,
  sendTo,
  start,
  startServer,
  udpSocket,
} from "../helpers.ts";
import { type Faults, LossyProxy, seededRandom } from "./lossy.ts";

/** The faults of this file's networks; each exchange adds a seed. */
const FAULTS = { loss: 30, duplicate: 20, delay: 50 };
const GAMES = 200;
const AT_ONCE = 24; // programs that run at the same time
const PROMPT = "Guess a number between 1 and 99: ";

/** Does some work for each number from 0 to `count - 1`, a few at the same time. */
async function times(count: number, work: (i: number) => Promise<void>) {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Plays as a user does, who reads the screen, and checks each answer. */
async function play(port: number, secret: number, random: () => number) {
  const patience = ["--timeout=0.15", "--tries=100"];
  await using client = start("guess_client.ts", [`--port=${port}`, ...patience]);
  let [low, high] = [1, 99];
  let known = ""; // of the screen
  while (true) {
    const asks = () => client.screen === `${known}${PROMPT}`;
    assert(await client.until(asks, 30), client.screen + client.errors);
    // Somewhere near the middle, so that no game is like another.
    const part = 0.3 + 0.4 * random();
    const guess = low + Math.floor(part * (high - low + 1));
    await client.type(`${guess}`);
    const asked = `${known}${PROMPT}${guess}\n`;
    const answers = () => /\n(\w+)\n/.test(client.screen.slice(asked.length - 1));
    assert(await client.until(answers, 30), client.screen + client.errors);
    const [, answer] = client.screen.slice(asked.length - 1).match(/\n(\w+)\n/)!;
    const right = guess < secret ? "HIGHER" : guess > secret ? "LOWER" : "CORRECT";
    known = `${asked}${answer}\n`;
    assertEquals(answer, right, `${known}The number was ${secret}.`);
    if (answer === "HIGHER") low = guess + 1;
    if (answer === "LOWER") high = guess - 1;
    if (answer === "CORRECT") break;
  }
  assert(await client.ended(30));
  assertEquals([await client.status, client.screen], [0, known]);
  assertMatch(client.errors, /^(note: no reply within 0.15 s: try \d+ of 100\n)*$/);
}

Deno.test(`${GAMES} guessing games come to their right end on a bad network`, async () => {
  const secrets = [1, 42, 63, 99];
  const servers = await Promise.all(
    secrets.map((secret) => startServer("guess_server.ts", [`--secret=${secret}`])),
  );
  const sums = { lost: 0, repeated: 0, overtook: 0 };
  try {
    await times(GAMES, async (i) => {
      const secret = secrets[i % secrets.length];
      const { port } = servers[i % servers.length];
      using proxy = new LossyProxy(port, { ...FAULTS, seed: i });
      await play(proxy.port, secret, seededRandom(i));
      for (const fault of ["lost", "repeated", "overtook"] as const) {
        sums[fault] += proxy.counts[fault];
      }
    });
  } finally {
    for (const { server } of servers) await server.end("SIGKILL");
  }
  // At least 4 questions a game, some of them more than once.
  for (const [fault, count] of Object.entries(sums)) {
    assert(count > GAMES, `${fault}: ${count}`);
  }
});

/** The clients that ask one question. */
const ASKERS = [
  {
    script: "echo_client_udp.ts",
    args: ["--message=hello"],
    stdin: "",
    before: (port: number) => `Connecting to localhost port ${port}\nSending hello\n`,
    answered: "received hello\n",
    after: "Closing connection to the server\n",
  },
  {
    script: "practical12_client_udp.ts",
    args: [],
    stdin: "hello\n",
    before: () => "Enter a message: ",
    answered: "Received b'hello'\n",
    after: "",
  },
  {
    script: "upper_client_udp.ts",
    args: [],
    stdin: "hello\n",
    before: () => "Input lowercase sentence:",
    answered: "HELLO\n",
    after: "",
  },
];

/** Asks through a network with faults; gives whether an answer came. */
async function isAnswered(
  { script, args, stdin, before, answered, after }: typeof ASKERS[number],
  port: number,
  faults: Faults,
  timeout: number,
  tries: number,
): Promise<boolean> {
  using proxy = new LossyProxy(port, faults);
  const { status, stdout, stderr } = await runScript(script, [
    `--port=${proxy.port}`,
    `--timeout=${timeout}`,
    `--tries=${tries}`,
    ...args,
  ], stdin);
  const retries = stderr.match(/^(note: no reply within [\d.]+ s: try \d+ of \d+\n)*/)![0];
  const error = stderr.slice(retries.length);
  assertEquals(stdout, before(proxy.port) + (status === 0 ? answered : "") + after);
  if (status === 0) {
    assertEquals(error, "");
    return true;
  }
  assertEquals([status, retries.match(/\n/g)?.length ?? 0], [1, tries - 1]);
  const [message, hint, ...more] = error.split("\n");
  assertMatch(
    message,
    new RegExp(`^error: no reply from \\S+ port ${proxy.port} after ${tries} tries$`),
  );
  assertMatch(hint, /^start the server first: /);
  assertEquals(more, [""]);
  return false;
}

for (const asker of ASKERS) {
  const { script } = asker;

  Deno.test(`${script} gets its answer through a bad network, or says that none came`, async () => {
    const { server, port } = await startServer(script.replace("client", "server"));
    await using _ = server;
    await times(20, async (seed) => {
      assert(await isAnswered(asker, port, { ...FAULTS, seed }, 0.15, 100));
    });
    await times(20, async (seed) => {
      await isAnswered(asker, port, { ...FAULTS, seed, loss: 50 }, 0.15, 2);
    });
    assert(!await isAnswered(asker, port, { ...FAULTS, seed: 1, loss: 100 }, 0.05, 3));
  });
}

/** The same with an answer that a stranger forges; `question` is what is sent. */
const BELIEVERS = [
  ...ASKERS.map((asker) => ({
    ...asker,
    question: "hello",
    answer: asker.script === "upper_client_udp.ts" ? "HELLO" : "hello",
    forged: "forged",
  })),
  {
    script: "guess_client.ts",
    args: [],
    stdin: "50\n",
    before: () => PROMPT,
    question: "50",
    answer: "CORRECT",
    forged: "LOWER",
    answered: "CORRECT\n",
    after: "",
  },
];

Deno.test("every UDP client is in the tables of lossy_udp_test.ts", () => {
  assertEquals(
    BELIEVERS.map(({ script }) => script).sort(),
    findLabs().filter(({ transport }) => transport === "udp")
      .map(({ client }) => client.name).sort(),
  );
});

for (const client of BELIEVERS) {
  for (
    const [stranger, hostname, options] of [
      ["another port", "127.0.0.1", {}],
      // Elsewhere the machine has no second loopback address.
      ["another host with the same port", "127.0.0.2", LINUX_ONLY],
    ] as const
  ) {
    const { script, args, stdin, before, question, answer, forged } = client;
    Deno.test(
      `${script} ignores a reply from ${stranger}`,
      options,
      async () => {
        using server = udpSocket();
        const { port } = server;
        using other = udpSocket(hostname, hostname === "127.0.0.1" ? 0 : port);
        const flags = [`--port=${port}`, "--timeout=10", ...args];
        await using program = start(script, flags);
        await program.send(encode(stdin));
        const [data, peer] = await server.receive();
        assertEquals(decode(data), question);
        for (let i = 0; i < 3; i++) {
          await sendTo(other, (peer as Deno.NetAddr).port, forged);
        }
        await server.send(encode(answer), peer);
        assert(await program.ended());
        assertEquals(
          [await program.status, program.screen, program.errors],
          [0, before(port) + client.answered + client.after, ""],
        );
      },
    );
  }
}

Deno.test("lossy.ts passes everything on, nothing, or everything twice, as its flags say", async () => {
  const { server, port } = await startServer("echo_server_udp.ts");
  await using _ = server;
  const path = `${import.meta.dirname}/lossy.ts`;
  for (
    const [flag, arrived] of [["--loss=0", 1], ["--loss=100", 0], ["--duplicate=100", 2]] as const
  ) {
    const faults = ["--loss=0", "--duplicate=0", "--delay=5", flag];
    await using proxy = new Program([
      ...DENO_RUN,
      "--allow-net",
      path,
      "--port=0",
      `--to=${port}`,
      ...faults,
    ]);
    assert(await proxy.until(() => proxy.errors.includes("\n")), proxy.errors);
    const [, proxyPort] = proxy.errors.match(/from \S+ port (\d+) to/)!;
    const before = server.screen.length;
    const { status } = await runScript("echo_client_udp.ts", [
      `--port=${proxyPort}`,
      "--timeout=0.3",
      "--tries=1",
    ]);
    assertEquals(status, arrived > 0 ? 0 : 1);
    const count = () => server.screen.slice(before).match(/^received/gm)?.length ?? 0;
    await server.until(() => count() >= arrived);
    assertEquals(count(), arrived);
  }
  const args = ["--allow-net", path, "--loss=101"];
  await using wrong = new Program([...DENO_RUN, ...args]);
  assertEquals(await wrong.status, 2);
  assertMatch(wrong.errors, /^error: --loss is a percentage, not 101\nusage: /);
});

Deno.test(
  "a network that loses everything keeps nobody from Ctrl-C",
  NOT_ON_WINDOWS,
  async () => {
    using silent = udpSocket();
    for (const { script, stdin } of BELIEVERS) {
      await using client = start(script, [
        `--port=${silent.port}`,
        "--timeout=0.05",
        "--tries=1000",
      ]);
      await client.send(encode(stdin));
      assert(await client.until(() => client.errors.includes("try 3 of 1000\n")));
      assertEquals(await client.end("SIGINT"), 130);
      assertMatch(client.errors, /^(note: no reply within 0.05 s: try \d+ of 1000\n)+$/);
    }
  },
);
