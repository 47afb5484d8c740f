/**
 * What takes a role in a live lab: our script, its counterpart, or a file of the user.
 *
 * @module
 */
import { dirname, isAbsolute, join } from "node:path";
import { UserError } from "../../cli.ts";
import { describeScript } from "../book/book.ts";
import { type Lab, type Role, type Script, SCRIPTS } from "../catalog/header.ts";
import { findOriginal } from "../originals/find.ts";
import { hasPython } from "../process/program.ts";
import { isPythonFile, mustBeProgram } from "../terminal/files.ts";
import { inScript, type OwnStep, quoted } from "../trace/recording.ts";
import type { Choice, HalfData } from "./messages.ts";

const MAX_ARGS = 1000; // characters
const MAX_PATH = 1000; // characters

/** What takes a role. */
export interface Half extends HalfData {
  /** The path of the program. */
  file: string;
  /** When the file was last changed, and its size, before it was read. */
  state?: string;
  /** The folder that it runs in. */
  cwd: string;
  /** Whether it may use modules of Node; see `TraceOptions`. */
  hasNode?: boolean;
  /** Keeps only what is a step of the program's own; see `inScript`. */
  ownStep: OwnStep;
}

/**
 * Prepares what takes a role.
 *
 * @param lab The lab.
 * @param role The role.
 * @param choice What takes it. The path of a file may be relative to `folder`.
 * @param args Its arguments; by default those of the session in the header, or none for a file.
 * @param folder The user's folder.
 * @throws {UserError} The file cannot be run, or Python is not installed.
 */
export async function makeHalf(
  lab: Lab,
  role: Role,
  choice: Choice,
  args?: string,
  folder = Deno.cwd(),
): Promise<Half> {
  const script = lab[role];
  const file = fileOf(script, choice, folder);
  mustBeProgram(file);
  if (isPythonFile(file) && !await hasPython()) throw new UserError("Python 3 is not installed");
  const usual = choice.kind === "file" ? "" : script.args.map(quoted).join(" ");
  if ((args ?? usual).length > MAX_ARGS) throw new UserError("the arguments are too long");
  const state = stateOf(file);
  const counterpart = { file: findOriginal(script, ""), kind: "counterpart" as const };
  return {
    choice: choice.kind === "file" ? { kind: "file", file } : choice,
    args: args ?? usual,
    source: describeScript(
      script,
      choice.kind === "script" ? counterpart : { file, kind: choice.kind },
    ),
    side: choice.kind === "script" ? "right" : "left",
    typed: script.typed,
    file,
    state,
    cwd: choice.kind === "file" ? dirname(file) : folder,
    hasNode: choice.kind === "script" ? false : undefined,
    ownStep: choice.kind === "script" ? inScript(Deno.readTextFileSync(file)) : (step) => step,
  };
}

/** Returns when a file was last changed, and its size; `undefined` if it does not exist. */
export function stateOf(file: string): string | undefined {
  try {
    const { mtime, size } = Deno.statSync(file);
    return `${mtime?.getTime()} ${size}`;
  } catch {
    return undefined;
  }
}

function fileOf(script: Script, choice: Choice, folder: string): string {
  switch (choice?.kind) {
    case "script":
      return SCRIPTS + script.name;
    case "counterpart":
      return findOriginal(script, "");
    case "file":
      return pathOf(choice.file, folder);
    default:
      throw new UserError("unknown program");
  }
}

/** Returns the path of a file that the user chose in the page. */
function pathOf(path: string, folder: string): string {
  if (typeof path !== "string") throw new UserError("invalid path");
  if (path.trim() === "") throw new UserError("the path of the file is missing");
  if (path.length > MAX_PATH || path.includes("\0")) throw new UserError("invalid path");
  if (path.split(/[/\\]/).includes("..")) {
    throw new UserError(`${path}: a path with .. is refused`, "write the whole path");
  }
  return isAbsolute(path) ? path : join(folder, path);
}

/** Parts arguments as a shell does, as far as quotes go. */
export function wordsOf(args: string): string[] {
  const words = args.match(/(?:[^\s'"]|'[^']*'|"[^"]*"|['"])+/g) ?? [];
  return words.map((word) => word.replace(/'([^']*)'|"([^"]*)"/g, (_, a, b) => a ?? b));
}

/** Returns the command that a reader types to start it. */
export function commandOf({ file, choice, args }: Half): string {
  const path = choice.kind === "file" ? quoted(file) : `scripts/${file.slice(SCRIPTS.length)}`;
  return [isPythonFile(file) ? "python3" : "deno run -A", path, args].join(" ").trim();
}
