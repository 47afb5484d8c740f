/**
 * Reads the folder of an exercise, or of a copy.
 *
 * @module
 */
import { UserError } from "../../cli.ts";
import { scripts } from "../catalog/labs.ts";
import { readText } from "../terminal/files.ts";
import { exerciseNumber } from "./all.ts";

/** Returns whether there is anything at a path. */
export function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

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
 * @throws {UserError} There are none, or there is no such exercise.
 */
export function exercisesIn(folder: string, number = exerciseIn(folder)): string[] {
  const names = number === undefined
    ? scripts().map(({ name }) => name)
    : [`${exerciseNumber(number).script}.ts`];
  const files = names.map((name) => `${folder}/scripts/${name}`).filter(exists);
  if (files.length === 0) throw new UserError(`no exercise in ${folder}/scripts: name its file`);
  return files;
}
