/**
 * The lab tcp: a read gives what has come, not what was sent.
 *
 * @module
 */
import { cut, type LabProbes } from "../probe.ts";
import type { Step } from "../steps.ts";
import { alone, resets, twoAtOnce } from "./common.ts";

const SHEET = "Hi. I am a TCP client sending data to the server";

const HI: Step[] = [
  { send: "hi" },
  { prints: "Received data: hi" },
  { end: true },
  { ends: true },
];

/** The probes of tcp. */
export const TCP: LabProbes = {
  server: [
    {
      what: "the session of its header",
      steps: [{ send: SHEET }, { end: true }, { ends: true }],
      isSession: true,
      orScreen: [
        "Waiting for connection",
        "Connected to client IP: ('127.0.0.1', 65483)",
        `Received data: ${SHEET.slice(0, 32)}`,
        `Received data: ${SHEET.slice(32)}`,
        "Received data: ",
        "Waiting for connection",
        "",
      ].join("\n"),
    },
    {
      what: "another client after the first",
      steps: [
        { send: "Second" },
        { end: true },
        { ends: true },
        {
          prints:
            "Connected to client IP: {client}\nReceived data: Second\nReceived data: \nWaiting for connection",
        },
      ],
      next: true,
    },
    {
      what: "what has come is printed at once, not at the client's end",
      steps: [
        { send: "one" },
        { prints: "Received data: one" },
        { send: "two" },
        { prints: "Received data: two" },
        { end: true },
        { ends: true },
        { prints: "Received data: \nWaiting for connection" },
      ],
    },
    {
      what: "a character that the buffer cuts in two",
      level: "beyond",
      steps: [
        { send: cut("naïve", 3) },
        { end: true },
        { ends: true },
        { prints: "Received data: \nWaiting for connection" },
      ],
      joined: ["Received data: ", "naïve"],
    },
    {
      what: "a client that sends nothing: the end is printed as an empty piece",
      steps: [
        { end: true },
        { ends: true },
        { prints: "Connected to client IP: {client}\nReceived data: \nWaiting for connection" },
      ],
      next: true,
    },
    {
      what: "without --buffer-size it reads 32 bytes at a time",
      level: "beyond",
      isPlain: true,
      steps: [
        { send: SHEET },
        { end: true },
        { ends: true },
        { prints: `Received data: ${SHEET.slice(0, 32)}\nReceived data: ${SHEET.slice(32)}` },
      ],
    },
    {
      what: "white space at both ends of a piece",
      steps: [
        { send: "  two words " },
        { prints: "Received data:   two words " },
        { end: true },
        { ends: true },
      ],
    },
    {
      what: "a client that resets its connection: it waits for the next one",
      level: "beyond",
      steps: [{ resets: "off" }, { prints: "Waiting for connection" }, ...HI],
    },
    resets("off", HI),
    twoAtOnce(HI, "", { send: "first" }, { prints: "Received data: first" }),
  ],
  client: [
    {
      what: "the session of its header",
      steps: [{ gets: SHEET }, { ends: true }, { leaves: true }],
      isSession: true,
    },
    {
      what: "it closes, whether the server does or not",
      steps: [{ gets: SHEET }, { ends: true }],
      status: "well",
    },
    {
      what: "--message=héllo",
      level: "beyond",
      args: ["--message=héllo"],
      steps: [{ gets: "héllo" }, { ends: true }],
      status: "well",
    },
    alone(),
  ],
};
