/**
 * The marks that trace.ts leaves in a script's output where the script uses the
 * network. So it is known in which order the script printed and sent, which
 * nobody can see from outside. A mark is a control sequence (APC) that no terminal
 * shows; what scripts print holds no control characters, so nobody can forge one.
 *
 * @module
 */

/** How a mark begins; the mark itself follows as JSON. */
export const MARK_START = "\x1b_";
/** How a mark ends. */
export const MARK_END = "\x1b\\";

/** One use of the network by a script. */
export interface Mark {
  /** What it did. What waits for the other side is marked when that has come. */
  call:
    | "bind"
    | "listen"
    | "connect"
    | "accept"
    | "read"
    | "write"
    | "receive"
    | "send"
    | "closeWrite"
    | "close"
    | "note";
  /** When, as `Date.now()` counts. */
  at: number;
  /** The line of the script that it comes from, where it comes from one. */
  row?: number;
  /** The bytes that were read or written; `null` is the end of the connection. */
  length?: number | null;
  /** What a note says. */
  text?: string;
}
