/**
 * The labs practical12_tcp and practical12_udp: bytes, and the end of a connection.
 *
 * @module
 */
import { BINARY, type ClientProbe, cut, type LabProbes, long } from "../probe.ts";
import type { Step } from "../steps.ts";
import { alone, asksOnce, closesEarly, datagrams, resets, silent, twoAtOnce } from "./common.ts";

/** Returns what practical12's clients print for `Hello, world`. */
function answered(answer: string): string {
  return `Enter a message: Hello, world\nReceived b'${answer}'\n`;
}

const HI: Step[] = [{ send: "Hi" }, { gets: "Hi" }, { end: true }, { ends: true }];

const NOT_TEXT = Uint8Array.of(255, 254, 128, 195, 40, 65, 66, 67, 68, 69, 70, 71);

/** Returns the probe of an answer that is not text: as many bytes as `Hello, world`. */
function notText(steps: Step[]): ClientProbe {
  return {
    what: "an answer of bytes that are not text",
    typed: ["Hello, world"],
    steps,
    screen: `Enter a message: Hello, world\nReceived b'\\xff\\xfe\\x80\\xc3(ABCDEFG'\n`,
    status: "well",
  };
}

/** Returns the probe of a message that is not typed. */
function withMessage(steps: Step[]): ClientProbe {
  return {
    what: "--message=héllo: it does not ask for the message",
    level: "beyond",
    args: ["--message=héllo"],
    steps,
    shows: ["Received b'h\\xc3\\xa1llo'\n"],
    status: "well",
    cause: "it does not take its message from --message",
  };
}

/** The probes of practical12_tcp. */
export const PRACTICAL12_TCP: LabProbes = {
  server: [
    {
      what: "the session of its header",
      steps: [
        { send: "Hello, world" },
        { gets: "Hello, world" },
        { end: true },
        { ends: true },
      ],
      isSession: true,
    },
    {
      what: "another client after the first",
      steps: [
        { send: "Second" },
        { gets: "Second" },
        { end: true },
        { ends: true },
        { prints: "Connected by {client}\nReceived b'Second'" },
      ],
      next: true,
    },
    {
      what: "many messages on one connection",
      steps: [
        ...["one", "two", "three"].flatMap((text) => [{ send: text }, { gets: text }]),
        { end: true },
        { ends: true },
      ],
      cause:
        "it closes the connection after one message: it should echo until the client disconnects",
    },
    {
      what: "`héllo`, which it prints in Python's notation for bytes",
      steps: [
        { send: "héllo" },
        { gets: "héllo" },
        { end: true },
        { ends: true },
        { prints: "Received b'h\\xc3\\xa9llo'" },
      ],
    },
    {
      what: "bytes that are not text",
      steps: [{ send: BINARY }, { gets: BINARY }, { end: true }, { ends: true }],
      next: true,
    },
    {
      what: "a message of 1000 bytes",
      steps: [{ send: long(1000) }, { gets: long(1000) }, { end: true }, { ends: true }],
    },
    {
      what: "100,000 bytes at once",
      steps: [{ send: long(100_000) }, { gets: long(100_000) }, { end: true }, { ends: true }],
    },
    { what: "a client that sends nothing", steps: [{ end: true }, { ends: true }], next: true },
    { what: "a client that leaves at once", steps: [{ on: "a", leaves: true }], next: true },
    resets("Hi", HI),
    twoAtOnce(HI, "", { send: "First" }, { gets: "First" }),
  ],
  client: [
    {
      what: "the session of its header",
      typed: ["Hello, world"],
      steps: [{ gets: "Hello, world" }, { send: "Hello, world" }, { ends: true }],
      isSession: true,
    },
    {
      what: "it prints what the server sends, whatever that is",
      typed: ["Hello, world"],
      steps: [{ gets: "Hello, world" }, { send: "HELLO, WORLD" }, { ends: true }],
      screen: answered("HELLO, WORLD"),
      status: "well",
    },
    {
      what: "an empty line sends `Hello, world`",
      typed: [""],
      steps: [{ gets: "Hello, world" }, { send: "Hello, world" }, { ends: true }],
      screen: "Enter a message: \nReceived b'Hello, world'\n",
      status: "well",
    },
    {
      what: "an answer in pieces: it reads until all has come back",
      typed: ["Hello, world"],
      steps: [{ gets: "Hello, world" }, { send: ["HEL", "LO, ", "WORLD"] }, { ends: true }],
      screen: answered("HELLO, WORLD"),
      status: "well",
    },
    {
      what: "white space that the user typed is a part of the message",
      typed: ["  two words "],
      steps: [{ gets: "  two words " }, { send: "  TWO WORDS " }, { ends: true }],
      screen: "Enter a message:   two words \nReceived b'  TWO WORDS '\n",
      status: "well",
    },
    {
      what: "`héllo`, in Python's notation for bytes",
      typed: ["héllo"],
      // The last piece is one byte: as many bytes as `héllo` has characters have come before it.
      steps: [{ gets: "héllo" }, { send: cut("hállo", 2, 5) }, { ends: true }],
      screen: "Enter a message: héllo\nReceived b'h\\xc3\\xa1llo'\n",
      status: "well",
    },
    {
      what: "`héllo it's`: around an apostrophe the notation has double quotes",
      level: "beyond",
      typed: ["héllo it's"],
      steps: [{ gets: "héllo it's" }, { send: cut("héllo it's", 2) }, { ends: true }],
      screen: `Enter a message: héllo it's\nReceived b"h\\xc3\\xa9llo it's"\n`,
      status: "well",
    },
    {
      what: "a message of 5,000 bytes, more than its buffer",
      typed: [long(5000)],
      steps: [{ gets: long(5000) }, { send: long(5000) }, { ends: true }],
      shows: [`Received b'${long(5000)}'\n`],
      status: "well",
    },
    notText([{ gets: "Hello, world" }, { send: NOT_TEXT }, { ends: true }]),
    withMessage([{ gets: "héllo" }, { send: cut("hállo", 2) }, { ends: true }]),
    silent("Hello, world", { typed: ["Hello, world"] }),
    closesEarly("Hello, world", "Hello", {
      typed: ["Hello, world"],
      hides: "Received b'Hello, world'",
    }),
    alone(["Hello, world"]),
  ],
};

