/**
 * A conversation: bytes pass both ways until both sides have ended.
 *
 * `send()` passes the input on and `receive()` shows what comes, at the same time. When the other
 * side has ended its half, `sendRest()` says how long `send()` goes on. All waiting is done by
 * `lasts()`, which waits until something has been so for a while.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { note, UserError } from "../cli.ts";
import type { Connection } from "./connect.ts";
import { input, linesOf, withCrLf } from "./input.ts";
import type { Options } from "./options.ts";
import { output } from "./output.ts";

const OUTPUT_SIZE = 1 << 17; // bytes read from a connection at a time
// Seconds without a byte after which the other side seems to have sent all that is under way.
const PAUSE = 0.2;
const LONG_PAUSE = 5; // the same where we have nothing to say, and our end can wait
const MUCH = 1 << 13; // bytes received, amid which it takes longer to be silent:
const STALL = 2; // seconds, in which a network sends again what it has lost
const TURN = 5; // milliseconds in which is read what has come
const END_KEY = Deno.build.os === "windows" ? "Ctrl-Z" : "Ctrl-D";
const NOTHING = new Uint8Array(0);

const now = () => performance.now() / 1000; // in seconds

/**
 * Passes bytes both ways until both sides have ended, or as long as the options say.
 *
 * @param connection What they pass through. It is closed at the end.
 * @param options How to send, and when to end.
 * @param explained Says what went wrong with the connection.
 * @throws {UserError} Not all was received, or sent: with how much did not get through.
 */
export async function converse(
  connection: Connection,
  options: Options,
  explained: (error: unknown) => [message: string, hint?: string],
) {
  const { interval = 0, isUdp, isVerbose, keepsListening, listens, patience } = options;
  const over = Promise.withResolvers<void>();
  const peerEnd = Promise.withResolvers<void>();
  let isOver = false;
  let isSending = false;
  let hasEnded = false; // our half
  let peerHasEnded = false;
  let unsent = 0; // bytes taken from the input
  let unsure = 0; // bytes sent to a side that has ended its half, and may be gone
  let lastSent = now();
  let received = 0; // bytes
  // Since when we wait in vain for the other side; Infinity while we do not take what it sends.
  let silentSince = now();

  /**
   * Waits until something has been so for some seconds. Where this program was held up, by Ctrl-Z or
   * a busy machine, what has come in the meantime is looked at first.
   */
  async function lasts(seconds: number, since: () => number) {
    const left = () => isOver ? 0 : since() + seconds - now();
    do {
      while (left() > 0) await delay(Math.min(left(), seconds) * 1000);
      await delay(TURN);
    } while (left() > 0);
  }

  /** Waits until the other side has sent nothing for some seconds, or has ended. */
  async function silence(seconds: number, since = () => silentSince) {
    await Promise.race([peerEnd.promise, lasts(seconds, since)]);
  }

  async function sendAll(piece: Uint8Array) {
    unsent = piece.length;
    isSending = true;
    while (unsent > 0 && !isOver) {
      const length = await connection.write(piece.subarray(piece.length - unsent));
      unsent -= length;
      if (peerHasEnded) unsure += length;
      lastSent = now();
    }
    isSending = false;
  }

  async function send() {
    if (options.readsNothing) return;
    // Reading a terminal stops a job in the background: what is under way is received before.
    if (input.isTerminal) await silence(PAUSE);
    let last: number | undefined; // byte that was sent
    let failure: unknown;
    while (true) {
      let piece = await input.next().catch((error) => {
        failure = error;
        return null; // what cannot be read has ended
      });
      if (isOver) return; // it is for the next client
      if (piece === null) break;
      input.take();
      if (options.endsLinesWithCrLf) piece = withCrLf(piece, last);
      for (const part of interval ? linesOf(piece) : [piece]) {
        if (interval && last !== undefined) await delay(interval * 1000);
        await sendAll(part);
        last = part.at(-1);
      }
    }
    const { endsHalfAtOnce, quitAfter } = options;
    if (quitAfter !== undefined) delay(quitAfter * 1000).then(() => over.resolve());
    if (!endsHalfAtOnce) {
      // Some programs end when our half does, and drop what they still have to send.
      const pause = await input.isNothing() ? LONG_PAUSE : PAUSE;
      await silence(pause, () => silentSince + (received > MUCH ? STALL - PAUSE : 0));
    }
    if (unsure > 0) {
      await lasts(PAUSE, () => lastSent);
      await probe();
    }
    hasEnded = true;
    await connection.closeWrite();
    if (failure) throw failure;
  }

  /** Fails where the connection was reset, which reading no longer tells after the end. */
  async function probe() {
    if (isOver || isSending || hasEnded) return;
    await connection.write(NOTHING);
    if (lastSent + PAUSE <= now()) unsure = 0;
  }

  async function receive() {
    let buffer = new Uint8Array(OUTPUT_SIZE);
    let spare = new Uint8Array(OUTPUT_SIZE);
    let writing = Promise.resolve();
    while (true) {
      silentSince = now();
      const length = await connection.read(buffer);
      silentSince = Infinity;
      if (length === null) break;
      received += length;
      await writing;
      writing = output(buffer.subarray(0, length)); // while the next piece comes
      writing.catch(() => {}); // told where it is awaited
      [buffer, spare] = [spare, buffer];
    }
    await writing;
    silentSince = now();
    peerHasEnded = true;
    peerEnd.resolve();
  }

  /** Sends what is left of the input, when the other side has ended its half. */
  async function sendRest() {
    // A server's client may leave what is typed to the next one, or where nothing ever came.
    const mayLeave = () => keepsListening || input.isTerminal || !input.wasHeard;
    if (listens && mayLeave()) {
      const idleSince = () => isSending ? Infinity : Math.max(silentSince, lastSent);
      await Promise.race([sending, lasts(PAUSE, idleSince)]);
      if (mayLeave()) {
        const isOpen = !keepsListening && !input.isTerminal && !input.hasEnded;
        if (isVerbose && isOpen && !options.readsNothing) {
          note("the client has ended, and no input has come");
        }
        return;
      }
    }
    if (input.isTerminal && !input.hasEnded && !options.readsNothing) {
      note(`the other side has ended: what you type is still sent, ${END_KEY} ends`);
    }
    const watching = async () => {
      for (; !isOver; await delay(PAUSE * 1000)) await probe();
    };
    await Promise.race([sending, watching()]);
  }

  const sending = send();
  sending.catch(() => {}); // told when all is shown that was received
  const idle = async () => {
    if (patience === undefined) return await over.promise;
    await lasts(patience, () => Math.max(silentSince, lastSent) + interval);
    if (unsent > 0) throw new UserError(`nothing was taken for ${patience} s`);
    if (isVerbose && !isOver) note(`nothing came for ${patience} s`);
  };
  try {
    await Promise.race([
      over.promise,
      idle(),
      // When sending fails, receiving ends over TCP, and what came is shown first.
      isUdp ? Promise.all([receive(), sending]) : receive().then(sendRest),
    ]);
  } catch (error) {
    const [message, hint] = explained(error);
    const lost = unsent + unsure + (keepsListening ? 0 : input.ahead);
    const loss = lost > 0 ? `at least ${lost} bytes of the input did not get through` : undefined;
    throw new UserError(message, [hint, loss].filter(Boolean).join("\n") || undefined);
  } finally {
    isOver = true;
    connection.close();
  }
}
