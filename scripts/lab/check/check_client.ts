/**
 * Puts a client through its probes.
 *
 * @module
 */
import { deadline } from "@std/async/deadline";
import { type Exam, type Finding, judged, screenProblem, wrongIn } from "./check_run.ts";
import { type HandIn, mistake } from "./submission.ts";
import { joined as joinedOf, play, type Stage } from "./run_steps.ts";
import { brief } from "./diagnosis.ts";
import { knows, start } from "./start.ts";
import type { ClientProbe } from "./probe.ts";
import type { Program } from "../process/program.ts";
import { Connection, Datagrams, type Wire } from "./endpoints.ts";
import { isSoon } from "../process/activity.ts";
import { Wrong } from "./steps.ts";

const AT_ONCE = 3; // probes
const NO_REPLY = 9500; // milliseconds that a client may wait for a reply that never comes

/** Puts a client through its probes: the session first, then the others, some at a time. */
export async function examineClient(exam: Exam, probes: ClientProbe[]) {
  const [session, ...others] = probes.filter(({ args = [] }) =>
    args.every((arg) => knows(exam.handIn, arg))
  );
  for (const finding of await examine(exam, session)) exam.report(finding);
  const waiting = others.toSorted((a, b) => Number(isLong(b)) - Number(isLong(a)));
  const findings = new Map(others.map((probe) => [probe, Promise.withResolvers<Finding[]>()]));
  const work = async () => {
    for (let probe; (probe = waiting.shift());) {
      const { stop } = exam;
      findings.get(probe)!.resolve(
        stop ? [{ what: probe.what, skipped: stop }] : await examine(exam, probe),
      );
    }
  };
  const report = async () => {
    for (const probe of others) {
      for (const finding of await findings.get(probe)!.promise) exam.report(finding);
    }
  };
  await Promise.all([report(), ...Array.from({ length: AT_ONCE }, work)]);
}

/** Whether a probe takes seconds: where a reply is lost. */
function isLong({ steps }: ClientProbe): boolean {
  return steps.some(({ loses }) => loses !== undefined);
}

/** Starts a client with a server that does what the probe says. */
async function examine(exam: Exam, probe: ClientProbe): Promise<Finding[]> {
  const { handIn } = exam;
  const { transport } = handIn.script.lab;
  const before = Date.now();
  const { port, place } = takePlace(exam, transport, probe.isAlone);
  using server = place;
  const args = [...probe.args ?? []];
  if (isLong(probe) && /lib\.ts"/.test(handIn.source) && handIn.source.includes("timeout")) {
    args.push("--timeout=1");
  }
  const typed = probe.isSession ? handIn.script.typed : probe.typed ?? [];
  await using program = start(handIn, { port, args, sandbox: exam.sandbox });
  const typing = type(exam, program, typed);
  if (probe.inputEnds) typing.then(() => program.endInput());
  const limit = isLong(probe) ? Math.min(exam.left, NO_REPLY) : exam.patience;
  const stage: Stage = {
    patience: limit,
    pause: exam.pause,
    hasEnded: () => false,
    open: async () => {
      const wire = await server!.wire(program, exam.startPatience);
      if (probe.isSession && exam.asks) exam.started(Date.now() - before);
      if (probe.isSession) stage.patience = exam.patience;
      return wire;
    },
    typed: typing,
    breakOff: () => Promise.resolve(),
    hasPrinted: () => Promise.resolve(true),
  };
  const course = await play(probe.steps, stage);
  if (course.wrong) await deadline(typing, 200).catch(() => {});
  else await typing;
  await program.endInput(); // not before: some programs end with their input
  if (probe.isSession && course.wrong?.kind === "absent") exam.isHopeless = true;
  if (!probe.isSession && course.wrong?.kind === "absent" && exam.left === 0) {
    return [{ what: probe.what, skipped: exam.stop }]; // it starts slowly
  }
  let wrong = wrongIn(course, probe, exam);
  if (wrong && probe.cause) wrong.problem = `${probe.cause}\n${wrong.problem}`;
  const hasEnded = await program.ended((wrong ? 300 : limit) / 1000);
  if (wrong) {
    // After a wrong message it may well complain: that is not the cause.
    const said = course.wrong!.actual === "" ? mistake(program.errors, handIn) : undefined;
    if (said) wrong = { problem: `${said}\n${wrong.problem}` };
  } else wrong = await endProblem(probe, program, handIn, hasEnded);
  if (program.excess) wrong = { problem: program.excess };
  const shownPort = handIn.ownPort ?? port;
  if (probe.isSession) {
    const transcript = screenProblem(program.screen, handIn.script.screen, shownPort, handIn);
    const errors = program.errors;
    if (errors !== "") transcript.note ??= `it printed on stderr: ${errors.split("\n")[0]}`;
    const what = "it prints the transcript of its header";
    return [judged(probe, wrong, handIn), { what, ...transcript }];
  }
  wrong ??= onScreen(probe, program.screen);
  return [judged(probe, wrong, handIn)];
}

