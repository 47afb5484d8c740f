/**
 * The processes of this machine.
 *
 * @module
 */
import { linuxActivity, linuxProcessState, readLinuxProcesses } from "./linux.ts";
import { macProcessState, readMacProcesses } from "./mac.ts";
import type { Process, ProcessState } from "./types.ts";
import { readWindowsProcesses, taskkill, windowsProcessState } from "./windows.ts";

export type { Process, ProcessState };

const { os } = Deno.build;

/** Reads all processes. On Windows this takes about a second. */
export async function readProcesses(): Promise<Map<number, Process>> {
  if (os === "linux") return readLinuxProcesses();
  return os === "windows" ? await readWindowsProcesses() : await readMacProcesses();
}

/** Returns the state of a process. */
export async function processState(pid: number): Promise<ProcessState> {
  if (os === "linux") return linuxProcessState(pid);
  return os === "windows" ? await windowsProcessState(pid) : await macProcessState(pid);
}

/** Returns whether a process runs or waits for a processor. Only Linux knows; elsewhere `false`. */
export function isRunnable(pid: number): boolean {
  return os === "linux" && linuxActivity(pid)?.state === "R";
}

/** Returns the processes that started this one: its parent, that one's parent, and so on. */
export function ancestors(processes: Map<number, Process>): Set<number> {
  const pids = new Set<number>();
  for (let pid = Deno.ppid; pid > 0 && !pids.has(pid); pid = processes.get(pid)?.parent ?? 0) {
    pids.add(pid);
  }
  return pids;
}

/**
 * Sends a signal. A stopped process is continued, because it receives the signal only then.
 * Windows has no signals: SIGKILL ends a process at once, the others ask it first when they can.
 *
 * @throws {Deno.errors.PermissionDenied} The process belongs to another user.
 */
export async function sendSignal(pid: number, signal: Deno.Signal): Promise<void> {
  if (os === "windows") return await taskkill(pid, signal === "SIGKILL");
  try {
    Deno.kill(pid, signal);
    Deno.kill(pid, "SIGCONT");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // it has just ended
  }
}
