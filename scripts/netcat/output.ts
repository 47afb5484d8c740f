/**
 * Where netcat prints what it receives: its stdout.
 *
 * @module
 */
import { explainError, UserError } from "../cli.ts";

const MANY = 1 << 16; // bytes

let isFile: boolean | undefined;

/**
 * Writes to stdout. Ends the program if its reader has gone.
 *
 * @param data The bytes.
 * @throws {UserError} They cannot be written.
 */
export async function output(data: Uint8Array) {
  if (isWindowsConsole) data = toText(data);
  if (data.length >= MANY) isFile ??= await isFileOrNull();
  try {
    while (data.length > 0) {
      // `writeSync` is faster, but while a pipe or a terminal is full it would stop everything else.
      const length = isFile ? Deno.stdout.writeSync(data) : await Deno.stdout.write(data);
      data = data.subarray(length);
    }
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) Deno.exit(0); // the reader has ended, as in `| head`
    throw new UserError(`cannot write to stdout: ${explainError(error)[0]}`);
  }
}

/** Returns whether stdout is a file, or a device such as /dev/null: writing to them never waits. */
async function isFileOrNull(): Promise<boolean> {
  const { fstatSync } = await import("node:fs"); // takes 20 ms, so only for many bytes
  try {
    const stdout = fstatSync(1);
    return stdout.isFile() || stdout.isCharacterDevice() && !Deno.stdout.isTerminal();
  } catch {
    return false; // on Windows it throws for pipes and NUL
  }
}

const isWindowsConsole = Deno.build.os === "windows" && Deno.stdout.isTerminal();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Replaces bytes that are not UTF-8 with U+FFFD: Deno does not write them to a Windows console.
 *
 * @param data The next bytes; the last ones may be part of a character.
 * @returns The characters that are complete.
 */
export function toText(data: Uint8Array): Uint8Array {
  return new TextEncoder().encode(decoder.decode(data, { stream: true }));
}
