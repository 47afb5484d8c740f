/** The command `lab check`: it passes right submissions, and names the mistake in wrong ones. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type CheckOptions, examine } from "../../scripts/lab/check/check.ts";
import type { Finding } from "../../scripts/lab/check/check_run.ts";
import { PROGRAMS_AT_ONCE } from "../../scripts/lab/check/slots.ts";
import { readSubmission, runtimeError } from "../../scripts/lab/check/submission.ts";
import { scripts } from "../../scripts/lab/catalog/labs.ts";
import { find } from "../../scripts/lab/terminal/names.ts";
import { hasPython, Program } from "../../scripts/lab/process/program.ts";
import { BROKEN } from "./broken.ts";
import { inParallel, lab, SCRIPTS, temporary } from "../helpers.ts";

const RIGHT = `${import.meta.dirname}/right/`;
const AT_ONCE = 4; // checks
const python = await hasPython();

const isRunnable = (file: string) => python || !file.endsWith(".py");

/** Returns the script that a file takes the place of. */
const scriptFor = (file: string) => file.split("/").at(-1)!.replace(/\.\w+$/, ".ts");

/** Checks a text as a submission. */
async function examineText(
  name: string,
  source: string,
  options?: CheckOptions,
): Promise<Finding[]> {
  await using folder = await temporary();
  Deno.writeTextFileSync(`${folder.path}/${name}`, source);
  return await examine(`${folder.path}/${name}`, scriptFor(name), options);
}

const failures = (findings: Finding[]) =>
  findings.flatMap(({ what, problem }) => problem === undefined ? [] : [`${what}: ${problem}`]);
const notes = (findings: Finding[]) => findings.flatMap(({ note }) => note ?? []);

/**
 * Looks at several things at a time, and once more alone at those with a problem, as `lab check` does
 * with several files: on a busy machine the time can run out.
 */
async function lookTwice<T>(things: T[], look: (thing: T) => Promise<string[]>) {
  const again: T[] = [];
  const first = async (thing: T) => {
    if ((await look(thing)).length > 0) again.push(thing);
  };
  await inParallel(things.map((thing) => () => first(thing)), AT_ONCE, PROGRAMS_AT_ONCE);
  const problems: string[] = [];
  for (const thing of again) problems.push(...await look(thing));
  return problems;
}

Deno.test("check passes right submissions that are written in other ways", async () => {
  const names = [...Deno.readDirSync(RIGHT)].map(({ name }) => name).filter(isRunnable);
  // One of each language and runtime: the checks of all take long, and are the same.
  const chosen = names.filter((name) =>
    /^(echo_server\.|guess|upper_client|tcp_client)/.test(name)
  );
  assertEquals(
    await lookTwice(chosen, async (name) => {
      const findings = await examine(RIGHT + name, scriptFor(name));
      assert(findings.length > 3, name);
      return failures(findings).map((failure) => `${name}: ${failure}`);
    }),
    [],
  );
});

Deno.test("check names the mistake in the first line of each broken submission", async () => {
  const chosen = BROKEN.filter(({ name }) => isRunnable(name));
  assertEquals(
    await lookTwice(chosen, async ({ name, fault, says, isStrict, source }) => {
      const findings = await examineText(name, source, { isStrict, most: 1 });
      const [problem = "not caught"] = failures(findings);
      const [first] = problem.split("\n");
      return says.test(first) ? [] : [`${name} ${fault}: ${problem}`];
    }),
    [],
  );
});

const ORIGINAL = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
s.bind(("localhost", 9900))
s.listen(5)
print("Starting up echo server on localhost port 9900")
while True:
    print("Waiting to receive message from client")
    client, address = s.accept()
    data = client.recv(2048)
    if data:
        print("Data:", data)
        client.send(data)
        print("sent", data, "bytes back to", address)
    client.close()
