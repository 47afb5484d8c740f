/**
 * Where a program listens, or connects to, when it is given no port: on the port of its lab.
 *
 * @module
 */
import { ending, type Exam } from "./check_run.ts";
import { type as typeLines } from "./check_client.ts";
import { knows, placeOf, start } from "./start.ts";

const HOST = "127.0.0.2"; // this machine as well, and no program's own choice

/** Starts the program without a port, and lets it tell its place instead of taking it. */
export async function examinePlace(exam: Exam): Promise<void> {
  const { handIn } = exam;
  if (handIn.ownPort !== undefined) return; // it takes no flags
  const { role, port, args, typed } = handIn.script;
  const what = `its port is ${port} where none is given, and its address the one of --host`;
  if (exam.stop) return exam.report({ what, skipped: exam.stop });
  await using program = start(handIn, {
    args: [`--host=${HOST}`],
    asksPlace: true,
    sandbox: exam.sandbox,
  });
  if (role === "client") typeLines(exam, program, typed);
  const hasEnded = await program.ended(exam.startPatience / 1000);
  const place = placeOf(program);
  if (!place) {
    const mayNeedPort = args.some((arg) => arg.startsWith("--port="));
    const isWrong = hasEnded && !mayNeedPort && await program.status !== 0;
    return exam.report({
      what,
      problem: isWrong ? await ending(handIn, program, "where no --port is given") : undefined,
      note: isWrong ? undefined : "it does not run without --port",
    });
  }
  const does = role === "server" ? "listens on" : "connects to";
  const problem = place.port !== port
    ? `it takes port ${place.port} where none is given: the lab's port is ${port}`
    : knows(handIn, "--host") && place.host !== HOST
    ? `it ${does} ${place.host || "another address"}, not the one given with --host`
    : undefined;
  exam.report({ what, problem });
}
