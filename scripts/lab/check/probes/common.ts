/**
 * Probes that several labs have in common.
 *
 * @module
 */
import { BINARY, type ClientProbe, long, type Probe } from "../probe.ts";
import type { Data, Step } from "../steps.ts";

const SPACED = "  two lines\n and a tab\t\r\n";

/** A client that sends something and gets it back, on a connection that then ends. */
export function echo(text: string, prints?: string): Step[] {
  return [{ send: text }, { gets: text }, { ends: true }, ...prints ? [{ prints }] : []];
}

/** Returns the probes of all servers that echo what one read gives. */
export function oneRead(longest: number, prints: (text: string) => string): Probe[] {
  return [
    { what: "another client after the first", steps: echo("Second", prints("Second")), next: true },
    { what: "`héllo`, which has 6 bytes", steps: echo("héllo", prints("héllo")) },
    { what: "an emoji", steps: echo("😀 ok", prints("😀 ok")) },
    { what: "white space at both ends of a message, and line ends", steps: echo(SPACED) },
    {
      what: "--buffer-size=4: one read gives 4 bytes of a message at most",
      args: ["--buffer-size=4"],
      level: "beyond",
      steps: [{ send: "Hello!" }, { gets: "Hell" }, { ends: true }],
      cause: "it does not read with the buffer of --buffer-size",
    },
    {
      what: `a message of ${longest} bytes, which is as much as the buffer holds`,
      steps: echo(long(longest)),
    },
    {
      what: "a client that sends nothing",
      steps: [{ end: true }, { ends: true }],
      next: true,
      level: "beyond",
    },
    {
      what: "a client that leaves at once",
      steps: [{ on: "a", leaves: true }],
      next: true,
      level: "beyond",
    },
    {
      what: "bytes that are not text",
      steps: [{ send: BINARY }, { gets: BINARY }, { ends: true }],
      next: true,
      level: "beyond",
    },
    resets("Hi", echo("Hi")),
    twoAtOnce(echo("Hi"), "", { send: "First" }, { gets: "First" }),
  ];
}

/** Returns the probe of a client that resets its connection, which ends most originals. */
export function resets(message: string, exchange: Step[]): Probe {
  return {
    what: "a client that resets its connection, and the next one",
    // A server that waits for data sees the first reset, one that replies the second.
    steps: [{ resets: "" }, { resets: message }, ...exchange],
    cause:
      "it serves no client after one that reset its connection: catch what `read` and `write` throw",
    level: "beyond",
  };
}

/** Returns the probe of two clients at the same time: with the originals, the second waits. */
export function twoAtOnce(exchange: Step[], begun: Data, ...rest: Step[]): Probe {
  const on = (name: string, steps: Step[]) => steps.map((step) => ({ ...step, on: name }));
  return {
    what: "two clients at the same time",
    steps: [
      ...on("first", [{ send: begun === "" ? [] : begun }]),
      ...on("second", exchange),
      ...on("first", rest),
    ],
    cause: "the second client has to wait until the first has gone, as with the original",
    next: true,
    level: "beyond",
  };
}

/** Returns the probes of all servers that answer datagrams; `answer` says with what. */
export function datagrams(
  answer: (text: string) => string,
  most: number,
): Probe[] {
  const ask = (text: string, on = "a"): Step[] => [{ on, send: text }, { on, gets: answer(text) }];
  const names = ["a", "b", "c", "d", "e", "f"];
  return [
    { what: "another client after the first", steps: ask("second") },
    {
      what: "each of many datagrams is answered once, and to its sender",
      steps: [
        ...ask("this is a", "a"),
        { on: "a", quiet: true },
        ...names.slice(1).flatMap((on) => ask(`this is ${on}`, on)),
        ...names.map((on) => ({ on, send: `again from ${on}` })),
        ...names.map((on) => ({ on, gets: answer(`again from ${on}`) })),
        { on: "a", quiet: true },
        { on: "f", quiet: true },
      ],
    },
    { what: "`héllo`, which has 6 bytes", steps: ask("héllo") },
    { what: "an emoji", steps: ask("😀 ok") },
    { what: "white space at both ends of a datagram, and line ends", steps: ask(SPACED) },
    { what: `a datagram of ${most} bytes`, steps: ask(long(most)) },
    {
      what: `a datagram of ${most + 1000} bytes, of which the buffer takes ${most}`,
      // On Windows, receiving fails then, which ends the original.
      level: Deno.build.os === "windows" ? "beyond" : undefined,
      steps: [
        { send: long(most + 1000) },
        { gets: answer(long(most + 1000).slice(0, most)), or: answer(long(most + 1000)) },
      ],
    },
    {
      what: "an empty datagram, and the next one",
      steps: [
        { on: "empty", send: "" },
        ...ask("still there?"),
      ],
    },
  ];
}

/** Returns the probe of a server that was not started. */
export function alone(typed?: string[]): ClientProbe {
  return {
    what: "no server listens: it ends with a status other than 0",
    isAlone: true,
    level: "beyond",
    typed,
    steps: [],
    status: "failed",
  };
}

/** Returns the probe of a server that accepts the connection and sends nothing. */
export function silent(question: string, more: Partial<ClientProbe> = {}): ClientProbe {
  return {
    what: "a server that sends nothing: it does not wait without end, and its status is not 0",
    level: "beyond",
    steps: [{ gets: question }, { silent: true }],
    status: "failed",
    ...more,
  };
}

/** Returns the probe of a server that closes after a question. `start` is what it sends before. */
export function closesEarly(
  question: string,
  start: string,
  more: Partial<ClientProbe>,
): ClientProbe {
  return {
    what: "a server that closes early: it does not wait without end, and its status is not 0",
    level: "beyond",
    steps: [
      { gets: question },
      ...start ? [{ send: start }] : [],
      { leaves: true },
    ],
    status: "failed",
    ...more,
  };
}

const twice = (line: string) => `${line}\n${line}\n`;

/** Returns the probes of clients that ask one thing over UDP, and take `most` bytes of an answer. */
export function asksOnce(
  question: string,
  most: number,
  more: Partial<ClientProbe>,
  shows: (answer: string) => string,
): ClientProbe[] {
  const answered = (answer: string): Partial<ClientProbe> => ({
    ...more,
    shows: [shows(answer)],
    status: "well",
  });
  return [
    {
      what: "it prints what the server sends, whatever that is",
      steps: [{ gets: question }, { send: "another text: héllo 😀" }],
      ...answered("another text: héllo 😀"),
    },
    {
      what: `a reply of ${most} bytes`,
      steps: [{ gets: question }, { send: long(most) }],
      ...answered(long(most)),
    },
    {
      what: "a reply that is dropped: it asks again",
      steps: [{ drops: question }, { gets: question }, { send: "the second time" }],
      ...answered("the second time"),
      level: "beyond",
    },
    {
      what: "a reply that comes twice is printed once",
      steps: [{ gets: question }, { send: ["once", "once"] }],
      ...answered("once"),
      hides: twice(shows("once").split("\n")[0]),
      cause: "a reply that came twice was printed twice",
    },
    {
      what: "a datagram from another address is not the answer",
      steps: [{ gets: question }, { stranger: "from a stranger" }, { send: "from the server" }],
      ...answered("from the server"),
      hides: "from a stranger",
      cause: "it takes its answer from any address: this one came from another than the server's",
      level: "beyond",
    },
    {
      what: "no reply at all: it does not wait without end, and its status is not 0",
      level: "beyond",
      steps: [{ drops: question }],
      status: "failed",
      ...more,
    },
  ];
}
