/**
 * The lab book: one HTML page of all labs, with recordings that a reader plays back.
 *
 * @module
 */
import { UserError } from "../cli.ts";
import { align, type Row } from "./originals/align.ts";
import { visible } from "./wire/diagram.ts";
import { type Half, type Lab, type Script, SCRIPTS } from "./header.ts";
import { labs } from "./names.ts";
import type { Step } from "./wire/order.ts";
import { findOriginal, sourceOf } from "./originals.ts";
import { record } from "./wire/recording.ts";
import { type Take, takesOf, waysToRun } from "./wire/takes.ts";

const TEMPLATE = `${SCRIPTS}lab/book.html`;
const AT_ONCE = 5; // labs that run at the same time

/**
 * Runs all labs, and makes the lab book out of what happened.
 *
 * @param originals The folder where the Python originals lie; our counterparts without it.
 * @returns The page.
 * @throws {UserError} A lab does not run as its headers show.
 */
export async function makeBook(originals: string): Promise<string> {
  const queue = labs.entries().toArray();
  const entries: Entry[] = [];
  const work = async () => {
    for (let next; (next = queue.shift());) entries[next[0]] = await entryOf(next[1], originals);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return pageOf(entries);
}

/**
 * Makes the page.
 *
 * @param entries What it says of each lab.
 * @returns The page.
 */
export async function pageOf(entries: Entry[]): Promise<string> {
  const made = `${new Date().toISOString().slice(0, 10)} with Deno ${Deno.version.deno}`;
  // In JSON, < stands in strings alone: as an escape, it can't end the element around it.
  const data = JSON.stringify({ made, labs: entries }).replaceAll("<", "\\u003c");
  const template = await Deno.readTextFile(TEMPLATE);
  return template.replace(
    /(<script type="application\/json".*?>)[^]*?(?=<\/script>)/,
    (_, tag) => tag + data,
  );
}

/** What the book says of a script. */
export interface HalfEntry {
  /** Its name. */
  name: string;
  /** The name of the file that it mirrors. */
  original: string;
  /** What its header says of it, in paragraphs. */
  teaches: string[];
  /** What it does on purpose other than the original. */
  differs?: string;
  /** The original beside it, with the numbers of its lines. */
  lines: (Row & { row?: number })[];
}

/** What the book says of a lab. */
export interface Entry {
  /** The lab's name. */
  name: string;
  /** The course that it belongs to. */
  course: string;
  /** Its scripts. */
  halves: Record<Half, HalfEntry>;
  /** More that the page shows. */
  [more: string]: unknown;
}

/**
 * All that the book says of a lab.
 *
 * @param lab The lab.
 * @param originals The folder of its Python originals; our counterparts without it.
 * @param takes What to record.
 * @throws {UserError} The lab does not run as its headers show.
 */
export async function entryOf(
  lab: Lab,
  originals: string,
  takes: Take[] = takesOf(lab),
): Promise<Entry> {
  const recordings = [];
  for (const { title, about, ...options } of takes) {
    const { commands, steps, problems } = await record(lab, options);
    if (Object.keys(options).length === 0 && problems.length > 0) {
      throw new UserError(`lab ${lab.name} does not run as its headers show`, ...problems);
    }
    recordings.push({ title, about, commands, steps: steps.filter(isShown).map(stepInBook) });
  }
  const half = (half: Half) => halfInBook(lab[half], originals);
  return {
    name: lab.name,
    transport: lab.transport,
    course: lab.server.course,
    halves: { server: half("server"), client: half("client") },
    recordings,
    ways: waysToRun(lab),
  };
}

/** Of the calls, those that wait are shown: the others stand at their arrow already. */
function isShown({ kind, text, from }: Step): boolean {
  const calls = ["accept", "read", "receive", "listen", ...from === "server" ? ["bind"] : []];
  return kind !== "call" || calls.includes(text);
}

function stepInBook({ kind, from, text, data, row }: Step) {
  const hex = data && Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const call = kind === "call" ? text : undefined;
  return { kind, from, row, call, text: data ? visible(data) : call ? "" : text, hex };
}

/** What the book says of a script: what it teaches, and its lines beside the original's. */
function halfInBook(script: Script, originals: string): HalfEntry {
  const source = Deno.readTextFileSync(SCRIPTS + script.name).replaceAll("\r", "");
  const [header = ""] = source.match(/^(#!.*\n)?\/\*\*[^]*?\*\/\s*/) ?? [];
  const paragraphs = header.replace(/^(#!.*\n)?\/\*\*|\*\/\s*$/g, "").replace(/^ \* ?/gm, "")
    .replace(/^```[^]*?^```/gm, "").split(/\n\s*\n/)
    .map((paragraph) => paragraph.trim().replaceAll(/\s+/g, " "));
  const file = originalOf(script, originals);
  let row = header.split("\n").length;
  const rows = align(sourceOf(file), source);
  return {
    name: script.name,
    original: file.split(/[/\\]/).at(-1)!,
    teaches: paragraphs.filter((text) => !/^(Mirrors|On purpose|@|$)/.test(text)),
    differs: paragraphs.find((text) => text.startsWith("On purpose")),
    lines: rows.map((line) => ({ ...line, row: line.right === undefined ? undefined : row++ })),
  };
}

/** The course's file; our counterpart where the folder has none. */
function originalOf(script: Script, folder: string): string {
  try {
    return findOriginal(script, folder);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return findOriginal(script, "");
  }
}
