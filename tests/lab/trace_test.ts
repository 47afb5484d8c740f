/** The tracers: they report what a program does, and change nothing of it. */
import { assert, assertEquals } from "@std/assert";
import { hasPython } from "../../scripts/lab/program.ts";
import { parseEvent, readEvents, type TraceEvent } from "../../scripts/lab/trace/event.ts";
import { runTraced, type TraceOptions } from "../../scripts/lab/trace/run_traced.ts";
import { encode, quietPort, temporary } from "../helpers.ts";

const PROGRAMS = `${import.meta.dirname}/traced`;
const PYTHON = Deno.build.os === "windows" ? "python" : "python3";
const WITH_PYTHON = { ignore: !await hasPython() };
const DENO_FLAGS = ["--allow-net", "--no-prompt", "--unstable-net"];
const TYPED = "Ann\nsecond\nthird\n";

interface Outcome {
  stdout: string;
  stderr: string;
  status: number;
}

async function outcomeOf(child: Deno.ChildProcess): Promise<Outcome> {
  const stdin = child.stdin.getWriter();
  const typing = stdin.write(encode(TYPED)).then(() => stdin.close()).catch(() => {});
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  await typing;
  return { stdout, stderr, status: (await child.status).code };
}

const ENV = { NO_COLOR: "1" };

async function untraced(file: string): Promise<Outcome> {
  const isPython = file.endsWith(".py");
  const child = new Deno.Command(isPython ? PYTHON : Deno.execPath(), {
    args: isPython ? ["-u", file] : ["run", "--quiet", ...DENO_FLAGS, file],
    env: ENV,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  return await outcomeOf(child);
}

async function traced(file: string, options: TraceOptions = {}) {
  const events: TraceEvent[] = [];
  const onEvent = (event: TraceEvent) => events.push(event);
  await using program = await runTraced(file, { denoFlags: DENO_FLAGS, env: ENV, ...options, onEvent });
  const outcome = await outcomeOf(program.child);
  await program.ended;
  return { outcome, events, observed: program.observed };
}

/** What differs from run to run, or is Deno's own code, which calls two listeners from another column than one. */
function steady({ stdout, stderr, status }: Outcome): Outcome {
  const steadied = (text: string) => text.replace(/(\(ext:\S+:)\d+:\d+\)/g, "$1)").replace(/\(Thread-\d+/g, "");
  return { stdout: steadied(stdout), stderr: steadied(stderr), status };
}

/** Which events each line has, as the comments say: `#: receive 5, send 5`. */
function expectedEvents(source: string): string[] {
  return source.split("\n").flatMap((line, i) => {
    const [, list] = line.match(/(?:#|\/\/): (.*)/) ?? [];
    return list?.split(", ").map((event) => `${i + 1}: ${event}`) ?? [];
  }).sort();
}

/** The events of a run in the same form: those that ended well, with the lines of the program. */
function eventsByLine(events: TraceEvent[]): string[] {
  const lines = events.filter(({ kind, line, isWaiting, error }) =>
    !isWaiting && line !== undefined && kind !== "print" && error === undefined
  ).map(({ kind, line, length }) =>
    `${line}: ${kind}${length === undefined || kind === "input" ? "" : ` ${length}`}`
  );
  return [...new Set(lines)].sort();
}

const programs = [...Deno.readDirSync(PROGRAMS)].map(({ name }) => name).sort();

for (const name of programs) {
  const options = name.endsWith(".py") ? WITH_PYTHON : {};
  Deno.test(`${name} prints the same and ends the same when it is traced`, options, async () => {
    await using folder = await temporary();
    const [port, other] = [quietPort(), quietPort()];
    const source = (await Deno.readTextFile(`${PROGRAMS}/${name}`))
      .replaceAll("7001", `${port}`).replaceAll("7002", `${other}`);
    const file = `${folder.path}/${name}`;
    await Deno.writeTextFile(file, source);
    const plain = await untraced(file);
    const { outcome, events } = await traced(file, {
      ports: { [port]: quietPort(), [other]: quietPort() },
    });
    assertEquals(steady(outcome), steady(plain));
    assertEquals(eventsByLine(events), expectedEvents(source));
    assertEquals(printed(events, "stdout"), outcome.stdout);
  });
}

function printed(events: TraceEvent[], stream: string): string {
  return events.filter((event) => event.kind === "print" && event.stream === stream)
    .map(({ text }) => text).join("");
}
