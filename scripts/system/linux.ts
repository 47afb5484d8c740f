/**
 * Sockets and processes on Linux, read from `/proc`.
 *
 * @module
 */
import type { Process, ProcessState, Protocol, Socket } from "./types.ts";

// The kernel's numbers for the states of a socket.
const LISTEN = "0A";
const UNCONNECTED = "07"; // UDP
const TIME_WAIT = "06";

/** A socket as `/proc/net` lists it: with its user, and the inode by which processes refer to it. */
export type LinuxSocket = Socket & { uid: string; inode: string };

/**
 * Reads the sockets of one protocol, without their processes.
 *
 * The kernel walks through all of its hash table for this. For TCP that takes 10 to 100 ms, however
 * few sockets there are: read once, and look up several ports in the result.
 */
export function readLinuxSockets(
  protocol: Protocol,
  isWanted?: (port: number) => boolean,
): LinuxSocket[] {
  // The kernel writes its table page by page. When sockets come and go between two pages, a UDP
  // socket can be missing or appear twice. Three reads make a miss unlikely.
  const reads = protocol === "UDP" ? 3 : 1;
  const files = ["", "6"].map((version) => `/proc/net/${protocol.toLowerCase()}${version}`);
  return files.flatMap((file) => {
    const tables = Array.from({ length: reads }, () => tryTo(() => Deno.readTextFileSync(file)));
    return parseProcNet(tables.join(""), protocol, isWanted);
  });
}

/** Finds the sockets on some ports, and their processes. */
export function findLinuxSockets(isWanted: (port: number) => boolean): Socket[] {
  const read = () =>
    (["TCP", "UDP"] as const).flatMap((protocol) => readLinuxSockets(protocol, isWanted));
  let sockets = read();
  if (sockets.length === 0) return []; // saves the search through all processes
  const owners = socketOwners();
  const hasOwner = ({ inode }: LinuxSocket) => owners.has(inode);
  if (!sockets.every((socket) => hasOwner(socket) || socket.state === "timeWait")) {
    // Either the owner is hidden, or it closed the socket before the search came to it.
    const inodes = new Set(read().map(({ inode }) => inode));
    sockets = sockets.filter((socket) => hasOwner(socket) || inodes.has(socket.inode));
  }
  return sockets.flatMap(({ inode, uid, ...socket }): Socket[] => {
    const pids = owners.get(inode);
    if (!pids) return [{ ...socket, program: `? (user ${uid})` }];
    return pids.map((pid) => ({ ...socket, pid, program: programOf(pid) }));
  });
}

/** Returns the ports on which a process listens, or receives datagrams. */
export function portsOf(pid: number, protocol: Protocol): number[] {
  const inodes = socketsOf(pid);
  return readLinuxSockets(protocol)
    .filter(({ inode, state }) => inodes.has(inode) && state === "listening")
    .map(({ port }) => port);
}

/** Returns the processes that have a socket open, by the socket's inode. */
function socketOwners(): Map<string, number[]> {
  const owners = new Map<string, number[]>();
  for (const pid of allPids()) {
    for (const inode of socketsOf(pid)) owners.set(inode, [...owners.get(inode) ?? [], pid]);
  }
  return owners;
}

/** Returns the inodes of the sockets that a process has open. */
function socketsOf(pid: number): Set<string> {
  const folder = `/proc/${pid}/fd`;
  const files = tryTo(() => [...Deno.readDirSync(folder)]) ?? [];
  const links = files.map(({ name }) => tryTo(() => Deno.readLinkSync(`${folder}/${name}`)));
  return new Set(links.flatMap((link) => link?.match(/^socket:\[(\d+)\]$/)?.[1] ?? []));
}

function allPids(): number[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter((pid) => pid > 0);
}

/** Returns the name of a process's program, taken from the first word of its command line. */
function programOf(pid: number): string {
  // /proc/PID/comm would be simpler, but there Node.js is called "MainThread".
  const line = tryTo(() => Deno.readFileSync(`/proc/${pid}/cmdline`)) ?? new Uint8Array();
  return programName(new TextDecoder().decode(line));
}

/**
 * Returns the name of a program, given its command line (words that end in NUL).
 *
 * Programs may write what they like there, such as "nginx: worker process" or a line break. Only
 * folders without spaces are cut off, so that nothing of an odd name is hidden.
 */
