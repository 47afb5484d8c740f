/**
 * Checks a submission.
 *
 * @module
 */
import { deadline } from "@std/async/deadline";
import { errorMessage, UserError } from "../../cli.ts";
import { scripts } from "../catalog/labs.ts";
import { find } from "../terminal/names.ts";
import { hasPython } from "../process/program.ts";
import { aboutFile, mustBeFile } from "../terminal/files.ts";
import { checkClient, clientChecks } from "./check_client.ts";
import { checkDefaults, defaultChecks } from "./check_defaults.ts";
import {
  type CheckName,
  CheckRun,
  type Finding,
  FIX_FIRST,
  MAX_EXTENSION,
  NO_TIME,
} from "./check_run.ts";
import { checkSecret, SECRET } from "./check_secret.ts";
import { checkServer, serverChecks } from "./check_server.ts";
import { clientProbes } from "./probes/all.ts";
import type { ExerciseChecks } from "./probes/exercises.ts";
import type { Result } from "./result.ts";
import { Sandbox } from "./sandbox.ts";
import { readSubmission } from "./submission.ts";

const MAX_FAILURES = 3; // more of the same would only hide the first
/** Milliseconds that a check may take, on a busy machine twice as many. */
export const TIME = 30_000;
const RESERVE = 3000; // milliseconds of them that are kept for its end

const STARTED: CheckName = { what: "the exercise has been started" };

/** How to check. */
export interface CheckOptions {
  /** The checks of the exercise that it is, if it is one. */
  exercise?: ExerciseChecks;
  /** Whether what the sheet does not ask for is required, too. */
  isStrict?: boolean;
  /** Called with each finding, in order. */
  tell?: (finding: Finding) => void;
  /** After how many failures the rest is skipped. */
  most?: number;
  /** Milliseconds that it may take. */
  time?: number;
  /** Ends the check early: what has not been checked yet is skipped. */
  signal?: AbortSignal;
}

/**
 * Returns the names of the checks that count, in order. They are the same for all files of a script,
 * however far a program comes.
 */
export function checksOf(as: string, { exercise, isStrict }: CheckOptions = {}): string[] {
  const script = find(scripts(), as);
  const { role, lab } = script;
  const [port, host] = defaultChecks(script);
  const rest = script.name === "guess_server.ts" ? [SECRET, port] : [port];
  return [
    ...exercise ? [STARTED] : [],
    ...role === "client"
      ? clientChecks(clientProbes(lab.name, exercise), rest)
      : serverChecks(script, exercise, rest),
    host,
  ].filter(({ level }) => isStrict || level !== "beyond").map(({ what }) => what);
}

/**
 * Runs all probes of a script on a file that takes its place.
 *
 * @param file The file: TypeScript, JavaScript or Python.
 * @param as The script.
 * @param options How to check.
 * @returns What was checked, in order.
 * @throws {UserError} The file does not exist, or nothing can run it.
 */
export async function examine(
  file: string,
  as: string,
  {
    exercise,
    isStrict = false,
    tell = () => {},
    most = MAX_FAILURES,
    time = TIME,
    signal,
  }: CheckOptions = {},
): Promise<Finding[]> {
  const script = find(scripts(), as);
  const original = readSubmission(file, script);
  using sandbox = await Sandbox.create(original);
  const submission = { ...original, path: sandbox.path };
  const { role, lab } = script;
  if (submission.isPython && !await hasPython()) {
    throw new UserError("Python 3 is not installed on this computer");
  }
  const findings: Finding[] = [];
  const keep = (finding: Finding) => {
    findings.push(finding);
    tell(finding);
  };
  using run = new CheckRun(submission, sandbox, isStrict, keep, time - RESERVE, most);
  if (signal?.aborted) run.endEarly();
  signal?.addEventListener("abort", () => run.endEarly());
  if (exercise) {
    const isStub = isSameCode(submission.source, exercise.stub);
    const problem = isStub ? `nothing has been changed yet\nfirst: ${exercise.first}` : undefined;
    run.report({ ...STARTED, problem });
    run.isHopeless ||= isStub;
  }
  const checkRest = async () => {
    if (script.name === "guess_server.ts") await checkSecret(run);
    await checkDefaults(run);
  };
  if (role === "client") {
    await checkClient(run, clientProbes(lab.name, exercise), checkRest);
  } else await checkServer(run, checkRest, exercise);
  run.reportKept();
  for (const asked of sandbox.askedFor()) {
    run.report({ what: "it needs only the network", note: `it asked for ${asked}` });
  }
  return findings;
}

/** Returns whether two programs are the same except for comments and space. */
export function isSameCode(a: string, b: string): boolean {
  const [code, other] = [a, b].map((source) =>
    source.replace(/\/\*(?:[^]*?\*\/|[^]*)|^[ \t]*\/\/.*/gm, "").replaceAll(/\s/g, "")
  );
  return code === other;
}

/** A file, the script that it takes the place of, and whose it is. */
export interface Submitted {
  /** Its path. */
  file: string;
  /** The script's name. */
  script: string;
  /** Whose it is, as far as its name or its folder says that. */
  student: string;
}

/**
 * Checks a file that takes the place of a script. Whatever goes wrong is a part of the result.
 *
 * @param submitted The file.
 * @param options How to check.
 * @param tell Called with each finding as it is made, and whether it counts.
 * @returns The result, in which the checks that were not reached are listed, too.
 */
export async function check(
  submitted: Submitted,
  options: Omit<CheckOptions, "tell"> = {},
  tell: (finding: Finding, counts: boolean) => void = () => {},
): Promise<Result> {
  const { file, script } = submitted;
  const names = checksOf(script, options);
  const result: Result = { ...submitted, checks: [], beyond: [], seconds: 0 };
  let isOver = false; // after its time, a check may still find something
  const keep = (finding: Finding) => {
    if (isOver) return;
    const counts = names.includes(finding.what) || finding.problem !== undefined;
    (counts ? result.checks : result.beyond).push(finding);
    tell(finding, counts);
  };
  const start = performance.now();
  const { time = TIME } = options;
  try {
    mustBeFile(file);
    const examined = examine(file, script, { ...options, tell: keep, time });
    await deadline(examined, MAX_EXTENSION * time);
  } catch (thrown) {
    const error = aboutFile(thrown);
    const isLate = error instanceof DOMException && error.name === "TimeoutError";
    if (!isLate) result.error = errorMessage(error);
  }
  const hasFailed = result.checks.some(({ problem }) => problem !== undefined);
  const why = result.error !== undefined
    ? "the file cannot be checked"
    : hasFailed
    ? FIX_FIRST
    : NO_TIME;
  for (const what of names) {
    if (!result.checks.some((finding) => finding.what === what)) keep({ what, skipped: why });
  }
  isOver = true;
  const place = ({ what }: Finding) => names.indexOf(what) >>> 0; // others come last
  result.checks.sort((a, b) => place(a) - place(b));
  result.seconds = (performance.now() - start) / 1000;
  return result;
}
