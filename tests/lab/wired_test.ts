/** `lab wire` and `lab run` with programs that the tool has never seen: Python, Deno and Node, over TCP and UDP. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { findLab } from "../../scripts/lab/catalog/labs.ts";
import { hasPython } from "../../scripts/lab/process/program.ts";
import { traceEvent } from "../../scripts/lab/trace/diagram.ts";
import { readPlaces } from "../../scripts/lab/trace/faults.ts";
import { record, type RecordOptions } from "../../scripts/lab/trace/recording.ts";
import type { Step } from "../../scripts/lab/trace/timeline.ts";
import { callText, isOnWire, isRead, labelOf } from "../../scripts/lab/trace/words.ts";
import { decode, SCRIPTS, THOROUGH } from "../helpers.ts";
import { labHere } from "./in_process.ts";

const PROGRAMS = `${import.meta.dirname}/wired/`;
const HAS_PYTHON = await hasPython();

/** Steps as a reader would write them down: what the server does is at the left, what the client does at the right. */
function drawn(steps: Step[]): string {
  return steps.map(traceEvent).flatMap((event) => {
    const { kind, from, text, call, error } = event;
    if (kind === "call" && error === undefined && !(call && isRead(event))) return [];
    const margin = from === "server" ? "" : "\t";
    if (kind === "call") return `${margin}${callText(event)}`;
    if (!isOnWire(event)) return `${margin}${kind === "note" ? "! " : ""}${text.trimEnd()}`;
    const [start, end] = from === "server" ? ["", ">"] : ["<", ""];
    return `${start}-- ${labelOf(event)}${text && `: ${text}`} --${end}`;
  }).join("\n");
}

interface Run extends RecordOptions {
  lab?: string;
  server?: string;
  client?: string;
}

async function recordFiles({ lab = "echo", server, client, ...options }: Run) {
  const path = (name?: string) => name && PROGRAMS + name;
  const files = { server: path(server), client: path(client) };
  return await record(findLab(lab), { ...options, files });
}

const usesPython = (...files: (string | undefined)[]) =>
  files.some((file) => file?.endsWith(".py"));

/** What a quick run draws. */
const QUICK = [
  "a Python server that reads 16 bytes at a time",
  "socketserver and the streams of Deno, at an address of another machine",
  "node:dgram, and a datagram that comes twice",
  "a script at the port of the other program",
  "a server that crashes",
  "a client that waits without end",
];

const RUNS: Record<string, Run> = {
  "a Python server that reads 16 bytes at a time": {
    server: "sixteen_server.py",
    client: "sixteen_client.py",
  },
  "socketserver and the streams of Deno, at an address of another machine": {
    lab: "upper_tcp",
    server: "framework_server.py",
    client: "lines_client.ts",
  },
  "two connections at the same time": {
    lab: "upper_tcp",
    server: "framework_server.py",
    client: "two_connections.py",
  },
  "node:net on both sides": { server: "events_server.mjs", client: "events_client.cjs" },
  "asyncio, and a client that takes its address as arguments and asks": {
    lab: "upper_tcp",
    server: "async_server.py",
    client: "asking_client.py",
  },
  "a timeout after a dropped datagram": {
    lab: "echo_udp",
    server: "datagram_server.ts",
    client: "retry_client.py",
    faults: { drop: readPlaces("drop", "2") },
  },
  "node:dgram, and a datagram that comes twice": {
    lab: "echo_udp",
    server: "datagram_server.mjs",
    client: "datagram_client.mjs",
    faults: { duplicate: readPlaces("duplicate", "1") },
  },
  "a script at the port of the other program": { client: "sixteen_client.py" },
  "a script with the user's server": {
    server: "sixteen_server.py",
    more: ["--message=grüße"],
  },
};

const drawings = Deno.readTextFileSync(`${PROGRAMS}drawings.txt`).replaceAll("\r", "");

for (const [name, run] of Object.entries(RUNS)) {
  const ignore = usesPython(run.server, run.client) && !HAS_PYTHON ||
    !THOROUGH && !QUICK.includes(name);
  Deno.test({ name: `lab wire draws ${name}`, ignore }, async () => {
    const { steps, problems } = await recordFiles(run);
    const [, expected] = drawings.split(`# ${name}\n`);
    const right = expected?.split("\n\n# ")[0].trimEnd();
    // The ends of two connections have no order.
    const comparable = (drawing: string) => {
      const [before, ends] = drawing.split("<-- FIN (2) --\n");
      return ends === undefined ? drawing : [before, ...ends.split("\n").sort()].join("\n");
    };
    assertEquals(comparable(drawn(steps)), comparable(right));
    assertEquals(problems, []);
  });
}

