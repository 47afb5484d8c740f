/**
 * Finds things by the names that a user gives.
 *
 * @module
 */
import { closestString } from "@std/text/closest-string";
import { UsageError } from "../../cli.ts";

/**
 * Finds what a user names.
 *
 * @throws {UsageError} Nothing has this name. The message suggests the closest name.
 */
export function find<T extends { name: string }>(things: T[], name: string): T {
  const thing = things.find((thing) => bareName(thing.name) === bareName(name));
  if (thing) return thing;
  throw new UsageError(`unknown name ${name}: did you mean ${nearest(bareName(name), things)}?`);
}

/** Returns the name that is closest to the one that was given. */
export function nearest(name: string, things: { name: string }[]): string {
  return closestString(name, things.map(({ name }) => bareName(name)));
}

/** Returns the name of a script or a Python file without its ending. */
export function bareName(name: string): string {
  return name.replace(/\.(ts|py)$/, "");
}
