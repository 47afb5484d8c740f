/**
 * Records a lab: what server and client print, how they use the network, and the traffic on the
 * wire, in one order.
 *
 * @module
 */
import { isPythonFile } from "../terminal/files.ts";
import { note } from "../terminal/output.ts";
import { type Lab, type Role, ROLES, type Script, SCRIPTS } from "../catalog/header.ts";
import { difference, sameScreen } from "../session/transcript.ts";
import { unmet } from "./faults.ts";
import { inOrder, type Step } from "./timeline.ts";
import { type RelayedOptions, type RelayedSession, runRelayed } from "./relayed_session.ts";
import type { TracedProgram } from "./traced_participant.ts";

/** A lab that was run, with all that happened. */
export interface Recording {
  /** The names of the programs. */
  names: Record<Role, string>;
  /** The commands that start them. */
  commands: Record<Role, string>;
  /** What happened, in order. Ports are those that the programs name. */
  steps: Step[];
  /** What went wrong, in words. */
  problems: string[];
}

/** How to record. */
export interface RecordOptions extends Pick<RelayedOptions, "faults" | "idleTime"> {
  /** Files that take the places of the scripts. */
  files?: Partial<Record<Role, string>>;
  /** More arguments for the client. */
  more?: string[];
  /** A line that is typed into netcat.ts, which then takes the client's place. */
  netcat?: string;
}

/**
 * Runs a lab as its headers show it, or with other files in the places of its scripts, and records it.
 *
 * @param lab The lab.
 * @param options How to record.
 * @returns What happened.
 */
export async function record(lab: Lab, options: RecordOptions = {}): Promise<Recording> {
  const { faults = {}, more = [], netcat, files = {}, idleTime } = options;
  const outcome = await runFiles(lab, files, more, {
    faults,
    idleTime,
    typed: netcat === undefined ? lab.client.typed : [netcat],
  }, netcat !== undefined);
  for (const fault of unmet(faults, outcome.counts, outcome.met)) note(fault);
  if (outcome.transport === "tcp" && faults.drop?.some((place) => outcome.met.has(place))) {
    note("TCP would send a dropped segment again: here its bytes are gone");
  }
  const isAsShown = !options.netcat && more.length === 0 && !files.server && !files.client &&
    Object.values(faults).every((places) => places.length === 0);
  const problems = [...outcome.problems];
  for (const role of isAsShown && problems.length === 0 ? ROLES : []) {
    const { name, screen } = lab[role];
    const { problem } = difference(outcome.screens[role], screen);
    if (problem) problems.push(`${name} prints the transcript: ${problem}`);
  }
  const scripts: [Role, string][] = [];
  if (!files.server) scripts.push(["server", lab.server.name]);
  if (!files.client) scripts.push(["client", outcome.names.client]);
  const steps = inOrder(outcome.history, outcome.wire);
  return {
    names: outcome.names,
    commands: {
      server: files.server ? commandOfFile(files.server) : commandOf(lab.server),
      client: files.client
        ? commandOfFile(files.client, more)
        : netcat === undefined
        ? commandOf(lab.client, more)
        : `deno run -A scripts/netcat.ts 127.0.0.1 ${portShown(lab.server)}`,
    },
    steps: atRows(shorten(asShown(steps, lab, outcome)), scripts),
    problems,
  };
}

/** What two programs did, and what they are. */
export interface FilesOutcome extends RelayedSession {
  /** The names of the programs. */
  names: Record<Role, string>;
  /** What they speak. */
  transport: "tcp" | "udp";
}

/**
 * Runs a lab with other files in place of its scripts, if there are any.
 *
 * @param lab The lab.
 * @param files The files.
 * @param more More arguments for the client.
 * @param options How to run them.
 * @param isNetcat Whether netcat.ts takes the client's place.
 */
export async function runFiles(
  lab: Lab,
  files: Partial<Record<Role, string>>,
  more: string[],
  options: RelayedOptions,
  isNetcat = false,
): Promise<FilesOutcome> {
  const run = async (port?: number) => {
    const server = programOf(lab.server, files.server, [], port);
    const client = isNetcat ? NETCAT : programOf(lab.client, files.client, more);
    const isComplete = (screen: string) =>
      !files.server && sameScreen(screen, lab.server.screen, port ?? portShown(lab.server));
    const outcome = await runRelayed({ server, client }, { isComplete, ...options });
    const transport = outcome.listens?.transport ?? lab.transport;
    if (transport !== lab.transport && !(files.server && files.client)) {
      const other = transport.toUpperCase();
      outcome.problems.unshift(
        `${server.name} uses ${other}, and ${client.name} uses ${lab.transport.toUpperCase()}`,
      );
    }
    return { ...outcome, transport, names: { server: server.name, client: client.name } };
  };
  const outcome = await run();
  // A program with a port of its own meets our server at this port.
  const isMoved = !files.server && files.client && outcome.missed !== undefined;
  return isMoved ? await run(outcome.missed) : outcome;
}

const NETCAT: TracedProgram = {
  file: `${SCRIPTS}netcat.ts`,
  name: "netcat.ts",
  argumentsFor: (port) => [["127.0.0.1", `${port}`]],
};

