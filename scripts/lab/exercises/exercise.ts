/**
 * The exercises, and the copies from which they start.
 *
 * @module
 */
import { resolve } from "node:path";
import { UserError } from "../../cli.ts";
import { bold } from "../terminal/columns.ts";
import { readText, writeWhole } from "../terminal/files.ts";
import { SCRIPTS } from "../catalog/header.ts";
import { findScripts, labs, scripts } from "../catalog/labs.ts";
import { multiline, note, type SafeText, write } from "../terminal/output.ts";

/** An exercise of the path from version 1 to version 3. */
export interface Exercise {
  /** How the README and `--exercise` number it. */
  number: number;
  /** The lab whose copy it starts from. */
  lab: string;
  /** The script, without `.ts`, whose checks it must pass when it is done. */
  as: string;
  /** What it is, in one line. */
  title: string;
  /** The task. */
  task: string;
  /** The first step. */
  first: string;
}

/** The exercises, in the order in which they are done. */
export const EXERCISES: Exercise[] = [
  {
    number: 1,
    lab: "echo_v1",
    as: "echo_server_v1",
    title: "a message that is longer than the buffer",
    task:
      "Make the server's buffer 4 bytes: what comes back of `Hello!`, and why? Let the server " +
      "read and send back until the client ends, so that a message of any length comes back whole.",
    first: "start the server with --buffer-size=4, and the client next to it",
  },
  {
    number: 2,
    lab: "echo_v2",
    as: "echo_server_v2",
    title: "a header that says how long the message is",
    task:
      "Write the server again: read the header of 10 characters, then as many characters as it " +
      "says, then send both back. Try `héllo` and an emoji: what does the length count?",
    first: "empty the function echoServer in echo_server_v2.ts",
  },
  {
    number: 3,
    lab: "echo_v2",
    as: "echo_server_v3",
    title: "many messages on one connection",
    task: "Keep the connection: make version 2 of the server a version 3, which echoes message " +
      "after message until one is `exit`. What comes when two messages arrive in one read?",
    first: "read the session at the head of our echo_server_v3.ts, then put a loop around what " +
      "your echo_server_v2.ts does with a client",
  },
];

/** Prints which exercises start from a copy of a lab, and their first steps. */
export function explainExercises(lab: string) {
  const exercises = exercisesOf(lab);
  for (const { number, title, task, first } of exercises) {
    write`${bold(`Exercise ${number}: ${title}`)}\n${folded(task)}\n${
      folded(`First: ${first}.`)
    }\n`;
  }
  if (exercises.length === 0) {
    const { name } = labs.find(({ name }) => name === lab)!.server;
    const task = `Write ${name} again, so that it shows the session at its head.`;
    const first = "run it as it is, then empty its function and continue step by step";
    write`${bold(`Exercise: ${lab}`)}\n${folded(task)}\n${folded(`First: ${first}.`)}\n`;
  }
  write`\n`;
}

function exercisesOf(lab: string): Exercise[] {
  return EXERCISES.filter((exercise) => exercise.lab === lab);
}

/** Breaks prose into lines of 80 columns. */
function folded(prose: string): SafeText {
  return multiline(prose.replace(/(.{1,78})(?: |$)/g, "  $1\n").trimEnd());
}

/**
 * Copies what an exercise needs. Files that exist already stay as they are.
 *
 * @param name The lab, or the script that is changed.
 * @param folder The folder for the copy. Without one, only the exercise is explained.
 * @throws {UserError} The folder contains other scripts with these names.
 */
