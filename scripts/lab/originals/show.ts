/**
 * Shows an original and its script next to each other.
 *
 * @module
 */
import { align } from "./align.ts";
import { bold, green, printRow, printRule, terminalWidth, wrapped } from "../terminal/columns.ts";
import { type Role, SCRIPTS } from "../catalog/header.ts";
import { findScripts } from "../catalog/labs.ts";
import { mustBeFile } from "../terminal/files.ts";
import { write } from "../terminal/output.ts";
import { findOriginal, sourceOf } from "./find.ts";

const MIN_WIDTH = 70; // columns; on fewer the original is shown above the script

/**
 * Shows the originals and scripts of a lab, or one script and its original.
 *
 * @param name The lab or script.
 * @param originals The folder of the originals; if it is empty, our counterparts.
 * @param chosen The originals that are not to be searched for.
 * @throws {UserError} An original is missing.
 */
export function show(name: string, originals: string, chosen: Partial<Record<Role, string>> = {}) {
  for (const script of findScripts(name)) {
    const file = chosen[script.role] || findOriginal(script, originals);
    mustBeFile(file);
    const title = file.split(/[/\\]/).at(-1)!;
    const rows = align(sourceOf(file), Deno.readTextFileSync(SCRIPTS + script.name));
    if (terminalWidth() < MIN_WIDTH) {
      showBelow(title, rows.map(({ left }) => left));
      showBelow(script.name, rows.map(({ right }) => right));
      continue;
    }
    const room = Math.floor((terminalWidth() - 3) / 2);
    const widths: [number, number] = [room, room];
    printRow(title, script.name, widths);
    printRule(widths);
    for (const { left = "", right = "", step } of rows) {
      printRow(left, right, widths, step ? green("=") : "│");
    }
    write`\n`;
  }
}

function showBelow(title: string, lines: (string | undefined)[]) {
  write`${bold(title)}\n${"─".repeat(terminalWidth())}\n`;
  for (const line of lines.filter((line) => line !== undefined)) {
    for (const part of wrapped(line, terminalWidth())) write`${part}\n`;
  }
  write`\n`;
}
