/**
 * Checks a client.
 *
 * @module
 */
import {
  type CheckName,
  type CheckRun,
  excessOf,
  type Finding,
  type Problem,
  problemIn,
  promptOf,
  screenProblem,
  toFinding,
  TRANSCRIPT,
  withMissingAwait,
  wrongEndpoint,
} from "./check_run.ts";
import { weightOf } from "./check_server.ts";
import { Program } from "../process/program.ts";
import { brief, wrongPieces } from "./diagnosis.ts";
import { Exchange, waitPatiently } from "./exchange.ts";
import { type ClientProbe, ownCause } from "./probe.ts";
import { runSteps, type StepContext, type StepsResult } from "./run_steps.ts";
import { PROGRAMS_AT_ONCE } from "./slots.ts";
import { hasFlag, start, type SubmissionProgram } from "./start.ts";
import { type Data, Mismatch, type Step } from "./steps.ts";
import { runtimeError } from "./submission.ts";
import { TestServer } from "./test_server.ts";

const NO_REPLY = 9500; // milliseconds that a client may wait for a reply that never comes
const ASKS_AGAIN = 5000; // milliseconds that a client may take until it asks again
const SHORT_NO_REPLY = 4000; // the same, if it may wait without end

const HAS_PORT: CheckName = { what: "it connects to the port given with --port", level: "beyond" };

/** Returns what is checked about a client. */
export function clientChecks(probes: ClientProbe[]): CheckName[] {
  const sorted = probes.toSorted((a, b) => weightOf(a) - weightOf(b));
  const names = sorted.flatMap((probe) => probe.isSession ? [probe, { what: TRANSCRIPT }] : probe);
  return [...names, HAS_PORT];
}

/** Runs the probes of a client: the session first, then the others, some at a time. */
export async function checkClient(run: CheckRun, probes: ClientProbe[]) {
  const { submission } = run;
  const [session, ...others] = probes.toSorted((a, b) => weightOf(a) - weightOf(b));
  if (run.stop) run.report(run.skipped(session, run.stop));
  else for (const finding of await checkProbe(run, session)) run.report(finding);
  const weight = (probe: ClientProbe) => Number(run.isMild(probe)) * 2 - Number(isLong(probe));
  const waiting = others.toSorted((a, b) => weight(a) - weight(b));
  const findings = new Map(others.map((probe) => [probe, Promise.withResolvers<Finding[]>()]));
  const work = async () => {
    for (let probe; (probe = waiting.shift());) {
      const { stop } = run;
      const lacks = probe.args?.find((arg) => !hasFlag(submission, arg.split("=")[0]));
      const found = stop
        ? [run.skipped(probe, stop)]
        : lacks !== undefined
        ? missingFlag(run, probe, lacks)
        : await checkProbe(run, probe);
      findings.get(probe)!.resolve(found);
    }
  };
  const report = async () => {
    for (const probe of others) {
      for (const finding of await findings.get(probe)!.promise) run.report(finding);
    }
  };
  await Promise.all([
    report(),
    ...Array.from({ length: Program.jobsAtOnce(PROGRAMS_AT_ONCE) }, work),
  ]);
  if (!run.isHopeless) run.report(portFinding(run));
}

/** Reports a flag that a client does not have. A message that is typed needs no flag. */
function missingFlag(run: CheckRun, probe: ClientProbe, arg: string): Finding[] {
  const [flag] = arg.split("=");
  if (flag === "--message" && run.submission.script.typed.length > 0) {
    return [{ what: probe.what, note: "it asks for its message, so it needs no --message" }];
  }
  return [toFinding(run, probe, { problem: `it has no ${flag}` })];
}

/** Whether a probe takes seconds: the client waits for a reply that was dropped. */
function isLong({ steps }: ClientProbe): boolean {
  return steps.some(({ drops }) => drops !== undefined);
}

