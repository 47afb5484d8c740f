/**
 * Checks the number of the guess server: from 1 to 99, and not always the same.
 *
 * @module
 */
import type { CheckName, CheckRun } from "./check_run.ts";
import { listen } from "./check_server.ts";
import type { Game } from "./find_number.ts";
import type { RandomNumbers } from "./start.ts";

const STARTS = 5; // the same number in all of them has a chance of 1 to 96 million
const KNOWN = 2; // starts with known random numbers
const PLAIN = 2; // starts without, at least: a program may set its own seed
const SAME = 4; // such starts with the same number have a chance of 1 to a million
const SMALL_STARTS = 9; // all numbers below 20 or above 80: 1 to 1.8 million

/** What is checked here. */
export const SECRET: CheckName = {
  what: "the number is from 1 to 99, stays the same, and differs between starts",
};

/** Starts the server several times, and finds out its number each time. */
export async function checkSecret(run: CheckRun): Promise<void> {
  const { what } = SECRET;
  if (run.stop) return run.report({ what, skipped: run.stop });
  const games: Game[] = [];
  const play = async (random?: RandomNumbers) => {
    const { running, problem } = await listen(run, { random, hasSession: false, clients: 2 });
    if (!running) return games.push({ guesses: [], problem });
    await using _program = running.program;
    games.push(running.game!);
  };
  for (const random of ["least", "greatest"] as const) await play(random);
  const isUndecided = () => {
    const numbers = games.map(({ number }) => number ?? NaN);
    const plain = numbers.slice(KNOWN);
    const isSame = new Set(numbers).size === 1;
    return games.every(({ problem }) => problem === undefined) && run.left > 2000 &&
      (plain.length < PLAIN || isSame && games.length < STARTS ||
        new Set(plain).size === 1 && plain.length < SAME ||
        isNarrow(numbers) && games.length < SMALL_STARTS + KNOWN);
  };
  while (isUndecided()) await play();
  const failed = games.find(({ problem }) => problem !== undefined);
  if (failed && run.left < 100) return run.report({ what, skipped: "no time is left" });
  const numbers = games.map(({ number }) => number!);
  const problem = failed ? failed.problem : rangeProblem(numbers, run.submission.source);
  run.report({ what, problem, exchange: failed?.exchange });
}

/** Returns whether all numbers are in a small part of the range. */
function isNarrow(numbers: number[]): boolean {
  return numbers.every((number) => number < 20) || numbers.every((number) => number > 80);
}

/** Says what is wrong about the numbers. The first two were drawn with known random numbers. */
export function rangeProblem(numbers: number[], source: string): string | undefined {
  if (new Set(numbers).size === 1) {
    return `the number is always the same, ${numbers[0]}: it should be drawn at each start`;
  }
  const plain = numbers.slice(KNOWN);
  if (plain.length >= SAME && new Set(plain).size === 1) {
    return `the number is ${plain[0]} at each start: is the seed of its random numbers fixed?`;
  }
  if (isNarrow(numbers) && numbers.length >= SMALL_STARTS) {
    const [min, max] = [Math.min(...numbers), Math.max(...numbers)];
    return `the range is too small: ${numbers.length} starts drew numbers from ${min} to ${max}`;
  }
  // What is drawn with the least and the greatest random number is known only for simple calls.
  if (/shuffle|sample|\bsort\(/.test(source)) return undefined;
  const [least, greatest] = numbers;
  if (least === 1 && greatest < 99 && greatest > 90) {
    return `the greatest number that it draws is ${greatest}: it should be 99`;
  }
  if (greatest === 99 && least > 1 && least < 10) {
    return `the least number that it draws is ${least}: it should be 1`;
  }
}
