/**
 * A session: a server and a client run as two programs, a user types to the client, and at the end
 * Ctrl-C ends the server.
 *
 * @module
 */
import { UserError } from "../../cli.ts";
import { type Role, ROLES } from "../catalog/header.ts";
import { isSoon } from "../process/activity.ts";
import { freePort, isBound } from "../process/ports.ts";
import { isListening, portOf, Program } from "../process/program.ts";

/** The characters that a program may print. */
export const MAX_OUTPUT = 100_000;
const MAX_LINES = 100; // that are typed
const MAX_DURATION = 60_000; // milliseconds until the client must have ended
const START_TIME = 10; // seconds in which a server must listen
const PROMPT_TIME = 1.5; // seconds without a prompt, after which a line is typed nevertheless
const LAST_LINES_TIME = 1; // seconds that a server may take to print its last lines
const MAX_LAST_WORK = 1; // seconds of processor time that it may use meanwhile
const QUIET_TIME = 0.1; // seconds after which a program that waits will print nothing more

/** A program that takes a role. */
export interface Participant {
  /** Its name in reports. */
  name: string;
  /** Its port, if it cannot be chosen. */
  port?: number;
  /** Whether it accepts port 0 and reports its port on stderr, as our servers do. */
  reportsPort: boolean;
  /** Returns the command that starts it. */
  command(port: number): string[];
  /** Environment variables in addition to those of this process. */
  env?: Record<string, string>;
  /** Called when it has been started. */
  onStart?(program: Program): void;
}

/** What a user types. */
export interface Typing {
  /** Returns the next line, or undefined if there is none. `count` lines have been typed. */
  next(screen: string, count: number): string | undefined;
  /**
   * Returns whether the client, which connects to `port`, asks for the next line. By default a client
   * asks when it has printed the beginning of a line and waits.
   */
  isDue?(screen: string, count: number, port: number): boolean;
  /** Whether a line is typed only if it is due. By default it is also typed if the client waits. */
  isOnlyWhenDue?: boolean;
}

/** Something between client and server that passes on what they send. */
export interface Relay {
  /** The port to which the client connects. */
  port: number;
  /** Says where the server listens. */
  connectTo(port: number): void;
  /** Waits until everything has been passed on. */
  isQuiet(): Promise<void>;
  /** Waits a moment until the server has closed all connections. */
  isClosed(): Promise<boolean>;
}

/** How to run a session. */
export interface SessionOptions {
  /** What is typed, or a live keyboard, which may take its time. */
  typing?: Typing | AsyncIterable<string>;
  /** Returns whether the server, which listens on `port`, has printed all that it will. */
  isComplete?(screen: string, port: number): boolean;
  /** Seconds after which a client that prints nothing and does not work is ended; the default is 10. */
  idleTime?: number;
  /** A relay that the client connects to. */
  relay?: Relay;
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
  /** Whether it was ended because it printed more than the limit. */
  hasPrintedTooMuch: boolean;
}

/** What happened in a session. */
export interface SessionResult {
  /** The port of the server. */
  port: number;
  /** The port to which the client connected: the server's or the relay's. */
  clientPort: number;
  /** What was on the screens at the end: what was printed and what was typed. */
  screens: Record<Role, string>;
  /** How the programs ended. There is no client if the server did not listen. */
  exits: { server: Exit; client?: Exit };
}

/**
 * Runs a server and a client: starts the server, and when it listens the client, types to the client
 * and ends its input, waits for the client's end and the server's last lines, and ends the server.
 *
 * @param transport What they speak.
 * @param participants The programs.
 * @param options How to run them.
 * @returns What happened.
 * @throws {UserError} The port of a program is in use.
 */