/** Returns the steps, with each line typed before the message that it becomes. */
function withTyping({ steps, typed = [] }: ClientProbe): Step[] {
  const lines = [...typed];
  const all = steps.flatMap((step) => {
    const isMessage = step.gets !== undefined || step.drops !== undefined;
    return isMessage && lines.length > 0 ? [{ types: lines.shift()! }, step] : [step];
  });
  return [...all, ...lines.map((types) => ({ types }))];
}

/** Starts a client with a server that does what the probe says. */
async function checkProbe(run: CheckRun, probe: ClientProbe): Promise<Finding[]> {
  const { submission } = run;
  const { script } = submission;
  const before = Date.now();
  const exchange = new Exchange();
  using server = TestServer.take(run, exchange, probe.isAlone);
  const args = [...probe.args ?? []];
  if (isLong(probe) && hasFlag(submission, "--timeout")) args.push("--timeout=1");
  const typed = probe.isSession ? script.typed : probe.typed ?? [];
  await using program = await start(submission, {
    port: server.port,
    labPort: server.labPort,
    args,
    sandbox: run.sandbox,
  });
  const longest = run.isMild(probe) ? SHORT_NO_REPLY : NO_REPLY;
  const limit = isLong(probe) ? Math.min(run.left, longest) : 0;
  const context: StepContext = {
    exchange,
    pause: run.pause,
    patience: () => {
      const patience = run.patience(program);
      return limit > 0 ? { ...patience, milliseconds: limit, end: Date.now() + limit } : patience;
    },
    open: async () => {
      const channel = await server.open(program, run.startPatience);
      if (probe.isSession) {
        run.started(Date.now() - before);
        run.hasOwnPort = server.usedPort === server.labPort;
      }
      return channel;
    },
    type: (line) => typeLine(run, program, line, exchange),
    endInput: () => program.endInput(),
    reset: () => Promise.resolve(),
    hasPrinted: () => Promise.resolve(true),
  };
  const result = await runSteps(withTyping({ ...probe, typed }), context);
  const { mismatch } = result;
  if (mismatch?.kind === "absent") {
    return [await absent(run, program, probe, mismatch)];
  }
  let wrong: Problem | undefined = problemIn(result, probe, run, exchange);
  if (wrong) {
    const cause = ownCause(probe, mismatch);
    if (cause) wrong = { ...wrong, problem: `${cause}\n${wrong.problem}` };
    wrong = await withRuntimeError(run, program, probe, wrong, result);
  } else {
    wrong = await endProblem(run, program, probe, limit);
  }
  if (program.excess) wrong = { problem: excessOf(submission, program) };
  const screenWrong = wrong || probe.isSession
    ? undefined
    : screenProblemIn(run, probe, program.screen);
  const finding = toFinding(run, probe, wrong ?? screenWrong, mismatch?.kind);
  if (!probe.isSession) return [finding];
  const transcript = transcriptProblem(run, program, server.usedPort ?? server.port);
  const withCause = wrong ? transcript : await withMissingAwait(run, transcript);
  return [finding, { what: TRANSCRIPT, ...withCause }];
}

/** Says whether a client takes its port from `--port`. */
function portFinding(run: CheckRun): Finding {
  const { submission, hasOwnPort } = run;
  const problem = !hasOwnPort
    ? undefined
    : hasFlag(submission, "--port")
    ? `it ignores --port: it connects to port ${submission.script.port}`
    : `it has no --port: it always connects to port ${submission.script.port}`;
  return toFinding(run, HAS_PORT, problem ? { problem } : undefined);
}

/** Reports a client that did not connect. */
async function absent(
  run: CheckRun,
  program: SubmissionProgram,
  probe: ClientProbe,
  { kind }: Mismatch,
): Promise<Finding> {
  const { submission, sandbox } = run;
  const { script } = submission;
  if (probe.isSession) run.isHopeless = true;
  else if (run.left < 100) return run.skipped(probe, "no time is left");
  const elsewhere = await wrongEndpoint(submission, program, "connects to");
  const did = script.lab.transport === "udp" ? "sent no datagram" : "did not connect";
  const general = `the client ${did} to the lab's port, ${script.port}`;
  const error = runtimeError(program.errors, submission);
  const missing = elsewhere ? undefined : await sandbox.missingAwait();
  const problem = [missing, elsewhere, error, general].filter((line) => line !== undefined);
  return toFinding(run, probe, { problem: problem.join("\n") }, kind);
}

