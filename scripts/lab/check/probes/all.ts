/**
 * The probes of all labs. To add one, add a line to its lab: what is checked, and the steps. A server's
 * steps are those of its client, a client's those of its server. The first of each list is the session
 * of the script's header.
 *
 * @module
 */
import type { ClientProbe, LabProbes, Probe } from "../probe.ts";
import type { Step } from "../steps.ts";
import { ECHO, ECHO_UDP, ECHO_V1 } from "./echo.ts";
import { type ExerciseChecks, withExercise } from "./exercises.ts";
import { ECHO_V2, ECHO_V3 } from "./framing.ts";
import { GUESS_GAME, guessServer } from "./guess.ts";
import { PRACTICAL12_TCP, PRACTICAL12_UDP } from "./practical12.ts";
import { TCP } from "./tcp.ts";
import { UPPER_TCP, UPPER_UDP } from "./upper.ts";

/** The probes of both roles of each lab, by the lab's name. */
export const PROBES: Record<string, LabProbes> = {
  echo: ECHO,
  echo_udp: ECHO_UDP,
  echo_v1: ECHO_V1,
  echo_v2: ECHO_V2,
  echo_v3: ECHO_V3,
  guess: GUESS_GAME,
  practical12_tcp: PRACTICAL12_TCP,
  practical12_udp: PRACTICAL12_UDP,
  tcp: TCP,
  upper_tcp: UPPER_TCP,
  upper_udp: UPPER_UDP,
};

/** Returns the probes of a server. `number` is that of a guess server that draws it. */
export function serverProbes(lab: string, exercise?: ExerciseChecks, number?: number): Probe[] {
  const probes = number !== undefined ? guessServer(number) : PROBES[lab].server;
  return withExercise(probes, exercise);
}

/** Returns the probes of a client. */
export function clientProbes(lab: string, exercise?: ExerciseChecks): ClientProbe[] {
  return withExercise(PROBES[lab].client, exercise);
}

/** Returns a plain exchange with a server: whether it serves the next client. */
export function nextClient(lab: string, exercise?: ExerciseChecks, number?: number): Step[] {
  const [{ steps }] = serverProbes(lab, exercise, number);
  return steps.map((step) => ({ ...step, on: `next ${step.on ?? ""}` }));
}
