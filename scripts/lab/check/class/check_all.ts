/**
 * Checks many files: as many at a time as the machine has room for, and those that failed once more.
 *
 * @module
 */
import { check, type CheckOptions, type Submitted, TIME } from "../check.ts";
import { NO_TIME } from "../check_run.ts";
import { outcomeOf, type Result, stateOf } from "../result.ts";
import { CHECKS_IN_PROCESS, takeTurn } from "../slots.ts";

/**
 * Checks files. One that failed while others ran is checked again alone, since another submission may
 * have been to blame.
 *
 * @param submissions The files.
 * @param options How to check.
 * @param onProgress Called with a text that says how far it is.
 * @returns The results, in the order of the files.
 */
export async function checkAll(
  submissions: Submitted[],
  options: CheckOptions,
  onProgress: (text: string) => void,
): Promise<Result[]> {
  const results = new Map<Submitted, Result>();
  const waiting = [...submissions];
  const report = () => onProgress(`checked ${results.size} of ${submissions.length} files`);
  const work = async () => {
    for (let next; (next = waiting.shift());) {
      using _turn = await takeTurn();
      results.set(next, await check(next, options));
      report();
    }
  };
  report();
  await Promise.all(Array.from({ length: CHECKS_IN_PROCESS }, work));
  if (submissions.length > 1) {
    const doubtful = submissions.filter((one) => outcomeOf(results.get(one)!) !== "passed");
    for (const [i, one] of doubtful.entries()) {
      const which = `${i + 1} of ${doubtful.length} files that failed`;
      onProgress(`checking ${which} again, alone: ${one.student || one.file}`);
      using _turn = await takeTurn();
      results.set(one, await checkAgain(one, options, results.get(one)!));
    }
  }
  return submissions.map((one) => results.get(one)!);
}

/**
 * Checks a file again, only as far as its first failure if that is confirmed: otherwise the time of a
 * class would double. What is checked to the end gets twice the time.
 */
async function checkAgain(submitted: Submitted, options: CheckOptions, first: Result) {
  const failure = first.checks.find((finding) => stateOf(finding) === "failed");
  const hadTime = first.checks.every(({ skipped }) => skipped !== NO_TIME);
  if (failure && hadTime) {
    const { checks } = await check(submitted, { ...options, most: 1 });
    const same = checks.find(({ what }) => what === failure.what);
    if (same?.problem !== undefined) return first;
  }
  return await check(submitted, { ...options, time: 2 * TIME });
}
