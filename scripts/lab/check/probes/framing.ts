/**
 * The labs echo_v2 and echo_v3: a header says how long a message is.
 *
 * @module
 */
import { cut, framed, type LabProbes, long, type Probe } from "../probe.ts";
import type { Step } from "../steps.ts";
import { alone, closesEarly, echo, resets, silent, twoAtOnce } from "./common.ts";

const LONGER = "Hello!This is a longer message than the available buffer size of 15bytes";
const OTHER = LONGER.toUpperCase();
const ASK = 'Enter a message: "exit" to abort:';

// The first client has sent half of a character when the second comes.
const [BEGUN, REST] = cut(framed("naïve ones"), 13);

/** Returns the probes of versions 2 and 3. `talk` is a connection on which messages are sent. */
function withHeader(talk: (...steps: Step[]) => Step[]): Probe[] {
  const message = (text: string) => talk({ send: framed(text) }, { gets: framed(text) });
  return [
    // As short as the session's message: what matters here is the second client.
    { what: "another client after the first", steps: message("Again"), next: true },
    {
      what: "a long message in pieces",
      steps: talk({ send: cut(framed(LONGER), 20, 42) }, { gets: framed(LONGER) }),
      cause: "a message that takes several reads does not come back as a whole",
    },
    { what: "`héllo`, of 5 characters and 6 bytes", steps: message("héllo") },
    { what: "an emoji, which is one character", steps: message("😀") },
    {
      what: "a character that a buffer of 15 bytes cuts in two",
      level: "beyond",
      steps: message("aaaaéaaaaaaaaaaaaaé😀😀😀😀é"),
    },
    {
      what: "a message in many pieces, cut inside the header and inside a character",
      level: "beyond",
      steps: talk({ send: cut(framed("naïve 😀!"), 4, 9, 13, 18, 19) }, {
        gets: framed("naïve 😀!"),
      }),
    },
    { what: "white space at both ends of a message", steps: message("  two words \n") },
    { what: "an empty message", level: "beyond", steps: message("") },
    { what: "a message of 20,000 characters", steps: message(long(20_000)) },
    {
      what: "a header that is not a number, and the next client",
      steps: [{ send: "no number!" }, { end: true }, { ends: true }],
      next: true,
      level: "beyond",
    },
    {
      what: "a header with a length below zero, and the next client",
      steps: [{ send: "        -5hello" }, { end: true }],
      next: true,
      level: "beyond",
    },
    {
      what: "a header with a length of 9,999,999,999, and the next client",
      steps: [{ send: "9999999999hello" }, { ends: true }],
      next: true,
      level: "beyond",
      cause: "it has no limit for the length of a message",
    },
    {
      what: "a client that leaves inside a message",
      level: "beyond",
      steps: [{ send: "        20only some" }, { end: true }, { ends: true }],
      next: true,
    },
    {
      what: "a client that leaves inside the header",
      level: "beyond",
      steps: [{ send: "      " }, { end: true }, { ends: true }],
      next: true,
    },
    {
      what: "a client that sends nothing",
      level: "beyond",
      steps: [{ end: true }, { ends: true }],
      next: true,
    },
    resets(framed("Hi"), message("Hi")),
    twoAtOnce(message("Hi"), BEGUN, { send: REST }, { gets: framed("naïve ones") }),
  ];
}

/** Returns the steps of messages on a connection of version 3, and its end. */
function kept(...steps: Step[]): Step[] {
  return [...steps, { send: framed("exit") }, { gets: framed("exit") }, { ends: true }];
}

/** Returns what is typed, sent and printed in version 3: each message, and the answer to it. */
function talk(...pairs: [message: string, answer: string][]): {
  typed: string[];
  steps: Step[];
  screen: string;
} {
  return {
    typed: pairs.map(([message]) => message),
    steps: [
      ...pairs.flatMap(([message, answer]) => [
        { gets: framed(message) },
        { send: framed(answer) },
      ]),
      { ends: true },
    ],
    screen: pairs.map(([message, answer]) => `${ASK}${message}\n${answer}\n`).join("") +
      "Connection Closed\n",
  };
}

/** The probes of echo_v2. */
export const ECHO_V2: LabProbes = {
  server: [
    { what: "the session of its header", steps: echo(framed(LONGER)), isSession: true },
    ...withHeader((...steps) => [...steps, { ends: true }]),
    {
      what: "what follows a message in the same segment belongs to the next",
      level: "beyond",
      steps: [{ send: `${framed("hi")}xyz` }, { gets: framed("hi") }, { ends: true }],
      next: true,
    },
    {
      what: "the text is printed, without its header",
      steps: [...echo(framed("héllo")), { prints: "héllo" }],
    },
  ],
  client: [
    {
      what: "the session of its header",
      steps: [{ gets: framed(LONGER) }, { send: framed(LONGER) }, { leaves: true }],
      isSession: true,
    },
    {
      what: "it prints what the server sends, whatever that is: `héllo 😀`",
      steps: [{ gets: framed(LONGER) }, { send: framed("héllo 😀") }, { leaves: true }],
      screen: "héllo 😀\n",
      status: "well",
    },
    {
      what: "an answer in pieces: it reads until all of the message has come",
      steps: [{ gets: framed(LONGER) }, { send: cut(framed(OTHER), 20, 42) }],
      screen: `${OTHER}\n`,
      status: "well",
      cause: "it does not read on until all of the message has come",
    },
    {
      what: "a character that a buffer of 15 bytes cuts in two",
      level: "beyond",
      steps: [{ gets: framed(LONGER) }, { send: framed("aaaaéaaaaaaaaaaaaaé😀😀é") }],
      screen: "aaaaéaaaaaaaaaaaaaé😀😀é\n",
      status: "well",
    },
    {
      what: "an answer in pieces, cut inside the header and inside a character",
      level: "beyond",
      steps: [{ gets: framed(LONGER) }, { send: cut(framed("naïve 😀!"), 4, 9, 13, 18, 19) }],
      screen: "naïve 😀!\n",
      status: "well",
    },
    {
      what: "an answer of 20,000 characters",
      steps: [{ gets: framed(LONGER) }, { send: framed(long(20_000)) }],
      screen: `${long(20_000)}\n`,
      status: "well",
    },
    silent(framed(LONGER)),
    closesEarly(framed(LONGER), "        72Hello!", { hides: LONGER }),
    {
      what: "--message=héllo: the header says 5",
      args: ["--message=héllo"],
      steps: [{ gets: framed("héllo") }, { send: framed("ok") }],
      screen: "ok\n",
      status: "well",
    },
    {
      what: "--message=héllo 😀: the header says 7",
      level: "beyond",
      args: ["--message=héllo 😀"],
      steps: [{ gets: framed("héllo 😀") }, { send: framed("ok") }],
      screen: "ok\n",
      status: "well",
    },
    alone(),
  ],
};

