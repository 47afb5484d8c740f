/**
 * The probes of an exercise: those of its lab, and its own.
 *
 * @module
 */
import type { ClientProbe, Probe } from "../probe.ts";

/** What is checked about an exercise. */
export interface ExerciseChecks {
  /** The file that it starts from: it must be changed. */
  stub: string;
  /** The first step, as the rest of a sentence that begins with "first:". */
  first: string;
  /** What to say about kinds of failures in the session, if the general words are not enough. */
  session?: Probe["causes"];
  /** The names of checks of its lab that come first, and are required even if they lie beyond the sheet. */
  required?: string[];
  /** The checks of its own. */
  probes?: ClientProbe[];
  /** Whether the checks of its lab do not apply. */
  replacesLab?: true;
}

/**
 * Returns the probes of a lab with those of an exercise. The session of the script's header is the first,
 * then come those for which the exercise was made.
 *
 * @param lab The probes of the lab.
 * @param exercise The exercise, if it is one.
 */
export function withExercise<P extends Probe>(lab: P[], exercise?: ExerciseChecks): P[] {
  if (!exercise) return lab;
  const { session: causes, probes = [], required = [], replacesLab } = exercise;
  const own = probes as Probe[] as P[];
  if (replacesLab) return own;
  const promoted = required.map((name) => {
    const probe = lab.find(({ what }) => what === name);
    if (!probe) throw new Error(`an exercise requires an unknown check: ${name}`);
    return { ...probe, level: undefined };
  });
  const [session, ...rest] = lab;
  const first = [...promoted, ...own];
  const isFirst = ({ what }: Probe) => first.some((probe) => probe.what === what);
  return [{ ...session, causes }, ...first, ...rest.filter((probe) => !isFirst(probe))];
}
