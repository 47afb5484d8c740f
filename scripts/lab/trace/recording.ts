/**
 * Records a lab: what its halves print, how they use the network, and what goes over the
 * wire, in one order.
 *
 * @module
 */
import { type Faults, unmet } from "./faults.ts";
import { type Lab, type Role, type Script, SCRIPTS } from "../catalog/header.ts";
import { inOrder, type Step, type Told } from "./timeline.ts";
import { note } from "../terminal/output.ts";
import { runChecked, scriptParticipant } from "../session/checks.ts";
import type { Participant } from "../session/session.ts";
import { DENO_RUN } from "../process/program.ts";
import { Wire } from "./relay.ts";

/** A lab that was run, with all that happened. */
export interface Recording {
  /** The commands that take the halves. */
  commands: Record<Role, string>;
  /** What happened, in its order. Ports are those of the headers. */
  steps: Step[];
  /** What was not as it should be, in words. */
  problems: string[];
}

/** How to record. */
export interface RecordOptions {
  /** What the wire does to what passes. */
  faults?: Faults;
  /** More arguments for the client's script. */
  more?: string[];
  /** A line that is typed into netcat.ts, which then takes the client's place. */
  netcat?: string;
}

const TRACE = `${SCRIPTS}lab/trace/tracer_marks.ts`;
const NETCAT: Participant = {
  name: "netcat.ts",
  reportsPort: false,
  command: (port) => [...DENO_RUN, "-A", `${SCRIPTS}netcat.ts`, "127.0.0.1", `${port}`],
};

/**
 * Runs a lab as its headers show it, and records it.
 *
 * @param lab The lab.
 * @param options How to record.
 * @returns What happened.
 */
export async function record(
  lab: Lab,
  { faults = {}, more = [], netcat }: RecordOptions = {},
): Promise<Recording> {
  const told: Record<Role, Told[]> = { server: [], client: [] };
  const hostname = more.includes("--host=::1") ? "::1" : undefined;
  using wire = await Wire.open(lab.transport, { hostname, ...faults });
  const isScript = netcat === undefined;
  const participants = {
    server: traced(scriptParticipant(lab.server)),
    client: isScript ? traced(scriptParticipant(lab.client, { more })) : NETCAT,
  };
  const { checks } = await runChecked(lab, participants, {
    relay: wire,
    typing: isScript ? undefined : typed(netcat),
    onScreen: (role, text) => told[role].push({ at: Date.now(), text }),
    onMark: (role, mark) => told[role].push(JSON.parse(mark)),
  });
  await wire.isClosed("server") && await wire.isClosed("client");
  await wire.isQuiet();
  for (const fault of unmet(faults, wire.counts)) note(fault);
  const port = portShown(lab.server);
  const scripts: [Role, Script][] = [["server", lab.server]];
  if (isScript) scripts.push(["client", lab.client]);
  return {
    commands: {
      server: commandOf(lab.server),
      client: isScript
        ? commandOf(lab.client, more)
        : `deno run -A scripts/netcat.ts 127.0.0.1 ${port}`,
    },
    steps: atRows(asShown(inOrder(told, wire.events), lab, port), scripts),
    problems: checks.filter(({ problem }) => problem)
      .map(({ what, problem }) => `${what}: ${problem}`),
  };
}

/** A script that marks in its output where it uses the network. */
function traced(participant: Participant): Participant {
  const command = (port: number) => {
    const script = participant.command(port).slice(DENO_RUN.length);
    return [...DENO_RUN, `--preload=${TRACE}`, ...script];
  };
  return { ...participant, command };
}

async function* typed(line: string) {
  yield line;
}

/** The command that a reader types. */
function commandOf({ name, args }: Script, more: string[] = []): string {
  const words = [...args, ...more].map((word) =>
    /[^\p{L}\p{N}=./:,_-]/u.test(word) ? `'${word}'` : word
  );
  return ["deno run -A", `scripts/${name}`, ...words].join(" ");
}

/** The port on which the server listens in its header. */
export function portShown({ args, port }: Script): number {
  const given = args.find((arg) => arg.startsWith("--port="));
  return given ? Number(given.slice("--port=".length)) : port;
}

/**
 * Keeps the rows and calls that are steps of a script's own, not of lib.ts. A connection that no line of it closes is
 * closed where the block ends that was begun with it.
 */
function atRows(steps: Step[], scripts: [Role, Script][]): Step[] {
  const rows = Object.fromEntries(scripts.map(([role, { name }]) => {
    const lines = Deno.readTextFileSync(SCRIPTS + name).split("\n");
    const find = (pattern: RegExp) => lines.findIndex((line) => pattern.test(line)) + 1;
    const opening = find(/using .*Deno\.connect\(|\.accept\(/) || undefined;
    return [role, { main: find(/import\.meta\.main/), opening }];
  }));
  const own = steps.map((step) => {
    const { main = 0, opening } = rows[step.from] ?? {};
    if (step.row !== undefined && step.row < main) return step;
    return { ...step, row: step.kind === "end" ? opening : undefined };
  });
  return own.filter(({ kind, row }) => kind !== "call" || row !== undefined);
}

const FURTHER_PORT = 50001; // for clients that no header shows

/** Gives the ports of a run the numbers that the headers show. */
function asShown(steps: Step[], lab: Lab, port: number): Step[] {
  const CLIENT = /(?<=\('[^']*', )\d+(?=\))/g;
  const shown = [...new Set(`${lab.server.screen}${lab.client.screen}`.match(CLIENT))];
  const seen: string[] = [];
  return steps.map((step) => {
    if (step.kind !== "line" && step.kind !== "note") return step;
    const text = step.text.replace(/(\bport |--port=)\d+/g, `$1${port}`).replace(
      CLIENT,
      (client) => {
        if (!seen.includes(client)) seen.push(client);
        const i = seen.indexOf(client);
        return shown[i] ?? `${FURTHER_PORT + i - shown.length}`;
      },
    );
    return { ...step, text };
  });
}
