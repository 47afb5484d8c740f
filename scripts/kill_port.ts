#!/usr/bin/env -S deno run -A
/**
 * Finds the programs that hold a port, and kills them if you say so.
 *
 * Mirrors the tool of the same name in "How to create a simple Python TCP/IP
 * server and client", section "find and kill any applications running on a
 * port". It helps when a server says that its port is already in use.
 *
 * ```sh
 * deno run -A scripts/kill_port.ts 81                  # list, and ask for each
 * deno run -A scripts/kill_port.ts 81 --list           # only list
 * deno run -A scripts/kill_port.ts 81 --yes            # do not ask
 * deno run -A scripts/kill_port.ts 81 --signal=SIGKILL # what ignores SIGTERM
 * ```
 *
 * With a Python server on the port, and y typed, it looks like this:
 *
 * ```text
 * PID     program         protocol address
 * 12345   python3         TCP      ('127.0.0.1', 81)
 * Kill 12345 (python3)? [y/N] y
 * 12345 (python3) has ended
 * ```
 *
 * It lists who listens there over TCP or receives over UDP. A client that only
 * talks from or to that port does not hold it, and is not listed.
 *
 * It needs all permissions (`-A`) on Linux: who holds a port stands in `/proc`,
 * and Deno opens that to no less; `--allow-read=/proc` is refused, and so is
 * `-A` with any `--deny-...` flag. On macOS `--allow-run` is enough, for `lsof`,
 * `ps` and the signal (which Deno refuses when programs are named there), on
 * Windows `--allow-run=netstat,tasklist,taskkill`.
 *
 * Tried on Linux. What the programs of macOS and Windows print is read by
 * functions that are tested with samples of it, not on these systems.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { address, complain, Failure, input, print, run, text, UsageError } from "./lib.ts";

const PATIENCE = 2000; // milliseconds that a process may take to end
const PAUSE = 20; // milliseconds between two looks whether it has ended
const OS = Deno.build.os;
const SIGNALS: Deno.Signal[] = OS === "windows"
  ? ["SIGTERM", "SIGKILL"]
  : ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGKILL"];

/** A socket that holds the port, and whose it is. */
export interface Holder {
  /** The process, unless it is hidden from the user. */
  pid?: number;
  /** The name of its program. */
  program: string;
  /** TCP or UDP. */
  protocol: string;
  /** The address that the socket is bound to. */
  hostname: string;
}

async function killPort(
  port: number,
  { yes, list, signal }: { yes: boolean; list: boolean; signal: Deno.Signal },
) {
  const holders = await findHolders(port);
  if (holders.length === 0) {
    const hints = OS === "darwin" ? [`to see all users': ${asRoot(port)}`] : [];
    throw new Failure(`nothing is listening on port ${port}`, ...hints);
  }
  printRow("PID", "program", "protocol", "address");
  for (const { pid = "-", program, protocol, hostname } of holders) {
    const where = address({ transport: "tcp", hostname, port });
    printRow(`${pid}`, program, protocol, where);
  }
  const isHidden = holders.some(({ pid }) => pid === undefined);
  if (isHidden) {
    const hint = OS === "linux" && Deno.uid() === 0
      ? "it is part of the system, or lives outside of this container"
      : asRoot(port);
    complain(`a process that you may not see holds port ${port}`, hint);
  }
  if (list) return;

  let isFree = !isHidden;
  const programs = new Map(holders.map(({ pid, program }) => [pid, program]));
  for (const [pid, program] of programs) {
    if (pid === undefined) continue;
    const who = `${pid} (${program})`;
    if (!yes) {
      const answer = await input(`Kill ${who}? [y/N] `);
      if (answer === null) break; // the end of input is a no to all that follow
      if (!/^y(es)?$/i.test(answer.trim())) continue;
    }
    // The question may have stood there for long, and the PID be another's now.
    if (!(await findHolders(port)).some((holder) => holder.pid === pid)) {
      print(`${who} no longer holds port ${port}`);
      continue;
    }
    try {
      await send(pid, signal);
      if (await ends(pid)) {
        print(`${who} has ended`);
        continue;
      }
      const hint = signal !== "SIGKILL"
        ? `insist: deno ${again(port)} --signal=SIGKILL`
        : OS === "windows"
        ? "try again in a terminal opened as administrator"
        : "the system ends it as soon as it can";
      complain(`${who} is still there`, hint);
    } catch (error) {
      if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
      complain(`no right to end ${who}: another user's process`, asRoot(port));
    }
    isFree = false;
  }
  if (!isFree) throw new Failure(`port ${port} could not be freed`);
}

