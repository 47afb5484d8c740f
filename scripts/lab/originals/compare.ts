/**
 * Runs the originals and our scripts in all four pairings. What original with original
 * prints is the truth that the others are held against.
 *
 * @module
 */
import { UserError } from "../../cli.ts";
import { type Lab, type Role, ROLES, type Script, SCRIPTS } from "../catalog/header.ts";
import { type Guest, meet } from "../session/meeting.ts";
import { findLab } from "../catalog/labs.ts";
import { mustBeFile } from "../terminal/files.ts";
import { write } from "../terminal/output.ts";
import { findOriginal, type Original, readOriginal } from "./find.ts";
import { isBound } from "../process/ports.ts";
import { DENO_RUN, hasPython, PYTHON_RUN } from "../process/program.ts";
import { compareLines } from "../session/transcript.ts";
import { atPort, type Pair, printHalf, printScreens, problemsOf, tell } from "./pairings.ts";

/** Which files are compared, where that is not clear from their names. */
export interface Choice {
  /** The folder of the originals; our counterparts where it is empty. */
  originals: string;
  /** The original server, where it is not looked for. */
  server: string;
  /** The original client, where it is not looked for. */
  client: string;
  /** The port that the originals have; `NaN` where it is looked for in them. */
  port: number;
}

/**
 * Compares a lab with its originals, and prints what is the same and what differs.
 *
 * @param name The lab.
 * @param choice The originals.
 * @throws {UserError} A pairing does not work, or an original can't be found.
 */
export async function compare(name: string, choice: Choice) {
  const lab = findLab(name);
  if (!await hasPython()) throw new UserError("there is no Python 3 here");
  const { port } = choice;
  const read = (role: Role) => {
    const file = choice[role] || findOriginal(lab[role], choice.originals);
    mustBeFile(file);
    return readOriginal(file, lab[role].port, Number.isNaN(port) ? undefined : port);
  };
  const originals = { server: read("server"), client: read("client") };
  for (const { port, name } of Object.values(originals)) {
    if (port !== undefined && await isBound(port, lab.transport)) {
      throw new UserError(`port ${port}, which ${name} uses, is already in use`);
    }
  }
  const theirs = guestsOf(lab, originals);
  const ours = sameExercise(lab, originals);

  const truth = await meet(lab.transport, theirs);
  const isBroken = tell(theirs, problemsOf(lab, theirs, truth));
  printScreens(theirs, truth);
  if (isBroken) throw new UserError("the originals do not work: nothing can be held against them");
  let failed = 0;
  const shown = new Set<string>(); // tables that would be there twice
  for (
    const pair of [ours, { ...theirs, client: ours.client }, { ...ours, client: theirs.client }]
  ) {
    const isSame = (screen: string, port: number) =>
      compareLines(atPort(truth.screens.server, truth.port, port), screen)
        .every(({ mark }) => mark !== "≠");
    const meeting = await meet(lab.transport, pair, isSame);
    if (tell(pair, problemsOf(lab, pair, meeting, { theirs, truth }))) failed++;
    for (const role of ROLES) printHalf(role, pair, meeting, { theirs, truth }, shown);
    write`\n`;
  }
  write`≠ differs, ~ the same but in Python's notation for bytes\n`;
  if (failed > 0) throw new UserError(`${failed} of 4 pairings do not work`);
}

/** The originals as they are. */
function guestsOf(lab: Lab, originals: Record<Role, Original>): Pair {
  const guest = (role: Role): Guest => {
    const { file, name, port, args, asks } = originals[role];
    const others = lab[role].args.filter((arg) => !arg.startsWith("--port="));
    return {
      name,
      port,
      tellsPort: false,
      types: asks && role === "client" ? typist(lab, originals) : () => undefined,
      command: (port) => [
        ...PYTHON_RUN,
        file,
        ...args(port, others, defaultOf(lab.client, "message")),
      ],
    };
  };
  return { server: guest("server"), client: guest("client") };
}

/** Our scripts, given what makes theirs the same exercise. */
function sameExercise(lab: Lab, originals: Record<Role, Original>): Pair {
  const guest = (role: Role): Guest => {
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
    const isTyped = role === "client" && script.typed.length > 0 && !flags.has("--message");
    return {
      name: script.name,
      title: [script.name, ...flags.values()].map(quoted).join(" "),
      tellsPort: role === "server",
      types: isTyped ? typist(lab, originals) : () => undefined,
      command: (
        port,
      ) => [...DENO_RUN, "-A", SCRIPTS + script.name, ...flags.values(), `--port=${port}`],
    };
  };
  return { server: guest("server"), client: guest("client") };
}

function quoted(word: string): string {
  return /^[\w.=-]+$/.test(word) ? word : `'${word}'`;
}

/** The value that a flag of a script has when it is not given, as it stands in the source. */
function defaultOf({ name }: Script, flag: string): string | undefined {
  const source = Deno.readTextFileSync(SCRIPTS + name);
  const value = source.match(`[ {]${flag}: (?!string|number|boolean)("[^"]*"|\\w+)`)?.[1];
  const constant = source.match(`const ${value} = (\\d+);`)?.[1];
  return constant ?? value?.replaceAll('"', "");
}

/** Types what the header's session shows; where it types nothing, what our client sends. */
function typist(lab: Lab, originals: Record<Role, Original>): Guest["types"] {
  const { client, server } = lab;
  const isGame = server.args.some((arg) => arg.startsWith("--secret="));
  if (isGame && originals.server.args(0, server.args).length < 2) return halving;
  const lines = client.typed.length > 0
    ? client.typed
    : [defaultOf(client, "message") ?? "Hello, world"];
  return (_, count) => lines[count];
}

/** Returns the next guess of an unknown number, which halves the numbers that are left. */
export function halving(screen: string): string | undefined {
  if (/correct/i.test(screen)) return undefined;
  let [least, most] = [1, 99];
  for (const [, guess, verdict] of screen.matchAll(/(?<!\d)(\d+)\n[^\n]*?(higher|lower)/gi)) {
    if (/higher/i.test(verdict)) least = Math.max(least, Number(guess) + 1);
    else most = Math.min(most, Number(guess) - 1);
  }
  return least > most ? undefined : `${Math.floor((least + most) / 2)}`;
}
