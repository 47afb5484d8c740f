/**
 * The replies of a guess server.
 *
 * @module
 */

/** The three replies. */
export const VERDICTS = ["HIGHER", "LOWER", "CORRECT"];

/** What is wrong if guesses are compared as text. */
export const TEXT = `it compares text, not numbers: "9" > "42", but 9 < 42`;

/** Returns the verdict on a guess if the guess and the number are compared as text. */
export function textVerdict(guess: number, number: number): string {
  return `${guess}` < `${number}` ? "HIGHER" : `${guess}` > `${number}` ? "LOWER" : "CORRECT";
}

/** Says why a verdict is wrong. */
export function wrongVerdict(guess: number, number: number, verdict: string): string {
  const should = guess < number ? "HIGHER" : guess > number ? "LOWER" : "CORRECT";
  return verdict === textVerdict(guess, number)
    ? TEXT
    : `the reply to ${guess} is ${verdict}, and should be ${should}: the number is ${number}`;
}
