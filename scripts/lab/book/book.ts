/**
 * The lab book: records all labs, and writes one HTML page that plays the recordings.
 *
 * @module
 */
import { UserError } from "../../cli.ts";
import { note, write } from "../terminal/output.ts";
import { align } from "../originals/align.ts";
import { type Lab, type Role, type Script, SCRIPTS } from "../catalog/header.ts";
import { labs, scripts } from "../catalog/labs.ts";
import { mustBeFolder, writeWhole } from "../terminal/files.ts";
import { findOriginal, sourceOf } from "../originals/find.ts";
import { Program } from "../process/program.ts";
import { traceEvent } from "../trace/diagram.ts";
import type { Step } from "../trace/timeline.ts";
import { record } from "../trace/recording.ts";
import type { EventData, LabData, RecordingData, ScriptData } from "./data.ts";
import { loadPage } from "./page.ts";
import { type Scenario, scenariosOf, waysToRun } from "./scenarios.ts";

/** A list in a header: "Differences from the original" or "Beyond the sheet". */
const LIST = /^.*:\n- /;
const MAX_RUNNING = 5; // labs that run at the same time
const MAX_TRIES = 3; // of the session in the headers

/** What is shown next to a script. */
export interface Source {
  /** The path of the Python file. */
  file: string;
  /** Whether it is our counterpart, and not a file of the course. */
  isCounterpart: boolean;
  /** Why the original was not found, if it was searched for. */
  problem?: string;
}

/**
 * Writes the lab book to a folder, as `lab-book.html`.
 *
 * @param folder The folder, which is made if it does not exist.
 * @param originals The folder of the Python originals. If it is empty, our counterparts are shown.
 */
export async function writeBook(folder: string, originals: string) {
  const file = `${folder}/lab-book.html`;
  await Deno.mkdir(folder, { recursive: true });
  writeWhole(file, await makeBook(originals));
  write`${file} is written: open it in a browser\n`;
}

/**
 * Runs all labs and returns the lab book.
 *
 * @param folder The folder of the Python originals. If it is empty, our counterparts are shown.
 * @returns The page as HTML.
 * @throws {UserError} The folder contains no original, or a lab does not run as its headers show.
 */
export async function makeBook(folder: string): Promise<string> {
  const writePage = await loadPage();
  const sources = findSources(folder);
  for (const { problem } of sources.values()) if (problem) note(problem);
  const queue = [...labs.entries()];
  const entries: LabData[] = [];
  const work = async () => {
    for (let next; (next = queue.shift());) entries[next[0]] = await recordLab(next[1], sources);
  };
  await Promise.all(Array.from({ length: Program.jobsAtOnce(MAX_RUNNING, 2) }, work));
  return writePage(entries);
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
  if (folder !== "" && [...sources.values()].every(({ isCounterpart }) => isCounterpart)) {
    throw new UserError(`${folder} contains no original of any lab`);
  }
  return sources;
}

function findSource(script: Script, folder: string): Source {
  const counterpart = { file: findOriginal(script, ""), isCounterpart: true };
  if (folder === "") return counterpart;
  try {
    return { file: findOriginal(script, folder), isCounterpart: false };
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
    recordings.push({ title, about, commands, events: steps.filter(isShown).map(eventData) });
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

/** Whether the page shows a step. Of the calls, it shows those that have no arrow. */
function isShown({ kind, text, from }: Step): boolean {
  const calls = ["accept", "read", "receive", "listen", ...from === "server" ? ["bind"] : []];
  return kind !== "call" || calls.includes(text);
}

function eventData(step: Step): EventData {
  const { data, at: _, ...event } = traceEvent(step);
  const hex = data && Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return { ...event, hex };
}

function describeScript(script: Script, { file, isCounterpart }: Source): ScriptData {
  const source = Deno.readTextFileSync(SCRIPTS + script.name).replaceAll("\r", "");
  const [header = ""] = source.match(/^(#!.*\n)?\/\*\*[^]*?\*\/\s*/) ?? [];
  let row = header.split("\n").length;
  const lines = align(sourceOf(file), source).map((line) => ({
    ...line,
    row: line.right === undefined ? undefined : row++,
  }));
  const original = file.split(/[/\\]/).at(-1)!;
  return { name: script.name, original, isCounterpart, ...readHeader(header), lines };
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
