/**
 * Finds out which exercise is to be checked.
 *
 * @module
 */
import { basename, dirname, join } from "node:path";
import { UsageError } from "../../cli.ts";
import type { ExerciseChecks } from "../check/probes/exercises.ts";
import { bareName } from "../terminal/names.ts";
import { FOLDER } from "../terminal/command.ts";
import { note } from "../terminal/output.ts";
import { exerciseNumber, EXERCISES } from "./all.ts";
import { exerciseIn } from "./folder.ts";
import { checksOf } from "./start.ts";

/** What is to be checked. */
export interface Chosen {
  /** The number of the exercise, if it is one. */
  number?: number;
  /** What is checked about it. */
  checks?: ExerciseChecks;
  /** The script that the file takes the place of, as far as it is known. */
  as: string;
}

/**
 * Returns which exercise is to be checked: the one that is named, or without a file that of the current
 * folder.
 *
 * @param files The files that are named.
 * @param flags The number of the exercise or `NaN`, and the script that a file takes the place of.
 * @throws {UserError} The exercise does not exist.
 * @throws {UsageError} The exercise is about another script.
 */
export function chooseExercise(
  files: string[],
  { exercise, as }: { exercise: number; as: string },
): Chosen {
  const here = files.length === 0 ? exerciseIn(FOLDER) : undefined;
  const number = Number.isNaN(exercise) ? here : exercise;
  if (number === undefined) {
    if (files.length === 1) noteExercise(files[0]);
    return { as };
  }
  const { script } = exerciseNumber(number);
  if (as && bareName(as) !== script) {
    throw new UsageError(`exercise ${number} is about ${script}, not ${as}`);
  }
  return { number, checks: checksOf(number), as: script };
}

/** Notes that a file is that of an exercise, if its folder says so. The checks of its lab are others. */
function noteExercise(file: string) {
  const number = exerciseIn(join(dirname(file), ".."));
  if (number === undefined || basename(file) !== `${EXERCISES[number - 1]?.script}.ts`) return;
  note(`${file} is exercise ${number}: --exercise=${number} checks whether it is done`);
}
