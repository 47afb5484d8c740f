/**
 * The Python files that the scripts mirror.
 *
 * @module
 */
import { Failure } from "../lib.ts";
import { type Script, SCRIPTS } from "./header.ts";

const COUNTERPARTS = `${SCRIPTS}../tests/python`;

/** Whether there is a file of this name. */
export function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** The file that a script mirrors, in a folder of originals or among ours. */
export function findOriginal(script: Script, folder: string): string {
  const names = [script.original, script.name.replace(".ts", ".py")]
    .filter((name) => name.endsWith(".py"));
  for (const name of names) {
    const file = `${folder || COUNTERPARTS}/${name}`;
    if (isFile(file)) return file;
  }
  throw new Failure(`no ${names.join(" or ")} in ${folder || COUNTERPARTS}`);
}
