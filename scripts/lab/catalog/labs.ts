/**
 * Finds labs and scripts by the names that a user gives.
 *
 * @module
 */
import { closestString } from "@std/text/closest-string";
import { UsageError } from "../../cli.ts";
import { findLabs, type Lab, labName, type Role, type Script } from "./header.ts";

/** All labs. */
export const labs: Lab[] = await findLabs();

/**
 * Finds what a user names.
 *
 * @throws {UsageError} There is nothing with this name. The message suggests the closest name.
 */
export function find<T extends { name: string }>(things: T[], name: string): T {
  const thing = things.find((thing) => bare(thing.name) === bare(name));
  if (thing) return thing;
  throw new UsageError(`there is no ${name}: did you mean ${nearest(bare(name), things)}?`);
}

/** Returns the name that is closest to the one that was given. */
export function nearest(name: string, things: { name: string }[]): string {
  return closestString(name, things.map(({ name }) => bare(name)));
}

function bare(name: string): string {
  return name.replace(/\.(ts|py)$/, "");
}

/** Finds the lab that a user names, or whose script a user names. */
export function findLab(name: string): Lab {
  return find(labs, labName(name));
}

/** A script with its lab and its role there. */
export type Named = Script & { role: Role; lab: Lab };

/** Returns the scripts of all labs. */
export function scripts(): Named[] {
  return labs.flatMap((lab) => [
    { ...lab.server, role: "server" as const, lab },
    { ...lab.client, role: "client" as const, lab },
  ]);
}

/** Finds both scripts of the lab, or the one script, that a user names. */
export function findScripts(name: string): Named[] {
  const both = scripts().filter(({ lab }) => lab.name === bare(name));
  return both.length > 0 ? both : [find(scripts(), name)];
}
