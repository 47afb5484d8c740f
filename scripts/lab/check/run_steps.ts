/**
 * Runs the steps of a probe.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import type { Channel, Datagrams } from "./endpoints.ts";
import type { Exchange, Patience } from "./exchange.ts";
import { bytes, type Data, Mismatch, shown, type Step } from "./steps.ts";

/** Where the steps run, and how long they wait. */
export interface StepContext {
  /** Opens a connection or a socket for the steps that name it. */
  open(name: string): Promise<Channel>;
  /** Lets a client send something, and reset its connection. */
  reset(data: Uint8Array): Promise<void>;
  /** Types a line when the program asks for it. */
  type(line: string): Promise<void>;
  /** Ends the program's input. */
  endInput(): Promise<void>;
  /** Waits until lines are printed, and returns whether they are. */
  hasPrinted(lines: string, patience: Patience): Promise<boolean>;
  /** Waits for the end of the program, and returns whether it ends. */
  hasEnded(): Promise<boolean>;
  /** How long to wait for what must come. */
  patience(): Patience;
  /** Milliseconds between two pieces, and of silence. */
  pause: number;
  /** What is exchanged. */
  exchange: Exchange;
}

/** How the steps went. */
export interface StepsResult {
  /** What is wrong, if anything. */
  mismatch?: Mismatch;
  /** What was sent last. */
  sent: string;
}

/**
 * Runs steps, and closes everything that they opened.
 *
 * @param steps The steps.
 * @param context Where they run.
 * @returns How they went.
 */
export async function runSteps(steps: Step[], context: StepContext): Promise<StepsResult> {
  const channels = new Map<string, Channel>();
  const result: StepsResult = { sent: "" };
  try {
    for (const step of steps) {
      if (step.resets !== undefined) {
        context.exchange.did("client", "sends something and resets its connection");
        await context.reset(bytes(step.resets));
      } else if (step.types !== undefined) {
        await context.type(step.types);
      } else if (step.endsInput) {
        context.exchange.happened("the input ends");
        await context.endInput();
      } else {
        const name = step.on ?? "a";
        if (!channels.has(name)) channels.set(name, await context.open(name));
        await runStep(step, channels.get(name)!, context, result);
      }
    }
    for (const channel of channels.values()) channel.check();
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    result.mismatch = error;
  } finally {
    for (const channel of channels.values()) channel.close();
  }
  return result;
}

async function runStep(step: Step, channel: Channel, context: StepContext, result: StepsResult) {
  const { pause } = context;
  const patience = context.patience();
  if (step.send !== undefined) {
    const pieces: Data[] = Array.isArray(step.send) ? step.send : [step.send];
    result.sent = pieces.map((piece) => shown(bytes(piece))).join("");
    await channel.send(pieces, pause);
  }
  if (step.gets !== undefined) {
    const or = step.or === undefined ? undefined : bytes(step.or);
    await channel.get(bytes(step.gets), patience, or);
  }
  if (step.answered) await channel.getAny(patience);
  if (step.silent && !await context.hasEnded()) throw new Mismatch("waits");
  if (step.waits) await delay(5 * pause);
  if (step.end) await channel.end();
  if (step.ends) await channel.ended(patience);
  if (step.leaves) channel.close();
  if (step.quiet) await channel.quiet(2 * pause);
  if (step.drops !== undefined) {
    await channel.get(bytes(step.drops), patience);
    (channel as Datagrams).forget();
  }
  if (step.stranger !== undefined) {
    await (channel as Datagrams).sendFromElsewhere(step.stranger);
    await delay(pause);
  }
  if (step.prints !== undefined) {
    const lines = step.prints.replaceAll("{client}", channel.own);
    if (!await context.hasPrinted(lines, patience)) throw new Mismatch("print", lines);
  }
}
