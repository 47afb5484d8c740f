/**
 * Turns: where many checks are started at once, for instance with `xargs -P`, a few run and the
 * others wait. On a machine that does too much at a time, right programs would seem to be too slow.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { homedir, hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { Program } from "../process/program.ts";
import { note } from "../terminal/output.ts";

const PAUSE = 50; // milliseconds between two looks
const LONG = 5000; // milliseconds of waiting after which the user learns why

/** How many probes of a check run at the same time. */
export const PROBES_AT_ONCE = 3;

/** How many programs a check runs at the same time: for each probe its own, and one that finds out why it failed. */
export const PROGRAMS_AT_ONCE: number = Math.min(2 * PROBES_AT_ONCE, Program.limit);

/** How many checks run at the same time on this computer: most of each is waiting. */
export const AT_ONCE: number = 2 * navigator.hardwareConcurrency;

/** How many of them this process can run. */
export const CHECKS_IN_PROCESS: number = Program.jobsAtOnce(AT_ONCE, PROGRAMS_AT_ONCE);

let held = 0; // turns of this process
let isNoted = false;

/**
 * Waits until one of the places is free, and takes it until it is disposed of. After 5 s without a
 * turn for this process, a note says what it waits for.
 */
export async function takeTurn(): Promise<Disposable> {
  const folder = privateFolder();
  const start = performance.now();
  for (;;) {
    for (let place = 0; place < AT_ONCE; place++) {
      const lock = folder === undefined ? undefined : openLock(join(folder, `${place}.lock`));
      // The system releases a lock when its process ends, however that happens.
      if (!lock || await lock.tryLock(true)) {
        held++;
        return {
          [Symbol.dispose]() {
            held--;
            lock?.close();
          },
        };
      }
      lock.close();
    }
    if (!isNoted && held === 0 && performance.now() - start > LONG) {
      note(`waiting for other checks on this computer: ${AT_ONCE} run at the same time`);
      isNoted = true;
    }
    await delay(PAUSE * (1 + Math.random()));
  }
}

/** Opens a file to lock; where there can be none, no check waits. */
function openLock(file: string): Deno.FsFile | undefined {
  try {
    return Deno.openSync(file, { create: true, write: true });
  } catch {
    return undefined;
  }
}

/**
 * Makes a folder that no other user can enter: anyone could hold a lock elsewhere, or put something
 * else in its place. The name of the computer is part of it, as a home folder may be shared.
 *
 * @returns Its path; nothing where there can be none.
 */
export function privateFolder(): string | undefined {
  const { env } = Deno;
  const caches = env.get("XDG_CACHE_HOME") || env.get("LOCALAPPDATA") ||
    join(homedir() || tmpdir(), ".cache");
  for (const base of [env.get("XDG_RUNTIME_DIR"), caches, tmpdir()]) {
    if (!base) continue;
    const folder = join(base, `socket-labs-${hostname()}-${Deno.uid() ?? "user"}`);
    try {
      Deno.mkdirSync(base, { recursive: true, mode: 0o700 });
      if (isMine(folder)) return folder;
    } catch { /* the next one may be possible */ }
  }
}

/** Makes a folder, if it is not there, and returns whether it is this user's alone. */
function isMine(folder: string): boolean {
  try {
    Deno.mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  const { isDirectory, isSymlink, uid } = Deno.lstatSync(folder);
  if (!isDirectory || isSymlink || uid !== Deno.uid()) return false;
  if (Deno.build.os !== "windows") Deno.chmodSync(folder, 0o700);
  return true;
}
