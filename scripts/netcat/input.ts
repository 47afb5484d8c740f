/**
 * What netcat sends: its stdin, read ahead by one piece.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { explainError, UserError } from "../cli.ts";

const INPUT_SIZE = 1 << 20; // bytes read at a time: large pieces are fast
const LF = 10;
const CR = 13;

let buffer = new Uint8Array(INPUT_SIZE);
let spare = new Uint8Array(INPUT_SIZE);
let next: Promise<Uint8Array | null> | undefined;
let keys: AsyncIterator<Uint8Array> | undefined;
// Loaded before there is a connection: it takes 30 ms, and some peers wait only 500 ms.
const keyboard = Deno.stdin.isTerminal() ? (await import("node:process")).default : undefined;

/** The input. With `-k` each client gets a part of it. */
export const input = {
  /** Whether the input is a keyboard. */
  isTerminal: keyboard !== undefined,
  /** Whether a piece has come that was not taken. */
  isWaiting: false,
  /** Whether the end has come. */
  hasEnded: false,
  /** Why the input could not be read to its end. */
  failure: undefined as UserError | undefined,

  /** Waits for the next piece and leaves it there; `null` is the end. */
  next(): Promise<Uint8Array | null> {
    return next ??= read();
  },

  /** Takes the piece that `next()` gave, and reads ahead. It is valid until the next one is taken. */
  take() {
    [buffer, spare] = [spare, buffer];
    input.isWaiting = false;
    next = read();
  },
};

async function read(): Promise<Uint8Array | null> {
  if (input.hasEnded) return null;
  try {
    const piece = await (keyboard ? readKeys(keyboard) : readPiece());
    input.isWaiting = piece !== null;
    input.hasEnded = piece === null;
    return piece;
  } catch (error) {
    input.failure = new UserError(`cannot read the input: ${explainError(error)[0]}`);
    input.hasEnded = true;
    return null;
  }
}

async function readPiece(): Promise<Uint8Array | null> {
  const length = await Deno.stdin.read(buffer);
  return length === null ? null : buffer.subarray(0, length);
}

/**
 * Reads the keyboard with Node's function, which reads only when something was typed. Deno's own
 * waits in the read, and the system stops a background job for that. On Windows it also changes
 * what is not ASCII.
 */
async function readKeys({ stdin }: NonNullable<typeof keyboard>): Promise<Uint8Array | null> {
  if (!keys) {
    while (isInBackground()) await delay(200); // what is typed is for the shell
    keys = stdin[Symbol.asyncIterator]();
  }
  const { value, done } = await keys.next();
  return done ? null : value;
}

/** Returns whether this is a shell's background job. Only Linux knows, and Deno needs `-A` to ask. */
function isInBackground(): boolean {
  if (Deno.build.os !== "linux") return false;
  const path = "/proc/self/stat";
  try {
    if (Deno.permissions.querySync({ name: "read", path }).state !== "granted") return false;
    const [, stat] = Deno.readTextFileSync(path).split(") "); // after the program's name
    const [_state, _parent, group, _session, _terminal, foregroundGroup] = stat.split(" ");
    return group !== foregroundGroup;
  } catch {
    return false;
  }
}

/**
 * Puts a CR before each LF that has none.
 *
 * @param piece Bytes to send.
 * @param last The byte before them.
 * @returns The bytes, each line with CR and LF at its end.
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
 * Splits bytes into lines.
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
