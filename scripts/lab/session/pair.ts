/**
 * A lab that runs: both halves as separate programs, typed to and looked at as a
 * user would.
 *
 * @module
 */
import { UserError } from "../../cli.ts";
import { type Lab, type Role, type Script, SCRIPTS } from "../catalog/header.ts";
import { readOriginal } from "../originals/find.ts";
import { freePort, isBound } from "../process/ports.ts";
import { DENO_RUN, isListening, portOf, Program, PYTHON_RUN } from "../process/program.ts";
import { atPort, type Difference, difference, sameScreen, settled } from "./transcript.ts";
import { Wire } from "../trace/relay.ts";

const MOST = 100_000; // characters that a half may print
const LAST_LINES = 0.3; // seconds in which a server prints what no header foretells

/** A program that can take one half of a lab. */
export interface Player {
  /** How reports name it. */
  name: string;
  /** Its port, where it leaves no choice. */
  port?: number;
  /** Whether it tells its port on stderr, as our servers do, and takes port 0. */
  tellsPort: boolean;
  /** Whether its stderr must be empty, and its end be a server's end by Ctrl-C. */
  isStrict: boolean;
  /** The command that starts it. */
  command(port: number): string[];
}

/** The session of one of our scripts, with other permissions or more arguments. */
export function ourPlayer(
  script: Script,
  permissions = "-A",
  more: string[] = [],
): Player {
  return {
    ...studentPlayer(script, SCRIPTS + script.name, permissions, more),
    tellsPort: true,
  };
}

/** A file that takes the place of one of our scripts. */
export function studentPlayer(
  { args }: Script,
  file: string,
  permissions = "-A",
  more: string[] = [],
): Player {
  const others = args.filter((arg) => !arg.startsWith("--port="));
  const run = file.endsWith(".py") ? PYTHON_RUN : [...DENO_RUN, permissions];
  return {
    name: file.split(/[/\\]/).at(-1)!,
    tellsPort: false,
    isStrict: !file.endsWith(".py"),
    command: (port) => [...run, file, ...others, ...more, `--port=${port}`],
  };
}

/**
 * A Python program that takes the place of one of our scripts. It is given the
 * flags of the session that its source knows; where it does not know `--port`,
 * it has a port of its own.
 *
 * @throws {UserError} The port can't be found in its source.
 */
export function pythonPlayer({ args, port }: Script, file: string): Player {
  const original = readOriginal(file, port);
  const others = args.filter((arg) => !arg.startsWith("--port="));
  return {
    name: original.name,
    port: original.port,
    tellsPort: false,
    isStrict: false,
    command: (port) => [...PYTHON_RUN, file, ...original.args(port, others)],
  };
}

/** Something that should be, and if it is not, what is instead. */
export interface Check extends Difference {
  /** What should be. */
  what: string;
}

/** How a lab went. */
export interface Outcome {
  /** What was looked at. */
  checks: Check[];
  /** What stood on the screens in the end. */
  screens: Record<Role, string>;
}

/** How to run a lab. */
export interface Options {
  /** Called with everything that appears on a screen. */
  onScreen?: (role: Role, output: string) => void;
  /** Called with everything that a half prints on stderr. */
  onErrors?: (role: Role, output: string) => void;
  /** Seconds to wait for each step. */
  patience?: number;
  /** The lines that a user types. The headers' sessions count no longer then. */
  keyboard?: AsyncIterable<string>;
  /** Whether to look at the server's end of the connection as well. */
  closes?: boolean;
  /** What stands between the two, if anything is to. */
  wire?: Wire;
}

/**
 * Runs a lab as its two headers show it: starts the server on a free port, then
 * the client, types what is typed, and ends the server with Ctrl-C.
 *
 * @param lab The lab.
 * @param players The programs that take its halves.
 * @param options How to run it.
 * @returns How it went.
 * @throws {UserError} The port of a program is taken.
 */
