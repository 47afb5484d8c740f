/**
 * Sockets and processes on Windows, as `netstat`, `tasklist` and PowerShell print them.
 *
 * @module
 */
import { outputOf, succeeds } from "./command.ts";
import type { Endpoint, Process, ProcessState, Protocol, Socket } from "./types.ts";

/** Reads the sockets of all protocols, with the number of each process but not its program. */
export async function readWindowsSockets(): Promise<Socket[]> {
  return parseNetstat(await outputOf("netstat", "-ano"));
}

/** Finds the sockets on some ports, and their processes. */
export async function findWindowsSockets(isWanted: (port: number) => boolean): Promise<Socket[]> {
  const sockets = (await readWindowsSockets()).filter(({ port }) => isWanted(port));
  if (sockets.length === 0) return [];
  const programs = parseTasklist(await outputOf("tasklist", "/FO", "CSV", "/NH"));
  return sockets.map((socket) => ({ ...socket, program: programs.get(socket.pid ?? -1) ?? "?" }));
}

/** Parses the output of `netstat -ano` on Windows. */
export function parseNetstat(output: string): Socket[] {
  const sockets: Socket[] = [];
  for (const line of output.split("\n")) {
    const [protocol, local = "", remote = "", ...others] = line.trim().split(/\s+/);
    if (!/^(TCP|UDP)$/.test(protocol)) continue;
    const socket = { protocol: protocol as Protocol, ...endpoint(local) };
    const pid = Number(others.at(-1));
    // A socket that listens has no peer. Its state does not help: Windows writes LISTENING in the
    // user's language.
    if (/:[0*]$/.test(remote)) sockets.push({ ...socket, state: "listening", pid });
    // Closed connections have no process.
    else if (pid === 0) sockets.push({ ...socket, state: "timeWait", peer: endpoint(remote) });
    else sockets.push({ ...socket, state: "connected", peer: endpoint(remote), pid });
  }
  return sockets;
}

/** Parses an address: `[::1]:81` is port 81 of `::1`. */
function endpoint(place: string): Endpoint {
  const [, hostname = "", port] = place.match(/^\[?(.*?)\]?:(\d+)$/) ?? [];
  return { hostname, port: Number(port) };
}

/** Parses the output of `tasklist /FO CSV /NH`: the program of each process. */
export function parseTasklist(output: string): Map<number, string> {
  const lines = output.matchAll(/^"(.*?)","(\d+)"/gm);
  return new Map([...lines].map(([, program, pid]) => [Number(pid), program]));
}

/**
 * Reads all processes. PowerShell needs about a second for it, and only it knows the parents.
 * Without PowerShell the result is empty.
 */
export async function readWindowsProcesses(): Promise<Map<number, Process>> {
  const print = "'{0} {1} {2}' -f $_.ProcessId, $_.ParentProcessId, $_.Name";
  const command = `Get-CimInstance Win32_Process | ForEach-Object { ${print} }`;
  const args = ["-NoProfile", "-NonInteractive", "-Command", command];
  try {
    return parsePowerShell(await outputOf("powershell", ...args));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return new Map();
  }
}

/** Parses lines of a process's number, its parent's number and its program. */
export function parsePowerShell(output: string): Map<number, Process> {
  const lines = output.matchAll(/^(\d+) (\d+) (.*?)\r?$/gm);
  return new Map([...lines].map(([, pid, parent, program]) => [
    Number(pid),
    { parent: Number(parent), program, cpuTicks: 0 },
  ]));
}

/** Returns the state of a process. */
export async function windowsProcessState(pid: number): Promise<ProcessState> {
  const output = await outputOf("tasklist", "/FI", `PID eq ${pid}`, "/FO", "CSV", "/NH");
  return parseTasklist(output).has(pid) ? "running" : "ended";
}

/**
 * Ends a process. A program with a window is asked to close it. Windows refuses that for a program
 * of the console, and ends it at once only with `/F`.
 *
 * @throws {Deno.errors.PermissionDenied} Windows refuses to end it.
 */
export async function taskkill(
  pid: number,
  isForced: boolean,
  run = succeeds,
  stateOf = windowsProcessState,
) {
  if (!isForced && await run("taskkill", "/PID", `${pid}`)) return;
  if (await run("taskkill", "/F", "/PID", `${pid}`)) return;
  if (await stateOf(pid) === "ended") return;
  throw new Deno.errors.PermissionDenied(`taskkill cannot end process ${pid}`);
}
