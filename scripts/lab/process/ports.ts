/**
 * The ports of this machine: which are in use, and which are free.
 *
 * @module
 */
import { readProcNet } from "../../kill_port/linux.ts";
import { parseNetstat } from "../../kill_port/windows.ts";

/** Whether a TCP socket listens on a port, or a UDP socket is bound to it. */
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

/** Whether Linux knows a socket on a port, in this state or in any. */
function isListed(port: number, transport: "tcp" | "udp", state = ""): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  // One search in the text: the table is long, and it is looked at often.
  const line = new RegExp(`^ *\\d+: [0-9A-F]+:${hex} \\S+ ${state}`, "m");
  return [transport, `${transport}6`].some((table) => line.test(readProcNet(table) ?? ""));
}

/**
 * Whether something is left of a TCP connection on a port (TIME-WAIT), where Linux tells. Deno can
 * listen there all the same; who does not set SO_REUSEADDR, as most originals, can't.
 */
export const hasRest = (port: number): boolean =>
  Deno.build.os === "linux" && isListed(port, "tcp");

/** Whether nobody is bound to a port, and no rest of a connection is on it. */
export function isFree(port: number, transport: "tcp" | "udp", hostname = "127.0.0.1"): boolean {
  if (hasRest(port)) return false;
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
