/**
 * Checks a submission, and reports in TAP.
 *
 * @module
 */
import { deadline } from "@std/async/deadline";
import { escapeText, UserError } from "../../cli.ts";
import { scripts } from "../catalog/labs.ts";
import { find } from "../terminal/names.ts";
import { hasPython } from "../process/program.ts";
import { aboutFile, mustBeFile } from "../terminal/files.ts";
import { multiline, note, safe, type SafeText } from "../terminal/output.ts";
import { checkClient } from "./check_client.ts";
import { checkDefaults } from "./check_defaults.ts";
import { CheckRun, type Finding } from "./check_run.ts";
import { checkSecret } from "./check_secret.ts";
import { checkServer } from "./check_server.ts";
import { clientProbes } from "./probes/all.ts";
import type { ExerciseChecks } from "./probes/exercises.ts";
import { Sandbox } from "./sandbox.ts";
import { takeTurn } from "./slots.ts";
import { readSubmission } from "./submission.ts";

const MAX_LINES = 20; // of what a submission printed
const MAX_LINE = 200; // characters of such a line
const MAX_FAILURES = 3; // more of the same would only hide the first
/** Milliseconds that a check may take. */
export const TIME = 30_000;
const RESERVE = 3000; // milliseconds of them that are kept for its end

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
 * Runs all probes of a script on a file that takes its place.
 *
 * @param file The file: TypeScript, JavaScript or Python.
 * @param as The script.
 * @param options How to check.
 * @returns What was checked, in order.
 * @throws {UserError} There is no such file, or nothing that runs it.
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
    run.report({ what: "the exercise has been started", problem });
    run.isHopeless ||= isStub;
  }
  if (role === "client") await checkClient(run, clientProbes(lab.name, exercise));
  else {
    await checkServer(run, exercise);
    if (lab.name === "guess") await checkSecret(run);
  }
  await checkDefaults(run);
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

/** The result of a check. */
export interface Result {
  /** How many things were checked. */
  count: number;
  /** How many of them were skipped, as there was no time or the failures before had to be fixed. */
  skipped: number;
  /** What is wrong about those that failed, the cause of each. */
  problems: string[];
}

/**
 * Checks a file that takes the place of a script. Waits for its turn first.
 *
 * @param file The file.
 * @param as The script.
 * @param options Whether the check is strict, and the checks of the exercise that it is, if it is one.
 * @param print Called with the lines of the report.
 * @throws {UserError} The file cannot be checked.
 */
export async function check(
  file: string,
  as: string,
  { exercise, isStrict }: Pick<CheckOptions, "exercise" | "isStrict">,
  print: (output: SafeText) => void,
): Promise<Result> {
  const { name } = find(scripts(), as);
  mustBeFile(file);
  if (file.endsWith(".py")) {
    note(`${file} runs with all your rights: Python cannot be limited to the network`);
  }
  using _turn = await takeTurn();
  print(safe`TAP version 14\n# ${file} as ${name}\n`);
  const result: Result = { count: 0, skipped: 0, problems: [] };
  const tell = (finding: Finding) => {
    print(asTap(++result.count, finding));
    if (finding.skipped !== undefined) result.skipped++;
    if (finding.problem !== undefined) result.problems.push(finding.problem.split("\n")[0]);
  };
  try {
    await deadline(examine(file, as, { exercise, isStrict, tell, time: TIME }), TIME);
  } catch (thrown) {
    const error = aboutFile(thrown);
    if (!(error instanceof DOMException)) {
      print(safe`Bail out! ${(error as Error).message.split("\n")[0]}\n`);
      throw error;
    }
    tell({ what: "the rest", skipped: "no time is left" });
  }
  print(safe`1..${result.count}\n`);
  return result;
}

/** Writes a finding as a test point of TAP 14, with what is wrong in a block of YAML. */
export function asTap(
  number: number,
  { what, problem, expected, actual, exchange, note, skipped }: Finding,
): SafeText {
  const directive = skipped === undefined ? safe`` : safe` # SKIP ${skipped}`;
  const lines = [
    safe`${problem === undefined ? "ok" : "not ok"} ${number} - ${what}${directive}\n`,
  ];
  if (note) lines.push(safe`# note: ${cut(note)}\n`);
  if (problem === undefined) return safe`${lines}`;
  // The number of spaces before the text is given: the text may begin with spaces itself.
  const block = (name: string, text: string) =>
    safe`  ${name}: |2\n${multiline(cut(text).replace(/^/gm, "    "))}\n`;
  lines.push(safe`  ---\n`, block("message", problem));
  if (expected !== undefined) lines.push(block("expected", expected));
  if (actual !== undefined) lines.push(block("actual", actual));
  if (exchange !== undefined) lines.push(block("exchange", exchange));
  return safe`${lines}  ...\n`;
}

/** Returns the first lines of what a submission printed, with escapes for control characters. */
export function cut(text: string): string {
  const lines = text.trimEnd().split("\n");
  const shown = lines.slice(0, MAX_LINES).map((line) => {
    const safe = escapeText(line);
    return safe.length > MAX_LINE ? `${safe.slice(0, MAX_LINE)}...` : safe;
  });
  if (lines.length > MAX_LINES) shown.push(`... and ${lines.length - MAX_LINES} lines more`);
  return shown.join("\n");
}
