/**
 * The state of a check while its probes run, and how their results are reported.
 *
 * @module
 */
import { atPort, comparable, difference } from "../session/transcript.ts";
import { brief, causeOf } from "./diagnosis.ts";
import { same } from "./endpoints.ts";
import { Exchange, type Patience } from "./exchange.ts";
import { containsLines, joinedPieces, withoutNotation } from "./printed.ts";
import { ownCause, type Probe } from "./probe.ts";
import type { StepsResult } from "./run_steps.ts";
import type { Sandbox } from "./sandbox.ts";
import type { SubmissionProgram } from "./start.ts";
import type { Mismatch } from "./steps.ts";
import { Ports, runtimeError, type Submission } from "./submission.ts";

/** The text of the check that compares the screen with the header. */
export const TRANSCRIPT = "it prints the transcript of its header";

/** What was checked, and what is wrong about it. */
export interface Finding {
  /** What should be. */
  what: string;
  /** What is wrong about it: the first line says the cause, the rest explains. */
  problem?: string;
  /** What should have come, or should be on the screen. */
  expected?: string;
  /** What came, or is on the screen. */
  actual?: string;
  /** The messages of both sides until something was wrong. */
  exchange?: string;
  /** What is not a failure. */
  note?: string;
  /** Why it was not checked. */
  skipped?: string;
}

/** A check by its name, and whether the sheet asks for it. */
export type CheckName = Pick<Probe, "what" | "level">;

/** What is wrong, as a part of a finding. */
export type Problem = Pick<Finding, "problem" | "expected" | "actual" | "exchange">;

const FIRST_START = 8000; // milliseconds that a program may take until it is ready
const USUAL_START = 400; // milliseconds that a program takes at most to start on an idle machine
/** How many times the usual time a check may take on a busy machine. */
export const MAX_EXTENSION = 2;
const MIN_PATIENCE = 1500; // milliseconds
const AFTER_FAILURE = 900; // milliseconds of patience
const MAX_WAIT = 6000; // milliseconds that a busy program may take for one step
const MAX_MILD_WAIT = 2000; // the same, if a note is all that depends on it
/** Why a check was not reached: earlier ones took all the time. */
export const NO_TIME = "no time is left";
/** Why a check was not reached: nothing is learned from it before earlier failures are fixed. */
export const FIX_FIRST = "fix the failures above first";

/** Labs whose sheets do not show what the programs print. */
const OPEN_WORDING = ["echo_v1", "echo_v2", "echo_v3", "guess"];

/** The state of a check while its probes run. */
export class CheckRun implements Disposable {
  /** Ports for its programs. */
  readonly ports = new Ports();
  /** What the probes so far have sent. */
  readonly earlier: string[] = [];
  /** Whether nothing else can be right. */
  isHopeless = false;
  /** Whether the program ignores `--port` or does not accept it. */
  hasOwnPort = false;
  /** Whether it prints other words than the header, where the sheet shows none. */
  hasOwnWords = false;
  /** How many findings are failures. */
  failures = 0;
  readonly #last: Finding[] = [];
  readonly #start: number;
  #time: number;
  #slowest = 0;
  #hasLengthAtLeft = false;

  /**
   * Begins a check: its time runs from now.
   *
   * @param submission What is checked.
   * @param sandbox Where it runs.
   * @param isStrict Whether what the sheet does not ask for is required, too.
   * @param tell Called with each finding.
   * @param time Milliseconds for all probes.
   * @param max After how many failures the rest is skipped.
   */
  constructor(
    readonly submission: Submission,
    readonly sandbox: Sandbox,
    readonly isStrict: boolean,
    readonly tell: (finding: Finding) => void,
    time: number,
    readonly max: number,
  ) {
    this.#start = Date.now();
    this.#time = time;
  }

  /** Reports a finding. */
  report(finding: Finding) {
    if (finding.problem !== undefined) this.failures++;
    const { problem, expected, actual, exchange, note } = finding;
    const texts = Object.entries({ problem, expected, actual, exchange, note })
      .map(([name, text]) => [name, text && this.sandbox.withOriginalPaths(text)]);
    this.tell({ ...finding, ...Object.fromEntries(texts) });
  }

