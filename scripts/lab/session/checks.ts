/**
 * Runs a lab as the headers of its scripts show it, and checks what happens.
 *
 * @module
 */
import { type Lab, type Role, ROLES, type Script, SCRIPTS } from "../catalog/header.ts";
import { DENO_RUN } from "../process/program.ts";
import { commandParticipant, type Participant } from "./participant.ts";
import {
  type Exit,
  runSession,
  type SessionOptions,
  type SessionResult,
  type Typing,
} from "./session.ts";
import { atPort, type Difference, difference, settled } from "./transcript.ts";

/** A requirement, and the problem if it is not met. */
export interface Check extends Difference {
  /** The requirement. */
  what: string;
}

/** How to start one of our scripts. */
export interface ScriptOptions {
  /** Its permissions; the default is `-A`. */
  permissions?: string;
  /** Arguments in addition to those of its header. */
  more?: string[];
}

/** Returns one of a lab's scripts as a participant, with the arguments of its header. */
export function scriptParticipant(
  { transport }: Lab,
  { name, args }: Script,
  { permissions = "-A", more = [] }: ScriptOptions = {},
): Participant {
  const others = args.filter((arg) => !arg.startsWith("--port="));
  const run = [...DENO_RUN, permissions, SCRIPTS + name, ...others, ...more];
  const options = { transport, reportsPort: true };
  return commandParticipant(name, (port) => [...run, `--port=${port}`], options);
}

/** How to check a session. */
export interface CheckOptions extends SessionOptions {
  /** The roles of originals, which may print errors and end when they have served a client. */
  originals?: Role[];
}

/**
 * Runs a lab as its headers show it. If `options` name a keyboard, that replaces the header's typing,
 * and the screens are not checked.
 *
 * @param lab The lab.
 * @param participants The programs.
 * @param options How to run and check them.
 * @returns What happened, and the checks.
 * @throws {UserError} The port of a program is in use.
 */
export async function runChecked(
  lab: Lab,
  participants: Record<Role, Participant>,
  { originals = [], ...options }: CheckOptions = {},
): Promise<SessionResult & { checks: Check[] }> {
  const isShown = options.typing === undefined;
  const isComplete = (screen: string, port: number) => settled(screen, lab.server.screen, port);
  const result = await runSession(participants, {
    ...options,
    typing: options.typing ?? headerTyping(lab.client),
    isComplete: isShown ? isComplete : undefined,
  });
  return { ...result, checks: checksOf(lab, participants, result, originals, isShown) };
}

/** Returns the typing that a header shows. A line is due when the screen is as in the header. */
function headerTyping({ typed, screen }: Script): Typing {
  let end = 0;
  const before = typed.map((line) => {
    end = screen.indexOf(`${line}\n`, end);
    const shown = screen.slice(0, end);
    end += line.length + 1;
    return shown;
  });
  return {
    next: (_, count) => typed[count],
    isDue: (actual, count, port) => settled(actual, before[count], port),
  };
}

function checksOf(
  lab: Lab,
  participants: Record<Role, Participant>,
  { port, screens, exits }: SessionResult,
  originals: Role[],
  isShown: boolean,
): Check[] {
  const { server, client } = exits;
  const checks: Check[] = [{
    what: `${participants.server.name} starts and listens on its port`,
    problem: client ? undefined : whyNotListening(port, screens.server, server),
  }];
  if (!client) return checks;
  checks.push({
    what: `${participants.client.name} ends with status 0`,
    problem: !client.isOwn
      ? `it did not end${stderrOf(client)}`
      : client.status !== 0
      ? `it ended with status ${client.status}${stderrOf(client)}`
      : undefined,
  });
  if (!isShown) return checks;
  const ctrlC = Deno.build.os === "windows" ? 1 : 130;
  if (!originals.includes("server")) {
    checks.push({
      what: `${participants.server.name} serves until Ctrl-C ends it`,
      problem: server.isOwn || server.status !== ctrlC
        ? `it ended with status ${server.status}${server.isOwn ? " before that" : ""}${
          stderrOf(server)
        }`
        : undefined,
    });
  }
  for (const role of [...ROLES].reverse()) {
    const { name } = participants[role];
    const shown = atPort(lab[role].screen, port);
    checks.push({ what: `${name} prints the transcript`, ...difference(screens[role], shown) });
    if (originals.includes(role)) continue;
    const { errors, lastErrors } = exits[role]!;
    const printed = errors.replace(/^note: listening on .*\n/, "") + lastErrors;
    checks.push({
      what: `${name} prints no errors`,
      problem: printed === "" ? undefined : `it printed on stderr:\n${printed}`,
    });
  }
  return checks;
}

/** Returns what a program printed on stderr, as the end of a sentence. */
function stderrOf({ errors, excess }: Exit): string {
  if (excess) return `: ${excess}`;
  return errors === "" ? "" : `; on stderr it printed:\n${errors}`;
}

function whyNotListening(port: number, screen: string, exit: Exit): string {
  const where = port === 0 ? "" : ` on port ${port}`;
  const output = screen === "" ? "" : `; it printed:\n${screen}`;
  return `it does not listen${where}${output}${stderrOf(exit)}`;
}