const FAILURES: Record<string, Run & { problem: string; last: RegExp }> = {
  "a server that crashes": {
    server: "crash_server.py",
    client: "sixteen_client.py",
    problem: "crash_server.py failed: ValueError: invalid literal for int() with base 10: " +
      "b'This is the mess'",
    last:
      /-- RST -->\n\trecv fails: ECONNRESET\n\t! Traceback .*\n[^]*\n\t! ConnectionResetError: .*$/,
  },
  "a client that waits without end": {
    server: "silent_server.py",
    client: "sixteen_client.py",
    idleTime: 0.5,
    problem: "sixteen_client.py did not end; it waits for recv in line 10",
    last: /recv 41: This is the message\. It will be repeated\.$/,
  },
  "a client that computes without end": {
    server: "silent_server.py",
    client: "busy_client.py",
    idleTime: 0.5,
    problem: "busy_client.py did not end",
    last: /<-- 5 bytes: hello --\nrecv 5: hello$/,
  },
  "a client that prints without end": {
    server: "silent_server.py",
    client: "endless_client.ts",
    problem: "endless_client.ts was ended: it prints without end",
    last: /(\n\tand again){15}\n\t! … \d{4,} more lines(\n\tand again){15}(\nrecv 5: hello)?$/,
  },
  "a client at another port": {
    server: "sixteen_server.py",
    client: "events_client.cjs",
    problem: "events_client.cjs connects to port 5000, but sixteen_server.py listens on port 10000",
    last: /\tconnect fails: ECONNREFUSED\n\t! error: Uncaught Error: connect ECONNREFUSED [^]*$/,
  },
  "a server that speaks the other protocol": {
    server: "datagram_server.mjs",
    problem: "datagram_server.mjs uses UDP, and echo_client.ts uses TCP",
    last:
      /\t! error: nothing is listening on localhost port 12000\n\t! start the server first: [^]*$/,
  },
  "a server that does not listen": {
    server: "events_client.cjs",
    client: "sixteen_client.py",
    problem:
      "events_client.cjs does not listen: Uncaught Error: connect ECONNREFUSED 127.0.0.1:5000",
    last: /^connect fails: ECONNREFUSED\n! error: Uncaught Error: connect ECONNREFUSED [^]*$/,
  },
};

for (const [name, { problem, last, ...run }] of Object.entries(FAILURES)) {
  const ignore = usesPython(run.server, run.client) && !HAS_PYTHON ||
    !THOROUGH && !QUICK.includes(name);
  Deno.test({ name: `lab wire draws ${name} up to the failure`, ignore }, async () => {
    const { steps, problems } = await recordFiles(run);
    assertEquals(problems[0], problem);
    assert(last.test(drawn(steps)), drawn(steps));
  });
}

/** Runs the lab tool with files of this folder. */
async function lab(args: string[], typed = "") {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `${SCRIPTS}lab.ts`, ...args],
    env: { NO_COLOR: "1", COLUMNS: "100", INIT_CWD: PROGRAMS },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stdin = child.stdin.getWriter();
  await stdin.write(new TextEncoder().encode(typed));
  await stdin.close();
  const { code, stdout, stderr } = await child.output();
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

Deno.test("lab wire ends with status 1 after the diagram of a failed run", async () => {
  const server = `--server=${PROGRAMS}events_client.cjs`;
  const { code, stdout, stderr } = await lab(["wire", "echo", server]);
  assertEquals(code, 1);
  assertStringIncludes(stdout, "connect fails: ECONNREFUSED");
  assertStringIncludes(stderr, "error: events_client.cjs does not listen: Uncaught Error");
});

Deno.test("lab wire --hex --times shows bytes in hexadecimal and the time of each event", async () => {
  const args = [`--server=${PROGRAMS}events_server.mjs`, `--client=${PROGRAMS}events_client.cjs`];
  const { code, stdout } = await lab(["wire", "echo", "--hex", "--times", "--reads", ...args]);
  assertEquals(code, 0);
  assert(
    /^ *\d+ ms .*│ ◀─+ 5 bytes ─+ │\n.*│ {3}hello .*\n.*│ {3}68 65 6c 6c 6f/m.test(stdout),
    stdout,
  );
  assert(/^ *\d+ ms · data 5: hello .*\n +68 65 6c 6c 6f/m.test(stdout), stdout);
  const times = [...stdout.matchAll(/^ *(\d+) ms/gm)].map(([, time]) => Number(time));
  assertEquals(times, times.toSorted((a, b) => a - b));
});

Deno.test({
  name: "lab wire --originals draws the Python files of a folder",
  ignore: !HAS_PYTHON || !THOROUGH, // the README's tests run it with another lab
  async fn() {
    const { code, stdout, stderr } = await lab([
      ...["wire", "echo_v2", "--reads", "--mermaid"],
      `--originals=${SCRIPTS}lab/counterparts`,
    ]);
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, "participant S as echo_server_v2.py");
    assertStringIncludes(stdout, "recv 10: ␣␣␣␣␣␣␣␣72<br/>recv 15: Hello!This is a");
  },
});

Deno.test({
  name: "lab run shows two programs side by side, and passes typed lines to the client",
  ignore: !HAS_PYTHON,
  async fn() {
    const args = [`--server=${PROGRAMS}async_server.py`, `--client=${PROGRAMS}asking_client.py`];
    const { code, stdout, stderr } = await lab(["run", "upper_tcp", ...args], "abc\n");
    assertEquals([code, stderr], [0, ""]);
    assert(/[ :]abc\n[^]*received abc *│\n[^]*From Server: cba\nok\n$/.test(stdout), stdout);
  },
});

Deno.test("lab wire and lab run name files that they do not accept", async () => {
  const text = await labHere(["wire", "echo", `--server=${PROGRAMS}drawings.txt`]);
  assertEquals(text.status, 2);
  assertStringIncludes(text.stderr, "drawings.txt is not a .py, .ts, .js, .mjs or .cjs file");
  const missing = await labHere(["run", "echo", "--client=missing.py"]);
  assertEquals(missing.status, 1);
  assertStringIncludes(missing.stderr, "missing.py: no such file");
  const several = await labHere(["run", "--client=missing.py"]);
  assertEquals(several.status, 2);
});
