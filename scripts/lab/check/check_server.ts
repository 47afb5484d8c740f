/**
 * Checks a server.
 *
 * @module
 */
import type { Named } from "../catalog/labs.ts";
import {
  type CheckName,
  type CheckRun,
  ending,
  excessOf,
  type Finding,
  printedBy,
  type Problem,
  problemIn,
  screenProblem,
  toFinding,
  TRANSCRIPT,
  withTypeError,
  wrongEndpoint,
} from "./check_run.ts";
import { brief, wrongPieces } from "./diagnosis.ts";
import { type Channel, Connection, Datagrams, resetConnection } from "./endpoints.ts";
import { Exchange, waitPatiently } from "./exchange.ts";
import { checkCtrlC, checkPort, portChecks, type RunningServer, SERVES_ON } from "./check_life.ts";
import { findNumber } from "./find_number.ts";
import { missingLine } from "./printed.ts";
import type { Probe } from "./probe.ts";
import { nextClient, serverProbes } from "./probes/all.ts";
import type { ExerciseChecks } from "./probes/exercises.ts";
import { transcriptOf } from "./probes/guess.ts";
import { runSteps, type StepContext, type StepsResult } from "./run_steps.ts";
import { hasFlag, type Start, start, type SubmissionProgram } from "./start.ts";
import { Mismatch } from "./steps.ts";
import { runtimeError, type Submission } from "./submission.ts";
import { comparable, sameScreen } from "../session/transcript.ts";

const STARTS = "it starts and listens on its port";
const IS_READY = "it prints its first line when it is ready";
const HAS_PORT: CheckName = { what: "it listens on the port given with --port", level: "beyond" };

/**
 * Returns what is checked about a server.
 *
 * @param script The script.
 * @param exercise The checks of the exercise that it is, if it is one.
 * @param rest What else the sheet asks for.
 */
export function serverChecks(
  script: Named,
  exercise: ExerciseChecks | undefined,
  rest: CheckName[],
): CheckName[] {
  const [required, beyond, flags] = byWeight(serverProbes(script.lab.name, exercise));
  return [
    { what: STARTS },
    ...isSilent(script) ? [] : [{ what: IS_READY }],
    ...required.flatMap((probe) => probe.isSession ? [probe, { what: TRANSCRIPT }] : probe),
    ...rest,
    ...beyond,
    ...portChecks(script),
    SERVES_ON,
    HAS_PORT,
    ...flags,
  ];
}

/** Returns whether a server prints nothing until a client comes: its first line has the address. */
function isSilent({ screen }: Named): boolean {
  return screen.split("\n")[0].includes("('");
}

/**
 * Runs the probes of a server, in turn, since the originals serve one client at a time. After a
 * failure the server is started again, so that each probe is independent of the others.
 *
 * @param run The check.
 * @param checkRest Checks the other requirements of the sheet, before those beyond it.
 * @param exercise The README's exercise that it is, if it is one.
 */
