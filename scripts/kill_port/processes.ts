/**
 * What can be done with a process: look at it, send it a signal, wait for its end.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { outputOf } from "./command.ts";
import { programOf, statOf } from "./linux.ts";
import { tasks } from "./windows.ts";

const PATIENCE = 2000; // milliseconds that a process may take to end
const PAUSE = 20; // milliseconds between two looks whether it has ended
const OS = Deno.build.os;

/** Sends a signal. A process that was stopped goes on, to do as it is told. */
export async function send(pid: number, signal: Deno.Signal) {
  if (OS === "windows") {
    const force = signal === "SIGKILL" ? ["/F"] : [];
    await outputOf("taskkill", ...force, "/PID", `${pid}`);
    return;
  }
  try {
    Deno.kill(pid, signal);
    Deno.kill(pid, "SIGCONT");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // it has just ended
  }
}

/** Waits until a process has ended, and gives up after a while. */
export async function ends(pid: number): Promise<boolean> {
  for (const giveUp = Date.now() + PATIENCE; Date.now() < giveUp;) {
    // A zombie (Z) has ended, only its parent has not yet asked how.
    if (/^Z|^$/.test(await state(pid))) return true;
    await delay(PAUSE);
  }
  return false;
}

/** Whether a process was stopped, by Ctrl-Z for instance. */
export async function isStopped(pid: number): Promise<boolean> {
  return /^T/.test(await state(pid));
}

/** A letter for the state that a process is in, and nothing when there is none. */
async function state(pid: number): Promise<string> {
  if (OS === "windows") return (await tasks()).has(pid) ? "R" : "";
  if (OS === "linux") return statOf(pid)?.state ?? "";
  return await outputOf("ps", "-o", "stat=", "-p", `${pid}`);
}

/** Who has started a process: its number and program, where the system tells. */
export async function parentOf(pid: number): Promise<[pid: number, program: string] | undefined> {
  if (OS === "windows") return undefined;
  if (OS === "linux") {
    const parent = statOf(pid)?.parent;
    return parent ? [parent, programOf(parent)] : undefined;
  }
  const parent = Number(await outputOf("ps", "-o", "ppid=", "-p", `${pid}`));
  const path = (await outputOf("ps", "-o", "comm=", "-p", `${parent}`)).trim();
  return parent ? [parent, path.split("/").at(-1)!] : undefined;
}
