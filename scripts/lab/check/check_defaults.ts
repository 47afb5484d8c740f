/**
 * Checks where a program listens, or connects to, when it is given no port or another host.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import type { Script } from "../catalog/header.ts";
import { type CheckName, type CheckRun, ending, toFinding } from "./check_run.ts";
import type { Endpoint } from "../trace/run_traced.ts";
import { missing } from "./check_server.ts";
import { hasFlag, start, type SubmissionProgram } from "./start.ts";

const HOST = "127.0.0.2"; // this machine as well, and not a program's own choice
const PAUSE = 40; // milliseconds between two looks

/** Returns what is checked here. */
export function defaultChecks({ port }: Pick<Script, "port">): CheckName[] {
  return [
    { what: `its port is ${port} if none is given` },
    { what: "it has --host, and uses the address given with it", level: "beyond" },
  ];
}

/** Checks the default port, and `--host`. */
export async function checkDefaults(run: CheckRun): Promise<void> {
  const { submission } = run;
  const { role, port: labPort } = submission.script;
  const [{ what }, hostCheck] = defaultChecks(submission.script);
  if (run.stop) return run.report({ what, skipped: run.stop });
  const hasHost = hasFlag(submission, "--host");
  if (!hasHost && !hasFlag(submission, "--port")) {
    run.report({ what }); // a program without these flags has shown its port before
    return run.reportLast(toFinding(run, hostCheck, { problem: missing("--host") }));
  }
  const { transport } = submission.script.lab;
  await using program = await start(submission, {
    port: run.ports.take(transport),
    labPort: run.ports.take(transport),
    args: hasHost ? [`--host=${HOST}`] : [],
    hasSession: false,
    hasPort: false,
    sandbox: run.sandbox,
  });
  const endpoint = await endpointOf(run, program);
  if (!endpoint) {
    // Status 2 is wrong usage: the sheet's session may have --port as well.
    const isWrong = await program.ended(0) && ![0, 2].includes(await program.status);
    const problem = isWrong ? await ending(submission, program, " without --port") : undefined;
    const note = isWrong ? undefined : "it does not run without --port";
    run.report({ what, problem, note });
    return run.report(toFinding(run, hostCheck, { problem: "it does not run without --port" }));
  }
  const does = role === "server" ? "listens on" : "connects to";
  const { host, port } = endpoint;
  const other = `it ${does} port ${port} if none is given: the lab's is ${labPort}`;
  run.report({ what, problem: port === labPort ? undefined : other });
  if (!hasHost) {
    return run.reportLast(toFinding(run, hostCheck, { problem: missing("--host") }));
  }
  const problem = `it ${does} ${host || "another address"}, not the one given with --host`;
  const isRight = host === HOST || role === "client" && host === "";
  run.report(toFinding(run, hostCheck, isRight ? undefined : { problem }));
}

/** Waits until a program listens or connects somewhere. */
async function endpointOf(
  run: CheckRun,
  program: SubmissionProgram,
): Promise<Endpoint | undefined> {
  const { role, typed } = run.submission.script;
  if (role === "client") { for (const line of typed) await program.type(line); }
  const end = Date.now() + run.startPatience;
  for (let isLast = false; !isLast; await delay(PAUSE)) {
    isLast = await program.ended(0) || Date.now() > end;
    const { listens, connects, failed } = await program.observe();
    const [found] = role === "server" ? listens : connects;
    if (found) return found;
    const address = failed?.local ?? failed?.peer;
    if (failed?.transport && address) return { transport: failed.transport, ...address };
  }
}