export async function checkServer(
  run: CheckRun,
  checkRest: () => Promise<void>,
  exercise?: ExerciseChecks,
) {
  const { submission } = run;
  const lab = submission.script.lab.name;
  // What the sheet asks for comes first.
  const probesFor = (server?: RunningServer) =>
    serverProbes(lab, exercise, server?.game?.number)
      .toSorted((a, b) => weightOf(a) - weightOf(b));
  const clients = probesFor().reduce((sum, probe) => sum + clientsOf(probe, submission), 0);
  let server: RunningServer | undefined;
  let isRestChecked = false;
  for (const [i, { what, args, isPlain, level }] of probesFor().entries()) {
    if (level === "beyond" && !isRestChecked) {
      await checkRest();
      isRestChecked = true;
    }
    const lacks = (args ?? []).find((arg) => !hasFlag(submission, arg.split("=")[0]));
    if (lacks) {
      const finding = toFinding(run, { what, level }, { problem: missing(lacks) });
      if (level === "beyond") run.reportLast(finding);
      else run.report(finding);
      continue;
    }
    const { stop } = run;
    if (stop) {
      run.report(run.skipped({ what, level }, stop));
      continue;
    }
    const isAlone = args !== undefined || isPlain !== undefined;
    const isFirst = i === 0;
    const running = (!isAlone && server) ||
      await begin(run, { what, args, hasSession: !isPlain, clients, isFirst, level });
    if (!running) {
      run.isHopeless ||= isFirst;
      continue;
    }
    if (!isAlone) server = running;
    const isWell = await checkProbe(run, running, probesFor(running)[i], exercise);
    // A probe beyond the sheet may have ended it without a sign in the replies.
    const hasEnded = level === "beyond" && await running.program.ended(0);
    if (isAlone || !isWell || hasEnded) {
      await running.program.end("SIGKILL");
      if (!isAlone) server = undefined;
    }
  }
  if (!isRestChecked) await checkRest();
  if (!server && !run.stop) {
    // The last one was ended after another check, which says nothing about Ctrl-C.
    server = await begin(run, { ...SERVES_ON, hasSession: true, isFirst: false, clients: 1 });
  }
  if (run.stop) run.report({ ...SERVES_ON, skipped: run.stop });
  else if (server) {
    await checkPort(run, server);
    await checkCtrlC(run, server);
  }
  await server?.program.end("SIGKILL");
  if (!run.isHopeless) reportPort(run, HAS_PORT, "listens on");
}

/** Orders probes: required by the sheet, beyond the sheet, flags. */
export function weightOf({ level, args }: Pick<Probe, "level" | "args">): number {
  return level !== "beyond" ? 0 : args === undefined ? 1 : 2;
}

/** Returns probes in three groups: required by the sheet, beyond the sheet, and flags. */
export function byWeight<T extends Probe>(probes: T[]): T[][] {
  return [0, 1, 2].map((weight) => probes.filter((probe) => weightOf(probe) === weight));
}

/** Returns the message that a program does not accept a flag. */
export function missing(arg: string): string {
  return `it has no ${arg.split("=")[0]}`;
}

/** Returns how many sockets a probe needs for its clients. */
function clientsOf({ steps, next }: Probe, { script }: Submission): number {
  const all = [...steps, ...next ? nextClient(script.lab.name) : []];
  return new Set(all.map(({ on = "a" }) => on)).size + 1;
}

/** Starts a server and waits until it listens. Reports it if it does not. */
async function begin(
  run: CheckRun,
  { what, isFirst, level, ...how }: Pick<Probe, "what" | "args" | "level"> & {
    hasSession: boolean;
    isFirst: boolean;
    clients: number;
  },
): Promise<RunningServer | undefined> {
  const { running, problem, isLate } = await listen(run, how);
  const name = isFirst ? STARTS : what;
  if (!running && isLate) run.report({ what: name, skipped: "no time is left" });
  else if (!running) run.report(toFinding(run, { what: name, level }, { problem }));
  else if (isFirst) {
    run.report({ what: name });
    const { program } = running;
    if (!isSilent(run.submission.script)) {
      const isReady = await hasPrinted(run, program, () => program.screen !== "") ||
        program.errors !== "";
      const problem = isReady ? undefined : "it prints nothing before the first client comes";
      run.report({ what: IS_READY, problem });
    }
    run.hasOwnPort = running.port !== running.program.ports[0];
  }
  return running;
}

/** Reports whether a program uses the port given with `--port`. */
export function reportPort(run: CheckRun, check: CheckName, does: string) {
  const { port } = run.submission.script;
  if (!run.hasOwnPort) return run.report({ what: check.what });
  const isIgnored = hasFlag(run.submission, "--port");
  const problem = `it ${isIgnored ? "ignores" : "has no"} --port: it always ${does} port ${port}`;
  const finding = toFinding(run, check, { problem });
  if (isIgnored) run.report(finding);
  else run.reportFirstOfLast(finding);
}