/** Adds to a problem what the runtime reported, if that is its cause. */
async function withRuntimeError(
  run: CheckRun,
  program: SubmissionProgram,
  { isSession, steps }: ClientProbe,
  wrong: Problem,
  { mismatch }: StepsResult,
): Promise<Problem> {
  const hasEnded = await program.ended(0.3);
  // After a wrong message an error may follow from it.
  const error = mismatch!.actual === "" ? runtimeError(program.errors, run.submission) : undefined;
  const missing = isSession ? await run.sandbox.missingAwait() : undefined;
  const hasStopped = mismatch!.actual === "" && hasEnded && mismatch!.kind !== "open" &&
    !steps.some(({ drops }) => drops !== undefined);
  const hasGivenUp = hasEnded && steps.some(({ drops }) => drops !== undefined);
  const first = missing ?? error ??
    (hasGivenUp
      ? `it did not ask again: it gave up after one try (status ${await program.status})`
      : undefined) ??
    (hasStopped ? `the program ended (status ${await program.status}) too early` : undefined);
  return first ? { ...wrong, problem: `${first}\n${wrong.problem}` } : wrong;
}

/** Compares the screen after the session with the one of the header. */
function transcriptProblem(run: CheckRun, program: SubmissionProgram, port: number) {
  const { script } = run.submission;
  const { screen, errors } = program;
  const printed = screen.match(/\bport:? (\d+)/)?.[1];
  const shownPort = printed === `${port}` ? port : script.port;
  const transcript = screenProblem(run, screen, script.screen, shownPort);
  if (errors === "") return transcript;
  const [first] = errors.split("\n");
  const prompt = promptOf(script);
  const isMisplaced = prompt && errors.includes(prompt.trimEnd()) ||
    script.screen.includes(`${first}\n`);
  if (transcript.problem && isMisplaced) {
    const problem = `it prints on stderr, not on stdout: ${first}\n${transcript.problem}`;
    return { ...transcript, problem };
  }
  return { note: `it printed on stderr: ${first}`, ...transcript };
}

