/**
 * The programs that take the places of a lab's scripts, as the flags of a command name them.
 *
 * @module
 */
import { UsageError, UserError } from "../../cli.ts";
import type { Lab, Role } from "../catalog/header.ts";
import { findOriginal } from "../originals/find.ts";
import { hasPython } from "../process/program.ts";
import { isPythonFile, mustBeProgram } from "../terminal/files.ts";

/** The flags that name programs. */
export interface ProgramFlags {
  /** The file that takes the server's place. */
  server: string;
  /** The file that takes the client's place. */
  client: string;
  /** The folder whose Python files take both places. */
  originals: string;
}

/**
 * Returns the programs that take the places of a lab's scripts.
 *
 * @throws {UsageError} A program is not of a kind that can be run.
 * @throws {UserError} A file is missing, or Python is not installed.
 */
export async function programsOf(
  lab: Lab,
  { server, client, originals }: ProgramFlags,
): Promise<Partial<Record<Role, string>>> {
  const files: Partial<Record<Role, string>> = {};
  for (const [role, given] of [["server", server], ["client", client]] as const) {
    const file = given || originals && findOriginal(lab[role], originals);
    if (!file) continue;
    mustBeProgram(file);
    files[role] = file;
  }
  if (Object.values(files).some(isPythonFile) && !await hasPython()) {
    throw new UserError("Python 3 is not installed");
  }
  return files;
}

/**
 * Refuses arguments for the client that would lead it past the relay.
 *
 * @throws {UsageError} They have a port or a host.
 */
export function checkMore(command: string, more: string[]) {
  const wrong = more.find((word) => /^--(port|host)(=|$)/.test(word));
  if (wrong === undefined) return;
  throw new UsageError(`${wrong} has no effect: lab ${command} chooses where the programs meet`);
}
