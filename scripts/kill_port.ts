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
 * It lists who listens there over TCP or receives over UDP. A TCP client that only
 * talks from or to that port does not hold it, and is not listed. Over UDP the two
 * look alike when a program has connected its socket to one peer: that is listed
 * with its peer. Where the port is one of those that the system gives to clients,
 * it may be such a client: then `--yes` leaves it alone, and you are asked.
 *
 * When nobody holds the port and a server still can't have it, connections are left
 * there: it says which, and for how long.
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
import { note, reportError, run, UsageError, UserError } from "./cli.ts";
import { formatAddress, input, print } from "./lib.ts";
import { ends, isStopped, parentOf, send } from "./kill_port/processes.ts";
import { findSockets, isGiven, type Socket } from "./kill_port/sockets.ts";

const LOOKS = 20; // whether a program that has ended was started again
const PAUSE = 50; // milliseconds before each look
const OS = Deno.build.os;
const SIGNALS: Deno.Signal[] = OS === "windows"
  ? ["SIGTERM", "SIGKILL"]
  : ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGKILL"];

/** What the flags say. */
interface Options {
  yes: boolean;
  list: boolean;
  signal: Deno.Signal;
}

async function killPort(port: number, { yes, list, signal }: Options) {
  const sockets = await findSockets(port);
  const holders = sockets.filter(holdsPort);
  if (holders.length === 0) {
    throw new UserError(`nothing is listening on port ${port}`, ...whyTaken(sockets, port));
  }
  printTable(holders, port);
  const programs = new Map(holders.map(({ pid, program }) => [pid, program]));
  await noteStopped(programs);
  const isHidden = programs.delete(undefined);
  if (isHidden) {
    const hint = OS === "linux" && Deno.uid() === 0
      ? "it is part of the system, or lives outside of this container"
      : asRoot(port);
    reportError(`a process that you may not see holds port ${port}`, hint);
  }
  if (list) return;

  let isFree = !isHidden;
  let hasAnyEnded = false;
  for (const [pid, program] of programs as Map<number, string>) {
    const mayBeClient = isGiven(port) &&
      holders.every((holder) => holder.pid !== pid || holder.kind === "talks");
    const outcome = await end({ pid, program, mayBeClient }, port, { yes, signal });
    if (outcome === "input has ended") break; // it is a no to all that follow
    if (outcome === "ended") hasAnyEnded = true;
    if (outcome === "failed") isFree = false;
  }
  const successor = hasAnyEnded ? await successorTo(programs, port) : undefined;
  if (successor) {
    print(`and ${who(successor)} holds port ${port} now`);
    isFree = false;
  }
  if (isFree) return;
  throw new UserError(`port ${port} could not be freed`, ...await whoRestarts(successor));
}