function printRow(
  pid: string,
  program: string,
  protocol: string,
  where: string,
) {
  print(pid.padEnd(7), program.padEnd(15), protocol.padEnd(8), where);
}

/** What follows `deno` on the command line that runs this script again. */
function again(port: number): string {
  return `run -A ${import.meta.filename} ${port}`;
}

function asRoot(port: number): string {
  return `run it as root: sudo ${Deno.execPath()} ${again(port)}`;
}

/** Finds the sockets that hold a port, those of one process next to each other. */
async function findHolders(port: number): Promise<Holder[]> {
  const find = OS === "linux" ? linuxHolders : OS === "windows" ? windowsHolders : macHolders;
  return (await find(port))
    .filter(({ pid }) => pid !== Deno.pid) // it may have inherited the socket
    .sort((a, b) => (a.pid ?? Infinity) - (b.pid ?? Infinity));
}

async function send(pid: number, signal: Deno.Signal) {
  if (OS === "windows") {
    const force = signal === "SIGKILL" ? ["/F"] : [];
    await output("taskkill", ...force, "/PID", `${pid}`);
    return;
  }
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // it has just ended
  }
}

/** Waits until a process has ended, and gives up after a while. */
async function ends(pid: number): Promise<boolean> {
  for (const giveUp = Date.now() + PATIENCE; Date.now() < giveUp;) {
    // A zombie (Z) has ended, only its parent has not yet asked how.
    if (/^Z|^$/.test(await state(pid))) return true;
    await delay(PAUSE);
  }
  return false;
}

/** A letter for the state that a process is in, and nothing when there is none. */
async function state(pid: number): Promise<string> {
  if (OS === "windows") return (await tasks()).has(pid) ? "R" : "";
  if (OS !== "linux") return await output("ps", "-o", "stat=", "-p", `${pid}`);
  const stat = tryTo(() => Deno.readTextFileSync(`/proc/${pid}/stat`)) ?? "";
  return stat.slice(stat.lastIndexOf(")") + 2); // the name before may hold anything
}

async function output(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(program, { args }).output();
  return new TextDecoder().decode(stdout);
}