/** Says what is wrong about how a client ended. */
async function endProblem(
  run: CheckRun,
  program: SubmissionProgram,
  { status: should, isSession, cause, steps }: ClientProbe,
  limit: number,
): Promise<Problem | undefined> {
  const { submission } = run;
  const patience = run.patience(program);
  const wait = async (time: number) => await program.ended(time / 1000);
  const hasEnded = limit > 0
    ? await program.ended(limit / 1000)
    : await waitPatiently(wait, patience);
  if (!hasEnded) {
    await program.endInput();
    // In Deno, a destroyed stdin of Node still waits for its input.
    const isDestroyed = /stdin\.destroy\(/.test(submission.source);
    if (await program.ended(0.5)) {
      if (isDestroyed) return undefined;
      return { problem: "it does not end while its input is open, though all is done" };
    }
    const reason = steps.some(({ drops }) => drops !== undefined)
      ? "it waits for a reply without end: a datagram may get lost"
      : should === "failed" && steps.length > 0
      ? "it still runs after the server has closed the connection: it waits without end"
      : "it does not end: it still runs after everything was done";
    return { problem: cause ?? reason };
  }
  const status = await program.status;
  if ((should === "well" || isSession) && status !== 0) {
    const error = runtimeError(program.errors, submission);
    const [line] = program.errors.split("\n");
    const ended = `it ended with status ${status}${error || !line ? "" : `: ${line}`}`;
    return { problem: [cause, error, ended].filter((line) => line !== undefined).join("\n") };
  }
  if (should === "failed" && status === 0) {
    return { problem: "it ended with status 0, which means success" };
  }
}

/** Says what is wrong about what a client printed. */
function screenProblemIn(
  run: CheckRun,
  { screen: should, shows = [], hides, joined, cause, steps }: ClientProbe,
  screen: string,
): Problem | undefined {
  const wrong = (problem: string, expected?: string): Problem => ({
    problem: cause ? `${cause}\n${problem}` : problem,
    expected,
    actual: screen.length < 2000 ? screen : undefined,
  });
  if (hides !== undefined && screen.includes(hides)) {
    return wrong(`it prints what did not come from the server: ${brief(hides)}`);
  }
  if (run.hasOwnWords) {
    const missing = answersIn(steps).find((answer) => !screen.includes(answer));
    return missing === undefined ? undefined : wrong(`it does not print: ${brief(missing)}`);
  }
  const compared = run.comparable(screen);
  if (should !== undefined && screen !== should && compared !== should) {
    const [is, line] = [compared, should].map((text) => text.split("\n"));
    const at = line.findIndex((text, i) => text !== is[i]);
    const own = questionsIn(steps).find((text) =>
      is[at]?.includes(text) && !line[at].includes(text)
    );
    if (own !== undefined) {
      return wrong(`it prints what it sent, not the reply: ${brief(own)}`, should);
    }
    const more = brief(is.slice(line.length - 1).join("\n"));
    return wrong(
      at < 0
        ? `it prints more than it should: ${more}`
        : is.length <= at
        ? `it does not print: ${line[at]}`
        : `it prints ${is[at] === "" ? "an empty line" : brief(is[at])}, and should print ${
          brief(line[at])
        }`,
      should,
    );
  }
  if (joined) {
    const [start, text] = joined;
    const all = run.joined(start, screen);
    if (all !== text) return wrong(wrongPieces(start, all, text));
  }
  let from = 0;
  const text = shows.every((part) => screen.includes(part)) ? screen : compared;
  for (const part of shows) {
    const at = text.indexOf(part, from);
    if (at < 0) return wrong(`it does not print: ${brief(part)}`);
    from = at + part.length;
  }
}

/** Returns what a client sent, as text without a header. */
function questionsIn(steps: Step[]): string[] {
  return steps.flatMap(({ gets }) => typeof gets === "string" ? [gets.slice(-60)] : [])
    .map((text) => text.replace(/^ {0,9}\d+(?=\D)/, ""));
}

/** Returns the answers that a client got as whole texts, without a header. */
function answersIn(steps: Step[]): string[] {
  const isText = (data: unknown): data is string => typeof data === "string";
  return steps.map(({ send }) => send as Data).filter(isText)
    .map((text) => text.replace(/^ {0,9}\d+(?=\D)/, ""));
}

/** Types a line when the program asks for it, or when it has had nothing to do for a while. */
async function typeLine(
  run: CheckRun,
  program: SubmissionProgram,
  line: string,
  exchange: Exchange,
) {
  const prompt = promptOf(run.submission.script).trimEnd();
  const isStarting = program.typedEnd === 0;
  const asks = () =>
    prompt !== "" && program.screen.slice(program.typedEnd).trimEnd().endsWith(prompt);
  const end = Date.now() + run.startPatience;
  for (let before = program.screen; !asks() && Date.now() < end; before = program.screen) {
    const hasChanged = () => asks() || program.screen !== before;
    const rest = program.hasAsked
      ? ASKS_AGAIN
      : isStarting && program.screen === ""
      ? 2 * run.patience(program).milliseconds
      : 600;
    const patience = run.patience(program, rest);
    const wait = async (time: number) =>
      await program.until(hasChanged, time / 1000) || await program.ended(0);
    if (!await waitPatiently(wait, patience) || await program.ended(0)) break;
  }
  if (asks()) program.hasAsked = true;
  exchange.happened(`typed: ${brief(line)}`);
  await program.type(line);
}
