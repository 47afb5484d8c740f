#!/usr/bin/env -S deno run -A
/**
 * Finds the programs that hold a port, and kills them if you say so.
 *
 * Mirrors the tool of the same name in "How to create a simple Python TCP/IP
 * server and client", section "find and kill any applications running on a
 * port". It helps when a server says that its port is already in use.
 *
 * - `deno run -A scripts/kill_port.ts 81` lists the programs, and asks for each.
 * - `deno run -A scripts/kill_port.ts 81 --list` only lists them.
 * - `deno run -A scripts/kill_port.ts 81 --yes` does not ask.
 * - `deno run -A scripts/kill_port.ts 81 --signal=SIGKILL` ends also a program that
 *   ignores SIGTERM.
 * - `deno run -A scripts/kill_port.ts 81,82 9900-9910 53/udp http` takes several ports.
 *
 * With a Python server on the port, and y typed, the session is:
 *
 * ```text
 * PID     program         protocol address
 * 12345   python3         TCP      ('127.0.0.1', 81)
 * Kill 12345 (python3)? [y/N] y
 * 12345 (python3) has ended
 * ```
 *
 * The exit status is 0 when the ports are free at the end. It is 1 when nothing
 * held them, or when something still does: you answered n, a program ignored the
 * signal, or another program took the port. With `--list` it is 0 when a program
 * holds one of the ports.
 *
 * It lists the programs that listen over TCP or receive over UDP. A TCP client
 * does not hold the port that it uses, so it is not listed. A UDP socket that is
 * connected to one peer is listed with its peer. If the system chose its port, it
 * is probably a client.
 *
 * `--yes` leaves two kinds of programs alone: such UDP clients, and the programs
 * that this one runs in, such as your shell, editor or notebook. Without `--yes`
 * the question says what they are, and you may answer y. An explicit `--signal`
 * ends the second kind as well.
 *
 * If no program holds the port, closed connections can still keep a server from
 * using it. They are listed, with the time until they expire.
 *
 * On Linux it needs all permissions (`-A`): it reads `/proc`, and Deno allows
 * that with nothing less. `--allow-read=/proc` is refused, and so is `-A` with
 * any `--deny-...` flag. On macOS it needs `--allow-run` without names, because
 * Deno sends no signal otherwise. On Windows it needs
 * `--allow-run=netstat,tasklist,taskkill,powershell`. Names of services need
 * `--allow-read` as well.
 *
 * Tested on Linux, and by hand with a Windows build of Deno under Wine. For macOS
 * only the parsing of what its programs print is tested.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { escapeText, note, quoteForShell, reportError, run, UsageError, UserError } from "./cli.ts";
import { formatAddress, input, print } from "./lib.ts";
import { covers, formatTarget, parseTargets, type Target } from "./kill_port/targets.ts";
import {
  ancestors,
  isRunnable,
  type Process,
  processState,
  readProcesses,
  sendSignal,
} from "./system/processes.ts";
import { findSockets, isEphemeral, type Socket } from "./system/sockets.ts";

const FLAGS = {
  _: ["PORT..."],
  yes: false, // do not ask
  list: false, // only list
  signal: "SIGTERM", // or SIGINT, SIGHUP, SIGQUIT, SIGKILL
};

const END_TIMEOUT = 2000; // milliseconds that a process may take to end
const RESTART_DELAY = 150; // milliseconds; systemd starts a service again after 100
const RESTART_TICK = 10; // milliseconds between two looks at whether a supervisor is busy
const BUSY_TIMEOUT = 5000; // milliseconds that a supervisor may be busy before it starts a program
const RESTART_TIMEOUT = 2000; // milliseconds that a program may take to listen once started again
const { os } = Deno.build;
const SIGNALS: Deno.Signal[] = os === "windows"
  ? ["SIGTERM", "SIGKILL"]
  : ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGKILL"];

/** A process that holds at least one of the ports. */
interface Holder {
  pid: number;
  name: string;
  /** One of the ports that it holds. */
  port: number;
  /** Why it may be wrong to end it, as a relative clause. */
  doubt?: typeof RUNS_THIS | typeof MAY_BE_CLIENT;
}

