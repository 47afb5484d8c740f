/**
 * Turns: where many checks are started at once, for instance with `xargs -P`, a few run and the
 * others wait. On a machine that does too much at a time, right programs would seem to be too slow.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { tmpdir } from "node:os";

const PAUSE = 50; // milliseconds between two looks

/** How many checks run at the same time: most of each is waiting. */
export const AT_ONCE = 2 * navigator.hardwareConcurrency;

/** Waits until one of the places is free, and takes it until it is disposed of. */
export async function takeTurn(): Promise<Disposable> {
  for (;;) {
    for (let place = 0; place < AT_ONCE; place++) {
      const lock = openLock(place);
      // The system lets go of a lock when its process ends, however that happens.
      if (!lock || await lock.tryLock(true)) return { [Symbol.dispose]: () => lock?.close() };
      lock.close();
    }
    await delay(PAUSE * (1 + Math.random()));
  }
}

/** A file to lock; where there can be none, nobody waits. */
function openLock(place: number): Deno.FsFile | undefined {
  const file = `${tmpdir()}/socket-labs-check-${Deno.uid() ?? "user"}-${place}.lock`;
  try {
    return Deno.openSync(file, { create: true, write: true });
  } catch {
    return undefined;
  }
}
