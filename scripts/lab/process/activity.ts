/**
 * Whether programs that print nothing are working or waiting.
 *
 * @module
 */
import { linuxActivity } from "../../system/linux.ts";

const TICK = 0.01; // seconds
/** A running program, as `Program`. */
export interface Running {
  /** The number of its process. */
  readonly pid: number;
  /** How many characters it has printed. */
  readonly printed: number;
  /** Waits until a condition holds, which is checked whenever the program prints or ends. */
  until(condition: () => boolean, seconds: number): Promise<boolean>;
  /** Waits for its end. */
  ended(seconds: number): Promise<boolean>;
}

const MAX_SILENCE = 20_000; // milliseconds that a program may work without a result

/**
 * Waits until a condition holds. Only time counts in which the programs could have run and did not: on
 * a busy machine a program may need long to start, and a stopped one goes on later.
 *
 * @param condition The condition. It is checked whenever the first program prints or ends.
 * @param seconds How long to wait while no program works.
 * @param programs The programs.
 * @param end When to give up in any case, as `Date.now()` counts.
 * @param maxWork How many seconds of processor time the programs may use meanwhile.
 * @returns Whether the condition holds.
 */
export async function isSoon(
  condition: () => boolean,
  seconds: number,
  programs: Running[],
  end = Date.now() + MAX_SILENCE,
  maxWork = Infinity,
): Promise<boolean> {
  const activity = new Activity(programs);
  while (!await programs[0].until(condition, seconds / 2)) {
    const isIdle = activity.isIdle();
    if (isIdle || activity.work > maxWork || Date.now() > end) return false;
    if (await programs[0].ended(0)) return false;
  }
  return true;
}

/** What programs, and the programs that they have started, do with the processor. */
export class Activity {
  /** The seconds of processor time that they used since the first call of `isIdle`, on Linux. */
  work = 0;
  #ticks?: number;
  #printed?: number;

  /** Watches some programs. */
  constructor(readonly programs: Running[]) {}

  /**
   * Returns whether the programs have waited since the last call. A program that is ready to run but
   * has no core, or that is stopped, does not wait, nor does one that prints. The first call returns
   * false. Only Linux shows the work of a program that prints nothing: elsewhere it seems to wait.
   */
  isIdle(): boolean {
    const { ticks, couldRun } = this.#read();
    const printed = this.programs.reduce((sum, program) => sum + program.printed, 0);
    const isIdle = couldRun && ticks === this.#ticks && printed === this.#printed;
    this.work += TICK * (ticks - (this.#ticks ?? ticks));
    this.#ticks = ticks;
    this.#printed = printed;
    return isIdle;
  }

  #read(): { ticks: number; couldRun: boolean } {
    let ticks = 0;
    let couldRun = true;
    const pids = Deno.build.os === "linux" ? this.programs.map(({ pid }) => pid) : [];
    for (const pid of pids) { // grows with the children
      ticks += linuxActivity(pid)?.cpuTicks ?? 0;
      for (const thread of namesIn(`/proc/${pid}/task`).map(Number)) {
        const isWaiting = !/[RDTt]/.test(linuxActivity(thread)?.state ?? "");
        couldRun &&= isWaiting;
        pids.push(...childrenOf(pid, thread));
      }
    }
    return { ticks, couldRun };
  }
}

function namesIn(folder: string): string[] {
  try {
    return Array.from(Deno.readDirSync(folder), ({ name }) => name);
  } catch {
    return []; // the process has ended
  }
}

/** Returns the processes that a thread has started. */
function childrenOf(pid: number, thread: number): number[] {
  try {
    const pids = Deno.readTextFileSync(`/proc/${pid}/task/${thread}/children`);
    return (pids.match(/\d+/g) ?? []).map(Number);
  } catch {
    return []; // the thread has ended, or this Linux does not list them
  }
}