`;

Deno.test(
  "check passes an original with a fixed port, one client at a time and bytes, and --strict does not",
  {
    ignore: !python,
  },
  async () => {
    const findings = await examineText("echo_server.py", ORIGINAL);
    assertEquals(failures(findings), []);
    const lacks = notes(findings).join("\n");
    for (const part of ["it has no --port", "Python's notation", "the second client has to wait"]) {
      assertStringIncludes(lacks, part);
    }
    const strict = await examineText("echo_server.py", ORIGINAL, { isStrict: true });
    assertStringIncludes(failures(strict).join("\n"), "Python's notation");
  },
);

Deno.test("check runs no more programs at the same time than the system can", async () => {
  const { limit } = Program;
  Program.limit = 2;
  try {
    const findings = await examine(`${SCRIPTS}echo_client.ts`, "echo_client.ts");
    assertEquals(failures(findings), []);
  } finally {
    Program.limit = limit;
  }
});

Deno.test("check runs CommonJS with a fixed port", async () => {
  const source = `
const net = require("net");
console.log("Listening..");
net.createServer((client) => {
  console.log("Connection Address is: ", \`('\${client.remoteAddress}', \${client.remotePort})\`);
  client.once("data", (data) => {
    console.log(String(data));
    client.end(data);
  });
  client.on("error", () => {});
}).listen(1235, "127.0.0.1");
`.replace('is: ", ', 'is:  " + ');
  for (const name of ["echo_server_v1.cjs", "echo_server_v1.js"]) {
    assertEquals(failures(await examineText(name, source, { most: 1 })), [], name);
  }
});

const GUESS_SERVER = `
import random, socket
numbers = list(range(1, 100))
random.shuffle(numbers)
number = numbers.pop()
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("localhost", 9900))
print("The game begins")
while True:
    data, player = sock.recvfrom(1024)
    guess = int(data)
    verdict = "HIGHER" if guess < number else "LOWER" if guess > number else "CORRECT"
    print(player, guess, verdict)
    sock.sendto(verdict.encode(), player)
`;

Deno.test(
  "check finds the number of a guess server without --secret that shuffles, and allows its own words",
  {
    ignore: !python,
  },
  async () => {
    const findings = await examineText("guess_server.py", GUESS_SERVER);
    assertEquals(failures(findings), []);
    assert(notes(findings).some((note) => note.includes("words of its own")));
    const compared = GUESS_SERVER.replace("guess = int(data)", "guess = data.decode()")
      .replace("number = numbers.pop()", "number = str(numbers.pop())");
    const [problem] = failures(await examineText("guess_server.py", compared, { most: 1 }));
    assert(/it compares text, not numbers|every verdict/.test(problem), problem);
  },
);

Deno.test("check says that a server uses TCP where the lab uses UDP", async () => {
  const source = `Deno.listen({ hostname: "127.0.0.1", port: 9900 });\n`;
  const [problem] = failures(await examineText("echo_server_udp.ts", source, { most: 1 }));
  assertStringIncludes(problem, "it opens a TCP socket: this lab uses UDP");
});

Deno.test("check shows the exchange until something was wrong", async () => {
  const { source } = BROKEN.find(({ fault }) => fault === "never closes")!;
  const findings = await examineText("echo_server.ts", source, { most: 1 });
  const exchange = findings.find(({ problem }) => problem)!.exchange!;
  const lines = exchange.split("\n").map((line) => line.replace(/^ *\d+ ms +/, ""));
  assertEquals(lines, [
    "client ---> server  connects",
    'client ---> server  "Test message. This will be echoed" (33 bytes)',
    'client <--- server  "Test message. This will be echoed" (33 bytes)',
    "wrong: the connection is still open: it was never closed",
  ]);
});

Deno.test("check does not type the next line before the reply to the last one has come", async () => {
  // The client is slow after each reply, and has printed its prompt before.
  const source = Deno.readTextFileSync(`${RIGHT}guess_client.ts`);
  const slow = source.replace(
    "console.log(verdict);",
    "await new Promise((done) => setTimeout(done, 700));\n  console.log(verdict);",
  );
  assert(slow !== source);
  assertEquals(failures(await examineText("guess_client.ts", slow, { most: 1 })), []);
});

Deno.test("check says that there is no such file", async () => {
  const { status, stderr } = await lab(["check", "nosuch.ts"]);
  assertEquals([status, stderr], [1, "error: nosuch.ts: no such file\n"]);
});

Deno.test("check asks for a missing await when a read was interrupted", () => {
  const submission = readSubmission(`${RIGHT}echo_server.ts`, find(scripts(), "echo_server"));
  assertEquals(
    runtimeError("error: Uncaught (in promise) Interrupted: operation canceled\n", submission),
    "Interrupted: operation canceled: it was closed while it still read: is an `await` missing?",
  );
});