/** Ends one process, if the user says so. */
async function end(
  holder: { pid: number; program: string; mayBeClient: boolean },
  port: number,
  { yes, signal }: Omit<Options, "list">,
): Promise<"ended" | "left alone" | "failed" | "input has ended"> {
  const { pid, mayBeClient } = holder;
  const name = who(holder);
  if (mayBeClient && yes) {
    const hint = `answer y without --yes if you want to end it: deno ${again(port)}`;
    reportError(`${name} may be a client that was given port ${port}, and is left alone`, hint);
    return "failed";
  }
  if (!yes) {
    if (mayBeClient) note(`${name} may be a client that was given port ${port} by the system`);
    const answer = await input(`Kill ${name}? [y/N] `);
    if (answer === null) return "input has ended";
    if (!/^y(es)?$/i.test(answer.trim())) return "left alone";
  }
  // The question may have stood there for long, and the PID be another's now.
  const sockets = await findSockets(port);
  if (!sockets.some((socket) => socket.pid === pid && holdsPort(socket))) {
    print(`${name} no longer holds port ${port}`);
    return "left alone";
  }
  try {
    await send(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    reportError(`no right to end ${name}: another user's process`, asRoot(port));
    return "failed";
  }
  if (await ends(pid)) {
    print(`${name} has ended`);
    return "ended";
  }
  const hint = signal !== "SIGKILL"
    ? `insist: deno ${again(port)} --signal=SIGKILL`
    : OS === "windows"
    ? "try again in a terminal opened as administrator"
    : "the system ends it as soon as it can";
  reportError(`${name} is still there`, hint);
  return "failed";
}

function holdsPort({ kind }: Socket): boolean {
  return kind === "holds" || kind === "talks";
}

function who({ pid, program }: { pid?: number; program: string }): string {
  return pid === undefined ? "a process that you may not see" : `${pid} (${program})`;
}

function printTable(holders: Socket[], port: number) {
  printRow("PID", "program", "protocol", "address");
  for (const { pid = "-", program, protocol, hostname, peer } of holders) {
    const place = addressOf({ hostname, port });
    const where = peer ? `${place} with ${addressOf(peer)}` : place;
    printRow(`${pid}`, program, protocol, where);
  }
}

function printRow(pid: string, program: string, protocol: string, where: string) {
  print(pid.padEnd(7), program.padEnd(15), protocol.padEnd(8), where);
}

function addressOf(place: { hostname: string; port: number }): string {
  return formatAddress({ transport: "tcp", ...place });
}

/** Says who of the processes was stopped: nobody else would answer its clients. */
async function noteStopped(programs: Map<number | undefined, string>) {
  for (const [pid, program] of programs) {
    if (pid === undefined || !await isStopped(pid)) continue;
    const how = `go on with fg in its terminal, or with kill -CONT ${pid}`;
    note(`${who({ pid, program })} is stopped (Ctrl-Z) and answers nobody: ${how}`);
  }
}

/** Why a server may not get the port, though nobody holds it. */
function whyTaken(sockets: Socket[], port: number): string[] {
  const hints = new Set<string>();
  const open = sockets.filter(({ kind, pid }) => kind === "open" && pid !== undefined);
  for (const { pid, program, peer } of open) {
    const how = OS === "windows" ? `taskkill /PID ${pid}` : `kill ${pid}`;
    const what = `has a connection open there, with ${addressOf(peer!)}`;
    hints.add(`${who({ pid, program })} ${what}: bind may fail until it ends (${how})`);
  }
  const rests = sockets.filter(({ kind }) => kind === "rest");
  if (rests.length > 0) {
    const seconds = Math.max(...rests.map(({ seconds = 0 }) => seconds));
    const time = seconds > 0 ? `in ${seconds} s` : "within a minute or two";
    const what = rests.length === 1 ? "a closed connection is" : "closed connections are";
    hints.add(`${what} still there (TIME-WAIT): bind may fail until that is over, ${time}`);
    hints.add("a server that sets SO_REUSEADDR, as Deno does, need not wait");
  }
  if (OS === "darwin" && hints.size === 0) hints.add(`to see all users': ${asRoot(port)}`);
  return hints.size > 0 ? [[...hints].join("\n")] : [];
}

/** Who takes the port over from those that have ended: they may be started again at once. */
async function successorTo(
  programs: Map<number | undefined, string>,
  port: number,
): Promise<Socket | undefined> {
  for (let look = 0; look < LOOKS; look++) {
    await delay(PAUSE);
    const sockets = (await findSockets(port)).filter(holdsPort);
    const successor = sockets.find(({ pid }) => pid !== undefined && !programs.has(pid));
    if (successor) return successor;
  }
}

/** What to do about a program that is started again and again. */
async function whoRestarts(successor: Socket | undefined): Promise<string[]> {
  const parent = successor && await parentOf(successor.pid!);
  if (!parent) return [];
  const [pid, program] = parent;
  if (pid === 1) return ["the system's services start it again: stop it there"];
  return [`${who({ pid, program })} starts it again: end that first`];
}

/** What follows `deno` on the command line that runs this script again. */
function again(port: number): string {
  return `run -A ${import.meta.filename} ${port}`;
}

function asRoot(port: number): string {
  return `run it as root: sudo ${Deno.execPath()} ${again(port)}`;
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
        throw new UserError(message, `allow them: deno ${again(port)}`);
      }
    },
  );
}
