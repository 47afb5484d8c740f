/** The command `lab check`: it passes right submissions, and names the mistake in wrong ones. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type CheckOptions, examine } from "../../scripts/lab/check/check.ts";
import type { Finding } from "../../scripts/lab/check/check_run.ts";
import { PROGRAMS_AT_ONCE } from "../../scripts/lab/check/slots.ts";
import { type Start, SubmissionProgram } from "../../scripts/lab/check/start.ts";
import { readSubmission, runtimeError } from "../../scripts/lab/check/submission.ts";
import { scripts } from "../../scripts/lab/catalog/labs.ts";
import { find } from "../../scripts/lab/terminal/names.ts";
import { hasPython, Program } from "../../scripts/lab/process/program.ts";
import { BROKEN, MORE_BROKEN } from "./broken.ts";
import {
  inParallel,
  SCRIPTS,
  temporary,
  THOROUGH,
  THOROUGH_ONLY,
  WITH_REUSEPORT,
  WITH_SIGNALS,
} from "../helpers.ts";

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
  const quick = ["tcp_client.js"];
  if (Deno.build.os === "windows") quick.push("echo_server_udp.ts");
  const chosen = names.filter((name) => THOROUGH || quick.includes(name));
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
  const chosen = [...BROKEN, ...THOROUGH ? MORE_BROKEN : []]
    .filter(({ name }) => isRunnable(name));
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
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
s.bind(("", 9900))
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
  "check passes an original with a fixed port on all addresses, one client at a time and bytes, and notes it",
  { ignore: !python || WITH_REUSEPORT.ignore },
  async () => {
    const findings = await examineText("echo_server.py", ORIGINAL);
    assertEquals(failures(findings), []);
    const noted = notes(findings).join("\n");
    for (
      const part of [
        "it has no --port",
        "Python's notation",
        "the second client has to wait",
        "it listens on all addresses",
        "a second server on the same port starts as well",
      ]
    ) assertStringIncludes(noted, part);
  },
);

Deno.test("check runs no more programs at the same time than the system can", async () => {
  const { limit } = Program;
  Program.limit = 2;
  Program.peak = 0;
  try {
    const findings = await examine(`${SCRIPTS}echo_client.ts`, "echo_client.ts");
    assertEquals(failures(findings), []);
    assert(Program.peak <= 2, `${Program.peak} programs at the same time`);
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
  for (const name of ["echo_server_v1.js", ...THOROUGH ? ["echo_server_v1.cjs"] : []]) {
    assertEquals(failures(await examineText(name, source, { most: 1 })), [], name);
  }
});

const GUESS_SERVER = `
import socket
from random import shuffle
random = list(range(1, 100))
shuffle(random)
random = random.pop()
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("localhost", 9900))
print("The game begins")
while True:
    data, player = sock.recvfrom(1024)
    guess = int(data)
    verdict = "HIGHER" if guess < random else "LOWER" if guess > random else "CORRECT"
    print(player, guess, verdict)
    sock.sendto(verdict.encode(), player)
`;

Deno.test(
  "check passes a guess server without --secret that shuffles, has a variable random, and prints its own words",
  { ignore: !python },
  async () => {
    const findings = await examineText("guess_server.py", GUESS_SERVER);
    assertEquals(failures(findings), []);
    assert(notes(findings).some((note) => note.includes("words of its own")));
  },
);

Deno.test(
  "check gives one --secret to a server that takes the first of two",
  THOROUGH_ONLY,
  async () => {
    const source = `
const [secret] = Deno.args.flatMap((arg) => arg.match(/^--secret=(.*)/)?.[1] ?? []);
const number = Number(secret ?? 1 + Math.floor(99 * Math.random()));
const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 9900 });
for await (const [data, player] of socket) {
  const guess = Number(new TextDecoder().decode(data));
  const verdict = guess < number ? "HIGHER" : guess > number ? "LOWER" : "CORRECT";
  await socket.send(new TextEncoder().encode(verdict), player);
}
`;
    const findings = await examineText("guess_server.ts", source, { most: 2 });
    const secret = findings.find(({ what }) => what === "--secret=99")!;
    assertEquals([secret.problem, secret.note], [undefined, undefined]);
  },
);

const THREADS = `
import socket, threading
s = socket.create_server(("localhost", 9900))
print("Starting up echo server on localhost port 9900")
print("Waiting to receive message from client")
def serve(client, address):
    data = client.recv(2048)
    if data:
        print("Data:", data.decode())
        client.send(data)
        print("sent", data.decode(), "bytes back to", address)
        print("Waiting to receive message from client")
    client.close()
while True:
    threading.Thread(target=serve, args=s.accept()).start()
`;

Deno.test(
  "check notes that Ctrl-C waits for a client",
  { ignore: !python || !THOROUGH || WITH_SIGNALS.ignore },
  async () => {
    const findings = await examineText("echo_server.py", THREADS);
    assertEquals(failures(findings), []);
    assertStringIncludes(
      notes(findings).join("\n"),
      "Ctrl-C does not end it while a client is connected",
    );
  },
);

Deno.test("check does not wait for a client that spins when the server has closed", {
  ignore: !python || !THOROUGH,
}, async () => {
  const source = `
import socket
message = b"Test message. This will be echoed"
s = socket.create_connection(("localhost", 9900))
print("Connecting to localhost port 9900")
print("Sending", message.decode())
s.sendall(message)
received = 0
while received < len(message):
    data = s.recv(16)
    received += len(data)
    if data:
        print("Received:", data.decode())
print("Closing connection to the server")
`;
  const findings = await examineText("echo_client.py", source);
  assertEquals(failures(findings), []);
  assertStringIncludes(notes(findings).join("\n"), "it still runs after the server has closed");
});

Deno.test("check says that a server uses TCP where the lab uses UDP", async () => {
  const source = `Deno.listen({ hostname: "127.0.0.1", port: 9900 });\n`;
  const [problem] = failures(await examineText("echo_server_udp.ts", source, { most: 1 }));
  assertStringIncludes(problem, "it opens a TCP socket: this lab uses UDP");
});

Deno.test("check finds the port of a server whose tracer reports nothing", async () => {
  const code = `const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
console.log(listener.addr.port);
await listener.accept();`;
  const command = [Deno.execPath(), "eval", code];
  const traced = {
    ...{ command, env: {} },
    async *events() {},
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const how = { port: 0, labPort: 0 } as Start;
  await using program = new SubmissionProgram(traced, how, {}, false);
  assert(await program.until(() => program.screen.endsWith("\n")));
  const port = Number(program.screen);
  program.ports[0] = port;
  assertEquals(await program.listeningPort("tcp", 100), port);
});

Deno.test("check shows the exchange until something was wrong", async () => {
  const right = Deno.readTextFileSync(`${RIGHT}echo_server.ts`);
  const source = right.replace("  client.close();\n", "");
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

Deno.test("check names the line in which an await is missing", THOROUGH_ONLY, async () => {
  const right = Deno.readTextFileSync(`${RIGHT}echo_server.ts`);
  const source = right.replace("await client.read(buffer)", "client.read(buffer)");
  const [problem] = failures(await examineText("echo_server.ts", source, { most: 1 }));
  assertStringIncludes(problem, "an `await` is missing in echo_server.ts:12: Argument of type");
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

/** Errors of a runtime whose meaning a check adds. */
const EXPLAINED: [what: string, error: string, meaning: string][] = [
  [
    "asks for a missing await when a read was interrupted",
    "Interrupted: operation canceled",
    "it was closed while it still read: is an `await` missing?",
  ],
  [
    "says that a buffer is too small on Windows",
    "Error: Eine Nachricht, die ... (os error 10040)",
    "the datagram is longer than the buffer of this receive, and is lost",
  ],
  [
    "says the same for Python",
    "OSError: [WinError 10040] Eine Nachricht, die ...",
    "the datagram is longer than the buffer of this receive, and is lost",
  ],
];

for (const [what, error, meaning] of EXPLAINED) {
  Deno.test(`check ${what}`, () => {
    const submission = readSubmission(`${RIGHT}echo_server.ts`, find(scripts(), "echo_server"));
    const printed = `error: Uncaught (in promise) ${error}\n`;
    const python = `Traceback (most recent call last):\n${error}\n`;
    assertEquals(
      runtimeError(error.startsWith("OSError") ? python : printed, submission),
      `${error}: ${meaning}`,
    );
  });
}
