/**
 * The lab book: records all labs, and writes one HTML page that plays the recordings.
 *
 * @module
 */
import { join } from "node:path";
import { UsageError, UserError } from "../../cli.ts";
import { note, write } from "../terminal/output.ts";
import { align, type Row } from "../originals/align.ts";
import { type Lab, type Role, ROLES, type Script, SCRIPTS } from "../catalog/header.ts";
import { findLab, labs, scripts } from "../catalog/labs.ts";
import { isPythonFile, mustBeFolder, mustBeProgram, writeWhole } from "../terminal/files.ts";
import { findOriginal, sourceOf } from "../originals/find.ts";
import { hasPython, Program } from "../process/program.ts";
import { traceEvent } from "../trace/diagram.ts";
import { record } from "../trace/recording.ts";
import { isShown, type TraceEvent } from "../trace/words.ts";
import type { EventData, LabData, RecordingData, ScriptData, SourceKind } from "./data.ts";
import { loadPage } from "./page.ts";
import { type Scenario, scenariosOf, waysToRun } from "./scenarios.ts";

/** A list in a header: "Differences from the original" or "Beyond the sheet". */
const LIST = /^.*:\n- /;
const MAX_RUNNING = 5; // labs that run at the same time
const MAX_TRIES = 3; // of the session in the headers

/** What is shown next to a script. */
export interface Source {
  /** The path of the file. */
  file: string;
  /** Whether it is a file of the course, our counterpart, or another file. */
  kind: SourceKind;
  /** Why the original was not found, if it was searched for. */
  problem?: string;
}

/** What is shown and run next to the scripts. */
export interface BookOptions {
  /** The folder of the Python originals. If it is empty, our counterparts are shown. */
  originals: string;
  /** A file that takes the place of the original server of one lab; empty for none. */
  server: string;
  /** A file that takes the place of the original client of one lab; empty for none. */
  client: string;
  /** The lab of these files, if their names do not say it. */
  as: string;
}

/**
 * Writes the lab book to a folder, as `lab-book.html`.
 *
 * @param folder The folder, which is made if it does not exist.
 * @param options What is shown next to the scripts.
 */
export async function writeBook(folder: string, options: BookOptions) {
  const file = join(folder, "lab-book.html");
  await Deno.mkdir(folder, { recursive: true });
  writeWhole(file, await makeBook(options));
  write`${file} is written: open it in a browser\n`;
}

/**
 * Runs all labs and returns the lab book.
 *
 * @param options What is shown next to the scripts.
 * @returns The page as HTML.
 * @throws {UserError} The folder contains no original, a file cannot be run, or a lab does not run as its headers
 * show.
 */
export async function makeBook(options: BookOptions): Promise<string> {
  const writePage = await loadPage();
  const sources = findSources(options.originals);
  for (const role of ROLES) {
    const file = options[role];
    if (file) sources.set(scriptFor(role, file, options.as), { file, kind: "file" });
  }
  for (const { problem } of sources.values()) if (problem) note(problem);
  const others = [...sources.values()].filter(({ kind }) => kind !== "counterpart");
  const areRun = !others.some(({ file }) => isPythonFile(file)) || await hasPython();
  if (!areRun) note("Python 3 is not installed: the originals are shown, but they are not run");
  const queue = [...labs.entries()];
  const entries: LabData[] = [];
  const work = async () => {
    for (let next; (next = queue.shift());) {
      const [index, lab] = next;
      const scenarios = scenariosOf(lab);
      const originals = areRun ? originalsOf(lab, sources) : undefined;
      if (originals) scenarios.splice(1, 0, originals); // after the session
      entries[index] = await recordLab(lab, sources, scenarios);
    }
  };
  await Promise.all(Array.from({ length: Program.jobsAtOnce(MAX_RUNNING, 2) }, work));
  return writePage(entries);
}

/** Returns the name of the script whose original a file takes the place of. */
function scriptFor(role: Role, file: string, as: string): string {
  mustBeProgram(file);
  if (as) return findLab(as)[role].name;
  const name = file.split(/[/\\]/).at(-1)!.replace(/\.\w+$/, ".ts");
  const lab = labs.find((lab) => lab[role].name === name);
  if (lab) return name;
  throw new UsageError(`--as=LAB is missing: ${file} does not have the name of a ${role} script`);
}

/** Returns the run with the originals of a lab, or the files in their place; `undefined` if it has none. */
export function originalsOf(lab: Lab, sources: Map<string, Source>): Scenario | undefined {
  const files: Partial<Record<Role, string>> = {};
  for (const role of ROLES) {
    const { file, kind } = sources.get(lab[role].name)!;
    if (kind !== "counterpart") files[role] = file;
  }
  const [first, second] = Object.values(files).map((file) => file.split(/[/\\]/).at(-1));
  if (first === undefined) return;
  const ours = files.server ? lab.client.name : lab.server.name;
  const isPair = second !== undefined &&
    ROLES.every((role) => sources.get(lab[role].name)!.kind === "original");
  return {
    title: isPair ? "The original pair" : `${first} and ${second ?? ours}`,
    about: second === undefined
      ? `\`${first}\` runs with \`${ours}\`. Its lines are on the left below.`
      : `\`${first}\` and \`${second}\` run in place of the scripts. Their lines are on the left below.`,
    files,
  };
}

