/**
 * Checks a file each time it is saved, and shows the first failure.
 *
 * @module
 */
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import { basename, dirname } from "node:path";
import { UserError } from "../../cli.ts";
import { examine, TIME } from "../check/check.ts";
import type { Finding } from "../check/check_run.ts";
import { shorten } from "../check/result.ts";
import { takeTurn } from "../check/slots.ts";
import { bold, green, red } from "../terminal/columns.ts";
import { aboutFile, mustBeFile, mustBeFolder } from "../terminal/files.ts";
import { multiline, safe, write } from "../terminal/output.ts";
import { afterwards, commandFor } from "./hint.ts";
import { checksOf, titleOf } from "./start.ts";

const PAUSE = 100; // milliseconds without a change: some editors write a file in several steps

/** Which file to check, and how. */
export interface Watched {
  /** The file. */
  file: string;
  /** The number of the exercise, if it is one. */
  exercise?: number;
  /** Whether what the sheet does not ask for is required, too. */
  isStrict: boolean;
  /** The script that it takes the place of. */
  as: string;
}

/**
 * Checks a file each time a program in its folder is saved, until Ctrl-C ends the tool. A file that was
 * removed is checked when it comes back.
 *
 * @throws {UserError} The folder does not exist, or was removed.
 */
export async function watch(watched: Watched): Promise<never> {
  const { file } = watched;
  const folder = dirname(file);
  mustBeFolder(folder);
  const saves = new Saves(folder);
  while (true) {
    const change = new AbortController();
    saves.onChange = () => change.abort();
    await checkOnce(watched, change.signal);
    if (!change.signal.aborted) await saves.next();
    await saves.settled();
    mustBeFolder(folder);
  }
}

/** The changes of the programs in a folder. */
class Saves {
  /** Called with each change. */
  onChange: () => void = () => {};
  #last = 0; // when the last change was
  #change = Promise.withResolvers<void>();

  /** Begins to watch. */
  constructor(folder: string) {
    this.#follow(folder, Deno.watchFs(folder, { recursive: false }));
  }

  async #follow(folder: string, watcher: Deno.FsWatcher) {
    // If the folder itself is removed, nothing else is reported.
    const isAbout = (path: string) =>
      /\.(m?[jt]s|cjs|py)$/i.test(path) || basename(path) === basename(folder);
    for await (const { kind, paths } of watcher) {
      if (kind === "access" || !paths.some(isAbout)) continue; // the check itself reads the files
      this.#last = Date.now();
      this.onChange();
      this.#change.resolve();
      this.#change = Promise.withResolvers();
    }
  }

  /** Waits for the next change. */
  next(): Promise<void> {
    return this.#change.promise;
  }

  /** Waits until nothing has changed for a moment. */
  async settled() {
    while (Date.now() - this.#last < PAUSE) await delay(this.#last + PAUSE - Date.now());
  }
}

/** Checks the file once, and prints what passes, the first failure, and what is left. */
async function checkOnce({ file, as, exercise, isStrict }: Watched, signal: AbortSignal) {
  if (Deno.stdout.isTerminal()) write`\x1b[H\x1b[2J\x1b[3J`;
  write`${bold(exercise === undefined ? `${basename(file)} as ${as}` : titleOf(exercise))}\n`;
  const count = { passed: 0, failed: 0, left: 0 };
  const tell = (finding: Finding) => {
    const { what, problem, skipped } = finding;
    if (signal.aborted) return;
    if (skipped !== undefined || count.failed > 0) count.left++; // some ran at the same time
    else if (problem === undefined) {
      count.passed++;
      write`${green("ok")}      ${what}\n`;
    } else {
      count.failed++;
      write`${red("not ok")}  ${what}\n\n`;
      explain(finding);
    }
  };
  try {
    mustBeFile(file);
    using _turn = await takeTurn();
    const checks = exercise === undefined ? undefined : checksOf(exercise);
    const options = { exercise: checks, isStrict, tell, most: 1, signal };
    await deadline(examine(file, as, options), TIME);
  } catch (thrown) {
    if (signal.aborted) return;
    const error = aboutFile(thrown);
    if (!(error instanceof UserError) && !(error instanceof DOMException)) throw error;
    write`${red("not ok")}  ${
      error instanceof DOMException ? "the check takes too long" : error.message
    }\n`;
    return waiting(file);
  }
  if (signal.aborted) return;
  const { passed, failed, left } = count;
  if (failed > 0 || left > 0) {
    write`${passed} passed, ${failed} failed, ${left} left.\n`;
    if (exercise !== undefined) write`A hint: ${commandFor("hint", exercise)}\n`;
  } else if (exercise === undefined) write`\nAll ${passed} checks pass.\n`;
  else for (const line of ["", ...afterwards(exercise)]) write`${line}\n`;
  waiting(file);
}

/** Prints what the tool waits for. */
function waiting(file: string) {
  write`Waiting until ${basename(file)} is saved. Ctrl-C ends this.\n`;
}

/** Prints what is wrong, in words and with what was expected and what came. */
function explain({ problem = "", expected, actual, exchange }: Finding) {
  const block = (title: string, text: string) =>
    write`${safe`  ${title}`}\n${multiline(shorten(text).replace(/^/gm, "    "))}\n\n`;
  write`${multiline(shorten(problem).replace(/^/gm, "  "))}\n\n`;
  if (expected !== undefined) block("expected:", expected);
  if (actual !== undefined) block("actual:", actual);
  if (exchange !== undefined) block("what was exchanged:", exchange);
}
