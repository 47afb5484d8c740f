/**
 * Original and script next to each other on the terminal.
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

const NARROW = 70; // columns below which the two stand one below the other

/**
 * Shows original and script of a lab, or of the one script that is named.
 *
 * @param name The lab or script.
 * @param originals The folder where the originals lie; ours where it is empty.
 * @param chosen The originals, where they are not looked for.
 * @throws {Failure} An original is not there.
 */
export function show(name: string, originals: string, chosen: Partial<Record<Role, string>> = {}) {
  for (const script of findScripts(name)) {
    const file = chosen[script.role] || findOriginal(script, originals);
    mustBeFile(file);
    const title = file.split(/[/\\]/).at(-1)!;
    const rows = align(sourceOf(file), Deno.readTextFileSync(SCRIPTS + script.name));
    if (terminalWidth() < NARROW) {
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
