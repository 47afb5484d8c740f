/**
 * The exercises. The order is that in which they are done.
 *
 * @module
 */
import { UserError } from "../../cli.ts";
import type { Exercise } from "./exercise.ts";
import { ECHO } from "./tasks/echo.ts";
import { ECHO_UDP } from "./tasks/echo_udp.ts";
import { ECHO_V1 } from "./tasks/echo_v1.ts";
import { ECHO_V2 } from "./tasks/echo_v2.ts";
import { ECHO_V3 } from "./tasks/echo_v3.ts";
import { GUESS } from "./tasks/guess.ts";
import { PRACTICAL12_TCP } from "./tasks/practical12_tcp.ts";
import { PRACTICAL12_UDP } from "./tasks/practical12_udp.ts";
import { TCP } from "./tasks/tcp.ts";
import { UPPER_TCP } from "./tasks/upper_tcp.ts";
import { UPPER_UDP } from "./tasks/upper_udp.ts";

/** The exercises, in the order in which they are done. Exercise 1 is the first. */
export const EXERCISES: Exercise[] = [
  ECHO_V1,
  ECHO,
  TCP,
  ECHO_UDP,
  UPPER_UDP,
  PRACTICAL12_UDP,
  GUESS,
  PRACTICAL12_TCP,
  UPPER_TCP,
  ECHO_V2,
  ECHO_V3,
];

/**
 * Returns the exercise with a number.
 *
 * @throws {UserError} The exercise does not exist.
 */
export function exerciseNumber(number: number): Exercise {
  const exercise = EXERCISES[number - 1];
  if (exercise) return exercise;
  throw new UserError(
    `exercise ${number} does not exist: the exercises are 1 to ${EXERCISES.length}`,
  );
}
