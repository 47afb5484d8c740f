/**
 * Exercises that are wrong, made from right ones by a small change each: the tables in the folder
 * `broken`. A line with `#` names the file, of the folder `right` or of the scripts. Each line below
 * it is an exercise: what is wrong about it, what the first line of the failure says (a regular
 * expression), the text that is replaced, and what stands in its place; `⏎` is a line's end.
 */
import { assert } from "@std/assert";
import { SCRIPTS } from "../helpers.ts";

/** An exercise that is wrong. */
export interface Broken {
  /** The file that is changed. */
  name: string;
  /** What is wrong about it. */
  fault: string;
  /** What the first line of the failure must say. */
  told: RegExp;
  /** The text of the program. */
  source: string;
}

const FOLDER = import.meta.dirname;

/** All of them. */
export const BROKEN: Broken[] = ["servers", "clients"].flatMap((table) =>
  readTable(Deno.readTextFileSync(`${FOLDER}/broken/${table}.txt`).replaceAll("\r", ""))
);

function readTable(table: string): Broken[] {
  return table.split(/^# /m).slice(1).flatMap((section) => {
    const [file, ...lines] = section.trimEnd().split("\n");
    const path = file.startsWith("scripts/") ? `${SCRIPTS}../${file}` : `${FOLDER}/right/${file}`;
    const right = Deno.readTextFileSync(path).replaceAll("\r", "");
    return lines.map((line) => {
      const [fault, told, from, to] = line.replaceAll("⏎", "\n").split(/ ¦(?: |$)/);
      assert(right.split(from).length === 2, `${file}: this stands in it once: ${from}`);
      const name = file.split("/").at(-1)!;
      return { name, fault, told: new RegExp(told), source: right.replace(from, () => to) };
    });
  });
}
