/**
 * A session of a server and a client that run under their tracers, with a relay between them.
 *
 * @module
 */
import { isIPv6 } from "node:net";
import { type Role, ROLES } from "../catalog/header.ts";
import type { Listening } from "../session/participant.ts";
import { type Exit, runSession, type SessionOptions } from "../session/session.ts";
import type { Faults, Place } from "./faults.ts";
import { Wire, type WireEvent } from "./relay.ts";
import { TracedParticipant, type TracedProgram } from "./traced_participant.ts";
import { type ProgramEvent, withConnections } from "./timeline.ts";

/** How to run a server and a client. */
export interface RelayedOptions
  extends Pick<SessionOptions, "isComplete" | "onScreen" | "onErrors" | "idleTime"> {
  /** What happens to segments and datagrams on their way. */
  faults?: Faults;
  /** The lines to type into the client, each when it asks, or a user's keyboard. */
  typed?: string[] | AsyncIterable<string>;
}

/** What two programs did. */
export interface RelayedSession {
  /** What each program did, in order. */
  history: Record<Role, ProgramEvent[]>;
  /** What happened on the wire. */
  wire: WireEvent[];
  /** The ports of the connections; see `Wire`. */
  clientPorts: [client: number, relay: number][];
  /** How many segments or datagrams each program sent. */
  counts: Record<Role, number>;
  /** The faults that changed something. */
  met: Set<Place>;
  /** What appeared on each terminal. */
  screens: Record<Role, string>;
  /** Where the server listens, if it does. */
  listens?: Listening;
  /** The other port that the client tried to reach. */
  missed?: number;
  /** What went wrong. */
  problems: string[];
}

const IDLE_TIME = 12; // seconds: our scripts wait 10 s for a peer that is silent

/**
 * Runs a server and a client until the client has ended and the server has nothing more to do.
 *
 * @param programs The programs.
 * @param options How to run them.
 * @throws {Deno.errors.NotFound} Python is not installed.
 */
export async function runRelayed(
  programs: Record<Role, TracedProgram>,
  { faults = {}, typed = [], ...options }: RelayedOptions = {},
): Promise<RelayedSession> {
  const participants = {
    server: new TracedParticipant(programs.server),
    client: new TracedParticipant(programs.client),
  };
  const idleTime = options.idleTime ?? IDLE_TIME;
  let listens: Listening | undefined;
  let wire: Wire | undefined;
  const { screens, exits } = await runSession(participants, {
    ...options,
    idleTime,
    maxWork: Math.min(5, 2 * idleTime),
    typing: Array.isArray(typed) ? { next: (_, count) => typed[count] } : typed,
    async openRelay(server) {
      listens = server;
      const { transport, host = "127.0.0.1", actual } = server;
      const hostnames = isIPv6(host) ? ["::1", "127.0.0.1"] : ["127.0.0.1", "::1"];
      const hostname = host === "::1" ? "::1" : undefined;
      wire = await Wire.open(transport, { ...faults, hostname });
      wire.connectTo(actual, ...hostnames);
      return wire;
    },
  });
  const { server, client } = participants;
  // What follows when one of them is ended is not the programs' own doing.
  const end = Math.min(server.actor!.endedAt, client.actor?.endedAt ?? Infinity);
  const ports = { port: wire?.port ?? 0, clientPorts: wire?.clientPorts ?? [] };
  const historyOf = (role: Role) => {
    const done = participants[role].actor?.done ?? [];
    return withConnections(role, done.filter(({ at }) => at <= end), ports);
  };
  return {
    history: { server: historyOf("server"), client: historyOf("client") },
    wire: wire?.events.filter(({ at }) => at <= end) ?? [],
    clientPorts: ports.clientPorts,
    counts: wire?.counts ?? { server: 0, client: 0 },
    met: wire?.met ?? new Set(),
    screens,
    listens,
    missed: client.actor?.missed,
    problems: problemsOf(participants, exits, listens),
  };
}

/** Returns what went wrong, in words. */
function problemsOf(
  participants: Record<Role, TracedParticipant>,
  exits: Partial<Record<Role, Exit>>,
  listens?: Listening,
): string[] {
  const { server, client } = participants;
  if (!listens) return [`${server.name} does not listen${endingOf(server, exits.server!)}`];
  const problems: string[] = [];
  const missed = client.actor!.missed;
  if (missed !== undefined) {
    problems.push(
      `${client.name} connects to port ${missed}, but ${server.name} listens on port ${listens.named}`,
    );
  }
  for (const role of ROLES) {
    const participant = participants[role];
    const exit = exits[role]!;
    const { name } = participant;
    // A server may read without end after its client was ended.
    const isLate = role === "server" && server.actor!.endedAt > client.actor!.endedAt;
    if (exit.excess) {
      if (isLate) continue;
      problems.push(`${name} ${role === "server" ? "failed" : "was ended"}: ${exit.excess}`);
    } else if (exit.isOwn && exit.status !== 0) {
      problems.push(`${name} failed${endingOf(participant, exit)}`);
    } else if (!exit.isOwn && role === "client") {
      problems.push(`${name} did not end${endingOf(participant, exit)}`);
    }
  }
  return problems;
}

/** Returns how a program ended, or where it waits, for the end of a sentence. */
function endingOf({ actor }: TracedParticipant, { excess, isOwn, errors }: Exit): string {
  if (excess) return `: ${excess}`;
  if (!isOwn) {
    const { waitedFor } = actor!;
    if (!waitedFor) return "";
    const { kind, call, line } = waitedFor;
    const name = kind === "input" ? "a line of input" : call ?? kind;
    return `; it waits for ${name}${line === undefined ? "" : ` in line ${line}`}`;
  }
  const lines = errors.trimEnd().split("\n");
  const message = lines.find((line) => line.startsWith("error: ")) ?? lines.at(-1)!;
  return message ? `: ${message.replace(/^error: /, "")}` : "";
}