/** The probes of practical12_udp. */
export const PRACTICAL12_UDP: LabProbes = {
  server: [
    {
      what: "the session of its header",
      steps: [{ send: "Hello, world" }, { gets: "Hello, world" }],
      isSession: true,
    },
    ...datagrams((text) => text, 1024),
    {
      what: "`héllo`, which it prints in Python's notation for bytes",
      steps: [
        { send: "héllo" },
        { gets: "héllo" },
        { prints: "Received b'h\\xc3\\xa9llo' from {client}" },
      ],
    },
    {
      what: "bytes that are not text, and the next datagram",
      steps: [{ send: BINARY }, { gets: BINARY }],
      next: true,
    },
  ],
  client: [
    {
      what: "the session of its header",
      typed: ["Hello, world"],
      steps: [{ gets: "Hello, world" }, { send: "Hello, world" }],
      isSession: true,
    },
    {
      what: "an empty line sends `Hello, world`",
      typed: [""],
      steps: [{ gets: "Hello, world" }, { send: "Hello, world" }],
      screen: "Enter a message: \nReceived b'Hello, world'\n",
      status: "well",
    },
    {
      what: "`héllo`, in Python's notation for bytes",
      typed: ["héllo"],
      steps: [{ gets: "héllo" }, { send: "hállo" }],
      screen: "Enter a message: héllo\nReceived b'h\\xc3\\xa1llo'\n",
      status: "well",
    },
    {
      what: "`héllo it's`: around an apostrophe the notation has double quotes",
      level: "beyond",
      typed: ["héllo it's"],
      steps: [{ gets: "héllo it's" }, { send: "hállo it's" }],
      screen: `Enter a message: héllo it's\nReceived b"h\\xc3\\xa1llo it's"\n`,
      status: "well",
    },
    notText([{ gets: "Hello, world" }, { send: NOT_TEXT }]),
    withMessage([{ gets: "héllo" }, { send: "hállo" }]),
    ...asksOnce(
      "Hello, world",
      1024,
      { typed: ["Hello, world"] },
      (answer) =>
        `Received b'${answer.replace("é", "\\xc3\\xa9").replace("😀", "\\xf0\\x9f\\x98\\x80")}'\n`,
    ),
  ],
};
