/**
 * Runs the originals and our scripts in all four pairings. What the two originals print together is
 * the reference for the other pairings.
 *
 * @module
 */
import { quoteForShell, UsageError, UserError } from "../../cli.ts";
import { type Lab, type Role, ROLES, SCRIPTS } from "../catalog/header.ts";
import { findLab, labs } from "../catalog/labs.ts";
import { hasPython } from "../process/program.ts";
import type { Typing } from "../session/session.ts";
import { compareLines } from "../session/transcript.ts";
import { mustBeFile } from "../terminal/files.ts";
import { write } from "../terminal/output.ts";
import type { Observed } from "../trace/run_traced.ts";
import { findOriginal, hasOriginal, type Original, readOriginal } from "./find.ts";
import { type ComparedProgram, type Pairing, type Run, runPairing } from "./pairing.ts";
import { printComparison, printReference, printVerdict, problemsOf } from "./report.ts";

/** Which files are compared. */
export interface CompareOptions {
  /** The folder of the originals; without it, our counterparts. */
  originals: string;
  /** The original server, if it is not to be searched for. */
  server: string;
  /** The original client, if it is not to be searched for. */
  client: string;
  /** The port of the originals; `NaN` if it is to be observed. */
  port: number;
}

/**
 * Compares labs with their originals, and prints the differences.
 *
 * @param name The lab; without it, all labs whose originals are in the folder, with a table at the end.
 * @param options The originals.
 * @throws {UsageError} Neither a lab nor a folder is given, or the options are for one lab.
 * @throws {UserError} A pairing does not work, or an original is missing.
 */
export async function compare(
  name: string | undefined,
  options: CompareOptions,
): Promise<void> {
  const one = name === undefined ? undefined : findLab(name);
  if (!one && !options.originals) {
    throw new UsageError("LAB is missing, or --originals=DIR for all labs");
  }
  if (!one && (options.server || options.client || !Number.isNaN(options.port))) {
    throw new UsageError("--server, --client and --port are for one lab: name it");
  }
  if (!await hasPython()) throw new UserError("Python 3 is not installed");
  if (one) return await compareLab(one, options);
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
  const read = (role: Role) => {
    const file = options[role] || findOriginal(lab[role], options.originals);
    mustBeFile(file);
    return readOriginal(file);
  };
  const originals = { server: read("server"), client: read("client") };
  const theirs = originalsOf(lab, originals);
  const lines = linesOf(lab, originals);
  const reference = await runReference(lab, originals, theirs, lines, options.port);
  const problems = problemsOf(lab, reference);
  printVerdict(theirs, problems);
  printReference(reference);
  if (problems.length > 0) {
    throw new UserError("the originals do not work together: nothing can be compared with them");
  }
  const ours = scriptsOf(lab, reference);
  const { port, result } = reference;
  const isComplete = (screen: string) =>
    compareLines(result.screens.server, screen).every(({ mark }) => mark !== "≠");
  let failed = 0;
  const printed = new Set<string>(); // tables
  for (
    const pairing of [
      ours,
      { ...theirs, client: ours.client },
      { ...ours, client: theirs.client },
    ]
  ) {
    const run = await runPairing(pairing, port, lines, isComplete);
    const problems = problemsOf(lab, run, reference);
    printVerdict(pairing, problems);
    if (problems.length > 0) failed++;
    for (const role of ROLES) printComparison(lab, role, run, reference, printed);
    write`\n`;
  }
  write`≠ differs, ~ the same but in Python's notation for bytes\n`;
  if (failed > 0) throw new UserError(`${failed} of 4 pairings do not work`);
}

/** Runs the originals together, at the port that the server or else the client has by itself. */
async function runReference(
  lab: Lab,
  originals: Record<Role, Original>,
  theirs: Pairing,
  lines: Typing["next"],
  given: number,
): Promise<Run> {
  const port = Number.isNaN(given) ? lab.server.port : given;
  const run = await runPairing(theirs, port, lines);
  const [tried] = run.observed.client.connects;
  const isOther = originals.server.takesPort && !originals.client.takesPort && tried &&
    tried.port !== run.port;
  return isOther ? await runPairing(theirs, tried.port, lines) : run;
}

/** Returns the originals, with the flags of the scripts' headers that they have. */
function originalsOf(lab: Lab, originals: Record<Role, Original>): Pairing {
  const program = (role: Role): ComparedProgram => {
    const { file, name, args } = originals[role];
    const others = lab[role].args.filter((arg) => !arg.startsWith("--port="));
    const { message } = lab.client.flags;
    const start = (port: number) => args(port, others, message?.toString());
    return { name, title: name, isOriginal: true, file, args: start };
  };
  return { server: program("server"), client: program("client") };
}

/** Returns our scripts, with the flags that make them do what the originals did. */
function scriptsOf(lab: Lab, run: Run): Pairing {
  const program = (role: Role): ComparedProgram => {
    const script = lab[role];
    const observed = run.observed[role];
    const flags = new Map(script.args.map((arg) => [arg.split("=")[0], arg]));
    flags.delete("--port");
    const set = (name: string, usual: unknown, value: unknown) => {
      flags.delete(name);
      if (usual !== undefined && usual !== `${value}`) flags.set(name, `${name}=${value}`);
    };
    const bufferSize = Math.max(0, ...observed.bufferSizes);
    if (bufferSize > 0) set("--buffer-size", script.flags.bufferSize, bufferSize);
    const message = role === "client" && !observed.asks && messageOf(lab, observed);
    if (message) set("--message", script.flags.message, message);
    const { name } = script;
    return {
      name,
      title: [name, ...flags.values()].map(quoted).join(" "),
      isOriginal: false,
      file: SCRIPTS + name,
      args: (port) => [...flags.values(), `--port=${port}`],
    };
  };
  return { server: program("server"), client: program("client") };
}

/** Returns the text that a client sent, without the header that says how long it is. */
function messageOf({ transport }: Lab, { sent }: Observed): string | undefined {
  const messages = transport === "udp" ? sent.slice(0, 1) : sent;
  const bytes = messages.flatMap(({ data }) => [...data]);
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(bytes));
    const [, length, rest] = text.match(/^(?=.{10})( *\d+ *)([^]*)$/) ?? [];
    return Number(length) === [...rest ?? ""].length ? rest : text;
  } catch {
    return undefined; // not text
  }
}

function quoted(word: string): string {
  return /^[\w.=-]+$/.test(word) ? word : quoteForShell(word);
}

/**
 * Returns what gives the lines to type: those of the header's session or, if it has none, what our
 * client sends. A game whose number is not known is played.
 */
function linesOf({ server, client }: Lab, originals: Record<Role, Original>): Typing["next"] {
  const isGame = server.args.some((arg) => arg.startsWith("--secret="));
  if (isGame && originals.server.args(0, server.args).length < 2) return nextGuess;
  const lines = client.typed.length > 0
    ? client.typed
    : [`${client.flags.message ?? "Hello, world"}`];
  return (_, count) => lines[count];
}

/**
 * Returns the next guess of an unknown number from 1 to 99. Each guess halves the numbers that are left.
 * Returns nothing after the right one, or if two guesses have no answer yet.
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
  return min > max || verdicts < count - 1 ? undefined : `${Math.floor((min + max) / 2)}`;
}
