/**
 * The steps of a probe: the data that is sent, typed and expected, in sequence.
 *
 * @module
 */
/** Text, or bytes that are not text. */
export type Data = string | Uint8Array;

/** One step of a probe. Each has one of these; `on` goes with any of them. */
export interface Step {
  /** Sends: several pieces with a pause between them; over UDP each is a datagram. */
  send?: Data | Data[];
  /** What must come now. */
  gets?: Data;
  /** Another answer that is right as well. */
  or?: Data;
  /** Anything must come now. */
  answered?: true;
  /** Types a line when the program asks for it. */
  types?: string;
  /** Ends the program's input, as Ctrl-D does. */
  endsInput?: true;
  /** Ends the sending half of the connection. */
  end?: true;
  /** The other side must end the connection now, and send nothing more. */
  ends?: true;
  /** Closes the connection. */
  leaves?: true;
  /** A client of its own sends this and resets its connection. */
  resets?: Data;
  /** Nothing may come for a moment. */
  quiet?: true;
  /** Sends nothing, and waits for the end of the program. */
  silent?: true;
  /** Reads nothing for a moment. */
  waits?: true;
  /** A datagram from an address other than the one that was asked. */
  stranger?: Data;
  /** Receives a datagram, and does not answer. */
  drops?: Data;
  /** Lines that the program must have printed by now, in this order; `{client}` is the address. */
  prints?: string;
  /** Which of several connections or sockets. */
  on?: string;
}

/** What kind of thing is not as it should be. */
export type MismatchKind =
  | "silence"
  | "end"
  | "reset"
  | "other"
  | "refused"
  | "absent"
  | "print"
  | "open"
  | "waits"
  | "twice";

/** Something is not as it should be. */
export class Mismatch extends Error {
  /**
   * Says what differs.
   *
   * @param kind What kind of thing it is.
   * @param expected What should have come.
   * @param actual What came.
   */
  constructor(
    readonly kind: MismatchKind,
    readonly expected = "",
    readonly actual = "",
  ) {
    super(`${kind}: ${actual}`);
  }
}

const encoder = new TextEncoder();

/** Returns text as bytes. */
export function bytes(data: Data): Uint8Array {
  return typeof data === "string" ? encoder.encode(data) : data;
}

/** Returns bytes as text; bytes that are not UTF-8 become U+FFFD. */
export function shown(data: Uint8Array): string {
  return new TextDecoder().decode(data);
}
