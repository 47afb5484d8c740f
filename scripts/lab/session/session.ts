/**
 * A session: a server and a client run as two programs, a user types to the client, and at the end
 * Ctrl-C ends the server.
 *
 * @module
 */
import { type Role, ROLES } from "../catalog/header.ts";
import { isSoon } from "../process/activity.ts";
import type { Actor, Listening, Participant } from "./participant.ts";

const MAX_LINES = 100; // that are typed
const MAX_DURATION = 60_000; // milliseconds until the client must have ended
const MAX_USER_TIME = 1_000_000; // seconds that a user may take
const START_TIME = 10; // seconds in which a server must listen
const IDLE_TIME = 10; // seconds after which a client that waits is ended
const MAX_WORK = 10; // seconds of processor time that the programs may use without a sign
const PROMPT_TIME = 1.5; // seconds without a prompt, after which a line is typed nevertheless
const ASK_TIME = 0.3; // the same for a client that is seen to wait for a line
const LAST_LINES_TIME = 1; // seconds that a server may take to print its last lines
const UNKNOWN_LINES_TIME = 0.3; // the same if its last lines are not known
const MAX_LAST_WORK = 1; // seconds of processor time that it may use meanwhile
const QUIET_TIME = 0.1; // seconds after which a program that waits will print nothing more

/** What a user types. */
export interface Typing {
  /** Returns the next line, or undefined after the last one. `count` lines have been typed. */
  next(screen: string, count: number): string | undefined;
  /**
   * Returns whether the client, which connects to `port`, asks for the next line. By default a client
   * asks when it waits for input, if that is seen, or when it has printed the beginning of a line.
   */
  isDue?(screen: string, count: number, port: number): boolean;
}

/** A relay between client and server, which passes on their data. */
export interface Relay extends Disposable {
  /** The port to which the client connects. */
  readonly port: number;
  /** Waits until everything has been passed on. */
  isQuiet(): Promise<void>;
  /** Waits a moment until a side has closed all connections. */
  isClosed(role: Role): Promise<boolean>;
  /** Returns whether the server has closed all connections. */
  hasEnded(): boolean;
}

/** How to run a session. */
export interface SessionOptions {
  /** What is typed, or a live keyboard, which may take its time. */
  typing?: Typing | AsyncIterable<string>;
  /** Returns whether the server, which listens on `port`, has printed all that it will. */
  isComplete?(screen: string, port: number): boolean;
  /** Seconds after which a client that does nothing is ended; the default is 10. */
  idleTime?: number;
  /** Seconds of processor time after which a client that shows nothing is ended; the default is 10. */
  maxWork?: number;
  /** Opens a relay that the client connects to. */
  openRelay?(server: Listening): Promise<Relay>;
  /** Called with everything that appears on a screen. */
  onScreen?(role: Role, output: string): void;
  /** Called with everything that a program prints on stderr. */
  onErrors?(role: Role, output: string): void;
}

/** How a program ended. */
export interface Exit {
  /** Whether it ended by itself. Otherwise Ctrl-C ended it. */
  isOwn: boolean;
  /** Its exit status. */
  status: number;
  /** What it printed on stderr before Ctrl-C. */
  errors: string;
  /** What it printed on stderr after Ctrl-C. */
  lastErrors: string;
  /** The limit that it exceeded, in words, if it was ended for that. */
  excess?: string;
}

/** What happened in a session. */
export interface SessionResult {
  /** The port of the server, as it names it; 0 if it did not listen. */
  port: number;
  /** What was on the screens at the end: what was printed and what was typed. */
  screens: Record<Role, string>;
  /** How the programs ended. `client` is missing if the server did not listen. */
  exits: { server: Exit; client?: Exit };
}

/**
 * Runs a server and a client: starts the server, and when it listens the client, types to the client
 * and ends its input, waits for the client's end and the server's last lines, and ends the server.
 *
 * @param participants The programs.
 * @param options How to run them.
 * @returns What happened.
 * @throws {UserError} The port of a program is in use.
 */
