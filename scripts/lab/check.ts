/**
 * Checks an exercise.
 *
 * @module
 */
import { Failure, write } from "../lib.ts";
import { find, scripts } from "./names.ts";
import { findOriginal, isFile } from "./originals.ts";
import {
  type Check,
  ourPlayer,
  type Player,
  pythonPlayer,
  runPair,
  studentPlayer,
} from "./pair.ts";
import { hasPython } from "./program.ts";
import type { Half } from "./header.ts";

/** Checks an exercise: a file that takes the place of a script. */
export async function check(file: string, as: string) {
  const { half, lab } = find(scripts(), as);
  if (!isFile(file)) throw new Failure(`${file}: no such file`);
  const path = Deno.realPathSync(file);
  const other = half === "server" ? "client" : "server";
  const others = [ourPlayer(lab[other])];
  if (await hasPython()) {
    others.push(pythonPlayer(lab[other], findOriginal(lab[other], "")));
  }

  write("TAP version 14\n");
  let count = 0;
  let failed = 0;
  for (const partner of others) {
    const student = studentPlayer(lab[half], path);
    write(`# ${student.name} as ${lab[half].name}, with ${partner.name}\n`);
    const pair = { [half]: student, [other]: partner } as Record<Half, Player>;
    const options = { patience: 1.5, closes: half === "server" };
    const { checks } = await runPair(lab, pair, options);
    for (const check of checks) {
      printTap(++count, check);
      if (check.problem) failed++;
    }
    if (failed > 0) break; // more of the same would only hide it
  }
  write(`1..${count}\n`);
  if (failed > 0) throw new Failure(`${failed} of ${count} checks failed`);
}

function printTap(
  number: number,
  { what, problem, expected, actual }: Check,
) {
  write(`${problem ? "not ok" : "ok"} ${number} - ${what}\n`);
  if (!problem) return;
  const block = (name: string, text: string) =>
    `  ${name}: |\n` + text.trimEnd().replace(/^/gm, "    ") + "\n";
  write("  ---\n" + block("message", problem));
  if (expected !== undefined) write(block("expected", expected));
  if (actual !== undefined) write(block("actual", actual));
  write("  ...\n");
}
