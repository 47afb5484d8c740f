/**
 * The labs upper_tcp and upper_udp: text in upper case, and the half-close.
 *
 * @module
 */
import { BINARY, cut, type LabProbes, long } from "../probe.ts";
import type { Step } from "../steps.ts";
import { alone, asksOnce, datagrams, resets, silent, twoAtOnce } from "./common.ts";

const MANY = "x".repeat(6_000_000); // more than the buffers on the way hold

const UPPER = (text: string) => text.toUpperCase();

/** Returns the steps of a client that ends its half after the reply. */
function upper(text: string): Step[] {
  return [{ send: text }, { gets: UPPER(text) }, { end: true }, { ends: true }];
}

/** The probes of upper_tcp. */
export const UPPER_TCP: LabProbes = {
  server: [
    { what: "the session of its header", steps: upper("hello"), isSession: true },
    { what: "another client after the first", steps: upper("second"), next: true },
    {
      what: "what is in upper case already stays so, and white space too",
      steps: upper("  Mixed CASE, 1st\n"),
    },
    { what: "`héllo`, which has 6 bytes", steps: upper("héllo") },
    { what: "`straße`, which becomes STRASSE", steps: upper("straße") },
    { what: "an emoji, and letters of other scripts", steps: upper("😀 ok, привет ñ") },
    {
      what: "a sentence in pieces, cut inside a character",
      level: "beyond",
      steps: [
        { send: cut("a déjà vu", 2, 4) },
        { gets: UPPER("a déjà vu") },
        { end: true },
        { ends: true },
      ],
    },
    { what: "1000 characters", steps: upper(long(1000)) },
    {
      what: "20,000 characters, until the client's end",
      level: "beyond",
      steps: upper(long(20_000)),
    },
    {
      what: "a client that does not end its half, as the original",
      steps: [{ send: "one sentence" }, { gets: "ONE SENTENCE" }, { leaves: true }],
      next: true,
      cause: "it answers only after the client's end: a client like the original, which waits " +
        "for the answer first, waits without end",
    },
    {
      what: "a client that sends nothing",
      level: "beyond",
      steps: [{ end: true }, { ends: true }],
      next: true,
    },
    {
      what: "bytes that are not text, and the next client",
      steps: [{ send: BINARY }, { end: true }],
      next: true,
      level: "beyond",
    },
    resets("hi", upper("hi")),
    twoAtOnce(upper("hi"), "", { send: "first" }, { gets: "FIRST" }),
  ],
  client: [
    {
      what: "the session of its header",
      typed: ["hello"],
      steps: [{ gets: "hello" }, { quiet: true }, { send: "HELLO" }, { leaves: true }],
      isSession: true,
    },
    {
      what: "it ends its half after the sentence: a server that waits for this answers, too",
      level: "beyond",
      typed: ["hello"],
      steps: [{ gets: "hello" }, { ends: true }, { send: "HELLO" }, { leaves: true }],
      cause: "it does not end its half of the connection after the sentence (closeWrite, shutdown)",
    },
    {
      what: "an answer of 100 characters",
      typed: [long(100)],
      steps: [{ gets: long(100) }, { send: UPPER(long(100)) }, { leaves: true }],
      screen: `Input lowercase sentence:${long(100)}\nFrom Server: ${UPPER(long(100))}\n`,
      status: "well",
    },
    {
      what: "white space that the user typed is a part of the sentence",
      typed: ["  two words "],
      steps: [{ gets: "  two words " }, { send: "  TWO WORDS " }, { leaves: true }],
      screen: "Input lowercase sentence:  two words \nFrom Server:   TWO WORDS \n",
      status: "well",
    },
    {
      what: "it prints what the server sends, whatever that is",
      typed: ["hello"],
      steps: [{ gets: "hello" }, { send: "Hé 😀" }, { leaves: true }],
      screen: "Input lowercase sentence:hello\nFrom Server: Hé 😀\n",
      status: "well",
    },
    {
      what: "an answer in pieces, cut inside a character: it reads to the end",
      level: "beyond",
      typed: ["déjà vu"],
      steps: [
        { gets: "déjà vu" },
        { ends: true },
        { send: cut("DÉJÀ VU", 2, 6) },
        { leaves: true },
      ],
      screen: "Input lowercase sentence:déjà vu\nFrom Server: DÉJÀ VU\n",
      status: "well",
    },
    {
      what: "a sentence of 20,000 characters",
      level: "beyond",
      typed: [long(20_000)],
      steps: [
        { gets: long(20_000) },
        { ends: true },
        { send: long(20_000).toUpperCase() },
        { leaves: true },
      ],
      shows: [`From Server: ${long(20_000).toUpperCase()}\n`],
      status: "well",
    },
    {
      what: "a sentence that is longer than the buffers on the way: it writes until all is written",
      steps: [{ types: MANY }, { waits: true }, { gets: MANY }, { ends: true }, { leaves: true }],
      level: "beyond",
    },
    silent("hello", {
      what: "a server that sends only a part: it does not wait without end, prints the part, and " +
        "its status is not 0",
      typed: ["hello"],
      steps: [{ gets: "hello" }, { send: "HEL" }, { silent: true }],
      screen: "Input lowercase sentence:hello\nFrom Server: HEL\n",
    }),
    alone(["hello"]),
  ],
};

/** The probes of upper_udp. */
export const UPPER_UDP: LabProbes = {
  server: [
    {
      what: "the session of its header",
      steps: [{ send: "hello" }, { gets: "HELLO" }],
      isSession: true,
    },
    ...datagrams(UPPER, 2048),
    {
      what: "what is in upper case already stays so",
      steps: [{ send: "Mixed CASE, 1st" }, { gets: "MIXED CASE, 1ST" }],
    },
    {
      what: "`straße`, which becomes STRASSE",
      steps: [{ send: "straße" }, { gets: "STRASSE" }],
    },
    {
      what: "letters of other scripts",
      steps: [{ send: "привет ñ" }, { gets: "ПРИВЕТ Ñ" }],
    },
    {
      what: "bytes that are not text, and the next datagram",
      steps: [{ on: "binary", send: BINARY }],
      next: true,
      level: "beyond",
    },
  ],
  client: [
    {
      what: "the session of its header",
      typed: ["hello"],
      steps: [{ gets: "hello" }, { send: "HELLO" }],
      isSession: true,
    },
    {
      what: "white space that the user typed is a part of the sentence",
      typed: ["  two words "],
      steps: [{ gets: "  two words " }, { send: "  TWO WORDS " }],
      screen: "Input lowercase sentence:  two words \n  TWO WORDS \n",
      status: "well",
    },
    {
      what: "`straße`",
      typed: ["straße"],
      steps: [{ gets: "straße" }, { send: "STRASSE" }],
      screen: "Input lowercase sentence:straße\nSTRASSE\n",
      status: "well",
    },
    ...asksOnce("hello", 2048, { typed: ["hello"] }, (answer) => `${answer}\n`),
  ],
};
