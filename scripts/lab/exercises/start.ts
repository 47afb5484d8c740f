/**
 * Starts an exercise, or a copy of a script, in a folder of its own.
 *
 * @module
 */
import { resolve } from "node:path";
import { UserError } from "../../cli.ts";
import { bold } from "../terminal/columns.ts";
import { exists, writeWhole } from "../terminal/files.ts";
import { SCRIPTS } from "../catalog/header.ts";
import { findScripts, type Named, scripts } from "../catalog/labs.ts";
import { find } from "../terminal/names.ts";
import { multiline, note, type SafeText, write } from "../terminal/output.ts";
import type { ExerciseChecks } from "../check/probes/exercises.ts";
import { exerciseNumber, EXERCISES } from "./all.ts";
import { type Exercise, stubOf } from "./exercise.ts";
import { textOf } from "./folder.ts";

const WIDTH = 78; // columns of prose

/** Breaks a paragraph into lines, each with this in front of it. */
function folded(paragraph: string, before = ""): string {
  const words = paragraph.split(" ");
  const lines = [before + words.shift()!];
  for (const word of words) {
    const line = `${lines.at(-1)} ${word}`;
    if (line.length <= WIDTH) lines[lines.length - 1] = line;
    else lines.push(before + word);
  }
  return lines.join("\n");
}

/** Returns paragraphs as they are printed, with two spaces in front of each line. */
export function prose(...paragraphs: string[]): SafeText {
  return multiline(paragraphs.map((text) => `${folded(text, "  ")}\n`).join("\n"));
}

/** Returns the line that names an exercise. */
export function titleOf(number: number): string {
  return `Exercise ${number}: ${exerciseNumber(number).title}`;
}

/** Returns the file that an exercise changes, and the two commands to try it by hand. */
function byHand({ script, flags }: Exercise): string[] {
  const { lab } = find(scripts(), script);
  return ([["server", lab.server.name], ["client", lab.client.name]] as const)
    .map(([role, name]) => ["deno run -A", `scripts/${name}`, flags?.[role]].join(" ").trimEnd());
}

/** Returns the file from which a student starts an exercise. */
export function stubFile(number: number): string {
  const exercise = exerciseNumber(number);
  const head = [
    titleOf(number),
    ...exercise.task.map((text) => folded(text)),
    "Try it in two terminals:",
    `\`\`\`sh\n${byHand(exercise).join("\n")}\n\`\`\``,
    folded(exercise.done),
    folded(
      "`deno task watch` checks this file each time you save it. `deno task hint` gives a hint.",
    ),
  ];
  return stubOf(exercise, head.join("\n\n"));
}

/**
 * Returns what is checked about an exercise.
 *
 * @throws {UserError} The exercise does not exist.
 */
export function checksOf(number: number): ExerciseChecks {
  return { ...exerciseNumber(number), stub: stubFile(number) };
}

/** Prints an exercise: what to build, and when it is done. */
function explain(number: number) {
  const { task, done } = exerciseNumber(number);
  write`${bold(titleOf(number))}\n\n${prose(...task, done)}\n`;
}

/**
 * Starts an exercise in a folder: a file with gaps, and the other script of its lab. Files that exist
 * already stay as they are.
 *
 * @param number The number of the exercise.
 * @param folder The folder. Without one, the exercise is only explained.
 * @throws {UserError} The exercise does not exist, or the folder contains other files.
 */
export function startExercise(number: number, folder?: string) {
  const exercise = exerciseNumber(number);
  explain(number);
  if (folder === undefined) {
    write`Start it in a folder of its own:\n  deno task lab new ${number} ../exercise-${number}\n`;
    return;
  }
  const { lab } = find(scripts(), exercise.script);
  const files = contents([lab.server.name, lab.client.name], tasksOf(number));
  files[`scripts/${exercise.script}.ts`] = stubFile(number);
  const [differing] = Object.keys(files).filter((path) => {
    const name = `${folder}/${path}`;
    return exists(name) && textOf(name) !== files[path];
  });
  if (differing) {
    throw new UserError(
      `${folder}/${differing} is there already, and differs: nothing was written`,
      `start each exercise in a folder of its own, for instance ../exercise-${number}`,
    );
  }
  writeMissing(folder, files);
  write`Change this file:\n  ${folder}/scripts/${exercise.script}.ts\n`;
  write`Try it in two terminals, both in the folder ${folder}:\n`;
  for (const command of byHand(exercise)) write`  ${command}\n`;
  write`In this folder there are also these commands:\n`;
  write`  deno task watch   checks the file each time you save it\n`;
  write`  deno task check   checks it once: it fails until the exercise is done\n`;
  write`  deno task hint    gives a hint, and the next one when you call it again\n`;
}

