/** What the UDP clients do when datagrams are lost, duplicated, late, or spoofed. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { labs } from "../../scripts/lab/catalog/labs.ts";
import { Program } from "../../scripts/lab/process/program.ts";
import {
  decode,
  encode,
  inParallel,
  LINUX_ONLY,
  runScript,
  sendTo,
  start,
  startServer,
  THOROUGH,
  udpSocket,
  WITH_SIGNALS,
} from "../helpers.ts";
import { type Faults, lossyNetwork, seededRandom } from "./lossy.ts";

const BAD = { loss: 30, duplicate: 20, delay: 50 }; // each exchange adds a seed
const GAMES = THOROUGH ? 100 : 16;
const EXCHANGES = THOROUGH ? 20 : 3; // of each client in each network
const AT_ONCE = Program.jobsAtOnce(25) - 1; // clients that run at the same time, with a server
const PROMPT = "Guess a number between 1 and 99: ";

/** Calls a function with each number from 0 to `count - 1`, for a few numbers at the same time. */
const times = (count: number, work: (i: number) => Promise<unknown>) =>
  inParallel(Array.from({ length: count }, (_, i) => () => work(i)), AT_ONCE);

/** Plays as a user who reads the screen, and checks each answer. */
async function play(port: number, secret: number, random: () => number) {
  const args = [`--port=${port}`, "--timeout=0.15", "--tries=100"];
  await using client = start("guess_client.ts", args);
  let [low, high] = [1, 99];
  let known = ""; // the screen so far
  for (let right = ""; right !== "CORRECT";) {
    const asks = () => client.screen === `${known}${PROMPT}`;
    assert(await client.until(asks, 30), client.screen + client.errors);
    // Near the middle, but different in each game.
    const guess = low + Math.floor((0.3 + 0.4 * random()) * (high - low + 1));
    await client.type(`${guess}`);
    const asked = `${known}${PROMPT}${guess}\n`;
    const answer = () => client.screen.slice(asked.length).match(/^(\w+)\n/)?.[1];
    assert(await client.until(() => answer() !== undefined, 30), client.screen + client.errors);
    right = guess < secret ? "HIGHER" : guess > secret ? "LOWER" : "CORRECT";
    assertEquals(answer(), right, `${client.screen}The number was ${secret}.`);
    known = `${asked}${right}\n`;
    if (right === "HIGHER") low = guess + 1;
    else high = guess - 1;
  }
  assert(await client.ended(30));
  assertEquals([await client.status, client.screen], [0, known]);
  assertMatch(client.errors, /^(note: no reply within 0.15 s: try \d+ of 100\n)*$/);
}

Deno.test(`${GAMES} guessing games get correct answers through a bad network`, async () => {
  const sums = { lost: 0, repeated: 0, overtook: 0 };
  const secrets = [1, 42, 63, 99];
  const servers = Program.jobsAtOnce(secrets.length, 3); // that run at the same time
  const clients = Math.floor(Program.jobsAtOnce(AT_ONCE + servers) / servers) - 1; // of each
  const jobs = secrets.map((secret, turn, { length }) => async () => {
    const { server, port } = await startServer("guess_server.ts", [`--secret=${secret}`]);
    await using _ = server;
    const game = (i: number) => async () => {
      using network = lossyNetwork(port, { ...BAD, seed: i });
      await play(network.port, secret, seededRandom(i));
      for (const fault of ["lost", "repeated", "overtook"] as const) {
        sums[fault] += network.counts[fault];
      }
    };
    const games = Array.from({ length: GAMES / length }, (_, i) => game(length * i + turn));
    await inParallel(games, clients);
  });
  await inParallel(jobs, servers);
  // A game has at least 4 questions, and some are sent more than once.
  for (const [fault, count] of Object.entries(sums)) assert(count > GAMES, `${fault}: ${count}`);
});

/** A client that sends one question, and what it prints. PORT is the server's port. */
interface Asker {
  script: string;
  args: string[];
  stdin: string;
  question: string;
  answer: string;
  forged: string;
  before: string;
  answered: string;
  after: string;
}

