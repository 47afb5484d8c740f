/**
 * The ports of this machine: which are in use, and which are free.
 *
 * @module
 */
import { readProcNet } from "../../kill_port/linux.ts";
import { parseNetstat } from "../../kill_port/windows.ts";

/** Returns whether a TCP socket listens on a port, or a UDP socket is bound to it. */
export async function isBound(
  port: number,
  transport: "tcp" | "udp",
): Promise<boolean> {
  if (Deno.build.os === "linux") {
    return isListed(port, transport, transport === "tcp" ? "0A" : ""); // listening
  }
  const { stdout } = await new Deno.Command("netstat", { args: ["-an"] })
    .output();
  const sockets = new TextDecoder().decode(stdout);
  if (Deno.build.os === "windows") {
    return parseNetstat(sockets, new Map(), port)
      .some(({ protocol }) => protocol.toLowerCase() === transport);
  }
  const state = transport === "tcp" ? ".*LISTEN" : "";
  const local = `^${transport}\\S*\\s+\\d+\\s+\\d+\\s+\\S+\\.${port}\\s`;
  return new RegExp(local + state, "m").test(sockets);
}

/** Returns whether Linux lists a socket on a port, in this state or in any. */
function isListed(port: number, transport: "tcp" | "udp", state = ""): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  // One search in the whole text: the table is long, and it is read often.
  const line = new RegExp(`^ *\\d+: [0-9A-F]+:${hex} \\S+ ${state}`, "m");
  return [transport, `${transport}6`].some((table) => line.test(readProcNet(table) ?? ""));
}

/**
 * Returns whether a TCP connection on a port is still open or in TIME-WAIT, on Linux. Deno can listen
 * there nevertheless. A program that does not set SO_REUSEADDR, as most originals, can't.
 */
export const isInTimeWait = (port: number): boolean =>
  Deno.build.os === "linux" && isListed(port, "tcp");

/** Returns whether no socket is bound to a port, and no connection on it is in TIME-WAIT. */
export function isFree(port: number, transport: "tcp" | "udp", hostname = "127.0.0.1"): boolean {
  if (isInTimeWait(port)) return false;
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