export async function runSession(
  participants: Record<Role, Participant>,
  options: SessionOptions = {},
): Promise<SessionResult> {
  const { typing, isComplete, idleTime = IDLE_TIME, openRelay } = options;
  const output = (role: Role) => ({
    onScreen: (output: string) => options.onScreen?.(role, output),
    onErrors: (output: string) => options.onErrors?.(role, output),
  });
  const [wanted] = ROLES.map((role) => participants[role].port).filter((port) =>
    port !== undefined
  );
  const address = wanted === undefined ? undefined : { named: wanted, actual: wanted };
  await using server = await participants.server.start("server", address, output("server"));
  const listening = await server.listening(START_TIME, Date.now() + MAX_DURATION);
  if (!listening) {
    const exits = { server: await endActor(server) };
    const screens = { server: server.program.screen, client: "" };
    return { port: wanted ?? 0, screens, exits };
  }
  using relay = await openRelay?.(listening);
  const { named, actual } = listening;
  const toServer = { named, actual: relay?.port ?? actual };
  await using client = await participants.client.start("client", toServer, output("client"));

  const end = Date.now() + MAX_DURATION;
  if (typing && Symbol.asyncIterator in typing) {
    typeLive(client, typing); // not awaited: the client may end before the user does
    await client.program.until(() => isLost(client), MAX_USER_TIME);
  } else {
    if (typing) await typeLines(client, server, typing, named, idleTime, end);
    await client.program.endInput();
    await waitForEnd(client, server, { idleTime, ...options }, end);
  }
  const clientExit = await endActor(client);

  await relay?.isQuiet();
  await relay?.isClosed("client");
  if (clientExit.isOwn && !clientExit.excess) {
    const isDone = (screen: string) => isComplete?.(screen, named) && (relay?.hasEnded() ?? true);
    await waitForLastLines(server, isDone);
  }
  await relay?.isQuiet();
  const exits = { server: await endActor(server), client: clientExit };
  const screens = { server: server.program.screen, client: client.program.screen };
  return { port: named, screens, exits };
}

/** Types what a user types at a keyboard. */
async function typeLive(client: Actor, keyboard: AsyncIterable<string>) {
  for await (const line of keyboard) await client.type(line);
  await client.program.endInput();
}

/** Types each line when the client asks for it, or when it waits without a prompt. */
async function typeLines(
  client: Actor,
  server: Actor,
  { next, isDue }: Typing,
  port: number,
  idleTime: number,
  end: number,
) {
  const { program } = client;
  const programs = [program, server.program];
  let seen = -1; // characters on the screen when the last line was typed
  for (let count = 0; count < MAX_LINES && Date.now() < end; count++) {
    if (next(program.screen, count) === undefined) return;
    const hasPrompt = () => program.screen.length > seen && /[^\n]$/.test(program.screen);
    if (isDue) {
      await isSoon(() => isDue(program.screen, count, port), PROMPT_TIME, programs, end);
    } else if (!client.asks) {
      await isSoon(hasPrompt, PROMPT_TIME, programs, end);
      await waitForQuiet(client, end); // what looks like a prompt may be the beginning of a line
    } else {
      const asks = () => client.asks!(count);
      if (!await isSoon(() => asks() && hasPrompt(), ASK_TIME, programs, end)) {
        if (!await isSoon(asks, idleTime, programs, end)) return;
        await waitForQuiet(client, end); // it can be seen to ask before its output has arrived
      }
    }
    const line = next(program.screen, count);
    if (line === undefined || await program.ended(0)) return;
    await client.type(line);
    seen = program.screen.length;
  }
}

/** Waits until the client has ended, or neither program has done anything for some seconds. */
async function waitForEnd(
  client: Actor,
  server: Actor,
  { idleTime, maxWork = MAX_WORK }: { idleTime: number; maxWork?: number },
  end: number,
) {
  const programs = [client.program, server.program];
  const progress = () => client.progress() + server.progress();
  for (let before = NaN; progress() !== before && Date.now() < end;) {
    before = progress();
    await isSoon(() => progress() !== before || isLost(client), idleTime, programs, end, maxWork);
    if (await client.program.ended(0)) return;
    if (isLost(client)) return await waitForQuiet(client, end);
  }
}

const isLost = (client: Actor) => client.isLost?.() ?? false;

/** Waits until the server has printed its last lines; `isComplete` returns undefined if they are not known. */
async function waitForLastLines(
  server: Actor,
  isComplete: (screen: string) => boolean | undefined,
) {
  const { program } = server;
  const limit = Date.now() + MAX_DURATION;
  const isKnown = isComplete(program.screen) !== undefined;
  const seconds = isKnown ? LAST_LINES_TIME : UNKNOWN_LINES_TIME;
  const isDone = () => isComplete(program.screen) ?? false;
  await isSoon(isDone, seconds, [program], limit, MAX_LAST_WORK);
  await waitForQuiet(server, limit, MAX_LAST_WORK);
}

/** Waits until a program does nothing more and waits, or ends. */
async function waitForQuiet(actor: Actor, end: number, maxWork?: number) {
  for (let before = NaN; actor.progress() !== before && Date.now() < end;) {
    before = actor.progress();
    await isSoon(() => actor.progress() !== before, QUIET_TIME, [actor.program], end, maxWork);
  }
}

/** Ends a program with Ctrl-C if it has not ended by itself. */
async function endActor(actor: Actor): Promise<Exit> {
  const { program } = actor;
  const isOwn = await program.ended(0);
  const { errors } = program;
  const status = await actor.end();
  const lastErrors = program.errors.slice(errors.length);
  return { isOwn, status, errors, lastErrors, excess: program.excess };
}
