/**
 * Runs the originals and our scripts in all four pairings. What the two originals print together is
 * the reference for the other pairings.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { UserError } from "../../cli.ts";
import { type Lab, type Role, ROLES, type Script, SCRIPTS } from "../catalog/header.ts";
import { findLab, labs } from "../catalog/labs.ts";
import { DENO_RUN, hasPython, PYTHON_RUN } from "../process/program.ts";
import {
  type Participant,
  runSession,
  type SessionOptions,
  type SessionResult,
  type Typing,
} from "../session/session.ts";
import { compareLines } from "../session/transcript.ts";
import { mustBeFile } from "../terminal/files.ts";
import { note, write } from "../terminal/output.ts";
import { findOriginal, hasOriginal, type Original, readOriginal } from "./find.ts";
import {
  atPort,
  type Pairing,
  printComparison,
  printReference,
  printVerdict,
  problemsOf,
} from "./pairings.ts";

/** Which files are compared. */
export interface CompareOptions {
  /** The folder of the originals; without it, our counterparts. */
  originals: string;
  /** The original server, if it is not to be searched for. */
  server: string;
  /** The original client, if it is not to be searched for. */
  client: string;
  /** The port of the originals; `NaN` if it is to be read from them. */
  port: number;
}

/**
 * Compares labs with their originals, and prints what is the same and what differs.
 *
 * @param name The lab; without it, all labs whose originals are in the folder, with a table at the end.
 * @param options The originals.
 * @throws {UserError} A pairing does not work, or an original is missing.
 */
export async function compare(name: string | undefined, options: CompareOptions) {
  if (!await hasPython()) throw new UserError("Python 3 is not installed");
  if (name !== undefined) return await compareLab(findLab(name), options);
  const found = labs.filter((lab) =>
    ROLES.some((role) => hasOriginal(lab[role], options.originals))
  );
  if (found.length === 0) throw new UserError(`no originals in ${options.originals}`);
  const verdicts: [lab: string, verdict: string][] = [];
  for (const lab of found) {
    try {
      await compareLab(lab, options);
      verdicts.push([lab.name, "works"]);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      verdicts.push([lab.name, error.message]);
    }
  }
  const width = Math.max(...found.map(({ name }) => name.length));
  for (const [lab, verdict] of verdicts) write`${lab.padEnd(width)}  ${verdict}\n`;
  const failed = verdicts.filter(([, verdict]) => verdict !== "works").length;
  if (failed > 0) throw new UserError(`${failed} of ${found.length} labs do not work`);
}

async function compareLab(lab: Lab, options: CompareOptions) {
  const { port } = options;
  const read = (role: Role) => {
    const file = options[role] || findOriginal(lab[role], options.originals);
    mustBeFile(file);
    return readOriginal(file, lab[role].port, Number.isNaN(port) ? undefined : port);
  };
  const originals = { server: read("server"), client: read("client") };
  const typing = typingOf(lab, originals);
  const theirs = originalsOf(lab, originals, typing);
  const ours = scriptsOf(lab, originals, typing);

  const result = await runPairing(lab, theirs);
  const reference = { pairing: theirs, result };
  const problems = problemsOf(lab, reference);
  printVerdict(theirs, problems);
  printReference(reference);
  if (problems.length > 0) {
    throw new UserError("the originals do not work together: nothing can be compared with them");
  }
  let failed = 0;
  const printed = new Set<string>(); // tables
  for (
    const pairing of [
      ours,
      { ...theirs, client: ours.client },
      { ...ours, client: theirs.client },
    ]
  ) {
    const isComplete = (screen: string, port: number) =>
      compareLines(atPort(result.screens.server, result.port, port), screen)
        .every(({ mark }) => mark !== "≠");
    const run = { pairing, result: await runPairing(lab, pairing, isComplete) };
    const problems = problemsOf(lab, run, reference);
    printVerdict(pairing, problems);
    if (problems.length > 0) failed++;
    for (const role of ROLES) printComparison(role, run, reference, printed);
    write`\n`;
  }
  write`≠ differs, ~ the same but in Python's notation for bytes\n`;
  if (failed > 0) throw new UserError(`${failed} of 4 pairings do not work`);
}

const MAX_WAIT = 65_000; // milliseconds: TIME-WAIT is a minute on Linux

/**
 * Runs a server and a client. A connection in TIME-WAIT keeps a server that does not set SO_REUSEADDR
 * from its port for a minute (RFC 9293), so it is started again until the port is free.
 */
