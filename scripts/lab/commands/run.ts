/**
 * The commands `lab run` and `lab demo`.
 *
 * @module
 */
import { UsageError, UserError } from "../../cli.ts";
import { findLab, labs } from "../catalog/labs.ts";
import { runLab } from "../session/demo.ts";
import { runFilesOnScreen } from "../trace/run_on_screen.ts";
import { checkMore, type ProgramFlags, programsOf } from "./programs.ts";

/**
 * Runs labs in turn, all of them if none is named.
 *
 * @param names The labs.
 * @param more More arguments for the client of one lab.
 * @param isTyped Whether the user types. Otherwise the lines of the headers' sessions are typed.
 * @throws {UserError} A lab did not run as its headers show.
 */
export async function runLabs(names: string[], more: string[], isTyped: boolean) {
  if (more.length > 0 && names.length !== 1) {
    throw new UsageError("flags behind -- are for one lab: name it");
  }
  const chosen = names.length > 0 ? names.map(findLab) : labs;
  let failed = 0;
  for (const lab of chosen) {
    const asks = lab.client.typed.length > 0;
    if (!await runLab(lab, more, isTyped && (asks || more.length > 0))) failed++;
  }
  if (failed > 0) throw new UserError(`${failed} of ${chosen.length} labs failed`);
}

/**
 * Runs labs, or one lab with other programs in place of its scripts.
 *
 * @throws {UserError} A lab failed.
 */
export async function runProgramsOrLabs(
  names: string[],
  flags: ProgramFlags,
  more: string[],
): Promise<void> {
  if (!flags.server && !flags.client && !flags.originals) return await runLabs(names, more, true);
  if (names.length !== 1) throw new UsageError("--server, --client and --originals need one LAB");
  const lab = findLab(names[0]);
  const files = await programsOf(lab, flags);
  checkMore("run", more);
  if (!await runFilesOnScreen(lab, files, more)) throw new UserError(`lab ${lab.name} failed`);
}