/** The probes of echo_v3. */
export const ECHO_V3: LabProbes = {
  server: [
    {
      what: "the session of its header",
      steps: kept({ send: framed("hello") }, { gets: framed("hello") }),
      isSession: true,
    },
    ...withHeader((...steps) => kept(...steps)),
    {
      what: "many messages on one connection",
      steps: kept(...["one", "two", "three"].flatMap((text) => [
        { send: framed(text) },
        { gets: framed(text) },
      ])),
      cause: "the connection does not stay: only the first message was answered",
    },
    {
      what: "two messages in one segment",
      level: "beyond",
      steps: kept(
        { send: framed("one") + framed("two") },
        { gets: framed("one") },
        { gets: framed("two") },
      ),
      cause: "of two messages that came in one read only the first was answered: " +
        "what follows a message belongs to the next",
    },
    {
      what: "a message and a part of the next in one segment",
      level: "beyond",
      steps: kept(
        { send: [framed("first") + "         ", "6second"] },
        { gets: framed("first") },
        { gets: framed("second") },
      ),
    },
    {
      what: "`exit now`, `Exit` and ` exit` are messages like others",
      steps: kept(...["exit now", "Exit", " exit"].flatMap((text) => [
        { send: framed(text) },
        { gets: framed(text) },
      ])),
      cause: "only `exit` itself ends the connection",
    },
    {
      what: "it prints that it has finished serving a client that leaves without `exit`",
      level: "beyond",
      steps: [
        { send: framed("bye") },
        { gets: framed("bye") },
        { end: true },
        { ends: true },
        { prints: "full message received\nbye\nFinished serving client:  {client}" },
      ],
      next: true,
    },
  ],
  client: [
    {
      what: "the session of its header",
      ...talk(["hello", "hello"], ["exit", "exit"]),
      isSession: true,
    },
    {
      what: "it prints what the server sends, whatever that is",
      ...talk(["hello", "HELLO, YOU"], ["again", "a"], ["exit", "so long"]),
      status: "well",
    },
    {
      what: "an answer in pieces: it reads until all of the message has come",
      typed: ["hello", "exit"],
      steps: [
        { gets: framed("hello") },
        { send: cut(framed(OTHER), 20, 42) },
        { gets: framed("exit") },
        { send: framed("exit") },
      ],
      screen: `${ASK}hello\n${OTHER}\n${ASK}exit\nexit\nConnection Closed\n`,
      status: "well",
    },
    {
      what: "`héllo` has 5 characters and 6 bytes",
      ...talk(["héllo", "hállo"], ["exit", "exit"]),
      status: "well",
    },
    {
      what: "an emoji is one character",
      ...talk(["😀", "😎"], ["exit", "exit"]),
      status: "well",
    },
    {
      what: "an answer in pieces, cut inside the header and inside a character",
      level: "beyond",
      typed: ["hello", "exit"],
      steps: [
        { gets: framed("hello") },
        { send: cut(framed("naïve 😀!"), 4, 9, 13, 18, 19) },
        { gets: framed("exit") },
        { send: framed("exit") },
      ],
      screen: `${ASK}hello\nnaïve 😀!\n${ASK}exit\nexit\nConnection Closed\n`,
      status: "well",
    },
    {
      what: "white space that the user typed is a part of the message",
      ...talk(["  two words ", "  TWO WORDS "], ["exit", "exit"]),
      status: "well",
    },
    {
      what: "a message of 5,000 characters, and an empty one",
      level: "beyond",
      ...talk([long(5000), long(5000)], ["", ""], ["exit", "exit"]),
      status: "well",
    },
    {
      what: "the end of the input counts as `exit`",
      steps: [
        { types: "hello" },
        { gets: framed("hello") },
        { send: framed("hello") },
        { endsInput: true },
        { gets: framed("exit") },
        { send: framed("exit") },
      ],
      shows: [`${ASK}hello\nhello\n${ASK}`, "Connection Closed"],
      status: "well",
      level: "beyond",
    },
    silent(framed("hello"), { typed: ["hello"] }),
    closesEarly(framed("hello"), "         5hel", { typed: ["hello"] }),
    alone(["hello", "exit"]),
  ],
};