export function programName(commandLine: string): string {
  const [first] = commandLine.split("\0");
  return first.split(": ")[0].replace(/^([^\s/]*\/)+/, "") || "?";
}

/** Reads all processes but those that have ended (zombies). */
export function readLinuxProcesses(): Map<number, Process> {
  const processes = new Map<number, Process>();
  for (const pid of allPids()) {
    const fields = readStat(pid);
    if (!fields || fields[0] === "Z") continue;
    processes.set(pid, {
      parent: Number(fields[1]),
      cpuTicks: cpuTicksOf(fields),
      get program() {
        return programOf(pid); // read when needed only
      },
    });
  }
  return processes;
}

/** Returns the state of a process. */
export function linuxProcessState(pid: number): ProcessState {
  const [letter] = readStat(pid) ?? [];
  // A zombie (Z) has ended. Its parent has not fetched its exit status yet.
  if (letter === undefined || letter === "Z") return "ended";
  return letter === "T" ? "stopped" : "running";
}

/**
 * Returns the letter that Linux gives the state of a process or a thread, such as R for ready to run, and
 * the ticks of processor time that it and its ended children have used; `undefined` after its end.
 */
export function linuxActivity(pid: number): { state: string; cpuTicks: number } | undefined {
  const fields = readStat(pid);
  return fields && { state: fields[0], cpuTicks: cpuTicksOf(fields) };
}

function cpuTicksOf(fields: string[]): number {
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0);
}

/** Returns the fields of `/proc/PID/stat` from the state on, or `undefined` after the end. */
function readStat(pid: number): string[] | undefined {
  const stat = tryTo(() => Deno.readTextFileSync(`/proc/${pid}/stat`));
  // The field before the state is a name in parentheses that may contain anything.
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** Returns what `look` finds in `/proc`, or `undefined`: processes end at any time, or are hidden. */
function tryTo<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
  }
}

/**
 * Parses `/proc/net/tcp`, `tcp6`, `udp` or `udp6`. Each socket is in the result once, even when the
 * table lists it several times.
 */
export function parseProcNet(
  table: string,
  protocol: Protocol,
  isWanted: (port: number) => boolean = () => true,
): LinuxSocket[] {
  const sockets = new Map<string, LinuxSocket>();
  for (const line of table.split("\n")) {
    const port = /^ *\d+: \w+:(\w{4}) /.exec(line)?.[1];
    if (port === undefined || !isWanted(parseInt(port, 16))) continue;
    const [, local, remote, code, , timer, , uid, , inode] = line.trim().split(/\s+/);
    const state = stateOf(code, protocol, inode);
    const hundredths = parseInt(timer.split(":")[1], 16);
    sockets.set(`${local} ${remote} ${inode}`, {
      protocol,
      ...endpoint(local),
      state,
      ...state !== "listening" && { peer: endpoint(remote) },
      ...state === "timeWait" && { secondsLeft: Math.ceil(hundredths / 100) },
      uid,
      inode,
    });
  }
  return [...sockets.values()];
}

function stateOf(code: string, protocol: Protocol, inode: string): Socket["state"] {
  if (code === LISTEN || code === UNCONNECTED) return "listening";
  // When its process has closed it, a TCP connection belongs to the kernel alone: inode 0.
  return protocol === "TCP" && (code === TIME_WAIT || inode === "0") ? "timeWait" : "connected";
}

/** Parses an address: `0100007F:0051` is port 81 of 127.0.0.1. */
function endpoint(hex: string): { hostname: string; port: number } {
  const [address, port] = hex.split(":");
  return { hostname: hostnameOf(address), port: parseInt(port, 16) };
}

/** Parses a host's address: each four bytes are one number, with the last byte first. */
function hostnameOf(hex: string): string {
  const bytes = hex.match(/.{8}/g)!.flatMap((number) => number.match(/../g)!.reverse());
  if (bytes.length === 4) return bytes.map((byte) => parseInt(byte, 16)).join(".");
  const groups = bytes.join("").match(/.{4}/g)!.join(":");
  return new URL(`http://[${groups}]`).hostname.slice(1, -1); // shortened: ::1
}