/** What is wrong about how a client ended. */
async function endProblem(
  { status: should, isSession, cause, steps }: ClientProbe,
  program: Program,
  handIn: HandIn,
  hasEnded: boolean,
): Promise<{ problem: string } | undefined> {
  if (!hasEnded) {
    const reason = steps.some(({ loses }) => loses !== undefined)
      ? "it waits for a reply for ever: a datagram may get lost"
      : should === "failed" && steps.length > 0
      ? "it still runs after the server has gone: it waits for ever"
      : "it still runs: it waits for something that does not come";
    return { problem: cause ?? reason };
  }
  const status = await program.status;
  if ((should === "well" || isSession) && status !== 0) {
    const prompt = promptOf(handIn);
    const asksOn = program.screen.endsWith(prompt) && prompt !== "";
    const mistaken = mistake(program.errors, handIn);
    const said = asksOn && cause ? cause : mistaken ?? cause; // it then complains of the input's end
    const ended = `it ended with status ${status}` +
      (asksOn ? ": it asked for one more line than there was to type" : "");
    return { problem: said ? `${said}\n${ended}` : `${ended}${errorsOf(program)}` };
  }
  if (should === "failed" && status === 0) {
    return { problem: "it ended with status 0, as if all had gone well" };
  }
}

function errorsOf({ errors }: Program): string {
  return errors === "" ? "" : `\non stderr it said:\n${errors.trimEnd()}`;
}

/** What is wrong about what stands on a client's screen. */
function onScreen(
  { screen: should, shows = [], hides, joined, cause }: ClientProbe,
  screen: string,
): Pick<Finding, "problem" | "expected" | "actual"> | undefined {
  const says = (problem: string, expected?: string) => ({
    problem: cause ? `${cause}\n${problem}` : problem,
    expected,
    actual: screen.length < 2000 ? screen : undefined,
  });
  if (hides !== undefined && screen.includes(hides)) {
    return says(`it prints what did not come from the server: ${brief(hides)}`);
  }
  if (should !== undefined && screen !== should) {
    const [is, line] = [screen, should].map((text) => text.split("\n"));
    const at = line.findIndex((text, i) => text !== is[i]);
    return says(
      at < 0 ? `it prints more than it should: ${brief(is.slice(line.length - 1).join("\n"))}` : is
          .length <= at
        ? `it does not print: ${line[at]}`
        : `it prints ${is[at] === "" ? "an empty line" : brief(is[at])}, and should print ${
          brief(line[at])
        }`,
      should,
    );
  }
  if (joined) {
    const [start, text] = joined;
    const all = joinedOf(start, screen);
    if (all !== text) {
      return says(
        `what it prints behind \`${start}\` is ${brief(all)}, and should be ${brief(text)}`,
      );
    }
  }
  let from = 0;
  for (const part of shows) {
    const at = screen.indexOf(part, from);
    if (at < 0) return says(`it does not print: ${brief(part)}`);
    from = at + part.length;
  }
}

/** What the script asks with. */
function promptOf({ script: { screen, typed: [first = ""] } }: HandIn): string {
  return screen.slice(0, screen.indexOf(`${first}\n`)).split("\n").at(-1)!;
}

/** Types lines, each when it is asked for. */
export async function type(exam: Exam, program: Program, lines: string[]) {
  const prompt = promptOf(exam.handIn);
  for (const [i, line] of lines.entries()) {
    const asks = () =>
      program.screen.split(prompt.trimEnd()).length > i + 1 &&
      program.screen.trimEnd().endsWith(prompt.trimEnd());
    // Who asks in other words is not waited for when the screen has come to rest.
    const end = Date.now() + exam.startPatience;
    for (let before = ""; !asks() && Date.now() < end; before = program.screen) {
      const isSilent = program.screen === "";
      const rest = isSilent && exam.asks ? exam.startPatience * 0.7 : exam.patience / 2;
      const isNew = () => asks() || program.screen !== before;
      if (!await isSoon(isNew, rest / 1000, [program], end)) {
        if (isSilent) exam.asks = false;
        break;
      }
    }
    await program.type(line);
  }
}

/** A server's place, where a probe waits for its client. */
interface Place extends Disposable {
  wire(program: Program, milliseconds: number): Promise<Wire>;
}

/** Takes a port, and listens there unless the client is to find nobody. */
function takePlace(exam: Exam, transport: "tcp" | "udp", isAlone = false) {
  for (let tries = 1;; tries++) {
    const port = exam.ports.take(transport);
    try {
      return { port, place: isAlone ? undefined : listenAt(port, transport) };
    } catch (error) { // another program was faster
      if (!(error instanceof Deno.errors.AddrInUse) || tries === 10) throw error;
    }
  }
}

function listenAt(port: number, transport: "tcp" | "udp"): Place {
  const hostname = "127.0.0.1";
  if (transport === "udp") {
    const socket = Deno.listenDatagram({ transport, hostname, port });
    const wire = new Datagrams(socket);
    return {
      wire: async (program, milliseconds) => {
        program.status.then(() => setTimeout(() => wire.lost(), 100));
        if (!await wire.isAsked(milliseconds)) throw new Wrong("absent");
        return wire;
      },
      [Symbol.dispose]: () => wire.close(),
    };
  }
  const listener = Deno.listen({ hostname, port });
  return {
    wire: async (program, milliseconds) => {
      const timer = Promise.withResolvers<undefined>();
      const id = setTimeout(() => timer.resolve(undefined), milliseconds);
      program.status.then(() => setTimeout(() => timer.resolve(undefined), 100));
      try {
        const client = await Promise.race([listener.accept(), timer.promise]);
        if (!client) throw new Wrong("absent");
        return new Connection(client);
      } finally {
        clearTimeout(id);
      }
    },
    [Symbol.dispose]: () => listener.close(),
  };
}
