/**
 * What netcat sends: its stdin, read ahead by one piece, in lines where that is asked for.
 *
 * @module
 */
import { explainError, UserError } from "../cli.ts";

const INPUT_SIZE = 1 << 20; // bytes read at a time: large pieces are fast
const LF = 10;
const CR = 13;

let buffer = new Uint8Array(INPUT_SIZE);
let spare = new Uint8Array(INPUT_SIZE);
let next: Promise<Uint8Array | null> | undefined;

/** What is known of the input, for all who it is sent to. */
export const input = {
  /** Whether it is a keyboard. */
  isTerminal: Deno.stdin.isTerminal(),
  /** Whether anything has come. */
  wasHeard: false,
  /** Whether its end has come. */
  hasEnded: false,
  /** Bytes that have come, and that nobody has taken. */
  ahead: 0,

  /**
   * Waits for the next piece, and leaves it where it is: with `-k` it may be the next client's.
   *
   * @throws {UserError} It cannot be read.
   */
  async next(): Promise<Uint8Array | null> {
    return await (next ??= read());
  },

  /** Takes the piece that `next()` gave, and reads ahead. The piece is good until the next is taken. */
  take() {
    [buffer, spare] = [spare, buffer];
    input.ahead = 0;
    next = read();
    next.catch(() => {}); // told where it is waited for
  },

  /** Whether it can hold nothing: `/dev/null`, also in the place of a stdin that is closed. */
  async isNothing(): Promise<boolean> {
    if (input.wasHeard || input.isTerminal) return false;
    const { fstatSync } = await import("node:fs"); // takes 20 ms, so only when needed
    return fstatSync(0).isCharacterDevice();
  },
};

async function read(): Promise<Uint8Array | null> {
  if (input.hasEnded) return null;
  try {
    const length = await Deno.stdin.read(buffer);
    if (length !== null) {
      input.wasHeard = true;
      input.ahead = length;
      return buffer.subarray(0, length);
    }
    input.hasEnded = true;
    return null;
  } catch (error) {
    input.hasEnded = true;
    throw new UserError(`cannot read the input: ${explainError(error)[0]}`);
  }
}

/**
 * Puts a CR before each LF that has none.
 *
 * @param piece Bytes to send.
 * @param last The byte before them.
 * @returns The bytes with CR and LF at each line's end.
 */
export function withCrLf(piece: Uint8Array, last?: number): Uint8Array {
  const result = new Uint8Array(piece.length * 2);
  let length = 0;
  for (const byte of piece) {
    if (byte === LF && last !== CR) result[length++] = CR;
    result[length++] = last = byte;
  }
  return result.subarray(0, length);
}

/**
 * Takes bytes apart into lines.
 *
 * @param piece Bytes to send.
 * @returns Each line with its end, and what follows the last one.
 */
export function* linesOf(piece: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < piece.length;) {
    const end = piece.indexOf(LF, start) + 1 || piece.length;
    yield piece.subarray(start, end);
    start = end;
  }
}
