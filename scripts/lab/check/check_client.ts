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
  withTypeError,
  wrongEndpoint,
} from "./check_run.ts";
import { byWeight, missing, reportPort, weightOf } from "./check_server.ts";
import { Program } from "../process/program.ts";
import { brief, wrongPieces } from "./diagnosis.ts";
import { Exchange, waitPatiently } from "./exchange.ts";
import type { ClientProbe } from "./probe.ts";
import { runSteps, type StepContext, type StepsResult } from "./run_steps.ts";
import { PROBES_AT_ONCE } from "./slots.ts";
import { hasFlag, start, type SubmissionProgram } from "./start.ts";
import { type Data, Mismatch, type Step } from "./steps.ts";
import { runtimeError } from "./submission.ts";
import { TestServer } from "./test_server.ts";

const NO_REPLY = 9500; // milliseconds that a client may wait for a reply that never comes
const SILENCE = 12_000; // milliseconds that a client may wait on a connection
const ASKS_AGAIN = 5000; // milliseconds that a client may take until it asks again
const MAX_MILD_START = 4000; // milliseconds until a client must connect if only a note depends on it
const SHORT_NO_REPLY = 4000; // the same, if it may wait without end

const HAS_PORT: CheckName = { what: "it connects to the port given with --port", level: "beyond" };

/**
 * Returns what is checked about a client.
 *
 * @param probes Its probes.
 * @param rest What else the sheet asks for.
 */
export function clientChecks(probes: ClientProbe[], rest: CheckName[]): CheckName[] {
  const [required, beyond, flags] = byWeight(probes);
  return [
    ...required.flatMap((probe) => probe.isSession ? [probe, { what: TRANSCRIPT }] : probe),
    ...rest,
    ...beyond,
    HAS_PORT,
    ...flags,
  ];
}

/**
 * Runs the probes of a client: the session first, then the others, some at a time.
 *
 * @param run The check.
 * @param probes The probes.
 * @param checkRest Checks the other requirements of the sheet, before those beyond it.
 */
export async function checkClient(
  run: CheckRun,
  probes: ClientProbe[],
  checkRest: () => Promise<void>,
) {
  const [session, ...others] = probes.toSorted((a, b) => weightOf(a) - weightOf(b));
  if (run.stop) run.report(run.skipped(session, run.stop));
  else for (const finding of await checkProbe(run, session)) run.report(finding);
  await checkAtOnce(run, others.filter(({ level }) => level !== "beyond"));
  await checkRest();
  await checkAtOnce(run, others.filter(({ level }) => level === "beyond"));
  if (!run.isHopeless) reportPort(run, HAS_PORT, "connects to");
}

/** Runs some probes at a time, and reports them in their order. Those that take seconds come first. */
async function checkAtOnce(run: CheckRun, probes: ClientProbe[]) {
  const waiting = probes.toSorted((a, b) => Number(isLong(b)) - Number(isLong(a)));
  const findings = new Map(probes.map((probe) => [probe, Promise.withResolvers<Finding[]>()]));
  const work = async () => {
    for (let probe; (probe = waiting.shift());) {
      const { stop } = run;
      const lacks = probe.args?.find((arg) => !hasFlag(run.submission, arg.split("=")[0]));
      const found = stop
        ? [run.skipped(probe, stop)]
        : lacks !== undefined
        ? missingFlag(run, probe, lacks)
        : isSilent(probe) && run.isMild(probe) && !hasFlag(run.submission, "--timeout")
        ? [toFinding(run, probe, { problem: "not checked, as it has no --timeout" })]
        : await checkProbe(run, probe);
      findings.get(probe)!.resolve(found);
    }
  };
  const report = async () => {
    for (const probe of probes) {
      for (const finding of await findings.get(probe)!.promise) run.report(finding);
    }
  };
  await Promise.all([
    report(),
    ...Array.from({ length: Program.jobsAtOnce(PROBES_AT_ONCE, 2) }, work),
  ]);
}

/** Reports a flag that a client does not have. A message that is typed needs no flag. */
function missingFlag(run: CheckRun, probe: ClientProbe, arg: string): Finding[] {
  const isTyped = arg.startsWith("--message") && run.submission.script.typed.length > 0;
  const { what } = probe;
  const finding = isTyped
    ? { what, note: "it asks for its message, so it needs no --message" }
    : toFinding(run, { what, level: "beyond" }, { problem: missing(arg) });
  run.reportLast(finding);
  return [];
}

/** Whether a probe takes seconds: the client waits for a reply that does not come. */
function isLong(probe: ClientProbe): boolean {
  return isSilent(probe) || probe.steps.some(({ drops }) => drops !== undefined);
}

