/**
 * The steps of a probe: what is said over a connection, or in datagrams, and what must come back.
 *
 * @module
 */
/** Text, or bytes that are none. */
export type Data = string | Uint8Array;

/** One step of a probe. Each has one of these; `on` goes with any of them. */
export interface Step {
  /** Sends: several pieces with a pause between them; over UDP each is a datagram. */
  send?: Data | Data[];
  /** What must come now. */
  gets?: Data;
  /** Where another answer is right as well. */
  or?: Data;
  /** Ends the sending half of the connection. */
  end?: true;
  /** The other side must end the connection now, and send nothing more. */
  ends?: true;
  /** Closes the connection. */
  leaves?: true;
  /** A client of its own sends this and then breaks off: it resets the connection. */
  breaksOff?: Data;
  /** Nothing may come for a moment. */
  quiet?: true;
  /** Reads nothing until all is typed, and for a moment more. */
  waits?: true;
  /** A datagram from another address than the one that was asked. */
  stranger?: Data;
  /** Takes a datagram, and does not answer. */
  loses?: Data;
  /** Lines that the program must have printed by now, in this order; `{client}` is the address. */
  prints?: string;
  /** Which of several connections or sockets. */
  on?: string;
}

/** Something is not as it should be. */
export class Wrong extends Error {
  /**
   * Says what is wrong.
   *
   * @param kind What kind of thing it is.
   * @param expected What should have come.
   * @param actual What has come.
   */
  constructor(
    readonly kind: "silence" | "end" | "reset" | "other" | "refused" | "absent" | "print" | "open",
    readonly expected = "",
    readonly actual = "",
  ) {
    super(`${kind}: ${actual}`);
  }
}

const encoder = new TextEncoder();

/** Text as bytes. */
export function bytes(data: Data): Uint8Array {
  return typeof data === "string" ? encoder.encode(data) : data;
}

/** Bytes as text, those that are none as in a text. */
export function shown(data: Uint8Array): string {
  return new TextDecoder().decode(data);
}
