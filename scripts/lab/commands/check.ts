/**
 * The command `lab check`: checks one file as its author would, or a class.
 *
 * @module
 */
import { UsageError, UserError, written } from "../../cli.ts";
import { scripts } from "../catalog/labs.ts";
import { find, nearest } from "../terminal/names.ts";
import { chooseExercise } from "../exercises/choose.ts";
import { exercisesIn } from "../exercises/folder.ts";
import { afterwards } from "../exercises/hint.ts";
import { watch } from "../exercises/watch.ts";
import { FOLDER } from "../terminal/command.ts";
import { mustBeFile } from "../terminal/files.ts";
import { note, safe, type SafeText, write } from "../terminal/output.ts";
import { check, type CheckOptions, type Submitted } from "../check/check.ts";
import { asCsv } from "../check/formats/csv.ts";
import { asJson } from "../check/formats/json.ts";
import { asJunit } from "../check/formats/junit.ts";
import { asTable, tableLines } from "../check/formats/table.ts";
import { asComment, asPoint, asTap, VERSION } from "../check/formats/tap.ts";
import { terminalWidth } from "../terminal/columns.ts";
import { countOutcomes, firstFailure, outcomeOf, type Result, stateOf } from "../check/result.ts";
import { takeTurn } from "../check/slots.ts";
import { checkAll } from "../check/class/check_all.ts";
import { findSubmissions, type Skipped } from "../check/class/find_files.ts";
import { Progress } from "../check/class/progress.ts";
import { prepareReports, writeReports } from "../check/class/reports.ts";

const INCOMPLETE = 3; // exit status if nothing is wrong, but the time was up
const MAX_SKIPPED = 10; // files of one kind that are named

/** The report in each format. */
const FORMATS: Record<string, (results: Result[], skipped: Skipped[]) => SafeText> = {
  tap: (results) => safe`${asTap(results)}${summary(results)}`,
  table: (results) => asTable(results),
  junit: asJunit,
  json: asJson,
  csv: asCsv,
};

/** The flags of the command. */
export interface CheckFlags {
  /** The script that a file takes the place of, if its name does not say so. */
  as: string;
  /** The exercise that it is, or `NaN`. */
  exercise: number;
  /** Whether what the sheet does not ask for is required, too. */
  strict: boolean;
  /** The format of the report. */
  format: string;
  /** The folder for the students' reports. */
  out: string;
}

/**
 * Checks what a user names, or else the exercise of the current folder, and prints the report. A single
 * file is reported in TAP while it is checked.
 *
 * @throws {UserError} A check failed, or there is nothing to check.
 */
export async function checkFiles(names: string[], flags: CheckFlags): Promise<void> {
  const { strict: isStrict, out } = flags;
  const { number, checks: exercise, as } = chooseExercise(names, flags);
  const format = flags.format || (out ? "table" : "tap");
  if (!(format in FORMATS)) {
    const closest = nearest(format, Object.keys(FORMATS).map((name) => ({ name })));
    throw new UsageError(`unknown format ${format}: did you mean ${closest}?`);
  }
  const script = as && find(scripts(), as).name;
  const words = names.length > 0 ? names : exercisesIn(FOLDER, number);
  const { submissions, skipped } = findSubmissions(words, script, out);
  const options = { exercise, isStrict };
  if (submissions.length === 0) refuse(words, skipped);
  noteSkipped(skipped);
  const isOne = words.length === 1 && submissions[0].file === words[0];
  if (isOne) mustBeFile(words[0]);
  notePython(submissions);
  if (isOne && format === "tap" && !out) {
    return await checkOne(submissions[0], options, number);
  }
  const reports = out ? prepareReports(out, submissions) : undefined;
  using _bailOut = format === "tap" ? bailingOut() : undefined;
  let results: Result[];
  {
    using progress = new Progress();
    await written(); // the notes, which the line of progress would overwrite
    results = await checkAll(submissions, options, (text) => progress.show(text));
  }
  if (reports) writeReports(reports, results);
  write`${FORMATS[format](results, skipped)}`;
  const count = countOutcomes(results);
  if (count.failed > 0) throw new UserError(`${count.failed} of ${results.length} files failed`);
  if (count.incomplete > 0) {
    note(`no time was left to check ${count.incomplete} of ${results.length} files to the end`);
    Deno.exitCode = INCOMPLETE;
  }
}