/** Starts a server and waits until it listens, or says why it does not. */
export async function listen(
  run: CheckRun,
  { clients: count, ...how }: Pick<Start, "args" | "hasSession" | "random"> & { clients: number },
): Promise<{ running?: RunningServer; problem?: string; isLate?: boolean }> {
  const { submission, ports } = run;
  const { transport, name } = submission.script.lab;
  const [port, labPort] = [ports.take(transport), ports.take(transport)];
  const before = Date.now();
  const clients = Array.from({ length: transport === "udp" ? count : 0 }, () => openSocket());
  const clientPorts = clients.map(({ addr }) => (addr as Deno.NetAddr).port);
  const all = { ...how, port, labPort, sandbox: run.sandbox, clients: clientPorts };
  const program = await start(submission, all);
  program.status.finally(() => clients.forEach((socket) => closeQuietly(socket)));
  const wait = (milliseconds: number) => program.listeningPort(transport, milliseconds);
  const end = Date.now() + run.startPatience;
  const busyEnd = end + run.startPatience; // on a busy machine a program may not have had its turn
  let found = await wait(Math.min(run.startPatience, 1500));
  const mayCome = () => Date.now() < end || Date.now() < busyEnd && program.isBusy();
  while (!found && mayCome() && !await program.ended(0)) {
    if (await wrongEndpoint(submission, program, "listens on")) break;
    found = await wait(500);
  }
  run.started(Date.now() - before);
  if (found !== undefined) {
    const running: RunningServer = { program, port: found, clients };
    if (
      name === "guess" && !how.args &&
      (how.hasSession === false || !hasFlag(submission, "--secret"))
    ) {
      running.game = await findNumber(run, running);
    }
    return { running };
  }
  const isLate = run.left < 100 && !await program.ended(0);
  const problem = await whyNot(run, program);
  await program.end("SIGKILL");
  return { problem, isLate };
}

function closeQuietly(socket: Deno.DatagramConn) {
  try {
    socket.close();
  } catch { /* it is closed already */ }
}

/** Says why a server does not listen. */
async function whyNot(run: CheckRun, program: SubmissionProgram): Promise<string> {
  const { submission, sandbox } = run;
  const wrong = await wrongEndpoint(submission, program, "listens on");
  if (wrong) return `${wrong}${printedBy(program)}`;
  const { port } = submission.script;
  if (!await program.ended(0.05)) {
    return `it does not listen on the lab's port, ${port}${printedBy(program)}`;
  }
  const end = await ending(submission, program, " before it listened");
  const reported = program.excess ?? runtimeError(program.errors, submission);
  const error = await sandbox.typeError(reported);
  if (error) return `${error}\n${end}`;
  return reported ? end : end + printedBy(program);
}