/** Whether the server of a probe accepts a connection and sends nothing. */
function isSilent({ steps }: ClientProbe): boolean {
  return steps.some(({ silent }) => silent);
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
  const longest = run.isMild(probe) ? SHORT_NO_REPLY : isSilent(probe) ? SILENCE : NO_REPLY;
  const limit = isLong(probe) ? Math.min(run.left, longest) : 0;
  const context: StepContext = {
    exchange,
    pause: run.pause,
    patience: () => {
      const patience = run.isMild(probe) ? run.mildPatience(program) : run.patience(program);
      return limit > 0 ? { ...patience, milliseconds: limit, end: Date.now() + limit } : patience;
    },
    open: async () => {
      const longest = run.isMild(probe) ? MAX_MILD_START : Infinity;
      const channel = await server.open(program, Math.min(run.startPatience, longest));
      if (probe.isSession) {
        run.started(Date.now() - before);
        run.hasOwnPort = server.usedPort === server.labPort;
      }
      return channel;
    },
    type: (line) => typeLine(run, program, line, exchange),
    endInput: () => program.endInput(),
    hasEnded: () => program.ended(limit / 1000),
    reset: () => Promise.resolve(),
    hasPrinted: () => Promise.resolve(true),
  };
  const result = await runSteps(withTyping({ ...probe, typed }), context);
  const { mismatch } = result;
  if (mismatch?.kind === "absent") {
    return [await absent(run, program, server, probe, mismatch)];
  }
  let wrong: Problem | undefined = problemIn(result, probe, run, exchange);
  if (wrong) {
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
  const withCause = wrong ? transcript : await withTypeError(run, transcript);
  return [finding, { what: TRANSCRIPT, ...withCause }];
}

/** Reports a client that did not connect. */
async function absent(
  run: CheckRun,
  program: SubmissionProgram,
  server: TestServer,
  probe: ClientProbe,
  { kind }: Mismatch,
): Promise<Finding> {
  const { submission, sandbox } = run;
  const { script } = submission;
  if (probe.isSession) run.isHopeless = true;
  else if (run.left < 100 || await isWorking(program)) {
    return run.skipped(probe, "no time is left");
  }
  const elsewhere = await wrongEndpoint(submission, program, "connects to");
  const hasTyped = program.typedEnd > 0 && !await program.ended(0);
  if (elsewhere === undefined && hasTyped && await comesAfterInput(run, program, server)) {
    const problem = "it goes on only after the end of its input (Ctrl-D), not after a line";
    return toFinding(run, probe, { problem }, kind);
  }
  const did = script.lab.transport === "udp" ? "sent no datagram" : "did not connect";
  const general = `the client ${did} to the lab's port, ${script.port}`;
  const error = runtimeError(program.errors, submission);
  const typeError = elsewhere ? undefined : await sandbox.typeError(error);
  const problem = [typeError, elsewhere, error, general].filter((line) => line !== undefined);
  return toFinding(run, probe, { problem: problem.join("\n") }, kind);
}

/** Returns whether a program has work to do, such as to read a long line. */
async function isWorking(program: SubmissionProgram): Promise<boolean> {
  program.isBusy(); // the count begins
  return !await program.ended(0.1) && program.isBusy();
}

/** Ends a client's input, and returns whether the client then continues. */
async function comesAfterInput(
  run: CheckRun,
  program: SubmissionProgram,
  server: TestServer,
): Promise<boolean> {
  await program.endInput();
  try {
    (await server.open(program, run.patience(program).milliseconds)).close();
    return true;
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    return false;
  }
}

/** Adds to a problem what the runtime reported, if that is its cause. */
async function withRuntimeError(
  run: CheckRun,
  program: SubmissionProgram,
  probe: ClientProbe,
  wrong: Problem,
  { mismatch }: StepsResult,
): Promise<Problem> {
  const { isSession, steps } = probe;
  if (mismatch!.kind === "waits") return wrong;
  if (mismatch!.kind === "open") {
    const first = whyOpen(run, program, probe);
    return first ? { ...wrong, problem: `${first}\n${wrong.problem}` } : wrong;
  }
  const hasEnded = await program.ended(0.3);
  // After a wrong message an error may follow from it.
  const error = mismatch!.actual === "" ? runtimeError(program.errors, run.submission) : undefined;
  const hasStopped = mismatch!.actual === "" && hasEnded &&
    !steps.some(({ drops }) => drops !== undefined);
  const hasGivenUp = hasEnded && steps.some(({ drops }) => drops !== undefined);
  const first = error ??
    (hasGivenUp
      ? `it did not ask again: it gave up after one try (status ${await program.status})`
      : hasStopped
      ? `the program ended (status ${await program.status}) before it sent ${
        brief(mismatch!.expected)
      }`
      : undefined);
  const problem = first ? { ...wrong, problem: `${first}\n${wrong.problem}` } : wrong;
  return isSession ? await withTypeError(run, problem, mismatch) : problem;
}

/** Says what a client still waits for when all is done: another line, or more of the answer. */
function whyOpen(
  run: CheckRun,
  program: SubmissionProgram,
  { steps, typed = [], isSession }: ClientProbe,
): string | undefined {
  const { script } = run.submission;
  const last = (isSession ? script.typed : typed).at(-1);
  const prompt = promptOf(script).trimEnd();
  const shown = program.screen.slice(program.typedEnd);
  if (last !== undefined && prompt !== "" && shown.trimEnd().endsWith(prompt)) {
    return `it asks for another line after ${brief(last)}, which should end it`;
  }
  const answer = answersIn(steps).at(-1);
  if (answer !== undefined && shown.trim() === "") {
    return `it waits for more after the whole answer has come: ${brief(answer)}`;
  }
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
  probe: ClientProbe,
  limit: number,
): Promise<Problem | undefined> {
  const { submission } = run;
  const { status: should, isSession, cause, steps } = probe;
  const patience = run.isMild(probe) ? run.mildPatience(program) : run.patience(program);
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
    return { problem: cause ?? whyOpen(run, program, probe) ?? reason };
  }
  const status = await program.status;
  if ((should === "well" || isSession) && status !== 0) {
    const error = runtimeError(program.errors, submission);
    const [line] = program.errors.split("\n");
    const ended = `it ended with status ${status}${error || !line ? "" : `: ${line}`}`;
    return { problem: [cause, error, ended].filter((line) => line !== undefined).join("\n") };
  }
  const isAtEnd = steps.some(({ endsInput }) => endsInput);
  if (isAtEnd && /^EOFError\b/m.test(program.errors)) {
    return { problem: "EOFError: it crashes at the end of its input, which it does not expect" };
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
        : is[at] !== "" && line[at].startsWith(is[at])
        ? `it prints only a part of a line: ${brief(is[at])} of ${brief(line[at])}`
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
