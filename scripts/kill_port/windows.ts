/**
 * The sockets on a port, as Windows' `netstat` and `tasklist` print them.
 *
 * @module
 */
import { outputOf } from "./command.ts";
import type { Socket } from "./sockets.ts";

/** Finds the sockets on a port. */
export async function windowsSockets(port: number): Promise<Socket[]> {
  const output = await outputOf("netstat", "-ano");
  const programs = await tasks();
  return [
    ...parseNetstat(output, programs, port),
    ...parseConnections(output, programs, port),
  ];
}

/**
 * Reads who holds a port out of what `netstat -ano` prints on Windows.
 *
 * @param output What it printed.
 * @param programs The names of programs, by their processes.
 * @param port The port.
 * @returns The sockets.
 */
export function parseNetstat(
  output: string,
  programs: Map<number, string>,
  port: number,
): Socket[] {
  // What listens has no peer. The word LISTENING is no sign of it: Windows
  // writes that in the user's language.
  return rowsOf(output, port).filter(({ remote }) => /:[0*]$/.test(remote))
    .map(({ protocol, hostname, pid }) => (
      { pid, program: programs.get(pid) ?? "?", protocol, hostname, kind: "holds" }
    ));
}

/** Reads the connections on a port out of the same: the open ones, and what is left of others. */
export function parseConnections(
  output: string,
  programs: Map<number, string>,
  port: number,
): Socket[] {
  return rowsOf(output, port).filter(({ remote }) => !/:[0*]$/.test(remote))
    .map(({ protocol, hostname, remote, pid }) => {
      const peer = { hostname: withoutPort(remote), port: Number(remote.split(":").at(-1)) };
      const socket = { protocol, hostname, peer, program: programs.get(pid) ?? "?" };
      // No process has what is left.
      return pid === 0 ? { ...socket, kind: "rest" } : { ...socket, pid, kind: "open" };
    });
}

function rowsOf(output: string, port: number) {
  return output.split("\n").map((line) => line.trim().split(/\s+/))
    .filter(([protocol, local]) => /^(TCP|UDP)$/.test(protocol) && local.endsWith(`:${port}`))
    .map(([protocol, local, remote, ...others]) => (
      { protocol, hostname: withoutPort(local), remote, pid: Number(others.at(-1)) }
    ));
}

/** `[::1]:81` is port 81 of `::1`. */
function withoutPort(address: string): string {
  return address.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}

/** The names of all programs, by their processes. */
export async function tasks(): Promise<Map<number, string>> {
  return parseTasklist(await outputOf("tasklist", "/FO", "CSV", "/NH"));
}

/** Reads what `tasklist /FO CSV /NH` prints: the program of each process. */
export function parseTasklist(output: string): Map<number, string> {
  const lines = output.matchAll(/^"(.*?)","(\d+)"/gm);
  return new Map([...lines].map(([, program, pid]) => [Number(pid), program]));
}
