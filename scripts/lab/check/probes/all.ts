/**
 * The probes of all labs. To add one, add a line to its lab: what it looks at, and the steps. A server's
 * steps are those of its client, a client's those of its server. The first of each list is the session
 * of the script's header.
 *
 * @module
 */
import type { LabProbes, Probe } from "../probe.ts";
import type { Step } from "../steps.ts";
import { ECHO, ECHO_UDP, ECHO_V1 } from "./echo.ts";
import { READ_ON } from "./exercises.ts";
import { ECHO_V2, ECHO_V3 } from "./framing.ts";
import { GUESS_GAME } from "./guess.ts";
import { PRACTICAL12_TCP, PRACTICAL12_UDP } from "./practical12.ts";
import { TCP } from "./tcp.ts";
import { UPPER_TCP, UPPER_UDP } from "./upper.ts";

/** What each lab's halves are put through, by the lab's name. */
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

/** What a server is put through; where it is exercise 1, other things. */
export function serverProbes(lab: string, exercise?: number): Probe[] {
  return exercise === 1 ? READ_ON : PROBES[lab].server;
}

/** A plain exchange with each server: whether it serves the next client. */
export function nextClient(lab: string): Step[] {
  return PROBES[lab].server[0].steps.map((step) => ({ ...step, on: `next ${step.on ?? ""}` }));
}
