/**
 * The labs upper_tcp and upper_udp: text in upper case, and the half-close.
 *
 * @module
 */
import { BINARY, cut, type LabProbes, long } from "../probe.ts";
import type { Step } from "../steps.ts";
import { alone, asksOnce, breaksOff, datagrams, twoAtOnce } from "./common.ts";

const MANY = "x".repeat(6_000_000); // more than the buffers on the way hold

const UPPER = (text: string) => text.toUpperCase();

/** What upper_server_tcp is asked: it answers until the client's end. */
function upper(text: string): Step[] {
  return [{ send: text }, { gets: UPPER(text) }, { end: true }, { ends: true }];
}

/** What upper_tcp is put through. */
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
      steps: [
        { send: cut("a déjà vu", 2, 4) },
        { gets: UPPER("a déjà vu") },
        { end: true },
        { ends: true },
      ],
    },
    { what: "20,000 characters, until the client's end", steps: upper(long(20_000)) },
    {
      what: "a client that does not end its half, as the original",
      steps: [{ send: "one sentence" }, { gets: "ONE SENTENCE" }, { leaves: true }],
      next: true,
      cause: "it answers only after the client's end: a client like the original, which waits " +
        "for the answer first, waits for ever",
    },
    { what: "a client that sends nothing", steps: [{ end: true }, { ends: true }], next: true },
    {
      what: "bytes that are no text, and the next client",
      steps: [{ send: BINARY }, { end: true }],
      next: true,
      excused: "python",
    },
    breaksOff("hi", upper("hi")),
    twoAtOnce(upper("hi"), "", { send: "first" }, { gets: "FIRST" }),
  ],
  client: [
    {
      what: "the session of its header",
      typed: ["hello"],
      steps: [{ gets: "hello" }, { ends: true }, { send: "HELLO" }, { leaves: true }],
      isSession: true,
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
      typed: [MANY],
      steps: [{ waits: true }, { gets: MANY }, { ends: true }, { leaves: true }],
      excused: "python",
    },
    alone(["hello"]),
  ],
};

/** What upper_udp is put through. */
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
      what: "bytes that are no text, and the next datagram",
      steps: [{ on: "binary", send: BINARY }],
      next: true,
      excused: "python",
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
      what: "`straße`",
      typed: ["straße"],
      steps: [{ gets: "straße" }, { send: "STRASSE" }],
      screen: "Input lowercase sentence:straße\nSTRASSE\n",
      status: "well",
    },
    ...asksOnce("hello", 2048, { typed: ["hello"] }, (answer) => `${answer}\n`),
  ],
};
