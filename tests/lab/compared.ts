/**
 * Runs `lab compare` on a course's files, and reads what it prints.
 *
 * @module
 */
import { writeCourse } from "./course.ts";
import { type Result, temporary } from "../helpers.ts";
import { labHere } from "./in_process.ts";

/** Returns the verdicts, without flags. */
export function verdicts({ stdout }: Result): string[] {
  return stdout.split("\n").filter((line) => /: (works|does not work)$/.test(line))
    .map((line) => line.replace(/ (--|'--).*?(?= with|:)/g, ""));
}

/** Returns how the programs print in the three pairings that are compared with the originals'. */
export function prints({ stdout }: Result): string[] {
  return stdout.split("\n").flatMap((line) =>
    line.match(/^ {2}(\S+ (?:prints the same|differs).*?)(?:,.*|:)?$/)?.[1] ?? []
  );
}

/** Compares a lab with files of a course, after changing them. */
export async function compared(
  name: string,
  files: string[],
  change: (source: string, path: string) => string = (source) => source,
): Promise<Result> {
  await using folder = await temporary();
  for (const path of await writeCourse(folder.path, ...files)) {
    const source = Deno.readTextFileSync(path);
    Deno.writeTextFileSync(path, change(source, path));
  }
  return await labHere(["compare", name, `--originals=${folder.path}`]);
}