const RUNS_THIS = "which this program runs in";
const MAY_BE_CLIENT = "which may be a client that the system gave this port";

async function killPort({ _: words, yes, list, signal: signalName }: typeof FLAGS) {
  if (words.length === 0) throw new UsageError("no port given");
  const targets = words.flatMap((word) => parseTargets(word));
  const signal = SIGNALS.find((signal) => signal === signalName);
  if (!signal) {
    throw new UsageError(`--signal must be one of ${SIGNALS.join(", ")}, not ${signalName}`);
  }

  const sockets = await socketsOn(targets);
  const holding = sockets.filter(holdsPort);
  const free = new Set(
    targets.filter((target) => !holding.some(isOn(target))).map(formatTarget),
  );
  if (holding.length === 0) {
    const ports = [...free].join(" or ");
    throw new UserError(`nothing is listening on ${ports}`, whyTaken(sockets, targets[0]));
  }
  for (const ports of free) note(`nothing is listening on ${ports}`);
  printTable(holding);
  await noteStopped(holding);
  const hidden = holding.filter(({ pid }) => pid === undefined);
  for (const port of new Set(hidden.map(({ port }) => port))) {
    reportError(`a process that you may not see holds port ${port}`, hiddenHint(port));
  }
  if (list) return;

  const before = await readProcesses();
  const holders = toHolders(holding, ancestors(before));
  const ended = yes ? await endAll(holders, signal) : await endConfirmed(holders, signal, targets);
  const parents = new Set(ended.map((pid) => before.get(pid)?.parent));
  if (ended.length > 0) await waitForRestart(targets, parents, before);
  const left = (await socketsOn(targets)).filter(holdsPort);
  if (left.length > 0) throw new UserError(...await stillInUse(left, holding, parents));
}

/** Ends all processes but the doubtful ones. Returns those that have ended. */
async function endAll(holders: Holder[], signal: Deno.Signal): Promise<number[]> {
  const isSignalExplicit = Deno.args.some((word) => word.startsWith("--signal"));
  const wanted = holders.filter(({ doubt }) => !doubt || doubt === RUNS_THIS && isSignalExplicit);
  for (const { name, doubt, port } of holders.filter((holder) => !wanted.includes(holder))) {
    reportError(`${name}, ${doubt}, is left alone`, `answer y to end it: ${commandFor(port)}`);
  }
  const ended = await Promise.all(wanted.map((holder) => end(holder, signal)));
  return wanted.filter((_, i) => ended[i]).map(({ pid }) => pid);
}

/** Asks for each process, and ends it after the answer y. Returns those that have ended. */
async function endConfirmed(
  holders: Holder[],
  signal: Deno.Signal,
  targets: Target[],
): Promise<number[]> {
  const ended: number[] = [];
  for (const holder of holders) {
    const { pid, name, doubt, port } = holder;
    const answer = await input(`Kill ${name}${doubt ? `, ${doubt}` : ""}? [y/N] `);
    if (answer === null) break; // the end of input answers n to all further questions
    if (!/^y(es)?$/i.test(answer.trim())) continue;
    // While the question was open, the process may have ended, and another may have got its PID.
    const holding = (await socketsOn(targets)).filter(holdsPort);
    if (!holding.some((socket) => socket.pid === pid)) {
      print(`${name} no longer holds port ${port}`);
    } else if (await end(holder, signal)) ended.push(pid);
  }
  return ended;
}

/** Returns the sockets on the ports of some targets. */
async function socketsOn(targets: Target[]): Promise<Socket[]> {
  const sockets = await findSockets((port) => targets.some((target) => covers(target, port)));
  return sockets.filter((socket) => targets.some((target) => isOn(target)(socket)));
}

function isOn(target: Target) {
  return ({ port, protocol }: Socket) => covers(target, port, protocol);
}

/** Returns whether a socket keeps a server from using its port. */
function holdsPort({ state, protocol }: Socket): boolean {
  return state === "listening" || state === "connected" && protocol === "UDP";
}

