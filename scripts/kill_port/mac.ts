/**
 * The sockets on a port, as macOS's `lsof` and `netstat` print them.
 *
 * @module
 */
import { outputOf } from "./command.ts";
import type { Socket } from "./sockets.ts";

/** Finds the sockets on a port. */
export async function macSockets(port: number): Promise<Socket[]> {
  // lsof could leave out connections itself (-sTCP:LISTEN), but then it may
  // leave out UDP as well.
  const sockets = parseLsof(await outputOf("lsof", "-nP", "+c0", `-i:${port}`, "-FpctPnT"), port);
  if (sockets.length > 0) return sockets;
  return parseMacNetstat(await outputOf("netstat", "-an", "-p", "tcp"), port);
}

/**
 * Reads what `lsof -FpctPnT` prints, one fact a line. The first letter says
 * which: p process, c program, t type, P protocol, n address, T state.
 *
 * @param output What it printed.
 * @param port The port of which the sockets are wanted, and not those of its clients.
 * @returns The sockets.
 */
export function parseLsof(output: string, port: number): Socket[] {
  const sockets: Socket[] = [];
  const facts: Record<string, string> = {};
  for (const line of output.split("\n")) {
    facts[line[0]] = line.slice(1);
    const { p, c, t, P: protocol, n: name } = facts;
    const isLast = protocol === "UDP" ? line[0] === "n" : line.startsWith("TST=");
    if (!isLast) continue;
    const [own, peer] = name.split("->").map(placeOf);
    if (own.port !== port) continue;
    const any = t === "IPv6" ? "::" : "0.0.0.0";
    sockets.push({
      pid: Number(p),
      program: c.replaceAll("\\x20", " "),
      protocol,
      hostname: own.hostname.replace("*", any),
      kind: !peer ? "holds" : protocol === "UDP" ? "talks" : "open",
      ...peer && { peer },
    });
  }
  return sockets;
}

/**
 * Reads what `netstat -an -p tcp` prints on macOS: what is left of connections, which no
 * process has.
 *
 * @param output What it printed.
 * @param port The port that they are on.
 * @returns The rests.
 */
export function parseMacNetstat(output: string, port: number): Socket[] {
  return output.split("\n").map((line) => line.trim().split(/\s+/))
    .filter(([protocol, , , local, , state]) =>
      /^tcp/.test(protocol) && local?.endsWith(`.${port}`) && /^(TIME|FIN|LAST)_/.test(state)
    )
    .map(([, , , local, remote]) => ({
      program: "?",
      protocol: "TCP",
      hostname: placeOf(local).hostname,
      peer: placeOf(remote),
      kind: "rest",
    }));
}

/** `[::1]:81` is port 81 of `::1`; netstat writes `127.0.0.1.81`. */
function placeOf(place: string): { hostname: string; port: number } {
  const [, hostname, port] = place.match(/^(.*)[.:](\d+|\*)$/)!;
  return { hostname: hostname.replace(/^\[(.*)\]$/, "$1"), port: Number(port) };
}
