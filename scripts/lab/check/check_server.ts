/**
 * Puts a server through its probes.
 *
 * @module
 */
import { ending, type Exam, type Finding, judged, screenProblem, wrongIn } from "./check_run.ts";
import { type HandIn, listens, mistake, otherPort } from "./submission.ts";
import { knows, type Start, start } from "./start.ts";
import { joined, missingIn, type Play, play, type Stage, standIn } from "./run_steps.ts";
import { brief } from "./diagnosis.ts";
import { nextClient } from "./probes/all.ts";
import type { Probe } from "./probe.ts";
import type { Program } from "../process/program.ts";
import { sameScreen } from "../session/transcript.ts";
import { breakOff, Connection, Datagrams, type Wire } from "./endpoints.ts";
import { Wrong } from "./steps.ts";

/** A server that runs. */
export interface Running {
  /** The program. */
  program: Program;
  /** Its port. */
  port: number;
  /** Sockets for its clients over UDP, each for one: it may send to their ports alone. */
  clients: Deno.DatagramConn[];
}

/**
 * Puts a server through its probes, one after the other, since the originals serve one client
 * after the other. After a failure the server is started anew, so that each stands for itself.
 */
export async function examineServer(exam: Exam, probes: Probe[]) {
  let server: Running | undefined;
  const { handIn } = exam;
  const fitting = probes.filter(({ isPlain, args = isPlain ? handIn.script.args : [] }) =>
    args.every((arg) => knows(handIn, arg))
  );
  const clients = fitting.reduce((sum, probe) => sum + clientsOf(probe, handIn), 0);
  for (const [i, probe] of fitting.entries()) {
    const { stop } = exam;
    if (stop) {
      exam.report({ what: probe.what, skipped: stop });
      continue;
    }
    const isAlone = probe.args !== undefined || probe.isPlain !== undefined;
    const running = (!isAlone && server) ||
      await begin(exam, { ...probe, clients, isFirst: i === 0 });
    if (!running) {
      exam.isHopeless ||= i === 0;
      continue;
    }
    if (!isAlone) server = running;
    const isWell = await examine(exam, running, probe);
    if (isAlone) await running.program.end("SIGKILL");
    else if (!isWell) {
      await running.program.end("SIGKILL");
      server = undefined;
    }
  }
  if (server) await endByCtrlC(exam, server);
}

/** How many sockets a probe needs for its clients. */
function clientsOf({ steps, next }: Probe, { script }: HandIn): number {
  const all = [...steps, ...next ? nextClient(script.lab.name) : []];
  return new Set(all.map(({ on = "a" }) => on)).size;
}

/** Starts a server and waits until it listens; where it does not, that is reported. */
async function begin(
  exam: Exam,
  { what, isFirst, ...how }: Pick<Probe, "what" | "args" | "isPlain"> & {
    isFirst: boolean;
    clients: number;
  },
): Promise<Running | undefined> {
  const { running, problem } = await listen(exam, how);
  const first = "it starts and listens on its port";
  if (!running) exam.report({ what: isFirst ? first : what, problem });
  else if (isFirst) exam.report({ what: first });
  return running;
}

/** Starts a server and waits until it listens, or says why it does not. */
export async function listen(
  exam: Exam,
  { clients: count, ...how }: Omit<Start, "port" | "sandbox" | "clients"> & { clients: number },
): Promise<{ running?: Running; problem?: string }> {
  const { handIn, ports } = exam;
  const { lab } = handIn.script;
  const port = ports.take(lab.transport);
  const before = Date.now();
  const isUdp = lab.transport === "udp";
  const clients = Array.from({ length: isUdp ? count : 0 }, () => openSocket());
  const clientPorts = clients.map(({ addr }) => (addr as Deno.NetAddr).port);
  const program = start(handIn, { ...how, port, sandbox: exam.sandbox, clients: clientPorts });
  program.status.finally(() => clients.forEach((socket) => socket.close()));
  const isSoon = await listens(handIn, program, port, Math.min(exam.startPatience, 1500) / 1000);
  // Where it listens elsewhere, there is nothing to wait for.
  const isThere = isSoon || otherPort(handIn, program, port) === undefined &&
      await listens(handIn, program, port, exam.startPatience / 1000);
  exam.started(Date.now() - before);
  const wrongPort = handIn.ownPort !== undefined && handIn.ownPort !== handIn.script.port &&
    handIn.script.port > 1023;
  if (isThere && !wrongPort) return { running: { program, port, clients } };
  const problem = isThere
    ? `it listens on port ${handIn.ownPort}, and the lab's port is ${handIn.script.port}`
    : await whyNot(exam, program, port);
  await program.end("SIGKILL");
  return { problem };
}

