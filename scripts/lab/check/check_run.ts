/**
 * Puts a hand-in through its probes.
 *
 * @module
 */
import { causeOf } from "./diagnosis.ts";
import { type HandIn, mistake, Ports } from "./submission.ts";
import type { Probe } from "./probe.ts";
import type { Program } from "../process/program.ts";
import { atPort, difference } from "../session/transcript.ts";
import type { Play } from "./run_steps.ts";
import type { Sandbox } from "./sandbox.ts";
import type { Wrong } from "./steps.ts";

/** What was looked at, and what is wrong about it. */
export interface Finding {
  /** What should be. */
  what: string;
  /** What is wrong about it: the first line says the cause, the rest explains. */
  problem?: string;
  /** What should have come, or stood on the screen. */
  expected?: string;
  /** What did. */
  actual?: string;
  /** What is only told. */
  note?: string;
  /** Why it was not looked at. */
  skipped?: string;
}

const FIRST_START = 6000; // milliseconds that a program may take until it is ready
const LEAST_PATIENCE = 1500; // milliseconds

/** The state of a check while it goes on. */
export class Exam implements Disposable {
  /** Ports for its programs. */
  readonly ports = new Ports();
  /** What the probes so far have sent. */
  readonly earlier: string[] = [];
  /** Whether nothing else can be right. */
  isHopeless = false;
  /** Whether it asks before somebody types, as far as is known. */
  asks = true;
  /** How many findings are failures. */
  failures = 0;
  readonly #end: number;
  #slowest = 0;

  /**
   * Begins a check: its time runs from now.
   *
   * @param handIn What is checked.
   * @param sandbox Where it runs.
   * @param tell Called with what is found.
   * @param time Milliseconds for all probes.
   * @param most After how many failures the rest is not looked at.
   */
  constructor(
    readonly handIn: HandIn,
    readonly sandbox: Sandbox,
    readonly tell: (finding: Finding) => void,
    time: number,
    readonly most: number,
  ) {
    this.#end = Date.now() + time;
  }

  /** Reports something. */
  report(finding: Finding) {
    if (finding.problem !== undefined) this.failures++;
    const { problem, expected, actual, note } = finding;
    const texts = Object.entries({ problem, expected, actual, note })
      .map(([name, text]) => [name, text && this.sandbox.withOriginalPaths(text)]);
    this.tell({ ...finding, ...Object.fromEntries(texts) });
  }

  /** Milliseconds that are left. */
  get left(): number {
    return Math.max(0, this.#end - Date.now());
  }

  /** Notes how long a program took until it was ready: on a busy machine all takes longer. */
  started(milliseconds: number) {
    this.#slowest = Math.max(this.#slowest, milliseconds);
  }

  /** How long to wait until a program is ready. */
  get startPatience(): number {
    return Math.min(this.left, FIRST_START);
  }

  /** How long to wait for an answer. */
  get patience(): number {
    const least = (this.failures === 0 ? LEAST_PATIENCE : 900) * crowding();
    return Math.min(this.left, Math.max(least, 4 * this.#slowest));
  }

  /** How long to wait between two pieces. */
  get pause(): number {
    return Math.min(300, Math.max(40, this.#slowest / 4));
  }

  /** Why nothing more is looked at, if so. */
  get stop(): string | undefined {
    if (this.isHopeless || this.failures >= this.most) return "first mend what is above";
    return this.left < LEAST_PATIENCE ? "no time is left" : undefined;
  }

  /** Gives back what it took from the system. */
  [Symbol.dispose]() {
    this.ports[Symbol.dispose]();
  }
}

/** How many programs want each processor, from 1 to 3: so much longer may an answer take. */
function crowding(): number {
  const [perMinute] = Deno.loadavg(); // 0 where the system does not tell
  return Math.min(3, Math.max(1, perMinute / navigator.hardwareConcurrency));
}

/** Says what a play showed, or nothing where all is as it should be. */
export function wrongIn(
  { wrong, sent }: Play,
  probe: Probe,
  exam: Exam,
): Pick<Finding, "problem" | "expected" | "actual"> | undefined {
  if (!wrong) return undefined;
  const { handIn, earlier } = exam;
  const problem = causeOf({ wrong, sent, earlier, handIn, steps: probe.steps });
  const { expected, actual } = wrong;
  const isShort = (text: string) => text.length < 200;
  return isShort(expected) && isShort(actual) && actual !== "" ? { problem, expected, actual } : {
    problem,
  };
}

/** Makes a finding of what is wrong, and of who is excused. */
export function judged(
  probe: Probe,
  wrong: Pick<Finding, "problem" | "expected" | "actual"> | undefined,
  { isPython }: HandIn,
  kind?: Wrong["kind"],
): Finding {
  const { what, excused } = probe;
  if (!wrong) return { what };
  const hasWaited = kind === "silence" || kind === "print";
  if (
    excused === "nobody" || excused === "waiting" && hasWaited || excused === "python" && isPython
  ) {
    const [first] = (probe.cause ?? wrong.problem!).split("\n");
    return { what, note: first };
  }
  return { what, ...wrong };
}

/** How a screen differs from the one that the header shows, if it does. */
export function screenProblem(
  screen: string,
  shown: string,
  port: number,
  { isPython }: HandIn,
): Pick<Finding, "problem" | "expected" | "actual" | "note"> {
  const expected = atPort(shown, port);
  const { isNotation, ...wrong } = difference(screen, expected);
  if (!isNotation) return wrong;
  const isBytes = /\bb['"]/.test(screen) && !/\bb['"]/.test(shown);
  const note = isBytes
    ? "it prints bytes in Python's notation, where the sheet shows text"
    : "it prints text, where the sheet shows Python's notation for bytes: b'...'";
  return isPython && isBytes ? { note } : { problem: note, expected, actual: screen };
}

/** How a program ended by itself, in words, and what its runtime said about it. */
export async function ending(handIn: HandIn, program: Program, when: string): Promise<string> {
  const status = await program.status;
  const said = mistake(program.errors, handIn);
  if (program.excess) return program.excess;
  const words = `the program ended by itself (status ${status}) ${when}`;
  return said ? `${said}\n${words}` : words;
}
