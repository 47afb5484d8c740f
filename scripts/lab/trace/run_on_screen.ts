/**
 * A lab with other programs in the places of its scripts, on the terminal.
 *
 * @module
 */
import type { Lab, Role } from "../catalog/header.ts";
import { keyboard, SideBySide } from "../session/demo.ts";
import { bold, columnWidths, green, printRow, printRule, red } from "../terminal/columns.ts";
import { write } from "../terminal/output.ts";
import { runFiles } from "./recording.ts";

/**
 * Runs a lab with other programs in the places of its scripts, and shows both screens side by side.
 *
 * @param lab The lab.
 * @param files The programs.
 * @param more More arguments for the client.
 * @returns Whether all went well.
 */
export async function runFilesOnScreen(
  lab: Lab,
  files: Partial<Record<Role, string>>,
  more: string[],
): Promise<boolean> {
  const titles = [files.server ?? lab.server.name, files.client ?? lab.client.name];
  titles[1] += more.map((arg) => ` ${arg}`).join("");
  const room = " ".repeat(80); // the width of future lines is not known
  const widths = columnWidths([titles[0], room], [titles[1], room]);
  write`${bold(lab.name)}\n`;
  printRow(titles[0], titles[1], widths);
  printRule(widths);
  const screens = new SideBySide(widths, true);
  const { problems } = await runFiles(lab, files, more, {
    typed: keyboard(),
    onScreen: (role, output) => screens.add(role, output),
    onErrors: (role, output) =>
      screens.addErrors(role, output.replace(/^note: listening on .*\n/, "")),
  });
  screens.end();
  for (const problem of problems) write`${red(`failed: ${problem}`)}\n`;
  if (problems.length === 0) write`${green("ok")}\n`;
  return problems.length === 0;
}
