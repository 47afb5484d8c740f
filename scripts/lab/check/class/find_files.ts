/**
 * Finds the submissions among what a user names: files, folders and patterns.
 *
 * @module
 */
import { globSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { UserError } from "../../../cli.ts";
import type { Submitted } from "../check.ts";
import { readName, studentIn } from "./names.ts";

/** What is not checked, and why. */
export interface Skipped {
  /** Its path. */
  path: string;
  /** Why it is not checked. */
  why: string;
}

/** What was found. */
export interface Found {
  /** The submissions, in order. */
  submissions: Submitted[];
  /** What is not checked. */
  skipped: Skipped[];
}

const PROGRAM = /\.(ts|mts|js|mjs|cjs|py)$/i;
const ARCHIVE = /\.(zip|tar|t?gz|7z|rar)$/i;
// What systems, editors and programs leave in a folder.
const LEFTOVER = /^\.|^(__MACOSX|__pycache__|node_modules|venv)$|~$|\.(bak|swp|orig|pyc)$|^#.*#$/;

/** A file that may be a submission. */
interface Candidate {
  file: string;
  /** Whose folder it is in, if it is in one. */
  folder: string;
  /** The scripts that its name can mean. */
  scripts: string[];
  /** What its name says about the student. */
  student: string;
}

/**
 * Finds the submissions.
 *
 * @param words Files, folders and patterns with `*`, which not all shells replace by names.
 * @param as The script that files take the place of if their names do not say so.
 * @param leaveOut A folder that is not searched.
 * @returns The submissions, in the order of the words and of the names in a folder.
 * @throws {UserError} A word is not the name of anything, or nothing can be checked.
 */
export function findSubmissions(words: string[], as = "", leaveOut = ""): Found {
  const paths = [...new Set(words.flatMap((word) => expand(word, words.length > 1)))];
  const skipped: Skipped[] = [];
  const skip = (path: string, why: string) => void skipped.push({ path, why });
  const files = paths.filter((path) => !isFolder(path));
  const top = commonFolder(files);
  const candidates = paths.flatMap((path): Candidate[] => {
    if (isFolder(path)) return search(path, path, skip, leaveOut && resolve(leaveOut));
    const candidate = readCandidate(path, top);
    // What the user names alone is checked, or is an error, and never skipped.
    if (as && (PROGRAM.test(path) || paths.length === 1)) return [{ ...candidate, scripts: [as] }];
    if (paths.length > 1 && !isProgram(basename(path), path, skip)) return [];
    return [candidate];
  });

  const submissions: Submitted[] = [];
  const named = candidates.filter(({ scripts }) => scripts.length === 1);
  const certain = new Set(named.map(({ scripts: [script] }) => script));
  const hasOwn = new Set(named.map(({ file, folder }) => folder === "" ? file : dirname(file)));
  for (const { file, folder, student, ...candidate } of candidates) {
    const { scripts } = candidate;
    // A name of several scripts means the one that the names of other files mean.
    const likely = scripts.filter((script) => certain.has(script));
    const isModule = folder !== "" && hasOwn.has(dirname(file)); // of the submission next to it
    const script = scripts.length === 1
      ? scripts[0]
      : likely.length === 1
      ? likely[0]
      : as && !isModule
      ? as
      : undefined;
    if (script) submissions.push({ file, script, student });
    else skip(file, scripts.length === 0 ? NOT_A_SCRIPT : `its name fits ${listed(scripts)}`);
  }
  return { submissions, skipped };
}

/** Why a program is not checked. */
const NOT_A_SCRIPT = "its name is not that of a script";

/**
 * Returns what a word means: the file or folder of this name, or else what matches the pattern. A program that
 * is missing among several is reported as one that cannot be checked.
 */
function expand(word: string, isOneOfSeveral: boolean): string[] {
  if (exists(word)) return [word];
  const found = /[*?[]/.test(word) ? globSync(word).sort(inOrder) : [];
  if (found.length > 0) return found;
  if (isOneOfSeveral && PROGRAM.test(word) && readName(basename(word)).scripts.length === 1) {
    return [word];
  }
  throw new UserError(`${word}: no such file${/[*?]/.test(word) ? ", and nothing matches" : ""}`);
}

/** Returns what may be a submission in a folder and in those below it. */
function search(
  folder: string,
  top: string,
  skip: (path: string, why: string) => void,
  leaveOut: string,
): Candidate[] {
  let entries: Deno.DirEntry[];
  try {
    entries = [...Deno.readDirSync(folder)].sort((a, b) => inOrder(a.name, b.name));
  } catch {
    skip(folder + sep, "not readable");
    return [];
  }
  const found = entries.flatMap(({ name, isDirectory, isSymlink }): Candidate[] => {
    const path = join(folder, name);
    if (resolve(path) === leaveOut) return [];
    if (isSymlink) skip(path, "a link");
    else if (isDirectory && LEFTOVER.test(name)) skip(path + sep, "not a submission");
    else if (isDirectory) return search(path, top, skip, leaveOut);
    else if (isProgram(name, path, skip)) return [readCandidate(path, top)];
    return [];
  });
  if (found.length === 0) skip(folder + sep, "nothing to check in it");
  return found;
}

/** Returns whether a file is a program, and reports others. */
function isProgram(name: string, path: string, skip: (path: string, why: string) => void) {
  if (PROGRAM.test(name) && !LEFTOVER.test(name)) return true;
  const isArchive = ARCHIVE.test(name) && !LEFTOVER.test(name);
  skip(path, isArchive ? "an archive: unpack it first" : "not a submission");
  return false;
}

/** Reads what the path of a file says. Its folder below the top is a student's, or its name begins with one. */
function readCandidate(file: string, top: string): Candidate {
  const { scripts, before } = readName(basename(file));
  const [folder] = relative(top, dirname(file)).split(sep);
  return {
    file,
    folder,
    scripts: scripts.map(({ name }) => name),
    student: studentIn(folder) || studentIn(before),
  };
}

/** Returns the folder that all of some files are in. */
function commonFolder(files: string[]): string {
  const [first = [], ...others] = files.map((file) => dirname(resolve(file)).split(sep));
  const differs = (part: string, i: number) => others.some((parts) => parts[i] !== part);
  const end = first.findIndex(differs);
  return first.slice(0, end < 0 ? undefined : end).join(sep) + sep;
}

function listed(names: string[]): string {
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

const inOrder = (a: string, b: string) => a.localeCompare(b, "en", { numeric: true });

function isFolder(path: string): boolean {
  return exists(path) && Deno.statSync(path).isDirectory;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