/**
 * Checks a file each time it is saved, until Ctrl-C ends the tool.
 *
 * @throws {UserError} The file does not exist, or several files are named.
 */
export async function watchFile(names: string[], flags: CheckFlags): Promise<void> {
  const { number, as } = chooseExercise(names, flags);
  const files = names.length > 0 ? names : exercisesIn(FOLDER, number);
  const [file] = files;
  if (files.length !== 1) throw new UsageError("--watch is for one file: name it");
  const { submissions: [submitted], skipped } = as
    ? { submissions: [{ file, script: as }], skipped: [] }
    : findSubmissions(files);
  if (!submitted) refuse(files, skipped);
  if (submitted.file !== file) throw new UsageError("--watch is for one file: name it");
  await watch({ file, as: submitted.script, exercise: number, isStrict: flags.strict });
}

/** Checks one file, and prints each finding as it is made, and after an exercise what comes next. */
async function checkOne(submitted: Submitted, options: CheckOptions, exercise?: number) {
  using _turn = await takeTurn();
  using _bailOut = bailingOut();
  write`${VERSION}# ${submitted.file} as ${submitted.script}\n`;
  let number = 0;
  const result = await check(submitted, options, (finding, counts) => {
    write`${counts ? asPoint(++number, finding) : asComment(finding)}`;
  });
  const { checks, error } = result;
  if (error !== undefined) {
    write`Bail out! ${firstFailure(result)}\n`;
    throw new UserError(error);
  }
  write`1..${checks.length}\n`;
  const count = (state: string) => checks.filter((finding) => stateOf(finding) === state).length;
  if (outcomeOf(result) === "failed") {
    throw new UserError(`${count("failed")} of ${checks.length} checks failed`);
  }
  const missing = count("not reached");
  if (missing > 0) {
    note(`incomplete: no time was left for ${missing} of ${checks.length} checks`);
    Deno.exitCode = INCOMPLETE;
  } else if (exercise !== undefined) {
    for (const line of afterwards(exercise)) write`# ${line}\n`;
  }
}

/** Says that there is nothing to check. For one file, it says why it is not checked. */
function refuse([word, ...others]: string[], skipped: Skipped[]): never {
  const [only, ...more] = skipped;
  if (others.length === 0 && more.length === 0 && only?.path === word) {
    mustBeFile(word);
    throw new UsageError(`--as=SCRIPT is missing: ${word}: ${only.why}`);
  }
  noteSkipped(skipped);
  throw new UserError(
    `no submission in ${[word, ...others].slice(0, 3).join(", ")}`,
    "a submission has the name of a script, such as smith_echo_server.py, or give --as=SCRIPT",
  );
}

/** Says what is not checked, and why. */
function noteSkipped(skipped: Skipped[]) {
  for (const [why, paths] of Map.groupBy(skipped, ({ why }) => why)) {
    const named = paths.slice(0, MAX_SKIPPED).map(({ path }) => path).join(", ");
    const more = paths.length - MAX_SKIPPED;
    note(`skipped, ${why}: ${named}${more > 0 ? ` and ${more} more` : ""}`);
  }
}

/** Warns of programs that cannot be limited. */
function notePython(submissions: Submitted[]) {
  const [file, ...others] = submissions.map(({ file }) => file).filter((file) =>
    /\.py$/.test(file)
  );
  if (file === undefined) return;
  const which = others.length === 0 ? `${file} runs` : `${others.length + 1} Python files run`;
  note(`${which} with all your rights: Python cannot be limited to the network`);
}

/** Returns the table as comments of TAP. */
function summary(results: Result[]): SafeText[] {
  return tableLines(results, terminalWidth() - 2).map((line) => safe`# ${line}\n`);
}

/** Ends the report if the check is ended, behind what is then still printed. */
function bailingOut(): Disposable {
  const bailOut = () => {
    try {
      Deno.stdout.writeSync(new TextEncoder().encode("Bail out! it was ended\n"));
    } catch { /* the reader has gone */ }
  };
  globalThis.addEventListener("unload", bailOut);
  return { [Symbol.dispose]: () => globalThis.removeEventListener("unload", bailOut) };
}
