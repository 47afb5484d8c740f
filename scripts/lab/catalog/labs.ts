/**
 * Finds labs and scripts by the names that a user gives.
 *
 * @module
 */
import { bareName, find } from "../terminal/names.ts";
import { findLabs, type Lab, labName, type Role, type Script } from "./header.ts";

/** All labs. */
export const labs: Lab[] = await findLabs();

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
  const both = scripts().filter(({ lab }) => lab.name === bareName(name));
  return both.length > 0 ? both : [find(scripts(), name)];
}
