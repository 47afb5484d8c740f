/**
 * Reads the folder of an exercise, or of a copy.
 *
 * @module
 */
import { UserError } from "../../cli.ts";
import { scripts } from "../catalog/labs.ts";
import { exists, readText } from "../terminal/files.ts";
import { exerciseNumber } from "./all.ts";

/** Returns the text of a file, if it can be read. */
export function textOf(path: string): string | undefined {
  try {
    return readText(path);
  } catch {
    return undefined; // a folder, a device or a broken link
  }
}

/** Returns the number of the exercise in a folder, if it has one: its task `check` names it. */
export function exerciseIn(folder: string): number | undefined {
  const [, number] = textOf(`${folder}/deno.json`)?.match(/ check --exercise=(\d+)"/) ?? [];
  return number === undefined ? undefined : Number(number);
}

/**
 * Finds the scripts in an exercise's folder that have the names of ours.
 *
 * @param folder The folder.
 * @param number The number of an exercise, to find only the script that it changes.
 * @returns Their paths.
 * @throws {UserError} The folder contains no script, or the exercise does not exist.
 */
export function exercisesIn(folder: string, number = exerciseIn(folder)): string[] {
  const names = number === undefined
    ? scripts().map(({ name }) => name)
    : [`${exerciseNumber(number).script}.ts`];
  const files = names.map((name) => `${folder}/scripts/${name}`).filter(exists);
  if (files.length === 0) throw new UserError(`no exercise in ${folder}/scripts: name its file`);
  return files;
}
