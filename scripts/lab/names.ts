/**
 * Labs and scripts by the names that a user gives.
 *
 * @module
 */
import { UsageError } from "../lib.ts";
import { findLabs, type Half, type Lab, labName, type Script } from "./header.ts";

/** All labs. */
export const labs: Lab[] = findLabs();

/** Finds what a user names; a wrong name gets the nearest right one suggested. */
export function find<T extends { name: string }>(things: T[], name: string): T {
  const bare = (name: string) => name.replace(/\.(ts|py)$/, "");
  const thing = things.find((thing) => bare(thing.name) === bare(name));
  if (thing) return thing;
  const [nearest] = things.map((thing) => bare(thing.name))
    .toSorted((a, b) => distance(a, bare(name)) - distance(b, bare(name)));
  throw new UsageError(`there is no ${name}: did you mean ${nearest}?`);
}

/** How many letters must be changed, added or taken away (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const above = row;
    row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = above[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(change, above[j] + 1, row[j - 1] + 1));
    }
  }
  return row[b.length];
}

/** The lab that a user names, or that has the script which is named. */
export function findLab(name: string): Lab {
  return find(labs, labName(name));
}

/** A script with the half of the lab that it is. */
export type Named = Script & { half: Half; lab: Lab };

/** The scripts of all labs, with the half they are. */
export function scripts(): Named[] {
  return labs.flatMap((lab) => [
    { ...lab.server, half: "server" as const, lab },
    { ...lab.client, half: "client" as const, lab },
  ]);
}

/** Both scripts of the lab, or the one script, that a user names. */
export function findScripts(name: string): Named[] {
  const bare = name.replace(/\.ts$/, "");
  const both = scripts().filter(({ lab }) => lab.name === bare);
  return both.length > 0 ? both : [find(scripts(), name)];
}
