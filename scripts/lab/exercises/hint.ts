/**
 * The hints of an exercise, and what comes after it.
 *
 * @module
 */
import { UsageError, UserError } from "../../cli.ts";
import { bold } from "../terminal/columns.ts";
import { writeWhole } from "../terminal/files.ts";
import { FOLDER } from "../terminal/command.ts";
import { SCRIPTS } from "../catalog/header.ts";
import { multiline, safe, type SafeText, write } from "../terminal/output.ts";
import { exerciseNumber, EXERCISES } from "./all.ts";
import { modelOf, solutionOf } from "./exercise.ts";
import { exerciseIn } from "./folder.ts";
import { prose, titleOf } from "./start.ts";

const SHOWN = ".hints_shown"; // in the folder of an exercise: how many hints were shown

/**
 * Prints a hint: the one that is asked for, or the one after those that were shown in this folder.
 *
 * @param word The number of the hint, as it was typed.
 * @param given The number of the exercise, or `NaN` for that of the folder.
 * @throws {UserError} The exercise or the hint does not exist.
 */
export function giveHint(word: string | undefined, given: number) {
  const number = Number.isNaN(given) ? exerciseIn(FOLDER) : given;
  if (number === undefined) {
    throw new UserError(
      "this is not the folder of an exercise",
      "go to the folder of an exercise, or name its number, for instance --exercise=1",
    );
  }
  const { hints } = exerciseNumber(number);
  const isHere = exerciseIn(FOLDER) === number;
  if (word !== undefined && !/^\d+$/.test(word)) {
    throw new UsageError(`${word} is not the number of a hint`);
  }
  const shown = isHere ? hintsShown() : 0;
  const place = word === undefined ? Math.min(shown + 1, hints.length) : Number(word);
  if (place < 1 || place > hints.length) {
    throw new UserError(`hint ${place} does not exist: the hints are 1 to ${hints.length}`);
  }
  if (isHere && place > shown) writeWhole(`${FOLDER}/${SHOWN}`, `${place}\n`);
  const isLast = place === hints.length;
  write`${bold(`${titleOf(number)}, hint ${place} of ${hints.length}`)}\n`;
  write`${prose(hints[place - 1])}`;
  if (isLast) write`${solution(number)}`;
}

/** Returns how many hints were shown in this folder. */
function hintsShown(): number {
  try {
    return Number.parseInt(Deno.readTextFileSync(`${FOLDER}/${SHOWN}`)) || 0;
  } catch {
    return 0; // none was shown
  }
}

/** Returns the lines of the model solution, and where the whole script is. */
function solution(number: number): SafeText {
  const exercise = exerciseNumber(number);
  const script = `${SCRIPTS}${exercise.script}.ts`;
  const isOurs = modelOf(exercise) === Deno.readTextFileSync(script);
  const whole = isOurs ? safe`\n  The whole script: ${script}\n` : safe``;
  return safe`\n  Our solution:\n\n${
    multiline(solutionOf(exercise).replace(/^(?=.)/gm, "    "))
  }\n${whole}`;
}

/** Returns a command for an exercise as it is typed in the current folder. */
export function commandFor(words: string, number: number): string {
  return exerciseIn(FOLDER) === number
    ? `deno task ${words}`
    : `deno task lab ${words} --exercise=${number}`;
}

/** Returns what to do when an exercise is done, in lines. */
export function afterwards(number: number): string[] {
  const { hints } = exerciseNumber(number);
  const done = [
    `Exercise ${number} is done. Compare your solution with ours:`,
    `  ${commandFor(`hint ${hints.length}`, number)}`,
  ];
  const next = number + 1;
  if (next > EXERCISES.length) return [...done, "This was the last exercise."];
  const start = exerciseIn(FOLDER) === number ? "deno task next" : `deno task lab new ${next}`;
  return [
    ...done,
    `The next one is exercise ${next}: ${exerciseNumber(next).title}. Start it:`,
    `  ${start} ../exercise-${next}`,
  ];
}