  /** Keeps a finding about a flag, which no sheet asks for, until all else has been checked. */
  reportLast(finding: Finding) {
    this.#last.push(finding);
  }

  /** Keeps a finding as the first of those that are reported in the end. */
  reportFirstOfLast(finding: Finding) {
    this.#last.unshift(finding);
  }

  /** Reports the findings that were kept. */
  reportKept() {
    for (const finding of this.#last.splice(0)) this.report(finding);
  }

  /** Leaves no more time: what has not been checked yet is skipped. */
  endEarly() {
    this.#time = 0;
  }

  /** Milliseconds that are left. On a busy machine, where programs start slowly, there are more. */
  get left(): number {
    const factor = Math.min(MAX_EXTENSION, Math.max(1, this.#slowest / USUAL_START));
    return Math.max(0, this.#start + factor * this.#time - Date.now());
  }

  /** Notes how long a program took until it was ready: on a busy machine everything takes longer. */
  started(milliseconds: number) {
    this.#slowest = Math.max(this.#slowest, milliseconds);
  }

  /** How long to wait until a program is ready, in milliseconds. */
  get startPatience(): number {
    return Math.min(this.left, FIRST_START);
  }

  /** How long to wait for a program. */
  patience(program: SubmissionProgram, longest = Infinity): Patience {
    const min = this.failures === 0 ? MIN_PATIENCE : AFTER_FAILURE;
    const milliseconds = Math.min(longest, Math.max(min, 4 * this.#slowest));
    const end = Date.now() + Math.min(this.left, Math.max(milliseconds, MAX_WAIT));
    return { milliseconds, end, isBusy: () => program.isBusy(), work: () => program.work };
  }

  /** How long to wait for a program, if a note is all that depends on it. */
  mildPatience(program: SubmissionProgram): Patience {
    const patience = this.patience(program, 10 * this.pause);
    return { ...patience, end: Math.min(patience.end, Date.now() + MAX_MILD_WAIT) };
  }

  /** Whether a probe can only lead to a note. */
  isMild({ level }: Pick<Probe, "level">): boolean {
    return level === "beyond" && !this.isStrict;
  }

  /** Makes the finding of a probe that is skipped. Checks beyond the sheet may be left out. */
  skipped({ what, level }: CheckName, why: string): Finding {
    return this.isMild({ level }) && why === NO_TIME
      ? { what, note: "beyond the sheet: not checked, as no time is left" }
      : { what, skipped: why };
  }

  /** How long to wait between two pieces, in milliseconds. */
  get pause(): number {
    return Math.min(300, Math.max(40, this.#slowest / 4));
  }

  /** Why nothing more is checked, if so. */
  get stop(): string | undefined {
    if (this.isHopeless || this.failures >= this.max) return FIX_FIRST;
    return this.left < MIN_PATIENCE ? NO_TIME : undefined;
  }

  /** Whether bytes in Python's notation may be printed where the sheet shows text. */
  get acceptsNotation(): boolean {
    const { script } = this.submission;
    return !this.isStrict &&
      !script.lab.name.startsWith("upper") && !/b'/.test(script.screen);
  }

  /**
   * Returns whether a message is the one that should come. In versions 2 and 3 the length may be at
   * the left of the header, which is reported in the end.
   */
  isSame = (actual: Uint8Array, expected: Uint8Array): boolean => {
    if (same(actual, expected)) return true;
    if (this.isStrict || !/^echo_v[23]$/.test(this.submission.script.lab.name)) return false;
    if (!same(withLengthAtRight(actual), expected)) return false;
    if (!this.#hasLengthAtLeft) {
      const note = "beyond the sheet: it is at the left: all programs accept it there, too";
      this.reportLast({ what: "the length is at the right of the header", note });
    }
    this.#hasLengthAtLeft = true;
    return true;
  };

  /** Returns a screen as it is compared: text in place of bytes in Python's notation, if they may be. */
  comparable(screen: string): string {
    return this.acceptsNotation ? withoutNotation(screen) : screen;
  }

  /** Returns whether lines were printed in this order. */
  hasLines(lines: string, screen: string): boolean {
    return containsLines(lines, screen) || containsLines(lines, this.comparable(screen));
  }

  /** Returns what is printed after a text in all lines that begin with it. */
  joined(start: string, screen: string): string {
    if (this.acceptsNotation) return joinedPieces(start, screen);
    return screen.split("\n").filter((line) => line.startsWith(start))
      .map((line) => line.slice(start.length)).join("");
  }

  /** Releases what it took from the system. */
  [Symbol.dispose]() {
    this.ports[Symbol.dispose]();
  }
}

/** Returns what the steps showed to be wrong, if anything. */
export function problemIn(
  { mismatch, sent }: StepsResult,
  probe: Probe,
  { submission: { script }, earlier }: Pick<CheckRun, "submission" | "earlier">,
  exchange: Exchange,
): Problem | undefined {
  if (!mismatch) return undefined;
  const cause = causeOf({ mismatch, sent, earlier, script, steps: probe.steps });
  const { kind, expected, actual } = mismatch;
  if (kind === "print") return { problem: cause };
  const isNext = script.role === "server" && /^another client/.test(probe.what);
  const first = ownCause(probe, mismatch) ?? (isNext ? unserved(script, mismatch) : undefined);
  const problem = first === undefined ? cause : `${first}\n${cause}`;
  const drawn = exchange.isEmpty ? undefined : exchange.draw(cause);
  const isShort = (text: string) => text.length < 200;
  return isShort(expected) && isShort(actual) && actual !== ""
    ? { problem, expected, actual, exchange: drawn }
    : { problem, exchange: drawn };
}

/** Says how the second client was not served, if it was not. */
function unserved(
  { lab: { transport } }: Submission["script"],
  { kind, actual }: Mismatch,
): string | undefined {
  if (kind !== "refused" && (actual !== "" || kind === "open")) return undefined;
  if (transport === "udp") return "the first datagram was answered, and the second was not";
  return kind === "refused" || kind === "silence"
    ? "only the first client was served: no second client was"
    : "the second client was accepted, and got no reply";
}

/**
 * Adds the error of a type check that explains a problem, if there is one. A type check takes a
 * second, so it is done only if nothing came, something has no value, or the screen is wrong and a call
 * has no `await`.
 */
export async function withTypeError(
  { sandbox, submission }: CheckRun,
  problem: Problem,
  { kind, actual }: Partial<Mismatch> = {},
): Promise<Problem> {
  // Such an error names the mistake itself.
  if (/^(Reference|Syntax)Error|^$/.test(problem.problem ?? "")) return problem;
  const text = `${problem.problem}\n${problem.actual ?? ""}`;
  const isSilent = actual === "" && kind !== "open";
  const isSuspicious = /(?<!\bawait )\b\w+\.(read|receive|accept|send|write)\(/
    .test(submission.source);
  const hasNoValue = /Promise|undefined|NaN|Error|Interrupted/.test(text);
  if (!isSilent && !hasNoValue && !(kind === undefined && isSuspicious)) return problem;
  const error = await sandbox.typeError();
  return error ? { ...problem, problem: `${error}\n${problem.problem}` } : problem;
}

/** Makes a finding of a probe: a failure, a note, or nothing sure if the time was up. */
export function toFinding(
  run: CheckRun,
  { what, level, cause }: CheckName & Pick<Probe, "cause">,
  problem: Problem | undefined,
  kind?: Mismatch["kind"],
): Finding {
  if (!problem) return { what };
  const isWait = kind !== undefined && kind !== "other" && kind !== "reset" && kind !== "refused";
  if (isWait && run.left < 100) return run.skipped({ what, level }, NO_TIME);
  if (!run.isMild({ level })) return { what, ...problem };
  return { what, note: `beyond the sheet: ${cause ?? problem.problem!.split("\n")[0]}` };
}

/** Compares a screen with the one that the header shows. */
export function screenProblem(
  run: CheckRun,
  screen: string,
  shown: string,
  port: number,
): Pick<Finding, "problem" | "expected" | "actual" | "note"> {
  const { submission } = run;
  const expected = atPort(shown, port);
  const { isNotation, ...problem } = difference(screen, expected);
  if (!isNotation && problem.problem === undefined) return {};
  if (isNotation) {
    const isBytes = /\bb['"]/.test(screen) && !/\bb['"]/.test(shown);
    const note = isBytes
      ? "it prints bytes in Python's notation, where the sheet shows text"
      : "it prints text, where the sheet shows Python's notation for bytes: b'...'";
    return isBytes && run.acceptsNotation
      ? { note: `beyond the sheet: ${note}` }
      : { problem: note, expected, actual: screen };
  }
  const first = lineProblem(problem.problem!, screen, expected);
  if (first !== undefined) {
    const isSame = first.startsWith("line ");
    problem.problem = isSame ? first : `${first}\n${problem.problem}`;
  }
  if (!run.isStrict && hasOwnWords(submission, screen)) {
    run.hasOwnWords = true;
    const [first] = problem.problem!.split("\n");
    return { note: `it prints words of its own, as the sheet shows none: ${first}` };
  }
  return problem;
}

/** Says what is wrong about the first line that differs, if it is one of the usual things. */
function lineProblem(problem: string, screen: string, expected: string): string | undefined {
  for (const start of ["Received: ", "Received data: "]) {
    const pieces = joinedPieces(start, expected);
    if (pieces === "" || joinedPieces(start, screen) !== pieces) continue;
    const piece = (text: string) => text.split("\n").find((line) => line.startsWith(start))!;
    const size = (text: string) => piece(text).length - start.length;
    if (size(screen) === size(expected)) continue;
    return `it prints pieces of ${size(screen)} bytes, where the header shows ${
      size(expected)
    } at a time`;
  }
  const order = orderProblem(screen, expected);
  if (order !== undefined) return order;
  const [, number, is, should] = problem.match(/^line (\d+) is: (.*)\nand should be: (.*)$/) ?? [];
  if (number === undefined) return undefined;
  // lib.ts prints an object without an address in the last way.
  if (/<coroutine object|\[object Promise\]|Promise \{|\('undefined', undefined\)/.test(is)) {
    return `an \`await\` is missing: line ${number} is ${is}`;
  }
  const [, empty] = is.match(/\b(undefined|NaN|None|\[object Object\])/) ?? [];
  if (empty !== undefined && !should.includes(empty)) {
    return `line ${number} shows \`${empty}\`, where it should have a value: ${is}`;
  }
  if (/(\\x00){20}/.test(is) && !should.includes("\\x00")) {
    return `line ${number} shows a buffer of zeros, not the bytes that came`;
  }
  const letters = (text: string) => text.replace(/\s/g, "");
  if (is.trim() !== "" && letters(is) === letters(should)) {
    return `line ${number} has other spaces: "${is}", and should be "${should}"`;
  }
  if (is !== "" && should.startsWith(is)) {
    return /[:?] ?$/.test(is)
      ? `line ${number} ends after its prompt (a newline is too much): ${is}`
      : `line ${number} is cut: ${brief(should.slice(is.length))} is missing at its end`;
  }
  const isShort = (text: string) => text.length < 100;
  if (isShort(is) && isShort(should)) {
    return `line ${number} is ${is === "" ? "empty" : brief(is)}, and should be ${brief(should)}`;
  }
}

/** Says which two lines are in another order, if the screen has the right lines. */
function orderProblem(screen: string, expected: string): string | undefined {
  const [is, should] = [screen, expected].map((text) => comparable(text).split("\n"));
  if (is.toSorted().join("\n") !== should.toSorted().join("\n")) return undefined;
  const first = should.findIndex((line, i) => line !== is[i]);
  if (first < 0) return undefined;
  const [line, early] = [expected, screen].map((text) => text.split("\n")[first]);
  return `the lines are in another order: ${brief(line)} should come before ${brief(early)}`;
}

/** Returns whether a program prints other words than its header, in a lab whose sheet shows none. */
function hasOwnWords({ script }: Submission, screen: string): boolean {
  if (!OPEN_WORDING.includes(script.lab.name)) return false;
  if (script.role === "client" && script.typed.length === 0) return false;
  const letters = (text: string) => text.replace(/\s/g, "").replace(/\d+/g, "0");
  const [line] = screen.split("\n");
  if (script.role === "server") return letters(line) !== letters(script.screen.split("\n")[0]);
  const start = letters(line);
  return start !== "" && !start.startsWith(letters(promptOf(script))) &&
    !start.startsWith(letters(script.typed[0]));
}

/** Returns what the script asks with. */
export function promptOf({ screen, typed: [first = ""] }: Submission["script"]): string {
  return screen.slice(0, screen.indexOf(`${first}\n`)).split("\n").at(-1)!;
}

/** Says which limit a program exceeded, if it did. */
export function excessOf(
  { script }: Submission,
  { excess }: SubmissionProgram,
): string | undefined {
  return excess?.startsWith("it prints") && script.lab.transport === "tcp"
    ? `${excess}: a loop may go on after \`read\` has returned the end (null)`
    : excess;
}

/** Says how a program ended by itself, and what its runtime reported. */
export async function ending(
  submission: Submission,
  program: SubmissionProgram,
  when: string,
): Promise<string> {
  const status = await program.status;
  const error = runtimeError(program.errors, submission);
  if (program.excess) return excessOf(submission, program)!;
  const words = `the program ended by itself (status ${status})${when}`;
  return error ? `${error}\n${words}` : words;
}

/** Returns what a program printed, for the rest of a message. */
export function printedBy({ screen, errors }: SubmissionProgram): string {
  const parts = [
    ...screen ? [`it printed:\n${screen.trimEnd()}`] : [],
    ...errors ? [`on stderr it printed:\n${errors.trimEnd()}`] : [],
  ];
  return parts.map((part) => `\n${part}`).join("");
}

/**
 * Says that a program used another port or transport than the lab's, if it did.
 *
 * @param does What it does there: `listens on` or `connects to`.
 */
export async function wrongEndpoint(
  { script }: Submission,
  program: SubmissionProgram,
  does: string,
): Promise<string | undefined> {
  const observed = await program.observe();
  const { transport } = script.lab;
  const { failed } = observed;
  // A program that continues after a failure may still be right.
  const tried =
    failed && await program.ended(0) && /^(bind|listen|connect|send)$/.test(failed.kind) &&
      failed.transport
      ? [{ transport: failed.transport, ...(failed.local ?? failed.peer ?? { port: 0 }) }]
      : [];
  const used = [...observed.listens, ...observed.connects, ...tried];
  const other = used.find((endpoint) => endpoint.transport !== transport);
  if (other) {
    const name = (kind: string) => kind.toUpperCase();
    return `it opens a ${name(other.transport)} socket: this lab uses ${name(transport)}`;
  }
  // A UDP client binds a port of its own, and a server may connect to another one: neither counts.
  const own = script.role === "client" ? observed.connects : observed.listens;
  const places = [...own, ...tried];
  const { port } = places.find(({ port }) => port > 0 && port !== script.port) ?? {};
  const given = program.ports;
  if (port === undefined || given.includes(port)) return undefined;
  return `it ${does} port ${port}: the lab's port is ${script.port}`;
}

const HEADER_SIZE = 10;

/** Returns a message of versions 2 and 3 with spaces before the length, if they are behind it. */
function withLengthAtRight(message: Uint8Array): Uint8Array {
  const header = new TextDecoder().decode(message.subarray(0, HEADER_SIZE));
  if (!/^\d+ +$/.test(header)) return message;
  const moved = message.slice();
  moved.set(new TextEncoder().encode(header.trim().padStart(HEADER_SIZE)));
  return moved;
}