function linuxHolders(port: number): Holder[] {
  // First the owners: a socket without one is then a hidden process's, and not
  // that of a process which has ended between the two looks.
  const owners = socketOwners();
  return ["tcp", "tcp6", "udp", "udp6"].flatMap((name) => {
    const table = tryTo(() => Deno.readTextFileSync(`/proc/net/${name}`)) ?? "";
    const protocol = name.slice(0, 3).toUpperCase();
    return parseProcNet(table, port).flatMap(({ hostname, uid, inode }) =>
      owners.get(inode)?.map((pid): Holder => (
        { pid, program: programOf(pid), protocol, hostname }
      )) ?? { program: `? (user ${uid})`, protocol, hostname }
    );
  });
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
function programOf(pid: number): string {
  // /proc/PID/comm would be shorter, but there Node.js is called "MainThread".
  const line = tryTo(() => Deno.readFileSync(`/proc/${pid}/cmdline`));
  const [first] = text(line ?? new Uint8Array()).split("\\x00");
  const [path] = first.split(": "); // some change it: "nginx: worker process"
  return path.split("/").at(-1) || "?";
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
 * Reads `/proc/net/tcp`, `tcp6`, `udp` or `udp6`: the sockets that hold the
 * port, each with its user and the inode by which processes refer to it.
 */
export function parseProcNet(
  table: string,
  port: number,
): { hostname: string; uid: string; inode: string }[] {
  const hexPort = port.toString(16).toUpperCase().padStart(4, "0");
  return table.split("\n").map((line) => line.trim().split(/\s+/))
    // 0A is a TCP socket that listens, 07 a UDP socket without a fixed peer.
    .filter(([, local, , state]) => local?.endsWith(`:${hexPort}`) && /^0[A7]$/.test(state))
    .map(([, local, , , , , , uid, , inode]) => (
      { hostname: hostnameOf(local.split(":")[0]), uid, inode }
    ));
}

/** `0100007F` is 127.0.0.1: each four bytes are one number, the last byte first. */
function hostnameOf(hex: string): string {
  const bytes = hex.match(/.{8}/g)!
    .flatMap((number) => number.match(/../g)!.reverse());
  if (bytes.length === 4) return bytes.map((b) => parseInt(b, 16)).join(".");
  const groups = bytes.join("").match(/.{4}/g)!.join(":");
  return new URL(`http://[${groups}]`).hostname.slice(1, -1); // shortened: ::1
}

async function macHolders(port: number): Promise<Holder[]> {
  // lsof could leave out connections itself (-sTCP:LISTEN), but then it may
  // leave out UDP as well.
  return parseLsof(
    await output("lsof", "-nP", "+c0", `-i:${port}`, "-FpctPnT"),
  );
}

/**
 * Reads what `lsof -FpctPnT` prints, one fact a line. The first letter says
 * which: p process, c program, t type, P protocol, n address, T state.
 */
export function parseLsof(output: string): Holder[] {
  const holders: Holder[] = [];
  const facts: Record<string, string> = {};
  for (const line of output.split("\n")) {
    facts[line[0]] = line.slice(1);
    const { p, c, t, P: protocol, n: name } = facts;
    const holds = protocol === "UDP"
      ? line[0] === "n" && !name.includes("->")
      : line === "TST=LISTEN";
    if (!holds) continue;
    const any = t === "IPv6" ? "::" : "0.0.0.0";
    const hostname = withoutPort(name).replace("*", any);
    const program = c.replaceAll("\\x20", " ");
    holders.push({ pid: Number(p), program, protocol, hostname });
  }
  return holders;
}

/** `[::1]:81` is port 81 of `::1`. */
function withoutPort(address: string): string {
  return address.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}

async function windowsHolders(port: number): Promise<Holder[]> {
  return parseNetstat(await output("netstat", "-ano"), await tasks(), port);
}

/** Reads what `netstat -ano` prints on Windows. */
export function parseNetstat(
  output: string,
  programs: Map<number, string>,
  port: number,
): Holder[] {
  return output.split("\n").map((line) => line.trim().split(/\s+/))
    // What listens has no peer. The word LISTENING is no sign of it: Windows
    // writes that in the user's language.
    .filter(([protocol, local, peer]) =>
      /^(TCP|UDP)$/.test(protocol) && local.endsWith(`:${port}`) &&
      /:[0*]$/.test(peer)
    )
    .map(([protocol, local, ...others]) => {
      const pid = Number(others.at(-1));
      const program = programs.get(pid) ?? "?";
      return { pid, program, protocol, hostname: withoutPort(local) };
    });
}

async function tasks(): Promise<Map<number, string>> {
  return parseTasklist(await output("tasklist", "/FO", "CSV", "/NH"));
}

/** Reads what `tasklist /FO CSV /NH` prints: the program of each process. */
export function parseTasklist(output: string): Map<number, string> {
  const lines = output.matchAll(/^"(.*?)","(\d+)"/gm);
  return new Map([...lines].map(([, program, pid]) => [Number(pid), program]));
}

if (import.meta.main) {
  await run(
    { _: ["PORT"], yes: false, list: false, signal: "SIGTERM" },
    async ({ _: words, yes, list, signal: name }) => {
      if (words.length !== 1) {
        throw new UsageError(`one port is needed, not ${words.length}`);
      }
      const port = Number(words[0]);
      if (!/^\d+$/.test(words[0]) || port < 1 || port > 65535) {
        throw new UsageError(
          `the port must be a whole number from 1 to 65535, not ${words[0]}`,
        );
      }
      const signal = SIGNALS.find((signal) => signal === name);
      if (!signal) {
        const signals = SIGNALS.join(", ");
        throw new UsageError(`--signal must be one of ${signals}, not ${name}`);
      }
      try {
        await killPort(port, { yes, list, signal });
      } catch (error) {
        if (!(error instanceof Deno.errors.NotCapable)) throw error;
        const message = "permission missing: all of them are needed";
        throw new Failure(message, `allow them: deno ${again(port)}`);
      }
    },
  );
}
