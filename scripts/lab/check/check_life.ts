/**
 * Checks how a server takes its port, and how it ends.
 *
 * @module
 */
import { type CheckName, type CheckRun, ending, toFinding } from "./check_run.ts";
import type { Game } from "./find_number.ts";
import type { Named } from "../catalog/labs.ts";
import { start, type SubmissionProgram } from "./start.ts";

const PAUSE = 20; // milliseconds between two looks
const CTRL_C = 1.5; // seconds that a server may take to end

/** A server that runs. */
export interface RunningServer {
  /** The program. */
  program: SubmissionProgram;
  /** Where it listens. */
  port: number;
  /** Sockets for its clients over UDP, each for one: it may send to their ports alone. */
  clients: Deno.DatagramConn[];
  /** What was found out about the guess server's number, if `--secret` does not set it. */
  game?: Game;
}

/** What is checked about its end. */
export const SERVES_ON: CheckName = { what: "it serves until Ctrl-C ends it" };
const IS_LOCAL: CheckName = { what: "it listens on this machine only", level: "beyond" };
const IS_ALONE: CheckName = {
  what: "a second server on the same port does not start",
  level: "beyond",
};

/** Returns what is checked about the port of a server. */
export function portChecks({ lab }: Named): CheckName[] {
  // The sheet of the upper labs has `bind(('', 8080))`, too.
  return lab.name.startsWith("upper") ? [IS_ALONE] : [IS_LOCAL, IS_ALONE];
}

/** Checks that a server listens on this machine only, and that a second one cannot take its port. */
export async function checkPort(run: CheckRun, server: RunningServer): Promise<void> {
  if (run.stop || await server.program.ended(0)) return;
  const { script } = run.submission;
  const { listens } = await server.program.observe();
  if (portChecks(script).includes(IS_LOCAL)) {
    const isOpen = listens.some(({ host }) => /^$|^0\.0\.0\.0$|^::$/.test(host));
    const problem = "it listens on all addresses, where the sheet has localhost: other computers " +
      "can reach it";
    run.report(toFinding(run, IS_LOCAL, isOpen ? { problem } : undefined));
  }
  await using second = await startAgain(run, server);
  const isTaken = await listensToo(run, second);
  const problem =
    "a second server on the same port starts as well: each client reaches one of the " +
    `two, whichever that is (${script.lab.transport === "tcp" ? "SO_REUSEPORT" : "SO_REUSEADDR"})`;
  run.report(toFinding(run, IS_ALONE, isTaken ? { problem } : undefined));
}

/** Starts the same server on the same port. */
function startAgain({ submission, sandbox }: CheckRun, { program }: RunningServer) {
  const [port, labPort] = program.ports;
  return start(submission, { port, labPort, sandbox });
}

/** Waits until a second server listens, and returns whether it does. */
async function listensToo(run: CheckRun, second: SubmissionProgram): Promise<boolean> {
  const end = Date.now() + run.startPatience;
  while (!await second.ended(PAUSE / 1000) && Date.now() < end) {
    const { listens, failed } = await second.observe();
    if (listens.length > 0) return true;
    if (failed) return false;
  }
  return false;
}

/** Checks that Ctrl-C ends a server, also while it serves a client. */
export async function checkCtrlC(run: CheckRun, server: RunningServer): Promise<void> {
  const { submission } = run;
  const { program, port } = server;
  const { what } = SERVES_ON;
  if (await program.ended(0)) {
    const problem = await ending(submission, program, " after the last client");
    return run.report({ what, problem });
  }
  if (Deno.build.os === "windows") return run.report({ what });
  const client = submission.script.lab.transport === "tcp" ? await connect(port) : undefined;
  if (client) await program.ended(run.pause / 1000); // it accepts the client meanwhile
  Deno.kill(program.pid, "SIGINT");
  let hasEnded = await program.ended(CTRL_C);
  client?.close();
  const finding = { what, level: "beyond" } as const;
  if (!hasEnded) {
    hasEnded = client !== undefined && await program.ended(run.pause / 1000);
    const problem = hasEnded
      ? "Ctrl-C does not end it while a client is connected: it waits for the client"
      : "Ctrl-C does not end it";
    await program.end("SIGKILL");
    return run.report(toFinding(run, finding, { problem }));
  }
  const status = await program.status;
  const note = status === 130 || submission.isPython
    ? undefined
    : `it ends with status ${status}, where 130 is usual after Ctrl-C`;
  run.report({ what, note });
}

/** Connects to a server, if it still accepts clients. */
async function connect(port: number): Promise<Deno.TcpConn | undefined> {
  try {
    return await Deno.connect({ hostname: "127.0.0.1", port });
  } catch {
    return undefined;
  }
}