export async function runPair(
  lab: Lab,
  players: Record<Role, Player>,
  {
    onScreen = () => {},
    onErrors = () => {},
    patience = 10,
    keyboard,
    closes,
    wire,
  }: Options = {},
): Promise<Outcome> {
  const checks: Check[] = [];
  const outcome = { checks, screens: { server: "", client: "" } };
  const begin = (role: Role, port: number) => {
    const program = new Program(
      players[role].command(port),
      (output) => {
        outcome.screens[role] += output;
        onScreen(role, output);
      },
      { env: { NO_COLOR: "1" } },
      (output) => onErrors(role, output),
      MOST,
    );
    return program;
  };

  const { server: serverPlayer, client: clientPlayer } = players;
  for (const { name, port } of [serverPlayer, clientPlayer]) {
    if (port !== undefined && await isBound(port, lab.transport)) {
      throw new UserError(`port ${port}, which ${name} uses, is already in use`);
    }
  }
  using ownWire = closes && lab.transport === "tcp" &&
      serverPlayer.port === undefined
    ? await Wire.open("tcp", { port: clientPlayer.port })
    : undefined;
  const relay = wire ?? ownWire;
  let port = serverPlayer.port ?? (relay ? undefined : clientPlayer.port) ??
    (serverPlayer.tellsPort ? 0 : freePort(lab.transport));

  await using server = begin("server", port);
  const listens = await isListening(server, port, lab.transport, patience);
  checks.push({
    what: `${serverPlayer.name} starts and listens on its port`,
    problem: listens ? undefined : whyNot(server, port),
  });
  if (!listens) return outcome;
  if (port === 0) port = portOf(server)!;
  relay?.connectTo(port);

  const clientPort = relay?.port ?? port;
  await using client = begin("client", clientPort);
  if (keyboard) {
    type(client, keyboard);
    const status = await client.status;
    checks.push({
      what: `${clientPlayer.name} ends with status 0`,
      problem: status === 0 ? undefined : `it ended with status ${status}${said(client)}`,
    });
    await server.ended(LAST_LINES);
    await server.end();
    return outcome;
  }
  let wait = patience;
  for (const { line, before } of prompts(lab.client)) {
    const asks = () => settled(client.screen, before, clientPort);
    if (!await client.until(asks, wait)) wait = 0.1; // it gets the rest at once
    await client.type(line);
  }
  await client.endInput();
  const clientEnded = await client.ended(patience);
  const clientSaid = said(client);
  const clientStatus = await client.end();
  if (ownWire) {
    checks.push({
      what: `${serverPlayer.name} closes the connection`,
      problem: await ownWire.isClosed()
        ? undefined
        : "the connection is still open after the client has ended",
    });
  }
  checks.push({
    what: `${clientPlayer.name} ends with status 0`,
    problem: !clientEnded
      ? `it still ran after ${patience} s${clientSaid}`
      : clientStatus !== 0
      ? `it ended with status ${clientStatus}${clientSaid}`
      : undefined,
  });
  checks.push(...lookAt(lab.client, clientPlayer, client, clientPort));

  await wire?.isQuiet();
  await wire?.isClosed();
  // The server may still be printing; when the client failed it hardly will.
  await server.until(
    () => settled(server.screen, lab.server.screen, port),
    checks.some(({ problem }) => problem) ? Math.min(1, patience) : patience,
  );
  const isOther = wire && !sameScreen(server.screen, lab.server.screen, port);
  const runs = !await server.ended(isOther ? LAST_LINES : 0);
  const serverStatus = await server.end();
  const isRight = serverStatus === (Deno.build.os === "windows" ? 1 : 130);
  checks.push({
    what: `${serverPlayer.name} serves until Ctrl-C ends it`,
    problem: runs && isRight || !serverPlayer.isStrict
      ? undefined
      : `it ended with status ${serverStatus}${runs ? "" : " before that"}${said(server)}`,
  });
  checks.push(...lookAt(lab.server, serverPlayer, server, port));
  return outcome;
}

async function type(client: Program, keyboard: AsyncIterable<string>) {
  for await (const line of keyboard) await client.type(line);
  await client.endInput();
}

/** Compares what a program printed with the session that it should show. */
function lookAt(
  script: Script,
  player: Player,
  program: Program,
  port: number,
): Check[] {
  const { name } = player;
  const shown = atPort(script.screen, port);
  const checks: Check[] = [{
    what: `${name} prints the transcript`,
    ...difference(program.screen, shown),
  }];
  const errors = program.errors.replace(/^note: listening on .*\n/, "");
  if (player.isStrict) {
    checks.push({
      what: `${name} prints no errors`,
      problem: errors === "" ? undefined : `it printed on stderr:\n${errors}`,
    });
  }
  return checks;
}

/** What a program printed on stderr, for the end of a sentence. */
function said({ errors, hasPrintedTooMuch }: Program): string {
  if (hasPrintedTooMuch) return `: it printed without end, more than ${MOST} characters`;
  return errors === "" ? "" : `; on stderr it said:\n${errors}`;
}

/** Says why a server does not listen. */
function whyNot(server: Program, port: number): string {
  const where = port === 0 ? "" : ` on port ${port}`;
  const output = server.screen === "" ? "" : `; it printed:\n${server.screen}`;
  return `it does not listen${where}${output}${said(server)}`;
}

/** What is typed in a session, and what stands on the screen when it is typed. */
function prompts(
  { typed, screen }: Script,
): { line: string; before: string }[] {
  let end = 0;
  return typed.map((line) => {
    end = screen.indexOf(`${line}\n`, end);
    const before = screen.slice(0, end);
    end += line.length + 1;
    return { line, before };
  });
}