/** Runs one probe with a server that runs, and reports it. */
async function checkProbe(
  run: CheckRun,
  server: RunningServer,
  probe: Probe,
  exercise?: ExerciseChecks,
): Promise<boolean> {
  const { submission } = run;
  const { program, game } = server;
  const isSession = probe.isSession && game === undefined;
  const before = isSession || probe.isSession ? 0 : program.screen.length;
  const errorsBefore = program.errors.length;
  const exchange = new Exchange();
  const context = contextFor(run, server, before, exchange);
  if (run.isMild(probe)) context.patience = () => run.mildPatience(program);
  const isGame = probe.isSession && game !== undefined;
  const result = isGame && game.problem
    ? { sent: "", mismatch: undefined }
    : await runSteps(isGame ? [] : probe.steps, context);
  let wrong: Problem | undefined = isGame && game.problem
    ? { problem: game.problem, exchange: game.exchange }
    : problemIn(result, probe, run, exchange);
  if (result.mismatch?.kind === "print") {
    wrong = run.hasOwnWords
      ? undefined
      : { ...wrong, ...missingPrint(run, result.mismatch, server, before) };
  }
  if (!wrong && probe.joined && !run.hasOwnWords) {
    const [line, text] = probe.joined;
    const all = () => run.joined(line, program.screen.slice(before));
    if (!await hasPrinted(run, program, () => all() === text)) {
      wrong = { problem: wrongPieces(line, all(), text) };
    }
  }
  run.earlier.push(result.sent);

  if (probe.next && !wrong) {
    const { stop } = run;
    if (stop) {
      run.report(run.skipped(probe, stop));
      return true;
    }
    const again = new Exchange();
    const steps = nextClient(submission.script.lab.name, exercise, game?.number);
    const nextContext = contextFor(run, server, before, again);
    if (run.isMild(probe)) nextContext.patience = context.patience;
    const next = await runSteps(steps, nextContext);
    const after = problemIn(next, { what: "the next client", steps }, run, again);
    if (after) {
      const first = "after that, the next client was not served";
      wrong = { ...after, problem: `${first}\n${after.problem}` };
    }
  }
  const isShown = () => program.screen.slice(before).includes(probe.hides!);
  if (!wrong && probe.hides && await program.until(isShown, run.pause / 1000)) {
    wrong = { problem: `it printed ${brief(probe.hides)}, though nothing had come` };
  }
  if (wrong) wrong = await withRuntimeError(run, program, probe, wrong, result, errorsBefore);
  const finding = toFinding(run, probe, wrong, result.mismatch?.kind);
  run.report(finding);
  if (finding.problem !== undefined && result.mismatch?.kind === "refused") {
    run.isHopeless ||= !await program.ended(0.1);
  }
  if (!probe.isSession || finding.skipped) return !wrong;
  await checkTranscript(run, server, probe, finding.problem !== undefined);
  return !wrong;
}

/** Adds to a problem how the program ended, or what its runtime reported. */
async function withRuntimeError(
  run: CheckRun,
  program: SubmissionProgram,
  { what, isSession }: Probe,
  wrong: Problem,
  { mismatch }: StepsResult,
  errorsBefore: number,
): Promise<Problem> {
  const { submission } = run;
  if (program.excess) return { problem: excessOf(submission, program) };
  const hasEnded = await program.ended(0.2);
  const error = runtimeError(program.errors.slice(errorsBefore), submission);
  const first = hasEnded
    ? await ending(submission, program, `, in the check: ${what}`)
    : mismatch?.actual === ""
    ? error
    : undefined;
  const [line] = program.errors.slice(errorsBefore).split("\n");
  const last = !first && mismatch?.actual === "" && line ? `on stderr it printed: ${line}` : "";
  const lines = [first, wrong.problem, last].filter((line) => line);
  const problem = { ...wrong, problem: lines.join("\n") };
  return isSession ? await withTypeError(run, problem, mismatch) : problem;
}

/** Compares the screen after the session with the one of the header. */
async function checkTranscript(
  run: CheckRun,
  { program, port, game }: RunningServer,
  { orScreen }: Probe,
  hasFailed: boolean,
) {
  const { submission } = run;
  const { script } = submission;
  const screen = game ? transcriptOf(game.guesses) : script.screen;
  const isSetByFlag = run.isStrict && hasFlag(submission, "--buffer-size");
  const screens = [screen, ...orScreen && !isSetByFlag ? [orScreen] : []];
  const shownPorts = [port, script.port];
  const isRight = () =>
    screens.some((screen) => shownPorts.some((port) => sameScreen(program.screen, screen, port)));
  if (hasFailed) await program.until(isRight, 0.1);
  else await hasPrinted(run, program, isRight);
  const transcript: Finding = { what: TRANSCRIPT };
  if (!isRight()) {
    const printed = program.screen.match(/\bport:? (\d+)/)?.[1];
    const shownPort = printed === `${port}` ? port : script.port;
    const closest = closestScreen(program.screen, screens);
    Object.assign(transcript, screenProblem(run, program.screen, closest, shownPort));
    if (transcript.problem && await program.ended(0.1)) {
      transcript.problem = `${await ending(submission, program, " after its first client")}\n` +
        transcript.problem;
    }
  }
  const errors = program.errors.replace(/^note: listening on .*\n/, "");
  if (errors !== "") {
    const [first] = errors.split("\n");
    transcript.note ??= `it printed on stderr: ${first}`;
    if (transcript.problem && script.screen.includes(`${first}\n`)) {
      transcript.problem = `it prints on stderr, not on stdout: ${first}\n${transcript.problem}`;
    }
  }
  const withCause = hasFailed ? {} : await withTypeError(run, transcript);
  run.report({ ...transcript, ...withCause });
}

