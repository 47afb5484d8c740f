/**
 * Where netcat writes what it receives: its stdout.
 *
 * @module
 */
import { explainError, UserError } from "../cli.ts";

const MUCH = 1 << 16; // bytes

let neverWaits: boolean | undefined;

/**
 * Writes to stdout. Ends the program where nobody reads that any more.
 *
 * @param data The bytes.
 * @throws {UserError} They cannot be written.
 */
export async function output(data: Uint8Array) {
  if (neverWaits === undefined && data.length >= MUCH) {
    const { fstatSync } = await import("node:fs"); // takes 20 ms, so only for much data
    const stdout = fstatSync(1);
    neverWaits = stdout.isFile() || stdout.isCharacterDevice() && !Deno.stdout.isTerminal();
  }
  try {
    while (data.length > 0) {
      // The first is faster, but while a pipe is full it would stop all else.
      const length = neverWaits ? Deno.stdout.writeSync(data) : await Deno.stdout.write(data);
      data = data.subarray(length);
    }
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) Deno.exit(0); // `| head` has seen enough
    throw new UserError(`cannot write to stdout: ${explainError(error)[0]}`);
  }
}
