/**
 * The lab guess: a protocol of one's own over UDP.
 *
 * @module
 */
import { BINARY, type LabProbes } from "../probe.ts";
import type { Step } from "../steps.ts";

const GUESS = "Guess a number between 1 and 99: ";

/** A guess of its own socket, as the players send it. */
function guess(text: string, verdict: string, on = text): Step[] {
  return [{ on, send: text }, { on, gets: verdict }];
}

/** What guess is put through. */
export const GUESS_GAME: LabProbes = {
  server: [
    {
      what: "the session of its header",
      steps: [...guess("50", "LOWER"), ...guess("25", "HIGHER"), ...guess("42", "CORRECT")],
      isSession: true,
    },
    {
      what: "the number stays the same after CORRECT, for the same player and for others",
      steps: [
        ...guess("42", "CORRECT", "a"),
        ...guess("42", "CORRECT", "b"),
        ...guess("43", "LOWER", "a"),
        ...guess("41", "HIGHER", "b"),
        ...guess("42", "CORRECT", "a"),
      ],
      cause: "after CORRECT the number is another one, or the game is over",
    },
    {
      what: "every verdict around the number 42",
      steps: [
        ...guess("41", "HIGHER"),
        ...guess("43", "LOWER"),
        ...guess("1", "HIGHER"),
        ...guess("99", "LOWER"),
        ...guess("0", "HIGHER"),
        ...guess("100", "LOWER"),
        ...guess("-7", "HIGHER"),
        ...guess("9", "HIGHER"),
        ...guess("5", "HIGHER"),
      ],
    },
    {
      what: "what is no whole number is INVALID",
      steps: ["abc", "", "4.5", "42abc", "forty-two", "0x2A", "4e1", "NaN"]
        .flatMap((text, i) => guess(text, "INVALID", `${i}`)),
      next: true,
    },
    {
      what: "white space around a guess is allowed",
      steps: [
        ...guess(" 42", "CORRECT"),
        ...guess("50 \n", "LOWER"),
        ...guess("\t7\r\n", "HIGHER"),
      ],
    },
    {
      what: "each guess is answered once",
      steps: [
        ...["10", "20", "30", "60", "70"].flatMap((text) =>
          guess(text, Number(text) < 42 ? "HIGHER" : "LOWER", "a")
        ),
        { on: "a", quiet: true },
      ],
    },
    {
      what: "bytes that are no text are INVALID",
      steps: [{ send: BINARY }, { gets: "INVALID" }],
      next: true,
      excused: "python",
    },
    {
      what: "--secret=99",
      args: ["--secret=99"],
      steps: [...guess("98", "HIGHER"), ...guess("99", "CORRECT"), ...guess("100", "LOWER")],
    },
  ],
  client: [
    {
      what: "the session of its header",
      typed: ["50", "25", "42"],
      steps: [
        { gets: "50" },
        { send: "LOWER" },
        { gets: "25" },
        { send: "HIGHER" },
        { gets: "42" },
        { send: "CORRECT" },
      ],
      isSession: true,
    },
    {
      what: "the verdicts are the server's",
      typed: ["10", "20", "7", "8"],
      steps: [
        { gets: "10" },
        { send: "LOWER" },
        { gets: "20" },
        { send: "HIGHER" },
        { gets: "7" },
        { send: "LOWER" },
        { gets: "8" },
        { send: "CORRECT" },
      ],
      screen: `${GUESS}10\nLOWER\n${GUESS}20\nHIGHER\n${GUESS}7\nLOWER\n${GUESS}8\nCORRECT\n`,
      status: "well",
    },
    {
      what: "what is no whole number is asked for again, without the server",
      typed: ["fifty", "4.5", "", "42"],
      steps: [{ gets: "42" }, { send: "CORRECT" }, { quiet: true }],
      screen: `${GUESS}fifty\n${GUESS}4.5\n${GUESS}\n${GUESS}42\nCORRECT\n`,
      status: "well",
    },
    {
      what: "a reply that comes twice is not the answer to the next guess",
      typed: ["50", "25", "42"],
      steps: [
        { gets: "50" },
        { send: ["LOWER", "LOWER"] },
        { gets: "25" },
        { send: ["HIGHER", "HIGHER"] },
        { gets: "42" },
        { send: "CORRECT" },
      ],
      screen: `${GUESS}50\nLOWER\n${GUESS}25\nHIGHER\n${GUESS}42\nCORRECT\n`,
      status: "well",
      cause: "a reply that came twice was taken for the answer to the next guess",
    },
    {
      what: "a reply that is lost: it asks again",
      typed: ["42"],
      steps: [{ loses: "42" }, { gets: "42" }, { send: "CORRECT" }],
      screen: `${GUESS}42\nCORRECT\n`,
      status: "well",
      excused: "python",
    },
    {
      what: "a datagram from another address is not the answer",
      typed: ["42"],
      steps: [{ gets: "42" }, { stranger: "HIGHER" }, { send: "CORRECT" }],
      cause: "it takes its answer from anybody: this one came from another address",
      screen: `${GUESS}42\nCORRECT\n`,
      status: "well",
      excused: "python",
    },
    {
      what: "no reply at all: it does not wait for ever, and says so with its status",
      typed: ["42"],
      steps: [{ loses: "42" }],
      status: "failed",
    },
    {
      what: "the input ends before CORRECT: so does it, with a status other than 0",
      typed: ["50"],
      inputEnds: true,
      steps: [{ gets: "50" }, { send: "HIGHER" }],
      shows: [`${GUESS}50\nHIGHER\n${GUESS}`],
      status: "failed",
    },
  ],
};
