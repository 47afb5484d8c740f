/**
 * The sockets of this machine.
 *
 * @module
 */
import { findLinuxSockets, readLinuxSockets } from "./linux.ts";
import { findMacSockets, readMacSockets } from "./mac.ts";
import type { Protocol, Socket } from "./types.ts";
import { findWindowsSockets, readWindowsSockets } from "./windows.ts";

export type { Protocol, Socket };

const { os } = Deno.build;

/**
 * Reads the sockets of one protocol, without their processes. This takes 10 to 100 ms: read once,
 * and look up several ports in the result.
 *
 * @param isWanted Returns whether the sockets on a port are wanted. Default: all are.
 */
export async function readSockets(
  protocol: Protocol,
  isWanted: (port: number) => boolean = () => true,
): Promise<Socket[]> {
  if (os === "linux") return readLinuxSockets(protocol, isWanted);
  const sockets = os === "windows" ? await readWindowsSockets() : await readMacSockets(protocol);
  return sockets.filter((socket) => socket.protocol === protocol && isWanted(socket.port));
}

/**
 * Finds the sockets on some ports, and the processes that have them. A socket that several
 * processes have is in the result once for each.
 *
 * @param isWanted Returns whether the sockets on a port are wanted.
 * @returns The sockets, those of one process next to each other. This process is left out: it may
 * have inherited a socket.
 */
export async function findSockets(isWanted: (port: number) => boolean): Promise<Socket[]> {
  const find = os === "linux"
    ? findLinuxSockets
    : os === "windows"
    ? findWindowsSockets
    : findMacSockets;
  return (await find(isWanted))
    .filter(({ pid }) => pid !== Deno.pid)
    .sort((a, b) => (a.pid ?? Infinity) - (b.pid ?? Infinity));
}

/** Returns whether a port is one of those that the system gives to sockets that ask for any port. */
export function isEphemeral(port: number): boolean {
  let [first, last] = [49152, 65535]; // macOS and Windows
  if (os === "linux") {
    const range = Deno.readTextFileSync("/proc/sys/net/ipv4/ip_local_port_range");
    [first, last] = range.trim().split(/\s+/).map(Number);
  }
  return port >= first && port <= last;
}
