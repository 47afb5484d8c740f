/**
 * The lab guess: a small protocol over UDP.
 *
 * @module
 */
import type { Guess } from "../find_number.ts";
import { BINARY, type LabProbes, type Probe } from "../probe.ts";
import type { Step } from "../steps.ts";

const GUESS = "Guess a number between 1 and 99: ";

/** Returns the steps of a guess from a socket of its own, as the players send it. */
function guessOf(text: string, verdict: string, on = text): Step[] {
  return [{ on, send: text }, { on, gets: verdict }];
}

/** Returns the transcript of a server for guesses that were made before. */
export function transcriptOf(guesses: Guess[]): string {
  const lines = guesses.map(({ guess, verdict, player }) =>
    `${player} guessed ${guess}: ${verdict}\n`
  );
  return "Starting up guess server on localhost port 9900\nWaiting for guesses\n" + lines.join("");
}

/** Returns the probes of a server whose number is known. */
export function guessServer(number = 42): Probe[] {
  const verdict = (guess: number) =>
    guess < number ? "HIGHER" : guess > number ? "LOWER" : "CORRECT";
  const guessed = (guess: number, on?: string) => guessOf(`${guess}`, verdict(guess), on);
  return [
    {
      what: "the session of its header",
      steps: [50, 25, 42].flatMap((guess) => guessed(guess)),
      isSession: true,
    },
    {
      what: "it goes on after CORRECT",
      steps: [`${number}`, "50"].flatMap((send, i) => [
        { on: `${i}`, send },
        { on: `${i}`, answered: true as const },
      ]),
      cause: "it does not answer after CORRECT",
    },
    {
      what: "the number stays the same after CORRECT, for the same player and for others",
      level: "beyond",
      steps: [
        ...guessed(number, "a"),
        ...guessed(number, "b"),
        ...guessed(number + 1, "a"),
        ...guessed(number - 1, "b"),
        ...guessed(number, "a"),
      ],
      cause: "after CORRECT the number is another one, or the game is over",
    },
    {
      what: "every verdict around the number",
      steps: [number, number - 1, number + 1, 1, 99, 9, 5].flatMap((guess) => guessed(guess)),
    },
    {
      what: "guesses outside of 1 to 99",
      level: "beyond",
      steps: [0, 100, -7].flatMap((guess) => guessed(guess)),
    },
    {
      what: "the reply to what is not a whole number is INVALID",
      level: "beyond",
      steps: ["abc", "", "4.5", "42abc", "forty-two", "0x2A", "4e1", "NaN"]
        .flatMap((text, i) => guessOf(text, "INVALID", `${i}`)),
      next: true,
    },
    {
      what: "white space around a guess is allowed",
      steps: [
        ...guessOf(` ${number}`, "CORRECT"),
        ...guessOf("50 \n", verdict(50)),
        ...guessOf("\t7\r\n", verdict(7)),
      ],
    },
    {
      what: "each guess is answered once",
      steps: [
        ...[10, 20, 30, 60, 70].flatMap((guess) => guessed(guess, "a")),
        { on: "a", quiet: true },
      ],
      cause: "a guess was not answered exactly once",
    },
    {
      what: "the reply to bytes that are not text is INVALID",
      level: "beyond",
      steps: [{ send: BINARY }, { gets: "INVALID" }],
      next: true,
    },
    {
      what: "a datagram with a verdict gets no reply: two servers would answer each other forever",
      level: "beyond",
      steps: [{ send: "HIGHER" }, { quiet: true }],
      next: true,
    },
    {
      what: "--secret=99",
      level: "beyond",
      args: ["--secret=99"],
      steps: [
        ...guessOf("98", "HIGHER"),
        ...guessOf("99", "CORRECT"),
        ...guessOf("100", "LOWER"),
      ],
    },
  ];
}

/** The probes of guess. */
export const GUESS_GAME: LabProbes = {
  server: guessServer(),
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
      what: "it asks again for what is not a whole number, without the server",
      level: "beyond",
      steps: [
        ...["fifty", "4.5", "", "42"].map((types) => ({ types })),
        { gets: "42" },
        { send: "CORRECT" },
        { quiet: true },
      ],
      screen: `${GUESS}fifty\n${GUESS}4.5\n${GUESS}\n${GUESS}42\nCORRECT\n`,
      status: "well",
    },
    {
      what: "a reply that comes twice is not the answer to the next guess",
      level: "beyond",
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
      what: "a reply that is dropped: it asks again",
      typed: ["42"],
      steps: [{ drops: "42" }, { gets: "42" }, { send: "CORRECT" }],
      screen: `${GUESS}42\nCORRECT\n`,
      status: "well",
      level: "beyond",
    },
    {
      what: "a datagram from another address is not the answer",
      typed: ["42"],
      steps: [{ gets: "42" }, { stranger: "HIGHER" }, { send: "CORRECT" }],
      cause: "it takes its answer from any address: this one came from another than the server's",
      screen: `${GUESS}42\nCORRECT\n`,
      status: "well",
      level: "beyond",
    },
    {
      what: "no reply at all: it does not wait without end, and its status is not 0",
      level: "beyond",
      typed: ["42"],
      steps: [{ drops: "42" }],
      status: "failed",
    },
    {
      what: "the input ends before CORRECT: it ends with a status other than 0",
      level: "beyond",
      steps: [{ types: "50" }, { gets: "50" }, { send: "HIGHER" }, { endsInput: true }],
      shows: [`${GUESS}50\nHIGHER\n${GUESS}`],
      status: "failed",
    },
  ],
};
