/**
 * Whether programs that say nothing are at work, or wait.
 *
 * @module
 */
import { readLinuxProcesses } from "../../system/linux.ts";
import type { Program } from "./program.ts";

const MOST_WORK = 20_000; // milliseconds that a program may work without a word

/**
 * Waits until something is the case, or for some seconds in vain. They count only as far as none of
 * the programs works: on a busy machine one may take longer to start, and say something then.
 *
 * @param condition What to wait for.
 * @param seconds How long, where nobody works.
 * @param programs The programs. The condition is looked at whenever the first one prints or ends.
 * @param end When to give up in any case, as `Date.now()` counts.
 * @returns Whether it is the case.
 */
export async function isSoon(
  condition: () => boolean,
  seconds: number,
  programs: Program[],
  end = Date.now() + MOST_WORK,
): Promise<boolean> {
  let before = NaN;
  for (let role = 1; !await programs[0].until(condition, seconds / 2); role++) {
    const work = workOf(programs);
    if (role > 1 && work === before || Date.now() > end) return false;
    if (await programs[0].ended(0)) return false;
    before = work;
  }
  return true;
}

/** Returns how long programs, and what they started, have worked: in ticks; 0 where the system does not tell. */
export function workOf(programs: Program[]): number {
  if (Deno.build.os !== "linux") return 0;
  const processes = readLinuxProcesses();
  const pids = programs.map(({ pid }) => pid);
  const isTheirs = (pid: number): boolean =>
    pids.includes(pid) || processes.has(pid) && isTheirs(processes.get(pid)!.parent);
  return processes.entries()
    .reduce((sum, [pid, { cpuTicks }]) => isTheirs(pid) ? sum + cpuTicks : sum, 0);
}

/** Returns whether a program is ready to run, and may wait for a processor; `false` where the system does not tell. */
export function isReadyToRun({ pid }: Program): boolean {
  if (Deno.build.os !== "linux") return false;
  try {
    return /\) [RD] [^)]*$/.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
  } catch {
    return false; // it has ended
  }
}
