/**
 * Passes bytes between the terminal and a connection, both ways at once.
 *
 * `send()` passes the input on, and `receive()` prints what the other side sends. The transfer ends
 * when both have ended. Without `-N` and `-d`, two rules decide when to end:
 *
 * - When the input has ended, our half of the connection ends once nothing has passed for `SILENCE`.
 *   Some programs drop what they still have to send when they see our half end.
 * - When the client of a server has ended its half, the server sends what is left of the input until
 *   nothing has passed for `SILENCE`. With `-k` and at a terminal it sends only what is there already.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { note, UserError } from "../cli.ts";
import type { Connection } from "./connect.ts";
import { input, linesOf, withCrLf } from "./input.ts";
import type { Options } from "./options.ts";
import { output } from "./output.ts";

const SILENCE = 2; // seconds
const TICK = 0.1; // seconds between two looks at whether bytes have passed
const MOMENT = 0.01; // seconds, in which a piece of a file can be read
const OUTPUT_SIZE = 1 << 17; // bytes read from a connection at a time
const NOTHING = new Uint8Array(0);
const END_KEY = Deno.build.os === "windows" ? "Ctrl-Z" : "Ctrl-D";

/**
 * Passes bytes both ways until both sides have ended, or as long as the options say.
 *
 * @param connection The connection, which is closed at the end.
 * @param options How to send, and when to end.
 * @param describe Returns the message and the hint for an error of the connection.
 * @throws {UserError} The connection or the input failed, or bytes of the input were lost.
 */
export async function transfer(
  connection: Connection,
  options: Options,
  describe: (error: unknown) => [message: string, hint?: string],
) {
  const { interval = 0, isUdp, isVerbose, keepsListening, listens, quitDelay, timeout } = options;
  const peerEnd = Promise.withResolvers<void>();
  let isOver = false;
  let passed = 0; // bytes, both ways
  let isSending = false; // a piece of the input
  let isPrinting = false; // and nothing is read meanwhile
  let hasEnded = false; // our half
  let peerHasEnded = false;
  let isLeaving = false; // the rest of the input is for the next client
  let stopWaiting = () => {}; // for a piece of the input
  let isAtRisk = false; // what was sent after the other side's end: it may have closed both halves

  /** Waits until nothing has passed for some seconds. Counts no time in which this program was stopped. */
  async function silence(seconds: number) {
    const tick = Math.min(TICK, seconds);
    let quiet = 0;
    while (quiet < seconds && !isOver) {
      const before = passed;
      await delay(tick * 1000);
      await delay(0); // what came while this program was stopped is read first
      quiet = passed === before && !isPrinting ? quiet + tick : 0;
    }
  }

  async function send() {
    if (options.ignoresInput) return;
    let last: number | undefined; // byte that was sent
    while (true) {
      let piece = await nextPiece();
      if (piece === undefined && isAtRisk) await checkForReset();
      if (piece === undefined) return;
      if (piece === null) break;
      input.take();
      isSending = true;
      if (options.endsLinesWithCrLf) piece = withCrLf(piece, last);
      for (const part of interval ? linesOf(piece) : [piece]) {
        if (interval && last !== undefined) await delay(interval * 1000);
        await write(part);
        last = part.at(-1);
      }
      isSending = false;
    }
    if (!options.halfClosesAtOnce) await Promise.race([peerEnd.promise, silence(SILENCE)]);
    if (isAtRisk) await checkForReset();
    hasEnded = true;
    await connection.closeWrite();
    if (input.failure) throw input.failure;
  }

  /** Waits for the next piece of the input: `null` is its end, and `undefined` means to leave the rest. */
  function nextPiece(): Promise<Uint8Array | null | undefined> {
    // A `Promise.race` with one promise for all pieces would keep memory for each of them.
    return new Promise((resolve) => {
      stopWaiting = () => resolve(undefined);
      input.next().then(resolve);
      if (isLeaving && !input.isWaiting) stopWaiting();
    });
  }

  function leave() {
    isLeaving = true;
    stopWaiting();
  }

  async function write(data: Uint8Array) {
    while (data.length > 0 && !isOver) {
      const length = await connection.write(data);
      data = data.subarray(length);
      passed += length;
      isAtRisk = peerHasEnded;
    }
  }

  async function receive() {
    let buffer = new Uint8Array(OUTPUT_SIZE);
    let spare = new Uint8Array(OUTPUT_SIZE);
    let printing = Promise.resolve();
    while (true) {
      const length = await connection.read(buffer);
      if (length === null) break;
      passed += length;
      isPrinting = true;
      await printing;
      isPrinting = false;
      printing = output(buffer.subarray(0, length)); // while the next bytes come
      printing.catch(() => {}); // thrown where it is awaited
      [buffer, spare] = [spare, buffer];
    }
    await printing;
    peerHasEnded = true;
    peerEnd.resolve();
  }

  /** Sends what is left of the input when the other side has ended its half. */
  async function sendRest() {
    if (listens) {
      const seconds = keepsListening || input.isTerminal ? MOMENT : SILENCE;
      silence(seconds).then(leave);
    } else if (input.isTerminal && !input.hasEnded && !options.ignoresInput) {
      note(`the other side has ended: what you type is still sent, ${END_KEY} ends`);
    }
    const watching = async () => {
      while (!isOver) await checkForReset();
    };
    await Promise.race([sending, watching()]);
  }

  /** Throws if the other side has closed both halves. Only a write shows this, a moment after the lost bytes. */
  async function checkForReset() {
    const before = passed;
    await delay(2 * TICK * 1000);
    if (isOver || isSending || hasEnded) return;
    await connection.write(NOTHING);
    if (passed === before) isAtRisk = false;
  }

  async function giveUp(seconds: number) {
    await silence(seconds + interval);
    if (isSending) throw new UserError(`the other side took no input for ${seconds} s`);
    if (isVerbose && !isOver) note(`nothing was sent or received for ${seconds} s`);
  }

  const sending = send();
  sending.catch(() => {}); // thrown where it is awaited, after all that came is printed
  const ends: Promise<unknown>[] = [
    isUdp ? Promise.all([receive(), sending]) : receive().then(sendRest),
  ];
  if (timeout !== undefined) ends.push(giveUp(timeout));
  if (isUdp && quitDelay !== undefined) ends.push(sending.then(() => delay(quitDelay * 1000)));
  try {
    await Promise.race(ends);
  } catch (error) {
    const [message, hint] = describe(error);
    const isLost = isSending || isAtRisk || input.isWaiting && !keepsListening;
    const loss = isLost ? "the end of the input did not arrive" : undefined;
    throw new UserError(message, [hint, loss].filter(Boolean).join("\n") || undefined);
  } finally {
    isOver = true;
    leave();
    connection.close();
  }
  if (!isUdp && quitDelay !== undefined) await delay(quitDelay * 1000);
}