async function runPairing(
  lab: Lab,
  pairing: Pairing,
  isComplete?: SessionOptions["isComplete"],
): Promise<SessionResult> {
  const { server, client } = pairing;
  const options = { typing: client.typing, isComplete, idleTime: 3 };
  for (const end = Date.now() + MAX_WAIT;;) {
    const result = await runSession(lab.transport, pairing, options);
    const isInUse = /already in use|10048/i.test(result.exits.server.errors);
    if (result.exits.client || !isInUse || Date.now() > end) return result;
    const port = server.port ?? client.port;
    if (port === undefined) return result;
    note(`waiting until the system frees port ${port}`);
    await delay(5000);
  }
}

/** Returns the originals as participants. */
function originalsOf(lab: Lab, originals: Record<Role, Original>, typing: Typing): Pairing {
  const participant = (role: Role) => {
    const message = defaultOf(lab.client, "message");
    const { asks } = originals[role];
    return {
      ...originalParticipant(originals[role], lab[role], message),
      typing: asks ? typing : undefined,
    };
  };
  return { server: participant("server"), client: participant("client") };
}

/** Returns an original as a participant, with the flags of the script's header that it has. */
export function originalParticipant(
  { file, name, port, args }: Original,
  script: Script,
  message?: string,
): Participant {
  const others = script.args.filter((arg) => !arg.startsWith("--port="));
  return {
    name,
    port,
    reportsPort: false,
    command: (port) => [...PYTHON_RUN, file, ...args(port, others, message)],
  };
}

/** Returns our scripts as participants, with the flags that make them do what the originals do. */
function scriptsOf(lab: Lab, originals: Record<Role, Original>, typing: Typing): Pairing {
  const participant = (role: Role) => {
    const script = lab[role];
    const { bufferSize, message, asks, usesHostName } = originals[role];
    const flags = new Map(script.args.map((arg) => [arg.split("=")[0], arg]));
    flags.delete("--port");
    const set = (name: string, usual: string | undefined, value: unknown) => {
      flags.delete(name);
      if (usual !== undefined && usual !== `${value}`) flags.set(name, `${name}=${value}`);
    };
    if (bufferSize) set("--buffer-size", defaultOf(script, "bufferSize"), bufferSize);
    if (role === "client" && !asks && message) {
      set("--message", defaultOf(script, "message"), message);
    }
    if (usesHostName) set("--host", defaultOf(script, "host"), Deno.hostname());
    const run = [...DENO_RUN, "-A", SCRIPTS + script.name, ...flags.values()];
    const isTyped = script.typed.length > 0 && !flags.has("--message");
    return {
      name: script.name,
      title: [script.name, ...flags.values()].map(quoted).join(" "),
      reportsPort: role === "server",
      typing: isTyped ? typing : undefined,
      command: (port: number) => [...run, `--port=${port}`],
    };
  };
  return { server: participant("server"), client: participant("client") };
}

function quoted(word: string): string {
  return /^[\w.=-]+$/.test(word) ? word : `'${word}'`;
}

/** Returns the default of a script's flag, as its source has it. */
function defaultOf({ name }: Script, flag: string): string | undefined {
  const source = Deno.readTextFileSync(SCRIPTS + name);
  const value = source.match(`[ {]${flag}: (?!string|number|boolean)("[^"]*"|\\w+)`)?.[1];
  const constant = source.match(`const ${value} = (\\d+);`)?.[1];
  return constant ?? value?.replaceAll('"', "");
}

/** Returns what is typed: the lines of the header's session or, without any, what our client sends. */
function typingOf({ server, client }: Lab, originals: Record<Role, Original>): Typing {
  const isGame = server.args.some((arg) => arg.startsWith("--secret="));
  if (isGame && originals.server.args(0, server.args).length < 2) return { next: nextGuess };
  const lines = client.typed.length > 0
    ? client.typed
    : [defaultOf(client, "message") ?? "Hello, world"];
  return { next: (_, count) => lines[count] };
}

/**
 * Returns the next guess of an unknown number from 1 to 99. Each guess halves the numbers that are left.
 * There is no next guess if the number was guessed, or if the answer to the last guess was none.
 *
 * @param screen What is on the screen of the game.
 * @param count The number of guesses so far.
 */
export function nextGuess(screen: string, count: number): string | undefined {
  if (/correct/i.test(screen)) return undefined;
  let [min, max, verdicts] = [1, 99, 0];
  for (const [, guess, verdict] of screen.matchAll(/(?<!\d)(\d+)\n[^\n]*?(higher|lower)/gi)) {
    if (/higher/i.test(verdict)) min = Math.max(min, Number(guess) + 1);
    else max = Math.min(max, Number(guess) - 1);
    verdicts++;
  }
  return min > max || verdicts < count ? undefined : `${Math.floor((min + max) / 2)}`;
}