export function startExercise(name: string, folder?: string) {
  const [{ lab }] = findScripts(name);
  explainExercises(lab.name);
  if (folder === undefined) {
    write`Take a copy:\n  deno task lab new ${name} ../my-exercise\n`;
    return;
  }
  const both = scripts().filter((script) => script.lab === lab);
  const files = contents(both.map(({ name }) => name));
  const there = Object.keys(files).filter((path) => exists(`${folder}/${path}`));
  const differing = there.filter((path) => textOf(`${folder}/${path}`) !== files[path]);
  const changedScripts = differing.filter((path) =>
    both.some(({ name }) => path.endsWith(`/${name}`))
  );
  if (changedScripts.length > 0) {
    const named = changedScripts.map((path) => `${folder}/${path}`).join(" and ");
    throw new UserError(`${named} is there already, and differs: nothing was copied`);
  }
  Deno.mkdirSync(`${folder}/scripts`, { recursive: true });
  for (const [path, text] of Object.entries(files)) {
    if (there.includes(path)) continue;
    writeWhole(`${folder}/${path}`, text);
  }
  for (const path of differing) note(`${folder}/${path} differs from ours, and was not changed`);
  const config = textOf(`${folder}/deno.json`) ?? "";
  if (!config.includes("@std/") || !config.includes('"check"')) {
    note("the copy needs the settings in our deno.json: use a folder of its own");
  }

  write`Run it, server and client each in its own terminal:\n`;
  for (const { name, args } of both) {
    const path = quoted(`${folder}/scripts/${name}`);
    write`  deno run -A ${[path, ...args].join(" ")}\n`;
  }
  write`Check it, here or with \`deno task check\` in its folder:\n`;
  write`  deno task --cwd ${quoted(folder)} check\n`;
  for (const { number } of exercisesOf(lab.name)) {
    const when = `when exercise ${number} is done`;
    write`  deno task --cwd ${quoted(folder)} check --exercise=${number}  # ${when}\n`;
  }
}

/** Quotes a path for the shell, which could run a part of it as a command: `$(...)`. */
function quoted(path: string): string {
  if (!/[^\w./\\:-]/.test(path)) return path;
  const isCommand = /["$`\\!]/.test(path) && Deno.build.os !== "windows";
  return isCommand ? `'${path.replaceAll("'", "'\\''")}'` : `"${path}"`;
}

/** Returns the files of a copy by their paths in it. */
function contents(names: string[]): Record<string, string> {
  const files: Record<string, string> = {};
  for (const name of ["lib.ts", "cli.ts", "std.d.ts", ...names]) {
    files[`scripts/${name}`] = Deno.readTextFileSync(SCRIPTS + name);
  }
  const project = resolve(SCRIPTS, "..").replaceAll("\\", "/");
  // A hint of cli.ts names kill_port.ts, which is not copied.
  const kill = JSON.stringify(`deno run -A "${project}/scripts/kill_port.ts"`);
  files["scripts/cli.ts"] = files["scripts/cli.ts"]
    .replace('commandFor("kill_port.ts")', () => kill);
  const config = JSON.parse(Deno.readTextFileSync(`${project}/deno.json`));
  // The tool is not copied, and checks with its own unchanged scripts. So the copy can be moved.
  const command = `deno run -A "--config=${project}/deno.json" "${project}/scripts/lab.ts" check`;
  config.tasks = { check: { description: "Check the scripts of this exercise", command } };
  files["deno.json"] = JSON.stringify(config, null, 2) + "\n";
  files["deno.lock"] = Deno.readTextFileSync(`${project}/deno.lock`);
  return files;
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

function textOf(path: string): string | undefined {
  try {
    return readText(path);
  } catch {
    return undefined; // a folder, a device or a broken link
  }
}

/**
 * Finds the scripts in an exercise's folder that have the names of ours.
 *
 * @param folder The folder.
 * @param number The number of an exercise, to find only the script that it changes.
 * @returns Their paths.
 * @throws {UserError} There are none, or there is no such exercise.
 */
export function exercisesIn(folder: string, number?: number): string[] {
  const exercise = EXERCISES.find((exercise) => exercise.number === number);
  if (number !== undefined && !exercise) {
    throw new UserError(
      `there is no exercise ${number}: the exercises are 1 to ${EXERCISES.length}`,
    );
  }
  const files = scripts()
    .filter(({ lab, role }) => !exercise || (lab.name === exercise.lab && role === "server"))
    .map(({ name }) => `${folder}/scripts/${name}`).filter(exists);
  if (files.length === 0) throw new UserError(`no exercise in ${folder}/scripts: name its file`);
  return files;
}
