/**
 * What an exercise is. Its stub and its model solution are made from our own script: a gap is a part
 * of the script that the stub leaves to do.
 *
 * @module
 */
import { SCRIPTS } from "../catalog/header.ts";
import type { ExerciseChecks } from "../check/probes/exercises.ts";

/** A part of a script that is left to do: from one line to the end of its block. */
export interface Gap {
  /** The beginning of its first line, without the spaces before it. */
  from: string;
  /** The beginning of the first line after it, if it ends before its block does. */
  to?: string;
  /** What the stub has in its place: comments with TODO, and code to start from. */
  stub: string;
  /** What the model solution has in its place, if that is not what the script has. */
  model?: string;
}

/** An exercise. Its stub is made from its gaps. */
export interface Exercise extends Omit<ExerciseChecks, "stub"> {
  /** The script that the student's file takes the place of, without `.ts`. */
  script: string;
  /** What it teaches, in one line. */
  title: string;
  /** What to build, in paragraphs. */
  task: string[];
  /** When it is done, as a sentence. */
  done: string;
  /** The flags of the server and of the client when they are tried by hand. */
  flags?: { server?: string; client?: string };
  /** What the stub leaves to do. */
  gaps: Gap[];
  /** The hints, each of which says more than the one before. The last comes with the model's lines. */
  hints: string[];
}

/** Returns the script from which an exercise is made. */
function scriptOf({ script }: Exercise): string {
  return Deno.readTextFileSync(`${SCRIPTS}${script}.ts`);
}

/** Returns text without the indentation of its first line, which is that of the whole text. */
function dedent(text: string): string {
  const lines = text.replace(/^\n/, "").trimEnd();
  const [indentation] = lines.match(/^ */)!;
  return lines.replaceAll(new RegExp(`^${indentation}`, "gm"), "");
}

/** Returns the places of a gap in the lines of its script: its first line, and the one after it. */
function find({ from, to }: Gap, lines: string[]): [start: number, end: number] {
  const start = lines.findIndex((line) => line.trimStart().startsWith(from));
  if (start < 0) throw new Error(`no line of the script begins with ${from}`);
  const indentationOf = (line: string) => line.search(/\S/);
  const isAfter = (line: string) =>
    to !== undefined
      ? line.trimStart().startsWith(to)
      : line !== "" && indentationOf(line) < indentationOf(lines[start]);
  const length = lines.slice(start).findIndex(isAfter);
  if (length < 0) throw new Error(`the part from ${from} on has no end`);
  return [start, start + length];
}

/**
 * Returns the script of an exercise with something else in its gaps.
 *
 * @param exercise The exercise.
 * @param fillings What is in each gap, in order. `undefined` means what the script has there.
 */
export function filled(exercise: Exercise, fillings: (string | undefined)[]): string {
  const lines = scriptOf(exercise).split("\n");
  for (const [i, gap] of exercise.gaps.entries()) {
    const filling = fillings[i];
    if (filling === undefined) continue;
    const [start, end] = find(gap, lines);
    const indentation = " ".repeat(lines[start].search(/\S/));
    const code = dedent(filling).replaceAll(/^(?=.)/gm, indentation).split("\n");
    lines.splice(start, end - start, ...code);
  }
  return lines.join("\n");
}

/** Returns the model solution of an exercise. */
export function modelOf(exercise: Exercise): string {
  return filled(exercise, exercise.gaps.map(({ model }) => model));
}

/** Returns the lines of the model solution that are in the gaps. */
export function solutionOf(exercise: Exercise): string {
  const lines = scriptOf(exercise).split("\n");
  const parts = exercise.gaps.map((gap) =>
    dedent(gap.model ?? lines.slice(...find(gap, lines)).join("\n"))
  );
  return parts.join("\n...\n");
}

/** Returns the file from which a student starts, with this text at its head. */
export function stubOf(exercise: Exercise, head: string): string {
  const source = filled(exercise, exercise.gaps.map(({ stub }) => stub));
  const [, session] = source.match(/^( \* ```console\n[^]*?^ \* ```\n)/m)!;
  const comment = head.trimEnd().replace(/^/gm, " * ").replaceAll(/ +$/gm, "");
  const header = `/**\n${comment}\n *\n * When it is done, it shows this:\n *\n${session} *\n` +
    ` * @module\n */\n`;
  return source.replace(/\/\*\*\n[^]*?\n \*\/\n/, () => header);
}
