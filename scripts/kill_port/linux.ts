/**
 * The sockets on a port, out of `/proc`.
 *
 * @module
 */
import { showText } from "../lib.ts";
import type { Socket } from "./sockets.ts";

// As the kernel numbers the states of a socket.
const LISTEN = "0A";
const UNCONNECTED = "07"; // UDP
const TIME_WAIT = "06";

/** Finds the sockets on a port. */
export function linuxSockets(port: number): Socket[] {
  if (rows(port).length === 0) return []; // to look through all processes takes long
  // First the owners: a socket without one is then a hidden process's, and not
  // that of a process which has ended between the two looks.
  const owners = socketOwners();
  return rows(port).flatMap(({ inode, uid, ...socket }): Socket[] => {
    const pids = owners.get(inode) ?? [];
    if (pids.length > 0) {
      return pids.map((pid) => ({ ...socket, pid, program: programOf(pid) }));
    }
    // When its process has closed it, a socket belongs to the kernel alone.
    const kind = inode === "0" && socket.kind === "open" ? "rest" : socket.kind;
    return [{ ...socket, kind, program: `? (user ${uid})` }];
  });
}

function rows(port: number) {
  return ["tcp", "tcp6", "udp", "udp6"].flatMap((name) => {
    const protocol = name.slice(0, 3).toUpperCase();
    return parseProcNet(readProcNet(name) ?? "", port, protocol);
  });
}

/**
 * What stands in `/proc/net/tcp`, `tcp6`, `udp` or `udp6`; nothing where there is no IPv6.
 *
 * The kernel tells its table a page at a time. Where sockets come and go between two pages, a UDP
 * socket can be left out or be told twice: so theirs is read three times, the texts one after the
 * other.
 */
export function readProcNet(name: string): string | undefined {
  const times = name.startsWith("udp") ? 3 : 1;
  return tryTo(() =>
    Array.from({ length: times }, () => Deno.readTextFileSync(`/proc/net/${name}`)).join("")
  );
}

/** The processes that have a socket open, by the socket's inode. */
function socketOwners(): Map<string, number[]> {
  const owners = new Map<string, number[]>();
  for (const { name } of Deno.readDirSync("/proc")) {
    const pid = Number(name);
    if (isNaN(pid)) continue;
    const folder = `/proc/${pid}/fd`;
    const links = tryTo(() => [...Deno.readDirSync(folder)])?.map(({ name }) =>
      tryTo(() => Deno.readLinkSync(`${folder}/${name}`))
    );
    for (const link of new Set(links)) {
      const inode = link?.match(/^socket:\[(\d+)\]$/)?.[1];
      if (inode) owners.set(inode, [...owners.get(inode) ?? [], pid]);
    }
  }
  return owners;
}

/** The name of a process's program, by the first word of its command line. */
export function programOf(pid: number): string {
  // /proc/PID/comm would be shorter, but there Node.js is called "MainThread".
  const line = tryTo(() => Deno.readFileSync(`/proc/${pid}/cmdline`));
  const [first] = showText(line ?? new Uint8Array()).split("\\x00");
  const [path] = first.split(": "); // some change it: "nginx: worker process"
  return path.split("/").at(-1) || "?";
}

/** What Linux tells of a process. */
export interface Stat {
  /** A letter for its state. */
  state: string;
  /** The process that has started it. */
  parent: number;
  /** How long it has worked, and those that it started and that have ended: in ticks. */
  work: number;
}

/** Looks at a process; nothing where it has ended. */
export function statOf(pid: number): Stat | undefined {
  const stat = tryTo(() => Deno.readTextFileSync(`/proc/${pid}/stat`));
  if (stat === undefined) return undefined;
  // The name before may hold anything.
  const [state, parent, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const work = rest.slice(9, 13).reduce((sum, ticks) => sum + Number(ticks), 0);
  return { state, parent: Number(parent), work };
}

/** What is found in `/proc`, or nothing: processes end at any time, or are hidden. */
function tryTo<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
  }
}

/**
 * Reads `/proc/net/tcp`, `tcp6`, `udp` or `udp6`.
 *
 * @param table What stands there, some sockets perhaps more than once.
 * @param port The port of which the sockets are wanted.
 * @param protocol TCP or UDP.
 * @returns The sockets, each with its user and the inode by which processes refer to it.
 */
export function parseProcNet(
  table: string,
  port: number,
  protocol: string,
): (Omit<Socket, "pid" | "program"> & { uid: string; inode: string })[] {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  // A busy machine's table is long: only the port's own lines are taken apart.
  const lines = table.match(RegExp(`^ *\\d+: \\w+:${hex} .*`, "gm")) ?? [];
  const sockets = new Map(lines.map((line) => {
    const fields = line.trim().split(/\s+/);
    const [, local, remote, , , , , , , inode] = fields;
    return [`${local} ${remote} ${inode}`, fields];
  }));
  return [...sockets.values()].map(([, local, remote, state, , timer, , uid, , inode]) => {
    const isFree = state === LISTEN || state === UNCONNECTED;
    const kind = isFree
      ? "holds" as const
      : protocol === "UDP"
      ? "talks" as const
      : state === TIME_WAIT
      ? "rest" as const
      : "open" as const;
    const hundredths = parseInt(timer.split(":")[1], 16);
    return {
      protocol,
      hostname: addressOf(local).hostname,
      kind,
      ...!isFree && { peer: addressOf(remote) },
      ...kind === "rest" && { seconds: Math.ceil(hundredths / 100) },
      uid,
      inode,
    };
  });
}

/** `0100007F:0051` is port 81 of 127.0.0.1. */
function addressOf(hex: string): { hostname: string; port: number } {
  const [hostname, port] = hex.split(":");
  return { hostname: hostnameOf(hostname), port: parseInt(port, 16) };
}

/** `0100007F` is 127.0.0.1: each four bytes are one number, the last byte first. */
function hostnameOf(hex: string): string {
  const bytes = hex.match(/.{8}/g)!.flatMap((number) => number.match(/../g)!.reverse());
  if (bytes.length === 4) return bytes.map((b) => parseInt(b, 16)).join(".");
  const groups = bytes.join("").match(/.{4}/g)!.join(":");
  return new URL(`http://[${groups}]`).hostname.slice(1, -1); // shortened: ::1
}
