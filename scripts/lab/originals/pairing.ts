/**
 * Runs a pairing: a server and a client, each under its tracer. The tracers lead both to a free port, so
 * that a port in use or in TIME-WAIT does not matter, and show what the programs do with their sockets.
 *
 * @module
 */
import type { Role } from "../catalog/header.ts";
import {
  runSession,
  type SessionOptions,
  type SessionResult,
  type Typing,
} from "../session/session.ts";
import type { Observed } from "../trace/run_traced.ts";
import { TracedParticipant } from "../trace/traced_participant.ts";

const IDLE_TIME = 3; // seconds after which a client that waits is ended

/** A program of a pairing. */
export interface ComparedProgram {
  /** Its name in reports. */
  name: string;
  /** Its name with its flags. */
  title: string;
  /** Whether it is an original. */
  isOriginal: boolean;
  /** Its file. */
  file: string;
  /** Returns its arguments. */
  args(port: number): string[];
}

/** A server and a client. */
export type Pairing = Record<Role, ComparedProgram>;

/** A pairing that was run. */
export interface Run {
  /** The programs. */
  pairing: Pairing;
  /** The port as the server names it. */
  port: number;
  /** What happened. */
  result: SessionResult;
  /** What the programs did, in short. */
  observed: Record<Role, Observed>;
}

/**
 * Runs a server and a client.
 *
 * @param pairing The programs.
 * @param port The port for a server that takes one.
 * @param next Returns the lines that are typed to the client when it asks.
 * @param isComplete Returns whether the server has printed all that it will.
 */
export async function runPairing(
  pairing: Pairing,
  port: number,
  next: Typing["next"],
  isComplete?: SessionOptions["isComplete"],
): Promise<Run> {
  const participant = ({ name, file, args }: ComparedProgram) =>
    new TracedParticipant({ name, file, argumentsFor: (named = port) => [args(named)] });
  const server = participant(pairing.server);
  const client = participant(pairing.client);
  const options = { typing: { next }, isComplete, idleTime: IDLE_TIME };
  const result = await runSession({ server, client }, options);
  const observed = { server: server.observed, client: client.observed };
  return { pairing, port: result.port || port, result, observed };
}
