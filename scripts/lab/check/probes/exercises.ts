/**
 * The probes of the exercises. Each exercise has those of its lab and its own.
 *
 * @module
 */
import { exerciseNumber } from "../../exercises/all.ts";
import type { Probe } from "../probe.ts";

/**
 * Returns the probes of a lab with those of an exercise. The session of the script's header is the first,
 * then come those for which the exercise was made.
 *
 * @param lab The probes of the lab.
 * @param number The number of the exercise, if it is one.
 */
export function withExercise<P extends Probe>(lab: P[], number?: number): P[] {
  if (number === undefined) return lab;
  const { session: causes, probes = [], required = [], replacesLab } = exerciseNumber(number);
  const own = probes as Probe[] as P[];
  if (replacesLab) return own;
  const promoted = required.map((name) => {
    const probe = lab.find(({ what }) => what === name);
    if (!probe) throw new Error(`exercise ${number} requires an unknown check: ${name}`);
    return { ...probe, level: undefined };
  });
  const [session, ...rest] = lab;
  const first = [...promoted, ...own];
  const isFirst = ({ what }: Probe) => first.some((probe) => probe.what === what);
  return [{ ...session, causes }, ...first, ...rest.filter((probe) => !isFirst(probe))];
}
