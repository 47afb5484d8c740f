/**
 * The sockets on a port, and whose they are, as each system tells it.
 *
 * @module
 */
import { linuxSockets } from "./linux.ts";
import { macSockets } from "./mac.ts";
import { windowsSockets } from "./windows.ts";

/** A socket on the port. */
export interface Socket {
  /** The process that has it. None has what is left of a connection, and some are hidden. */
  pid?: number;
  /** The name of its program. */
  program: string;
  /** TCP or UDP. */
  protocol: string;
  /** The address that it is bound to. */
  hostname: string;
  /** Whom it is connected to. */
  peer?: { hostname: string; port: number };
  /**
   * What it does: `holds` the port, listening over TCP or receiving over UDP; `talks` over UDP
   * with one peer alone; is an `open` TCP connection, or what is left (`rest`) of one.
   */
  kind: "holds" | "talks" | "open" | "rest";
  /** For how many seconds more a rest is there, where the system tells. */
  seconds?: number;
}

/** Finds the sockets on a port, those of one process next to each other. */
export async function findSockets(port: number): Promise<Socket[]> {
  const { os } = Deno.build;
  const find = os === "linux" ? linuxSockets : os === "windows" ? windowsSockets : macSockets;
  return (await find(port))
    .filter(({ pid }) => pid !== Deno.pid) // it may have inherited the socket
    .sort((a, b) => (a.pid ?? Infinity) - (b.pid ?? Infinity));
}

/**
 * Whether the system gives this port to those who ask for none. Then a socket that talks from it
 * may be any client's, and elsewhere its program has chosen the port.
 */
export function isGiven(port: number): boolean {
  // Windows gives away the same ports as macOS.
  let [first, last] = [49152, 65535];
  if (Deno.build.os === "linux") {
    const range = Deno.readTextFileSync("/proc/sys/net/ipv4/ip_local_port_range");
    [first, last] = range.trim().split(/\s+/).map(Number);
  }
  return port >= first && port <= last;
}
