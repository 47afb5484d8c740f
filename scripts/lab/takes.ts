/**
 * What the lab book shows of each lab: its headers' session, and what is worth seeing beside it.
 *
 * @module
 */
import type { Lab } from "./header.ts";
import type { RecordOptions } from "./recording.ts";

const TWO_MESSAGES = "         5hello         4exit"; // with their headers

/** A recording that a lab has, and how it comes about. */
export interface Take extends RecordOptions {
  /** Its name. */
  title: string;
  /** What there is to see. */
  about: string;
}

/** The recordings that the book has of a lab. */
export function takesOf({ name, transport }: Lab): Take[] {
  const takes: Take[] = [{
    title: "As it should go",
    about: "The session in the scripts' headers.",
  }];
  if (transport === "udp") {
    takes.push({
      title: "A datagram gets lost",
      about: "The server's first datagram does not arrive (`--lose=1`). Nobody is told: the " +
        "client hears nothing for two seconds, and asks again.",
      faults: { lose: [{ from: "server", number: 1 }] },
    });
  }
  if (name === "echo_v2") {
    takes.push({
      title: "A character cut by the buffer",
      about: "`grüße` has 5 characters and 7 bytes. With the header that makes 17, and a read " +
        "takes 15: it ends inside of `ß`, whose bytes are c3 9f.",
      more: ["--message=grüße"],
    });
  }
  if (name === "echo_v3") {
    takes.push({
      title: "Two messages in one segment",
      about: "netcat.ts takes the client's place and sends two messages at once, and a line end " +
        "that belongs to none. The header says where the first one ends.",
      netcat: TWO_MESSAGES,
    });
  }
  return takes;
}