/** Says why a server does not listen. */
async function whyNot(exam: Exam, program: Program, port: number): Promise<string> {
  if (await program.ended(0.05)) {
    if (/AddrInUse|EADDRINUSE|already in use/i.test(program.errors)) {
      return `it does not listen on the port given with --port, but on one that is taken\n` +
        (mistake(program.errors, exam.handIn) ?? program.errors);
    }
    const [, refused] = program.errors.match(/net access to "[^"]*:(\d+)"/) ?? [];
    if (refused !== undefined && Number(refused) !== port) {
      return `it listens on port ${refused}, not on the one given with --port`;
    }
    const end = await ending(exam.handIn, program, "before it listened");
    const isTold = program.excess || mistake(program.errors, exam.handIn);
    return isTold ? end : `${end}: is an \`await\` missing?` + said(program);
  }
  const other = otherPort(exam.handIn, program, port);
  if (other !== undefined) return `it listens on port ${other}, not on the one given with --port`;
  return `it does not listen on the port given with --port` + said(program);
}

/** What a program printed, for the rest of a message. */
function said({ screen, errors }: Program): string {
  const parts = [
    ...screen ? [`it printed:\n${screen.trimEnd()}`] : [],
    ...errors ? [`on stderr it said:\n${errors.trimEnd()}`] : [],
  ];
  return parts.map((part) => `\n${part}`).join("");
}

/** Puts a running server through one probe, and reports. */
async function examine(exam: Exam, server: Running, probe: Probe): Promise<boolean> {
  const { handIn } = exam;
  const { program } = server;
  const before = program.screen.length;
  const errorsBefore = program.errors.length;
  const stage = stageFor(exam, server, before);
  const isMild = probe.excused !== undefined && probe.excused !== "python";
  if (isMild) stage.patience = Math.min(stage.patience, 10 * stage.pause);
  const course = await play(probe.steps, stage);
  let wrong = wrongIn(course, probe, exam);
  const isMixed = probe.excused === "waiting" && course.wrong?.kind !== "silence";
  const cause = isMixed ? "what two clients send at the same time is mixed up" : probe.cause;
  if (wrong && cause && course.wrong?.kind !== "print") {
    wrong.problem = `${cause}\n${wrong.problem}`;
  }
  if (wrong && /^another client/.test(probe.what) && isUnserved(course)) {
    const words = handIn.script.lab.transport === "tcp"
      ? "only the first client was served"
      : "the first datagram was answered, and the second was not";
    wrong.problem = `${words}\n${wrong.problem}`;
  }
  if (!wrong && probe.joined) {
    const [line, text] = probe.joined;
    const all = () => joined(line, program.screen.slice(before));
    if (!await program.until(() => all() === text, exam.patience / 1000)) {
      const is = brief(all());
      wrong = {
        problem: `what it prints behind \`${line}\` is ${is}, and should be ${brief(text)}`,
      };
    }
  }
  if (course.wrong?.kind === "print") {
    wrong = { ...wrong, ...printed(course.wrong, program, before) };
  }
  const isHeld = wrong !== undefined;
  exam.earlier.push(course.sent);

  if (probe.next && !(wrong && !isMild)) {
    const { stop } = exam; // a slow server is not to blame where its time is up
    if (stop) {
      exam.report({ what: probe.what, skipped: stop });
      return true;
    }
    const next = await play(nextClient(handIn.script.lab.name), stageFor(exam, server, before));
    if (next.wrong) {
      const { problem } = wrongIn(next, probe, exam)!;
      wrong = { problem: `after that, the next client was not served\n${problem}` };
    }
  }
  const isShown = () => program.screen.slice(before).includes(probe.hides!);
  if (!wrong && probe.hides && await program.until(isShown, exam.pause / 1000)) {
    wrong = { problem: `it printed ${brief(probe.hides)}, where nothing had come` };
  }
  if (wrong && await program.ended(0.2)) {
    wrong = { problem: await ending(handIn, program, `: ${probe.what}`) };
    wrong.problem = wrong.problem!.replace(") : ", "), in the probe: ");
  } else if (wrong && course.wrong?.actual === "") {
    const thrown = mistake(program.errors.slice(errorsBefore), handIn);
    if (thrown) wrong.problem = `${thrown}\n${wrong.problem}`;
  }
  if (program.excess) wrong = { problem: program.excess };
  const finding = judged(probe, wrong, handIn, course.wrong?.kind);
  if (isMild && wrong && !isHeld) {
    Object.assign(finding, wrong, { note: undefined });
  }
  // Who is excused and refuses clients from then on is started anew for the next probe.
  if (finding.problem && course.wrong?.kind === "refused") {
    exam.isHopeless ||= !await program.ended(0.1);
  }
  if (!probe.isSession) {
    exam.report(finding);
    return !wrong;
  }
  exam.report(finding);
  const screens = [handIn.script.screen, ...probe.orScreen ? [probe.orScreen] : []];
  const port = handIn.ownPort ?? server.port;
  const isRight = () => screens.some((screen) => sameScreen(program.screen, screen, port));
  await program.until(isRight, (finding.problem ? 100 : exam.patience) / 1000);
  const transcript: Finding = { what: "it prints the transcript of its header" };
  if (!isRight()) {
    Object.assign(transcript, screenProblem(program.screen, screens[0], port, handIn));
    if (transcript.problem && await program.ended(0.1)) {
      transcript.problem = `${await ending(handIn, program, "after its first client")}\n` +
        transcript.problem;
    }
  }
  const errors = program.errors.replace(/^note: listening on .*\n/, "");
  if (errors !== "") transcript.note ??= `it printed on stderr: ${errors.split("\n")[0]}`;
  exam.report(transcript);
  return !wrong;
}

