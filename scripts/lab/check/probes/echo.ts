/**
 * The labs echo, echo_udp and echo_v1: what was sent comes back.
 *
 * @module
 */
import { BINARY, cut, type LabProbes } from "../probe.ts";
import { alone, asksOnce, closesEarly, datagrams, echo, oneRead, silent } from "./common.ts";

const TEST = "Test message. This will be echoed";
const OTHER = "TEST MESSAGE. THIS HAS BEEN SENT!"; // as many bytes

/** The probes of echo. */
export const ECHO: LabProbes = {
  server: [
    { what: "the session of its header", steps: echo(TEST), isSession: true },
    ...oneRead(2048, (text) => `Data: ${text}\nsent ${text} bytes back to {client}`)
      .map((probe) => probe.steps[0].end ? { ...probe, hides: "Data: \n" } : probe),
  ],
  client: [
    {
      what: "the session of its header",
      steps: [{ gets: TEST }, { send: TEST }, { ends: true }],
      isSession: true,
    },
    {
      what: "it prints what the server sends, whatever that is",
      steps: [{ gets: TEST }, { send: OTHER }, { ends: true }],
      joined: ["Received: ", OTHER],
      status: "well",
    },
    {
      what: "an answer in pieces: it reads until all has come back",
      steps: [
        { gets: TEST },
        { send: cut(OTHER, 5, 6, 8, 20, 26) },
        { ends: true },
      ],
      joined: ["Received: ", OTHER],
      shows: ["Closing connection to the server"],
      status: "well",
    },
    silent(TEST),
    closesEarly(TEST, "Test", {
      joined: ["Received: ", "Test"],
      shows: ["Closing connection to the server"],
    }),
    {
      what: "--message=héllo: it sends 6 bytes, and waits for 6",
      level: "beyond",
      args: ["--message=héllo"],
      steps: [{ gets: "héllo" }, { send: cut("hállo", 2, 5) }, { ends: true }],
      joined: ["Received: ", "hállo"],
      status: "well",
    },
    {
      what: "--buffer-size=5: no line shows more than 5 bytes",
      level: "beyond",
      args: ["--buffer-size=5"],
      steps: [{ gets: TEST }, { send: OTHER }, { ends: true }],
      shows: ["Received: TEST \nReceived: MESSA\n"],
      status: "well",
      cause: "it does not read with the buffer of --buffer-size",
    },
    alone(),
  ],
};

/** The probes of echo_udp. */
export const ECHO_UDP: LabProbes = {
  server: [
    {
      what: "the session of its header",
      steps: [{ send: TEST }, { gets: TEST }],
      isSession: true,
    },
    ...datagrams((text) => text, 2048),
    {
      what: "it counts the bytes of `héllo`",
      steps: [
        { send: "héllo" },
        { gets: "héllo" },
        { prints: "received 6 bytes from {client}\nData: héllo\nsent 6 bytes back to {client}" },
      ],
    },
    {
      what: "bytes that are not text, and the next datagram",
      steps: [{ send: BINARY }, { gets: BINARY }],
      next: true,
      level: "beyond",
    },
    {
      what: "--buffer-size=4: no more than 4 bytes of a datagram arrive",
      level: "beyond",
      args: ["--buffer-size=4"],
      steps: [{ send: "Hello!" }, { gets: "Hell" }],
      cause: "it does not receive with the buffer of --buffer-size",
    },
    {
      what: "an empty datagram is shown",
      steps: [{ send: "" }, { prints: "received 0 bytes from {client}" }],
    },
    {
      what: "an empty datagram is not echoed",
      steps: [{ send: "" }, { quiet: true }],
      cause: "it echoes an empty datagram: the original does not",
    },
  ],
  client: [
    {
      what: "the session of its header",
      steps: [{ gets: TEST }, { send: TEST }],
      isSession: true,
    },
    ...asksOnce(
      TEST,
      2048,
      {},
      (answer) => `received ${answer}\nClosing connection to the server\n`,
    ),
    {
      what: "--message=héllo",
      level: "beyond",
      args: ["--message=héllo"],
      steps: [{ gets: "héllo" }, { send: "hállo" }],
      shows: ["Sending héllo\nreceived hállo\n"],
      status: "well",
    },
  ],
};

/** The probes of echo_v1. */
export const ECHO_V1: LabProbes = {
  server: [
    { what: "the session of its header", steps: echo("Hello!"), isSession: true },
    ...oneRead(1024, (text) => `Connection Address is:  {client}\n${text}`),
  ],
  client: [
    {
      what: "the session of its header",
      steps: [{ gets: "Hello!" }, { send: "Hello!" }, { ends: true }],
      isSession: true,
    },
    {
      what: "it prints what the server sends, whatever that is",
      steps: [{ gets: "Hello!" }, { send: "HeLLO?" }, { ends: true }],
      screen: "HeLLO?\n",
      status: "well",
    },
    {
      what: "an answer in pieces",
      steps: [{ gets: "Hello!" }, { send: ["He", "llo?"] }, { ends: true }],
      screen: "Hello?\n",
      level: "beyond",
      cause: "it takes one read for the whole answer",
    },
    silent("Hello!"),
    closesEarly("Hello!", "", { status: undefined, hides: "Hello!" }),
    {
      what: "--message=héllo",
      level: "beyond",
      args: ["--message=héllo"],
      steps: [{ gets: "héllo" }, { send: "hállo" }, { ends: true }],
      screen: "hállo\n",
      status: "well",
    },
    alone(),
  ],
};