/** Returns the screen that has the most lines of another one. */
function closestScreen(screen: string, screens: string[]): string {
  const lines = new Set(comparable(screen).split("\n"));
  const common = (other: string) =>
    comparable(other).split("\n").filter((line) => lines.has(line)).length;
  return screens.toSorted((a, b) => common(b) - common(a))[0];
}

/** Waits until a condition about the screen holds. */
function hasPrinted(run: CheckRun, program: SubmissionProgram, condition: () => boolean) {
  return waitPatiently((time) => program.until(condition, time / 1000), run.patience(program));
}

/** Says which line a server did not print for a probe. */
function missingPrint(
  run: CheckRun,
  { expected }: Mismatch,
  { program: { screen, errors }, port }: RunningServer,
  before: number,
): Problem {
  const actual = screen.slice(before);
  const missing = missingLine(expected, run.comparable(actual));
  const place = errors.includes(missing) && missing ? ", but on stderr" : "";
  const isElsewhere = run.hasLines(missing, actual);
  const own = [port, run.submission.script.port]
    .map((port) => missing.replace(ADDRESS_PORT, `${port}`))
    .find((line) => line !== missing && run.hasLines(line, actual));
  if (own !== undefined) {
    const problem = `it prints its own port as the client's: ${own}`;
    return { problem, expected, actual, exchange: undefined };
  }
  const problem = isElsewhere && missing
    ? `it did not print this line in its place: ${missing}`
    : `it did not print the line: ${missing}${place}`;
  return { problem, expected, actual, exchange: undefined };
}

const ADDRESS_PORT = /(?<=\('[\d.]+', )\d+(?=\))/;

/** Opens a UDP socket for a client. */
function openSocket(): Deno.DatagramConn {
  return Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
}

/** Returns what the steps of a client need. */
export function contextFor(
  run: CheckRun,
  { program, port, clients }: RunningServer,
  before: number,
  exchange: Exchange,
): StepContext {
  const { transport } = run.submission.script.lab;
  return {
    exchange,
    pause: run.pause,
    patience: () => run.patience(program),
    async open(): Promise<Channel> {
      if (transport === "udp") {
        const socket = clients.shift() ?? openSocket();
        const server = { transport, hostname: "127.0.0.1", port } as const;
        const channel = new Datagrams(socket, exchange, server);
        program.status.then(() => channel.noteEnd());
        return channel;
      }
      try {
        const connection = await Deno.connect({ hostname: "127.0.0.1", port });
        exchange.did("client", "connects");
        return new Connection(connection, "client", exchange, run.isSame);
      } catch {
        throw new Mismatch("refused");
      }
    },
    reset: (data) => resetConnection(port, data, run.pause),
    hasEnded: () => Promise.resolve(true),
    type: () => Promise.resolve(),
    endInput: () => Promise.resolve(),
    hasPrinted: (lines, patience) => {
      const condition = () => run.hasLines(lines, program.screen.slice(before));
      return run.hasOwnWords
        ? Promise.resolve(true)
        : waitPatiently((time) => program.until(condition, time / 1000), patience);
    },
  };
}