/** One of our scripts, or the file in its place. */
function programOf(
  script: Script,
  file: string | undefined,
  more: string[],
  ownPort?: number,
): TracedProgram {
  if (file === undefined) {
    return {
      file: SCRIPTS + script.name,
      name: script.name,
      hasNode: false,
      argumentsFor: (port) => [[...withPort(script, ownPort ?? port), ...more]],
    };
  }
  return {
    file,
    name: file.split(/[/\\]/).at(-1)!,
    // Programs differ in the arguments that they take: the flags of our script, none, a port, a host and a port.
    argumentsFor(port) {
      const number = `${port ?? portShown(script)}`;
      const lists = [withPort(script, port), [], [number], ["127.0.0.1", number]];
      return lists.map((list) => [...list, ...more]);
    },
  };
}

/** The arguments of a session, with another port. */
function withPort({ args, port: usual }: Script, port?: number): string[] {
  const others = args.filter((arg) => !arg.startsWith("--port="));
  if (port === undefined) return args;
  return others.length < args.length || port !== usual ? [...others, `--port=${port}`] : args;
}

/** The command that a reader types. */
function commandOf({ name, args }: Script, more: string[] = []): string {
  return ["deno run -A", `scripts/${name}`, ...[...args, ...more].map(quoted)].join(" ");
}

/** The command that a reader types for another file, in its folder. */
function commandOfFile(file: string, more: string[] = []): string {
  const name = quoted(file.split(/[/\\]/).at(-1)!);
  return [isPythonFile(file) ? "python3" : "deno run -A", name, ...more.map(quoted)].join(" ");
}

/** Returns a word as a shell takes it. */
export function quoted(word: string): string {
  return /[^\p{L}\p{N}=./:,_-]/u.test(word) ? `'${word}'` : word;
}

/** The port on which the server listens in its header. */
export function portShown({ args, port }: Script): number {
  const given = args.find((arg) => arg.startsWith("--port="));
  return given ? Number(given.slice("--port=".length)) : port;
}

/** Keeps the rows and calls that are steps of a script's own, not of lib.ts. */
function atRows(steps: Step[], scripts: [Role, string][]): Step[] {
  const own = Object.fromEntries(
    scripts.map(([role, name]): [Role, OwnStep] => {
      // The page does not show the source of netcat.ts.
      const source = name === NETCAT.name ? "" : Deno.readTextFileSync(SCRIPTS + name);
      return [role, inScript(source)];
    }),
  );
  return steps.flatMap((step) => step.from in own ? own[step.from](step) ?? [] : step);
}

/** Returns a step as one of a script's own, or nothing if it is a step of lib.ts. */
export type OwnStep = (step: Step) => Step | undefined;

/**
 * Makes a function that returns a step with its row only if the row is in the code of a script before its
 * last line, which calls `run`. It returns no step for a call elsewhere, or for one that failed. A connection
 * that no line of the script closes is closed where the block ends that was begun with it.
 *
 * @param source The script.
 */
export function inScript(source: string): OwnStep {
  const lines = source.split("\n");
  const find = (pattern: RegExp) => lines.findIndex((line) => pattern.test(line)) + 1;
  const main = find(/import\.meta\.main/);
  const opening = find(/using .*Deno\.connect\(|\.accept\(/) || undefined;
  return (step) => {
    if (step.row !== undefined && step.row < main) {
      return step.kind === "call" && step.error !== undefined ? undefined : step;
    }
    if (step.kind === "call") return undefined;
    return { ...step, row: step.kind === "end" ? opening : undefined };
  };
}

const MAX_RUN = 30; // lines or calls of one program in a row
const MAX_STEPS = 2000;

/** Shortens long runs: leaves out the middle of many lines or calls in a row, and the end of very many steps. */
function shorten(steps: Step[]): Step[] {
  const kept: Step[] = [];
  let run: Step[] = [];
  const leaveOut = (count: number, text: string) => {
    const { from, at } = run[0];
    kept.push({ from, at, kind: "note", text: `… ${count} more ${text}` });
  };
  const endRun = () => {
    const count = run.length - MAX_RUN;
    if (count > 1) {
      kept.push(...run.slice(0, MAX_RUN / 2));
      leaveOut(count, run[0].kind === "call" ? "calls" : "lines");
      kept.push(...run.slice(-MAX_RUN / 2));
    } else kept.push(...run);
    run = [];
  };
  for (const step of steps) {
    if (run.length > 0 && (run[0].kind !== step.kind || run[0].from !== step.from)) endRun();
    if (["line", "note", "call"].includes(step.kind)) run.push(step);
    else kept.push(step);
  }
  endRun();
  run = steps.slice(-1);
  if (kept.length > MAX_STEPS) leaveOut(kept.splice(MAX_STEPS).length, "events");
  return kept;
}

const FURTHER_PORT = 50001; // for clients that no header shows

/** Gives the clients' ports, which the system chose, the numbers that the headers show. */
function asShown(steps: Step[], lab: Lab, { clientPorts }: RelayedSession): Step[] {
  const inHeader = `${lab.server.screen}${lab.client.screen}`
    .matchAll(/\('[^']*', (\d+)\)/g).map(([, port]) => port);
  const shown = [...new Set(inHeader)];
  const names = new Map<string, string>();
  for (const [i, ports] of clientPorts.entries()) {
    const name = shown[i] ?? `${FURTHER_PORT + i - shown.length}`;
    for (const port of ports) if (port !== 0) names.set(`${port}`, name);
  }
  return steps.flatMap((step) => {
    if (step.kind !== "line" && step.kind !== "note") return step;
    if (step.kind === "note" && /^$|^note: listening on/.test(step.text.trimEnd())) return [];
    const text = step.text.replace(/\b\d{4,5}\b/g, (number) => names.get(number) ?? number);
    return { ...step, text: step.kind === "note" ? text.replace(/\n$/, "") : text };
  });
}
