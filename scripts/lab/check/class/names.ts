/**
 * What the names of files and folders say: which script a file takes the place of, and whose it is.
 *
 * @module
 */
import { type Named, scripts } from "../../catalog/labs.ts";

/** A word in a name, and where it is. */
interface Word {
  text: string;
  start: number;
  end: number;
}

/** What the name of a file says. */
export interface NameParts {
  /** The scripts that it can mean, none if it is not the name of a script. */
  scripts: Named[];
  /** What is before the script's name: a student's name and numbers. */
  before: string;
}

/** The names of each script: ours, and that of the course's file. */
const NAMES = scripts().flatMap((script) => {
  const { name, original } = script;
  return [name, ...original.endsWith(".py") ? [original] : []]
    .map((name) => withoutExtension(name).toLowerCase())
    .map((name) => ({ name, script, isOurs: name === withoutExtension(script.name) }));
});

/**
 * Reads the name of a file: our name of a script or the course's, between whatever a course system or
 * a student adds. Any characters can separate its words. Of several names that fit, the longest counts.
 * Some courses have the same name for several scripts.
 */
export function readName(name: string): NameParts {
  const stem = withoutExtension(name);
  const words = wordsIn(stem);
  const found = NAMES.flatMap((known) => {
    const place = placeOf(wordsIn(known.name), words);
    return place ? [{ ...known, ...place }] : [];
  });
  const longest = Math.max(...found.map(({ name }) => name.length));
  const best = found.filter(({ name }) => name.length === longest);
  const exact = best.find(({ name, isOurs, start, end }) =>
    isOurs && stem.slice(start, end).toLowerCase() === name
  );
  const chosen = exact ? [exact] : best;
  return {
    scripts: [...new Set(chosen.map(({ script }) => script))],
    before: chosen.length === 0 ? "" : stem.slice(0, chosen[0].start),
  };
}

/**
 * Returns a student's name from the start of a file's name, or from a folder: Moodle adds what was
 * handed in, and most systems write `_` for a space. Returns an empty text if it contains no letter.
 */
export function studentIn(text: string): string {
  const name = text.replace(/_assignsubmission_.*$/, "").replaceAll("_", " ")
    .replace(/\s+/g, " ").replace(/[\s.,-]+$/, "").trimStart();
  return /\p{L}/u.test(name) ? name : "";
}

function withoutExtension(name: string): string {
  return name.replace(/\.\w+$/, "");
}

function wordsIn(text: string): Word[] {
  return [...text.matchAll(/[\p{L}\p{M}\p{N}]+/gu)].map(({ 0: word, index }) => ({
    text: word.toLowerCase(),
    start: index,
    end: index + word.length,
  }));
}

/** Returns the index at which some words occur in sequence among others. */
function placeOf(some: Word[], all: Word[]): Pick<Word, "start" | "end"> | undefined {
  const at = all.findIndex((_, i) => some.every(({ text }, k) => all[i + k]?.text === text));
  return at < 0 ? undefined : { start: all[at].start, end: all[at + some.length - 1].end };
}
