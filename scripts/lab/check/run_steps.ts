/**
 * Plays the steps of a probe.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import type { Datagrams, Wire } from "./endpoints.ts";
import { bytes, type Data, shown, type Step, Wrong } from "./steps.ts";

/** Where and how long steps are played. */
export interface Stage {
  /** Opens a connection or a socket for the steps that name it. */
  open(name: string): Promise<Wire>;
  /** Has a client send something, and reset its connection. */
  breakOff(data: Uint8Array): Promise<void>;
  /** Settles when all is typed. */
  typed: Promise<void>;
  /** Waits until lines are printed, and tells whether they are. */
  hasPrinted(lines: string, milliseconds: number): Promise<boolean>;
  /** Milliseconds to wait for what must come. */
  patience: number;
  /** Milliseconds between two pieces, and of silence. */
  pause: number;
  /** Stops the play where the program has ended. */
  hasEnded(): boolean;
}

/** How a play went. */
export interface Play {
  /** What is wrong, if anything. */
  wrong?: Wrong;
  /** What was sent last. */
  sent: string;
}

/**
 * Plays steps, and closes all that they opened.
 *
 * @param steps The steps.
 * @param stage Where.
 * @returns How it went.
 */
export async function play(steps: Step[], stage: Stage): Promise<Play> {
  const wires = new Map<string, Wire>();
  const course: Play = { sent: "" };
  try {
    for (const step of steps) {
      if (step.breaksOff !== undefined) {
        await stage.breakOff(bytes(step.breaksOff));
        continue;
      }
      const name = step.on ?? "a";
      if (!wires.has(name)) wires.set(name, await stage.open(name));
      await playStep(step, wires.get(name)!, stage, course);
    }
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    course.wrong = error;
  } finally {
    for (const wire of wires.values()) wire.close();
  }
  return course;
}

async function playStep(step: Step, wire: Wire, stage: Stage, course: Play) {
  const { patience, pause } = stage;
  if (step.send !== undefined) {
    const pieces: Data[] = Array.isArray(step.send) ? step.send : [step.send];
    course.sent = pieces.map((piece) => shown(bytes(piece))).join("");
    await wire.send(pieces, pause);
  }
  if (step.gets !== undefined) {
    const or = step.or === undefined ? undefined : bytes(step.or);
    await wire.get(bytes(step.gets), patience, or);
  }
  if (step.waits) await stage.typed.then(() => delay(5 * pause));
  if (step.end) await wire.end();
  if (step.ends) await wire.ended(patience);
  if (step.leaves) wire.close();
  if (step.quiet) await wire.quiet(2 * pause);
  if (step.loses !== undefined) {
    await wire.get(bytes(step.loses), patience);
    (wire as Datagrams).forgets();
  }
  if (step.stranger !== undefined) {
    await (wire as Datagrams).strange(step.stranger);
    await delay(pause);
  }
  if (step.prints !== undefined) {
    const lines = step.prints.replaceAll("{client}", wire.own);
    if (!await stage.hasPrinted(lines, patience)) throw new Wrong("print", lines);
  }
}

/** Whether lines stand in a text, one below the other, with others between them or not. */
export function standIn(lines: string, text: string): boolean {
  let from = 0;
  return lines.split("\n").every((line) => {
    const at = `\n${text}`.indexOf(`\n${line}\n`, from);
    from = at + line.length + 1;
    return at >= 0;
  });
}

/** The first of some lines that does not stand in a text. */
export function missingIn(lines: string, text: string): string {
  const all = lines.split("\n");
  const count = all.findIndex((_, i) => !standIn(all.slice(0, i + 1).join("\n"), text));
  return all[count] ?? "";
}

/** What stands behind a text in all lines that begin with it, put together. */
export function joined(start: string, screen: string): string {
  return screen.split("\n").filter((line) => line.startsWith(start))
    .map((line) => line.slice(start.length)).join("");
}