/**
 * Finds what is shown next to each script: its original, or our counterpart.
 *
 * @param folder The folder of the originals. If it is empty, all are counterparts.
 * @returns The sources by the names of the scripts.
 * @throws {UserError} The folder does not exist, or contains none of the originals.
 */
export function findSources(folder: string): Map<string, Source> {
  if (folder !== "") mustBeFolder(folder);
  const sources = new Map(scripts().map((script) => [script.name, findSource(script, folder)]));
  if (folder !== "" && [...sources.values()].every(({ kind }) => kind === "counterpart")) {
    throw new UserError(`${folder} contains no original of any lab`);
  }
  return sources;
}

function findSource(script: Script, folder: string): Source {
  const counterpart = { file: findOriginal(script, ""), kind: "counterpart" as const };
  if (folder === "") return counterpart;
  try {
    return { file: findOriginal(script, folder), kind: "original" };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const problem = `${script.name} is shown next to our counterpart: ${error.message}`;
    return { ...counterpart, problem };
  }
}

/**
 * Runs a lab and returns what the book says about it.
 *
 * @param lab The lab.
 * @param sources What is shown next to its scripts.
 * @param scenarios What to record.
 * @throws {UserError} The lab does not run as its headers show.
 */
export async function recordLab(
  lab: Lab,
  sources: Map<string, Source> = findSources(""),
  scenarios: Scenario[] = scenariosOf(lab),
): Promise<LabData> {
  const recordings: RecordingData[] = [];
  for (const { title, about, ...options } of scenarios) {
    const isSession = Object.keys(options).length === 0;
    let recording = await record(lab, options);
    // On a busy machine a UDP client can send again, before the reply arrives.
    for (let tries = 1; isSession && recording.problems.length > 0 && tries < MAX_TRIES; tries++) {
      recording = await record(lab, options);
    }
    const { commands, steps, problems } = recording;
    if (isSession && problems.length > 0) {
      throw new UserError(`lab ${lab.name} does not run as its headers show`, problems.join("; "));
    }
    const events = steps.map(traceEvent).filter(isShown).map(eventData);
    const others = Object.keys(options.files ?? {}) as Role[];
    if (others.length > 0) { for (const problem of problems) note(`lab ${lab.name}: ${problem}`); }
    const isFailing = others.length > 0 && problems.length > 0;
    const outcome = isFailing ? ` It fails: ${problems.join("; ")}.` : "";
    recordings.push({ title, about: about + outcome, commands, events, others });
  }
  const describe = (role: Role) => describeScript(lab[role], sources.get(lab[role].name)!);
  return {
    name: lab.name,
    transport: lab.transport,
    course: lab.server.course,
    scripts: { server: describe("server"), client: describe("client") },
    recordings,
    ways: waysToRun(lab),
  };
}

/** Returns an event as the page takes it. */
export function eventData({ data, at: _, ...event }: TraceEvent): EventData {
  const hex = data && Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return { ...event, hex };
}

/** Returns what the page says about a script, with the lines of its original and of itself. */
export function describeScript(script: Script, { file, kind }: Source): ScriptData {
  const source = Deno.readTextFileSync(SCRIPTS + script.name).replaceAll("\r", "");
  const [header = ""] = source.match(/^(#!.*\n)?\/\*\*[^]*?\*\/\s*/) ?? [];
  const other = sourceOf(file);
  const lines = isPythonFile(file) ? align(other, source) : sideBySide(other, source, header);
  const original = file.split(/[/\\]/).at(-1)!;
  return { name: script.name, original, kind, ...readHeader(header), lines };
}

/** Puts the lines of two sources next to each other as they come. */
function sideBySide(other: string, source: string, header: string): Row[] {
  const left = other.replaceAll("\r", "").trimEnd().split("\n");
  const right = source.slice(header.length).trimEnd().split("\n");
  const above = header.split("\n").length;
  return Array.from({ length: Math.max(left.length, right.length) }, (_, i) => ({
    ...i < left.length && { left: left[i], leftRow: i + 1 },
    ...i < right.length && { right: right[i], rightRow: above + i },
  }));
}

/**
 * Returns the prose of a header: what the script teaches, and how it differs from its original.
 *
 * @param header The comment at the start of the script.
 */
export function readHeader(header: string): Pick<ScriptData, "teaches" | "differences"> {
  const text = header.replace(/^(#!.*\n)?\/\*\*|\*\/\s*$/g, "").replace(/^ \* ?/gm, "")
    .replace(/^```[^]*?^```/gm, "").trim();
  const paragraphs = text.split(/\n\s*\n/);
  const join = (part: string) => part.trim().replaceAll(/\s+/g, " ");
  const lists = paragraphs.filter((part) => LIST.test(part)).map((part) => {
    const [title, ...items] = part.split(/^- /m).map(join);
    return { title, items };
  });
  const prose = paragraphs.filter((part) => !LIST.test(part)).map(join);
  return {
    teaches: prose.filter((part) => !/^(Mirrors|The user types)\b|^(@|$)/.test(part)),
    differences: lists,
  };
}
