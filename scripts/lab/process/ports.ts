/**
 * The ports of this machine: which are in use, and which are free.
 *
 * @module
 */
import { readLinuxSockets } from "../../system/linux.ts";
import { readSockets } from "../../system/sockets.ts";

/** Returns whether a TCP socket listens on a port, or a UDP socket is bound to it. */
export async function isBound(port: number, transport: "tcp" | "udp"): Promise<boolean> {
  const protocol = transport === "tcp" ? "TCP" : "UDP";
  const sockets = await readSockets(protocol, (other) => other === port);
  return sockets.some(({ state }) => transport === "udp" || state === "listening");
}

/**
 * Returns whether Linux knows a TCP socket on a port, even the rest of a closed connection
 * (TIME-WAIT). Deno can listen there all the same; a program that does not set SO_REUSEADDR, as
 * most originals, cannot.
 */
export const hasRest = (port: number): boolean =>
  Deno.build.os === "linux" && readLinuxSockets("TCP", (other) => other === port).length > 0;

/** Returns whether no socket is bound to a port, and for TCP no rest of a connection is on it. */
export function isFree(port: number, transport: "tcp" | "udp", hostname = "127.0.0.1"): boolean {
  return canBind(port, transport, hostname) && !(transport === "tcp" && hasRest(port));
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
 * A port that was free a moment ago: none of those that the system gives to clients,
 * which are above 32767, and any of many, so that several who ask get each their own.
 */
export function freePort(transport: "tcp" | "udp"): number {
  for (;;) {
    const port = 26000 + Math.floor(Math.random() * 6000); // below are those of the tests
    if (isFree(port, transport)) return port;
  }
}