/**
 * Copies the scripts of a lab. Files that exist already stay as they are.
 *
 * @param name The lab, or the script that is changed.
 * @param folder The folder for the copy. Without one, only the exercise is named.
 * @throws {UserError} The folder contains other scripts with these names.
 */
export function copyScripts(name: string, folder?: string) {
  const [{ lab }] = findScripts(name);
  const number = EXERCISES.findIndex(({ script }) => find(scripts(), script).lab === lab) + 1;
  if (number > 0) {
    write`${
      bold(titleOf(number))
    } is about the lab ${lab.name}. It starts from a file with gaps:\n`;
    write`  deno task lab new ${number} ../exercise-${number}\n`;
  }
  if (folder === undefined) {
    write`Take a copy of the scripts as they are:\n  deno task lab new ${name} ../my-copy\n`;
    return;
  }
  const both = scripts().filter((script) => script.lab === lab);
  const files = contents(both.map(({ name }) => name), TASKS);
  const there = Object.keys(files).filter((path) => exists(`${folder}/${path}`));
  const differing = there.filter((path) => textOf(`${folder}/${path}`) !== files[path]);
  const changedScripts = differing.filter((path) =>
    both.some(({ name }) => path.endsWith(`/${name}`))
  );
  if (changedScripts.length > 0) {
    const named = changedScripts.map((path) => `${folder}/${path}`).join(" and ");
    throw new UserError(`${named} is there already, and differs: nothing was copied`);
  }
  writeMissing(folder, files);
  for (const path of differing) note(`${folder}/${path} differs from ours, and was not changed`);
  const config = textOf(`${folder}/deno.json`) ?? "";
  if (!config.includes("@std/") || !config.includes('"check"')) {
    note("the copy needs the settings in our deno.json: use a folder of its own");
  }
  printCommands(folder, both);
}

/** Prints how to run and check a copy. */
function printCommands(folder: string, both: Named[]) {
  write`Run it, server and client each in its own terminal:\n`;
  for (const { name, args } of both) {
    const path = quoted(`${folder}/scripts/${name}`);
    write`  deno run -A ${[path, ...args].join(" ")}\n`;
  }
  write`Check it, here or with \`deno task check\` in its folder:\n`;
  write`  deno task --cwd ${quoted(folder)} check\n`;
}

/** Quotes a path for the shell, which could run a part of it as a command: `$(...)`. */
function quoted(path: string): string {
  if (!/[^\w./\\:-]/.test(path)) return path;
  const isCommand = /["$`\\!]/.test(path) && Deno.build.os !== "windows";
  return isCommand ? `'${path.replaceAll("'", "'\\''")}'` : `"${path}"`;
}

/** The tasks of a copy, and of every exercise: what they do, and the words after `lab`. */
const TASKS: Record<string, [description: string, words: string]> = {
  check: ["Check the scripts in this folder", "check"],
  watch: ["Check a script each time it is saved", "check --watch"],
};

/** Returns the tasks of the folder of an exercise. */
function tasksOf(number: number): typeof TASKS {
  const which = `--exercise=${number}`;
  const tasks: typeof TASKS = {
    check: ["Check this exercise", `check ${which}`],
    watch: ["Check this exercise each time the file is saved", `check --watch ${which}`],
    hint: ["Give a hint, one more each time", `hint ${which}`],
  };
  if (number < EXERCISES.length) {
    tasks.next = ["Start the next exercise in another folder", `new ${number + 1}`];
  }
  return tasks;
}

/** Returns the files of a copy by their paths in it. */
function contents(names: string[], tasks: typeof TASKS): Record<string, string> {
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
  const lab = `deno run -A "--config=${project}/deno.json" "${project}/scripts/lab.ts"`;
  config.tasks = Object.fromEntries(
    Object.entries(tasks).map(([name, [description, words]]) =>
      [name, { description, command: `${lab} ${words}` }] as const
    ),
  );
  config.fmt.exclude = ["scripts/cli.ts"]; // the changed line with the hint is not formatted
  // What a stub imports and names is used only when the exercise is done.
  config.lint = { rules: { exclude: ["no-unused-vars", "require-await"] } };
  files["deno.json"] = JSON.stringify(config, null, 2) + "\n";
  files["deno.lock"] = Deno.readTextFileSync(`${project}/deno.lock`);
  return files;
}

/** Writes those files of a copy that do not exist yet. */
function writeMissing(folder: string, files: Record<string, string>) {
  Deno.mkdirSync(`${folder}/scripts`, { recursive: true });
  for (const [path, text] of Object.entries(files)) {
    if (!exists(`${folder}/${path}`)) writeWhole(`${folder}/${path}`, text);
  }
}
