/**
 * The ports of this machine: which are in use, and which are free.
 *
 * @module
 */
import { readLinuxSockets } from "../../system/linux.ts";
import { readSockets } from "../../system/sockets.ts";

/**
 * Returns the one of some ports on which a TCP socket listens or to which a UDP socket is bound, if
 * there is one. This takes 10 to 100 ms.
 */
export async function boundPort(
  ports: number[],
  transport: "tcp" | "udp",
): Promise<number | undefined> {
  const protocol = transport === "tcp" ? "TCP" : "UDP";
  const sockets = await readSockets(protocol, (port) => ports.includes(port));
  return sockets.find(({ state }) => transport === "udp" || state === "listening")?.port;
}

/** Returns whether a TCP socket listens on a port, or a UDP socket is bound to it. */
export async function isBound(port: number, transport: "tcp" | "udp"): Promise<boolean> {
  return await boundPort([port], transport) !== undefined;
}

/**
 * Returns whether a TCP connection on a port is still open or in TIME-WAIT, on Linux. Deno can listen
 * there nevertheless. A program that does not set SO_REUSEADDR, as most originals, can't.
 */
export const isInTimeWait = (port: number): boolean =>
  Deno.build.os === "linux" && readLinuxSockets("TCP", (other) => other === port).length > 0;

/** Returns whether no socket is bound to a port, and no TCP connection on it is in TIME-WAIT. */
export function isFree(port: number, transport: "tcp" | "udp", hostname = "127.0.0.1"): boolean {
  return canBind(port, transport, hostname) && !(transport === "tcp" && isInTimeWait(port));
}

/** Returns whether a socket can be bound to a port. */
export function canBind(port: number, transport: "tcp" | "udp", hostname = "127.0.0.1"): boolean {
  try {
    const socket = transport === "tcp"
      ? Deno.listen({ hostname, port })
      : Deno.listenDatagram({ transport, hostname, port });
    socket.close();
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    return false;
  }
}

/**
 * Returns a port that was free a moment ago. It is not one of those above 32767, which the system
 * gives to clients. It is chosen at random, so that two callers get different ports.
 */
export function freePort(transport: "tcp" | "udp"): number {
  for (;;) {
    const port = 26000 + Math.floor(Math.random() * 6000); // the tests use those below 26000
    if (isFree(port, transport)) return port;
  }
}
