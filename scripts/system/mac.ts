/**
 * Sockets and processes on macOS, as `lsof`, `netstat` and `ps` print them.
 *
 * @module
 */
import { outputOf } from "./command.ts";
import type { Endpoint, Process, ProcessState, Protocol, Socket } from "./types.ts";

/** Reads the sockets of one protocol, without their processes. */
export async function readMacSockets(protocol: Protocol): Promise<Socket[]> {
  // -W keeps long IPv6 addresses whole, and so the port behind them.
  return parseMacNetstat(await outputOf("netstat", "-anW", "-p", protocol.toLowerCase()));
}

/**
 * Finds the sockets on some ports, and their processes. `lsof` shows the processes of other users
 * only to root. `netstat` shows that their sockets exist, and the closed connections.
 */
export async function findMacSockets(isWanted: (port: number) => boolean): Promise<Socket[]> {
  // lsof can leave out connections itself (-sTCP:LISTEN), but then it may leave out UDP as well.
  const visible = parseLsof(await outputOf("lsof", "-nP", "+c0", "-i", "-FpctPnT"));
  const all = [...await readMacSockets("TCP"), ...await readMacSockets("UDP")];
  return mergeMacSockets(visible, all).filter(({ port }) => isWanted(port));
}

/**
 * Adds to the sockets of visible processes those that only `netstat` shows: listeners, and closed
 * connections.
 */
export function mergeMacSockets(visible: Socket[], all: Socket[]): Socket[] {
  const key = ({ protocol, port, state, peer }: Socket) =>
    `${protocol} ${port} ${state === "listening" ? "" : peer?.port}`;
  const visibleKeys = new Set(visible.map(key));
  const others = all.filter(({ state }) => state !== "connected");
  return [...visible, ...others.filter((socket) => !visibleKeys.has(key(socket)))];
}

/**
 * Parses the output of `lsof -FpctPnT`: one fact on each line. The first letter names the fact:
 * p process, c program, t type, P protocol, n address, T state.
 */
export function parseLsof(output: string): Socket[] {
  const sockets: Socket[] = [];
  const facts: Record<string, string> = {};
  for (const line of output.split("\n")) {
    facts[line[0]] = line.slice(1);
    const { p: pid, c: program, t: type, P: protocol, n: name } = facts;
    const isComplete = protocol === "UDP" ? line[0] === "n" : line.startsWith("TST=");
    if (!isComplete) continue;
    const [own, peer] = name.split("->").map((place) => endpoint(place, type === "IPv6"));
    if (!(own.port > 0)) continue; // not bound yet: *:*
    sockets.push({
      protocol: protocol as Protocol,
      ...own,
      state: peer ? "connected" : "listening",
      ...peer && { peer },
      pid: Number(pid),
      program: program.replaceAll("\\x20", " "),
    });
  }
  return sockets;
}

/** Parses the output of `netstat -anW` on macOS: the sockets, without their processes. */
export function parseMacNetstat(output: string): Socket[] {
  const sockets: Socket[] = [];
  for (const line of output.split("\n")) {
    const [type, , , local = "", remote = "", state = ""] = line.trim().split(/\s+/);
    if (!/^(tcp|udp)[46]/.test(type)) continue;
    const protocol = type.startsWith("tcp") ? "TCP" : "UDP";
    const own = endpoint(local, type.includes("6"));
    if (!(own.port > 0)) continue;
    if (state === "LISTEN" || remote === "*.*") {
      if (protocol === "UDP" || state === "LISTEN") {
        sockets.push({ protocol, ...own, state: "listening", program: "?" });
      }
      continue;
    }
    sockets.push({
      protocol,
      ...own,
      state: /^(TIME_WAIT|FIN_WAIT|LAST_ACK|CLOSING)/.test(state) ? "timeWait" : "connected",
      peer: endpoint(remote, type.includes("6")),
      program: "?",
    });
  }
  return sockets;
}

/** Parses an address: `[::1]:81` in lsof's form, `::1.81` in netstat's, `*` for all addresses. */
function endpoint(place: string, isIPv6: boolean): Endpoint {
  const [, hostname = "", port] = place.match(/^(.*)[.:](\d+|\*)$/) ?? [];
  const any = isIPv6 ? "::" : "0.0.0.0";
  return { hostname: hostname === "*" ? any : hostname.replace(/^\[(.*)\]$/, "$1"), port: +port };
}

/** Reads all processes but those that have ended (zombies). */
export async function readMacProcesses(): Promise<Map<number, Process>> {
  return parsePs(await outputOf("ps", "-axo", "pid=,ppid=,stat=,comm="));
}

/** Parses the output of `ps -axo pid=,ppid=,stat=,comm=`. */
export function parsePs(output: string): Map<number, Process> {
  const lines = output.matchAll(/^ *(\d+) +(\d+) +[^Z\s]\S* +(.+)$/gm);
  return new Map([...lines].map(([, pid, parent, path]) => [
    Number(pid),
    { parent: Number(parent), program: path.trim().split("/").at(-1)!, cpuTicks: 0 },
  ]));
}

/** Returns the state of a process. */
export async function macProcessState(pid: number): Promise<ProcessState> {
  const state = await outputOf("ps", "-o", "stat=", "-p", `${pid}`);
  // A zombie (Z) has ended. Its parent has not fetched its exit status yet.
  if (/^(Z|\s*$)/.test(state)) return "ended";
  return state.startsWith("T") ? "stopped" : "running";
}