const TYPED = {
  args: [],
  stdin: "hello\n",
  question: "hello",
  answer: "hello",
  forged: "forged",
  after: "",
};
const ASKERS: Asker[] = [
  {
    ...TYPED,
    script: "echo_client_udp.ts",
    args: ["--message=hello"],
    stdin: "",
    before: "Connecting to localhost port PORT\nSending hello\n",
    answered: "received hello\n",
    after: "Closing connection to the server\n",
  },
  {
    ...TYPED,
    script: "practical12_client_udp.ts",
    before: "Enter a message: ",
    answered: "Received b'hello'\n",
  },
  {
    ...TYPED,
    script: "upper_client_udp.ts",
    before: "Input lowercase sentence:",
    answer: "HELLO",
    answered: "HELLO\n",
  },
];
const GUESSER = {
  ...TYPED,
  script: "guess_client.ts",
  stdin: "50\n",
  question: "50",
  answer: "CORRECT",
  forged: "LOWER",
  before: PROMPT,
  answered: "CORRECT\n",
};

Deno.test("every UDP client is in the tables of lossy_udp_test.ts", () => {
  const udpLabs = labs.filter(({ transport }) => transport === "udp");
  const scripts = [...ASKERS, GUESSER].map(({ script }) => script);
  assertEquals(scripts.sort(), udpLabs.map(({ client }) => client.name).sort());
});

/** Runs a client through a network with faults. Returns whether it received an answer. */
async function isAnswered(asker: Asker, port: number, faults: Faults, timeout: number, tries = 3) {
  using network = lossyNetwork(port, faults);
  const flags = [`--port=${network.port}`, `--timeout=${timeout}`, `--tries=${tries}`];
  const result = await runScript(asker.script, [...flags, ...asker.args], asker.stdin);
  const { status, stdout, stderr } = result;
  const isRight = status === 0;
  const before = asker.before.replace("PORT", `${network.port}`);
  assertEquals(stdout, before + (isRight ? asker.answered : "") + asker.after);
  const retries = [...stderr.matchAll(/^note: no reply within [\d.]+ s: try \d+ of \d+\n/gm)];
  const error = stderr.slice(retries.join("").length);
  if (isRight) assertEquals(error, "");
  else assertEquals([status, retries.length], [1, tries - 1]);
  const message = `error: no reply from \\S+ port ${network.port} after ${tries} tries\n`;
  if (!isRight) assertMatch(error, new RegExp(`^${message}start the server first: .*\n$`));
  return isRight;
}

for (const asker of ASKERS) {
  Deno.test(`${asker.script} gets its answer through a bad network, or reports that none came`, async () => {
    const { server, port } = await startServer(asker.script.replace("client", "server"));
    await using _ = server;
    await times(
      EXCHANGES,
      async (seed) => assert(await isAnswered(asker, port, { ...BAD, seed }, 0.15, 100)),
    );
    await times(EXCHANGES, (seed) => isAnswered(asker, port, { ...BAD, seed, loss: 50 }, 0.15, 2));
    assert(!await isAnswered(asker, port, { ...BAD, seed: 1, loss: 100 }, 0.05));
  });
}

for (const { script, args, stdin, ...asker } of [...ASKERS, GUESSER]) {
  for (
    const [sender, hostname, options] of [
      ["another port", "127.0.0.1", {}],
      // Elsewhere the machine has no second loopback address.
      ["another host with the same port", "127.0.0.2", LINUX_ONLY],
    ] as const
  ) {
    Deno.test(`${script} ignores a spoofed reply from ${sender}`, options, async () => {
      using server = udpSocket();
      const { port } = server;
      using other = udpSocket(hostname, hostname === "127.0.0.1" ? 0 : port);
      await using program = start(script, [`--port=${port}`, "--timeout=10", ...args]);
      await program.send(encode(stdin));
      const [data, peer] = await server.receive();
      assertEquals(decode(data), asker.question);
      for (let i = 0; i < 3; i++) await sendTo(other, (peer as Deno.NetAddr).port, asker.forged);
      await server.send(encode(asker.answer), peer);
      assert(await program.ended());
      const screen = asker.before.replace("PORT", `${port}`) + asker.answered + asker.after;
      const { status, screen: shown, errors } = program;
      assertEquals([await status, shown, errors], [0, screen, ""]);
    });
  }

  Deno.test(
    `Ctrl-C ends ${script} while it sends its question again and again`,
    WITH_SIGNALS,
    async () => {
      using silent = udpSocket();
      const flags = [`--port=${silent.port}`, "--timeout=0.05", "--tries=1000"];
      await using client = start(script, flags);
      await client.send(encode(stdin));
      assert(await client.until(() => client.errors.includes("try 3 of 1000\n")));
      assertEquals(await client.end("SIGINT"), 130);
      assertMatch(client.errors, /^(note: no reply within 0.05 s: try \d+ of 1000\n)+$/);
    },
  );
}