function isUnserved({ wrong }: Play): boolean {
  return wrong?.kind === "refused" || wrong?.actual === "" && wrong.kind !== "print";
}

/** What is wrong about what a server printed for a probe. */
function printed({ expected }: Wrong, { screen }: Program, before: number) {
  const actual = screen.slice(before);
  return {
    problem: `it did not print the line: ${missingIn(expected, actual)}`,
    expected,
    actual,
  };
}

/** A UDP socket of a client. */
function openSocket(): Deno.DatagramConn {
  return Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
}

function stageFor(exam: Exam, { program, port, clients }: Running, before: number): Stage {
  const { transport } = exam.handIn.script.lab;
  return {
    patience: exam.patience,
    pause: exam.pause,
    hasEnded: () => false,
    async open(): Promise<Wire> {
      if (transport === "udp") {
        const socket = clients.shift()!;
        const wire = new Datagrams(socket, { transport, hostname: "127.0.0.1", port });
        program.status.then(() => wire.lost());
        return wire;
      }
      try {
        return new Connection(await Deno.connect({ hostname: "127.0.0.1", port }));
      } catch {
        throw new Wrong("refused");
      }
    },
    typed: Promise.resolve(),
    breakOff: (data) => breakOff(port, data, exam.pause),
    hasPrinted: (lines, milliseconds) =>
      program.until(() => standIn(lines, program.screen.slice(before)), milliseconds / 1000),
  };
}

async function endByCtrlC(exam: Exam, { program }: Running) {
  const what = "it serves until Ctrl-C ends it";
  if (await program.ended(0)) {
    return exam.report({
      what,
      problem: await ending(exam.handIn, program, "after the last client"),
    });
  }
  if (Deno.build.os === "windows") return exam.report({ what });
  const status = await program.end("SIGINT");
  if (status === 137) return exam.report({ what, problem: "Ctrl-C does not end it" });
  const note = status === 130 || exam.handIn.isPython
    ? undefined
    : `it ends with status ${status}, where 130 is usual after Ctrl-C`;
  exam.report({ what, note });
}