export async function runSession(
  transport: "tcp" | "udp",
  participants: Record<Role, Participant>,
  options: SessionOptions = {},
): Promise<SessionResult> {
  const { typing, isComplete, idleTime = 10, relay } = options;
  for (const role of ROLES) {
    const { name, port } = participants[role];
    if (port !== undefined && await isBound(port, transport)) {
      throw new UserError(`port ${port}, which ${name} uses, is already in use`);
    }
  }
  const fixedPort = participants.server.port ?? (relay ? undefined : participants.client.port);
  let port = fixedPort ?? (participants.server.reportsPort ? 0 : freePort(transport));
  const screens = { server: "", client: "" };

  await using server = start("server", participants.server, port, screens, options);
  if (!await isListening(server, port, transport, START_TIME, Date.now() + MAX_DURATION)) {
    return { port, clientPort: port, screens, exits: { server: await endProgram(server) } };
  }
  if (participants.server.reportsPort) port = portOf(server) ?? port;
  relay?.connectTo(port);
  const clientPort = relay?.port ?? port;

  await using client = start("client", participants.client, clientPort, screens, options);
  const end = Date.now() + MAX_DURATION;
  if (typing && Symbol.asyncIterator in typing) {
    typeLive(client, typing); // not awaited: the client may end before the user does
    await client.status;
  } else {
    if (typing) await typeLines(client, server, typing, clientPort, end);
    await client.endInput();
    await waitForEnd(client, server, idleTime, end);
  }
  const clientExit = await endProgram(client);

  await relay?.isQuiet();
  await relay?.isClosed();
  const limit = Date.now() + MAX_DURATION;
  if (isComplete) {
    await isSoon(
      () => isComplete(server.screen, port),
      LAST_LINES_TIME,
      [server],
      limit,
      MAX_LAST_WORK,
    );
  }
  await waitForQuiet(server, limit, MAX_LAST_WORK);
  const serverExit = await endProgram(server);
  return { port, clientPort, screens, exits: { server: serverExit, client: clientExit } };
}

function start(
  role: Role,
  participant: Participant,
  port: number,
  screens: Record<Role, string>,
  { onScreen, onErrors }: SessionOptions,
): Program {
  const program = new Program(
    participant.command(port),
    (output) => {
      screens[role] += output;
      onScreen?.(role, output);
    },
    { env: { NO_COLOR: "1", PYTHONIOENCODING: "utf-8", ...participant.env } },
    (output) => onErrors?.(role, output),
    MAX_OUTPUT,
  );
  participant.onStart?.(program);
  return program;
}

/** Types what a user types at a keyboard. */
async function typeLive(client: Program, keyboard: AsyncIterable<string>) {
  for await (const line of keyboard) await client.type(line);
  await client.endInput();
}

/** Types each line when the client asks for it, or when it waits without a prompt. */
async function typeLines(
  client: Program,
  server: Program,
  { next, isDue, isOnlyWhenDue }: Typing,
  port: number,
  end: number,
) {
  let seen = -1; // characters on the screen when the last line was typed
  const asks = () => client.screen.length > seen && /[^\n]$/.test(client.screen);
  for (let count = 0; count < MAX_LINES && Date.now() < end; count++) {
    if (next(client.screen, count) === undefined) return;
    const isReady = isDue ? () => isDue(client.screen, count, port) : asks;
    const hasAsked = await isSoon(isReady, PROMPT_TIME, [client, server], end);
    if (isOnlyWhenDue && !hasAsked) return;
    // What looks like a prompt may be the beginning of a line. A trace can be read before the screen.
    if (!isDue || isOnlyWhenDue) await waitForQuiet(client, end);
    const line = next(client.screen, count);
    if (line === undefined || await client.ended(0)) return;
    await client.type(line);
    seen = client.screen.length;
  }
}

/** Waits until the client has ended, or has not printed or worked for some seconds. */
async function waitForEnd(client: Program, server: Program, idleTime: number, end: number) {
  const printed = () => client.screen.length + client.errors.length + server.screen.length;
  for (let before = NaN; printed() !== before && Date.now() < end;) {
    before = printed();
    await isSoon(() => printed() !== before, idleTime, [client, server], end);
    if (await client.ended(0)) return;
  }
}

/** Waits until a program prints nothing more and waits, or ends. */
async function waitForQuiet(program: Program, end: number, maxWork?: number) {
  for (let before = NaN; program.screen.length !== before && Date.now() < end;) {
    before = program.screen.length;
    await isSoon(() => program.screen.length !== before, QUIET_TIME, [program], end, maxWork);
  }
}

/** Ends a program with Ctrl-C if it has not ended by itself. */
async function endProgram(program: Program): Promise<Exit> {
  const isOwn = await program.ended(0);
  const { errors } = program;
  const status = await program.end();
  const lastErrors = program.errors.slice(errors.length);
  return { isOwn, status, errors, lastErrors, hasPrintedTooMuch: program.hasPrintedTooMuch };
}