/** Returns the visible processes among those that hold ports; the ancestors of this one last. */
function toHolders(sockets: Socket[], ancestors: Set<number>): Holder[] {
  const byPid = Map.groupBy(sockets, ({ pid }) => pid);
  byPid.delete(undefined);
  const holders = [...byPid].map(([pid, sockets]): Holder => {
    const mayBeClient = sockets.every(({ state, port }) =>
      state === "connected" && isEphemeral(port)
    );
    const doubt = ancestors.has(pid!) ? RUNS_THIS : mayBeClient ? MAY_BE_CLIENT : undefined;
    return { pid: pid!, name: nameOf(sockets[0]), port: sockets[0].port, doubt };
  });
  const isAncestor = ({ pid }: Holder) => ancestors.has(pid) ? 1 : 0;
  return holders.sort((a, b) => isAncestor(a) - isAncestor(b));
}

/** Sends the signal and waits for the end. Returns whether the process has ended. */
async function end({ pid, name, port }: Holder, signal: Deno.Signal): Promise<boolean> {
  try {
    await sendSignal(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    reportError(
      `no permission to end ${name}: it belongs to another user or the system`,
      asRoot(port),
    );
    return false;
  }
  if (await hasEnded(pid)) {
    print(`${name} has ended`);
    return true;
  }
  const hint = signal !== "SIGKILL"
    ? `to force it: ${commandFor(port)} --signal=SIGKILL`
    : "the system ends it when its current operation is finished";
  reportError(`${name} is still running`, hint);
  return false;
}

/** Waits until a process has ended. Returns `false` if it has not within 2 s. */
async function hasEnded(pid: number): Promise<boolean> {
  const deadline = Date.now() + END_TIMEOUT;
  for (let pause = 1; await processState(pid) !== "ended"; pause = Math.min(2 * pause, 20)) {
    if (Date.now() > deadline) return false;
    await delay(pause);
  }
  return true;
}

/**
 * Gives the parents of the ended processes the time to start a program again, since one of them may
 * be a supervisor. If one has started a process, waits until the ports are in use again, or for 2 s.
 */
async function waitForRestart(
  targets: Target[],
  parents: Set<number | undefined>,
  before: Map<number, Process>,
) {
  const begin = Date.now();
  for (let waited = 0; waited < RESTART_DELAY && Date.now() < begin + BUSY_TIMEOUT;) {
    await delay(RESTART_TICK);
    // On a busy machine a supervisor has to wait for its turn. This time does not count.
    if (!parents.values().some((pid) => pid !== undefined && isRunnable(pid))) {
      waited += RESTART_TICK;
    }
  }
  if (os === "windows") return; // listing the processes takes a second there
  for (const deadline = Date.now() + RESTART_TIMEOUT; Date.now() < deadline; await delay(50)) {
    const isRestarting = (await readProcesses()).entries()
      .some(([pid, { parent }]) => parents.has(parent) && !before.has(pid));
    if (!isRestarting || (await socketsOn(targets)).some(holdsPort)) return;
  }
}

/** Says which ports are still in use, and what to do about a program that was started again. */
async function stillInUse(
  left: Socket[],
  before: Socket[],
  parents: Set<number | undefined>,
): Promise<[string, string?]> {
  const isNew = ({ pid }: Socket) => !before.some((socket) => socket.pid === pid);
  const lines = left.map((socket) => {
    const use = isNew(socket) ? "in use again," : "still in use";
    return `port ${socket.port} is ${use} by ${nameOf(socket)}`;
  });
  const message = [...new Set(lines)].join("; ");
  const successor = left.find(isNew);
  if (!successor || parents.size === 0) return [message];
  const processes = await readProcesses();
  const parent = processes.get(successor.pid!)?.parent;
  if (parent === undefined || !parents.has(parent)) return [message];
  const program = processes.get(parent)?.program;
  // systemd also starts the services of a user, with another process than the first one.
  const isSystem = parent === 1 || program === "systemd";
  const name = isSystem ? "the system" : nameOf({ pid: parent, program });
  const hint = isSystem ? "stop its service" : "end that first";
  return [message, `${name} starts it again: ${hint}`];
}

/** Formats a process: `12345 (python3)`. */
function nameOf({ pid, program }: Pick<Socket, "pid" | "program">): string {
  return pid === undefined
    ? "a process that you may not see"
    : `${pid} (${programOf({ program })})`;
}

/** Formats the name of a program. It may contain anything, even what looks like a question. */
function programOf({ program = "?" }: Pick<Socket, "program">): string {
  const name = escapeText(program);
  return name.length > 50 ? `${name.slice(0, 50)}…` : name;
}

function printTable(sockets: Socket[]) {
  printRow("PID", "program", "protocol", "address");
  for (const { pid = "-", program, protocol, peer, ...own } of sockets) {
    const where = peer ? `${addressOf(own)} with ${addressOf(peer)}` : addressOf(own);
    printRow(`${pid}`, programOf({ program }), protocol, where);
  }
}

function printRow(pid: string, program: string, protocol: string, where: string) {
  print(pid.padEnd(7), program.padEnd(15), protocol.padEnd(8), where);
}

function addressOf({ hostname, port }: { hostname: string; port: number }): string {
  return formatAddress({ transport: "tcp", hostname, port });
}

/** Says which of the processes are stopped: a port held by one accepts clients and answers none. */
async function noteStopped(sockets: Socket[]) {
  const names = new Map(sockets.map((socket) => [socket.pid, nameOf(socket)]));
  for (const [pid, name] of names) {
    if (pid === undefined || await processState(pid) !== "stopped") continue;
    const how = `continue it with fg in its terminal, or with kill -CONT ${pid}`;
    note(`${name} is stopped (Ctrl-Z) and answers no client: ${how}`);
  }
}

/** Says why a server may not get a port that no process holds. */
function whyTaken(sockets: Socket[], { first }: Target): string | undefined {
  const hints = new Set<string>();
  const open = sockets.filter(({ state, pid }) => state === "connected" && pid !== undefined);
  for (const { pid, program, port, peer } of open) {
    const how = os === "windows" ? `taskkill /F /PID ${pid}` : `kill ${pid}`;
    const connection = `a connection from port ${port} to ${addressOf(peer!)}`;
    hints.add(
      `${nameOf({ pid, program })} has ${connection}: bind may fail until it ends (${how})`,
    );
  }
  const closed = sockets.filter(({ state }) => state === "timeWait");
  if (closed.length > 0) {
    const seconds = Math.max(...closed.map(({ secondsLeft = 0 }) => secondsLeft));
    const time = seconds > 0 ? `for ${seconds} s` : "for a minute or two";
    const what = closed.length === 1 ? "a closed connection is" : "closed connections are";
    hints.add(`${what} in TIME-WAIT: bind may fail ${time}`);
    hints.add("a server that sets SO_REUSEADDR, as Deno does, need not wait");
  }
  if (os === "darwin" && hints.size === 0) {
    hints.add(`to see all users' programs: ${asRoot(first)}`);
  }
  return hints.size > 0 ? [...hints].join("\n") : undefined;
}

/** Returns the command that runs this script again, for the user's shell. */
function commandFor(port: number, deno = "deno"): string {
  return `${quoteForShell(deno)} run -A ${quoteForShell(import.meta.filename!)} ${port}`;
}

function asRoot(port: number): string {
  if (os === "windows") return "try again in a terminal that you opened as administrator";
  return `run it as root: sudo ${commandFor(port, Deno.execPath())}`;
}

function hiddenHint(port: number): string {
  const isRoot = os === "linux" && Deno.uid() === 0;
  return isRoot ? "it is part of the system, or runs outside this container" : asRoot(port);
}

if (import.meta.main) {
  await run(FLAGS, async (flags) => {
    try {
      await killPort(flags);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotCapable)) throw error;
      const allow = `deno run -A ${quoteForShell(import.meta.filename!)} ${flags._.join(" ")}`;
      throw new UserError("permission missing: all of them are needed", `allow them: ${allow}`);
    }
  });
}
