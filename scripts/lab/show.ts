/**
 * Original and script next to each other.
 *
 * @module
 */
import { write } from "../lib.ts";
import { printRow, printRule, terminalWidth } from "./columns.ts";
import { SCRIPTS } from "./header.ts";
import { findScripts } from "./names.ts";
import { findOriginal } from "./originals.ts";

export function show(name: string, originals: string) {
  const chosen = findScripts(name);
  for (const script of chosen) {
    const file = findOriginal(script, originals);
    const [left, right] = [file, SCRIPTS + script.name].map((path) =>
      Deno.readTextFileSync(path).trimEnd().split(/\r?\n/)
        .map((line) => line.replaceAll("\t", "    "))
    );
    const titles = [file.split("/").at(-1)!, script.name];
    const room = Math.floor((terminalWidth() - 3) / 2);
    const widths: [number, number] = [room, room];
    printRow(titles[0], titles[1], widths);
    printRule(widths);
    for (let i = 0; i < Math.max(left.length, right.length); i++) {
      printRow(left[i] ?? "", right[i] ?? "", widths);
    }
    write("\n");
  }
}
