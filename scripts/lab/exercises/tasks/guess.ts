/**
 * The exercise of the lab guess: a protocol.
 *
 * @module
 */
import type { Exercise } from "../exercise.ts";

/** A small protocol. */
export const GUESS: Exercise = {
  script: "guess_server",
  title: "a small protocol",
  task: [
    "The server has a number from 1 to 99, and its clients guess it. A datagram holds one guess as " +
    "text. The reply is `HIGHER` if the number is higher than the guess, `LOWER` if it is lower, " +
    "and `CORRECT` if the guess is right.",
    "White space around a guess is allowed. The reply to everything that is not a whole number is " +
    "`INVALID`. After `CORRECT` the number stays the same, and the server goes on.",
    "Never answer a datagram that is itself a reply, such as `HIGHER`: two guess servers would " +
    "answer each other without end.",
  ],
  done:
    "It is done when you can play the game to its end, and the server shows the session in the file.",
  flags: { server: "--secret=42" },
  first: "make text of the datagram, and answer `CORRECT` if it is the number",
  gaps: [{
    from: "const guess = new TextDecoder().decode(data).trim();",
    stub: `
      // TODO: Make text of the datagram, find the verdict, print it, and send it to the player.
      // log(peer, \`guessed \${guess}: \${verdict}\`);`,
  }],
  hints: [
    "`new TextDecoder().decode(data)` gives the text, and `.trim()` removes the white space around " +
    "it. `Number(guess)` makes a number of it.",
    "HIGHER means that the server's number is higher than the guess: `number > Number(guess)`.",
    "`Number` accepts too much: an empty text is 0, and `0x2A` is 42. For text that is not a number " +
    "it gives NaN, and every comparison with NaN is false. So check the text first: `/^[+-]?\\d+$/` " +
    "matches a whole number.",
    "`VERDICTS.includes(guess)` says whether a datagram is a reply. `continue` goes on with the " +
    "next datagram.",
  ],
  probes: [{
    what: "a datagram that is itself a reply gets no reply",
    steps: [
      ...["HIGHER", "LOWER", "CORRECT", "INVALID"].flatMap((send) => [
        { on: send, send },
        { on: send, quiet: true as const },
      ]),
    ],
    next: true,
    cause: "it answers a reply: two such servers would answer each other without end",
  }],
  required: [
    "the number stays the same after CORRECT, for the same player and for others",
    "the reply to what is not a whole number is INVALID",
  ],
};
