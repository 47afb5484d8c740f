/**
 * Checks an exercise, and reports in TAP.
 *
 * @module
 */
import { deadline } from "@std/async/deadline";
import { escapeText, UserError } from "../../cli.ts";
import { Exam, type Finding } from "./check_run.ts";
import { examineClient } from "./check_client.ts";
import { examineServer } from "./check_server.ts";
import { EXERCISES } from "../exercises/exercise.ts";
import { readHandIn } from "./submission.ts";
import { SCRIPTS } from "../catalog/header.ts";
import { find, scripts } from "../catalog/labs.ts";
import { aboutFile, mustBeFile } from "../terminal/files.ts";
import { multiline, note, safe, type SafeText } from "../terminal/output.ts";
import { PROBES, serverProbes } from "./probes/all.ts";
import { examinePlace } from "./check_defaults.ts";
import { examineSecret } from "./check_secret.ts";
import { hasPython } from "../process/program.ts";
import { Sandbox } from "./sandbox.ts";
import { takeTurn } from "./slots.ts";

const MOST_LINES = 20; // of what an exercise printed
const LONGEST_LINE = 200; // characters of it
const MOST_FAILURES = 3; // more of the same would only hide the first
const TIME = 14_000; // milliseconds that a check may take
const LAST = 3000; // milliseconds of them that are kept for what ends it
let isFirst = true; // of the checks of this process

/** How to check. */
export interface CheckOptions {
  /** The README's exercise that it is, if it is one. */
  exercise?: number;
  /** Called with what is found, in its order. */
  tell?: (finding: Finding) => void;
  /** After how many failures the rest is not looked at. */
  most?: number;
  /** Milliseconds that it may take. */
  time?: number;
}

/**
 * Puts a file through what its lab teaches.
 *
 * @param file The file: TypeScript, JavaScript or Python.
 * @param as The script whose place it takes.
 * @param options How.
 * @returns What was looked at, in this order.
 * @throws {UserError} There is no such file, or nothing that runs it.
 */
export async function examine(
  file: string,
  as: string,
  { exercise, tell = () => {}, most = MOST_FAILURES, time = TIME }: CheckOptions = {},
): Promise<Finding[]> {
  const script = find(scripts(), exercise === 3 ? as.replace("_v2", "_v3") : as);
  const submission = readHandIn(file, script);
  using sandbox = await Sandbox.create(submission);
  const handIn = { ...submission, path: sandbox.path };
  const { role, lab } = script;
  if (handIn.isPython && !await hasPython()) throw new UserError("there is no Python 3 here");
  const findings: Finding[] = [];
  using exam = new Exam(
    handIn,
    sandbox,
    (finding) => {
      findings.push(finding);
      tell(finding);
    },
    time - LAST,
    most,
  );
  if (exercise !== undefined) {
    const what = "it is no longer the copy that the exercise starts from";
    const isCopy = isSameCode(
      handIn.source,
      Deno.readTextFileSync(SCRIPTS + find(scripts(), as).name),
    );
    exam.report({ what, problem: isCopy ? firstStep(exercise) : undefined });
  }
  if (role === "client") await examineClient(exam, PROBES[lab.name].client);
  else {
    await examineServer(exam, serverProbes(lab.name, exercise));
    if (lab.name === "guess") await examineSecret(exam);
  }
  await examinePlace(exam);
  for (const asked of sandbox.askedFor()) {
    exam.report({ what: "it does without more than the network", note: `it asked for ${asked}` });
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

function firstStep(exercise: number): string {
  const { first } = EXERCISES.find(({ number }) => number === exercise)!;
  return `nothing has been changed yet\nfirst: ${first}`;
}

/** What became of a check. */
export interface Result {
  /** How many things were looked at. */
  count: number;
  /** How many of them there was no time for. */
  skipped: number;
  /** What is wrong about those that failed, the cause of each. */
  problems: string[];
}

/**
 * Checks an exercise: a file that takes the place of a script. Waits for its turn first.
 *
 * @param file The file.
 * @param as The script.
 * @param exercise The README's exercise that it is, if it is one.
 * @param print Called with the lines of the report.
 * @throws {UserError} It can't be checked, or not in time.
 */
export async function check(
  file: string,
  as: string,
  exercise: number | undefined,
  print: (output: SafeText) => void,
): Promise<Result> {
  const { name } = find(scripts(), as);
  mustBeFile(file);
  if (exercise !== undefined && !EXERCISES.some(({ number }) => number === exercise)) {
    throw new UserError(
      `there is no exercise ${exercise}: the exercises are 1 to ${EXERCISES.length}`,
    );
  }
  if (file.endsWith(".py")) {
    note(`${file} runs with all your rights: Python can't be held to the network`);
  }
  const before = performance.now();
  using _turn = await takeTurn();
  const hasWaited = performance.now() - before > 100;
  const time = TIME - (isFirst && !hasWaited ? before : 0); // the tool's own start counts
  isFirst = false;
  print(safe`TAP version 14\n# ${file} as ${name}\n`);
  const result: Result = { count: 0, skipped: 0, problems: [] };
  try {
    const tell = (finding: Finding) => {
      print(asTap(++result.count, finding));
      if (finding.skipped !== undefined) result.skipped++;
      if (finding.problem !== undefined) result.problems.push(finding.problem.split("\n")[0]);
    };
    await deadline(examine(file, as, { exercise, tell, time }), time);
    print(safe`1..${result.count}\n`);
    return result;
  } catch (thrown) {
    const error = aboutFile(thrown);
    const isLate = error instanceof DOMException;
    const why = isLate ? "no time is left" : (error as Error).message.split("\n")[0];
    print(safe`Bail out! ${why}\n`);
    throw isLate ? new UserError(`${file}: the time is up`) : error;
  }
}

/** Writes a finding as a test point of TAP 14, with what is wrong in a block of YAML. */
export function asTap(
  number: number,
  { what, problem, expected, actual, note, skipped }: Finding,
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
  return safe`${lines}  ...\n`;
}

/** What an exercise printed, the first lines of it, without what drives a terminal. */
function cut(text: string): string {
  const lines = text.trimEnd().split("\n");
  const shown = lines.slice(0, MOST_LINES).map((line) => {
    const safe = escapeText(line);
    return safe.length > LONGEST_LINE ? `${safe.slice(0, LONGEST_LINE)}...` : safe;
  });
  if (lines.length > MOST_LINES) shown.push(`... and ${lines.length - MOST_LINES} lines more`);
  return shown.join("\n");
}
