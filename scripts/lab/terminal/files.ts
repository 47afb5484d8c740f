/**
 * Reads and writes the files that a user names. It does not read endless files, and never leaves a file
 * half-written.
 *
 * @module
 */
import nodePath, { basename, dirname, join } from "node:path";
import { UsageError, UserError } from "../../cli.ts";

/** The largest file that is read, in bytes: 1 MB. */
export const MAX_SIZE = 2 ** 20;

/**
 * Returns whether a path leads into a folder. On Windows the case of letters does not count: `c:\` is `C:\`.
 *
 * @param path An absolute path.
 * @param folder The absolute path of the folder.
 */
export function isInside(
  path: string,
  folder: string,
  { relative, isAbsolute, sep }: nodePath.PlatformPath = nodePath,
): boolean {
  const way = relative(folder, path);
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** Returns whether a path leads to a regular file, not to a folder, a device or a pipe. */
export function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/**
 * Accepts only a regular file of at most 1 MB.
 *
 * @param path The path that the user gave.
 * @returns The file's size in bytes.
 * @throws {UserError} The file does not exist, is not a file, or is larger.
 */
export function mustBeFile(path: string): number {
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new UserError(`${path}: no such file`);
    throw error;
  }
  if (info.isDirectory) throw new UserError(`${path}: this is a folder: name the files in it`);
  if (!info.isFile) throw new UserError(`${path}: this is a device or a pipe, not a file`);
  if (info.size > MAX_SIZE) throw new UserError(`${path}: larger than 1 MB`);
  return info.size;
}

/** Returns whether a file is a Python program, by its name. */
export const isPythonFile = (path: string): boolean => /\.py$/i.test(path);

/**
 * Accepts only a file that the lab tool can run.
 *
 * @param path The path that the user gave.
 * @throws {UserError} The file does not exist.
 * @throws {UsageError} It is not a program in a language that the tool runs.
 */
export function mustBeProgram(path: string): void {
  mustBeFile(path);
  if (!/\.(py|ts|js|mjs|cjs)$/i.test(path)) {
    throw new UsageError(`${path} is not a .py, .ts, .js, .mjs or .cjs file`);
  }
}

/**
 * Reads a file that the user named. It reads no more bytes than the file's size: some files of
 * `/proc`, which have the size 0, never end.
 *
 * @throws {UserError} The file does not exist, is not a regular file, or is larger than 1 MB.
 */
export function readBytes(path: string): Uint8Array {
  const data = new Uint8Array(mustBeFile(path));
  using file = Deno.openSync(path);
  let length = 0;
  while (length < data.length) {
    const read = file.readSync(data.subarray(length));
    if (read === null) break;
    length += read;
  }
  return data.subarray(0, length);
}

/** Reads a file as UTF-8 text; see `readBytes`. */
export function readText(path: string): string {
  return new TextDecoder().decode(readBytes(path));
}

/**
 * Accepts only a folder.
 *
 * @param path The path that the user gave.
 * @throws {UserError} It does not exist, or it is not a folder.
 */
export function mustBeFolder(path: string): void {
  let isFolder: boolean | undefined;
  try {
    isFolder = Deno.statSync(path).isDirectory;
  } catch { /* it does not exist, or is not readable */ }
  if (!isFolder) throw new UserError(`${path}: ${isFolder === false ? "not a" : "no such"} folder`);
}

/** Turns an error about a file or a folder into a message that names it. Other errors stay as they are. */
export function aboutFile(error: unknown): unknown {
  const { message } = error as Error;
  const [, what, path] = message.match(/^(.*?) \(os error \d+\): \w+ '(?:.*' -> ')?(.*)'$/s) ?? [];
  return path === undefined ? error : new UserError(`${path}: ${what.toLowerCase()}`);
}

/**
 * Writes a file under another name in the same folder, and then renames it. If this fails, for instance
 * because the disk is full, no part of it is left, and an older file stays as it was. A symbolic link at
 * the path is replaced, not followed.
 */
export function writeWhole(path: string, text: string) {
  const temporary = join(dirname(path), `.${basename(path)}.${crypto.randomUUID().slice(0, 8)}`);
  try {
    Deno.writeTextFileSync(temporary, text, { createNew: true });
    Deno.renameSync(temporary, path);
  } catch (error) {
    try {
      Deno.removeSync(temporary);
    } catch { /* it was not created */ }
    throw error;
  }
}

/** Returns whether a path is taken: by a file, a folder or a link, even one that leads nowhere. */
export function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
