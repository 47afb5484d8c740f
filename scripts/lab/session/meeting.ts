/**
 * Two programs that meet: a server and a client that nobody has seen before. They are
 * started, typed to, and looked at; what they print is nobody's to judge here.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import type { Role } from "../catalog/header.ts";
import { note } from "../terminal/output.ts";
import { freePort } from "../process/ports.ts";
import { isListening, portOf, Program } from "../process/program.ts";
import { isSoon } from "../process/activity.ts";

/** A program that takes one half. */
export interface Guest {
  /** How reports name it. */
  name: string;
  /** Its name with its flags. */
  title?: string;
  /** Its port, where it leaves no choice. */
  port?: number;
  /** Whether it tells its port on stderr, as our servers do, and takes port 0. */
  tellsPort: boolean;
  /** The lines that are typed to it: the next one, by what stands on its screen. */
  types: (screen: string, count: number) => string | undefined;
  /** The command that starts it. */
  command(port: number): string[];
}

/** How one of them ended. */
export interface Ending {
  /** Its exit status; `null` where it still ran and was ended. */
  status: number | null;
  /** What it printed on stderr. */
  errors: string;
}

/** What became of a meeting. */
export interface Meeting {
  /** The port at which they met. */
  port: number;
  /** Whether the server listened. */
  listened: boolean;
  /** What stood on the screens. */
  screens: Record<Role, string>;
  /** How they ended. A server that ran until Ctrl-C has the status `null`. */
  endings: Record<Role, Ending>;
}

const PATIENCE = 3; // seconds without a word, after which nothing more is waited for
const LAST_WORDS = 0.5; // seconds that a server may take to say what it has to say
const LONGEST = 60_000; // milliseconds that a client may take
const MOST = 100_000; // characters that a program may print

/**
 * Lets a server and a client meet. While the system still holds the port of a server that
 * does not set SO_REUSEADDR, for a minute (TIME-WAIT, RFC 9293), it tries again.
 *
 * @param transport What they meet over.
 * @param guests The programs.
 * @param isComplete Tells by the server's screen and port that it has said everything.
 * @returns What became of it.
 */
export async function meet(
  transport: "tcp" | "udp",
  guests: Record<Role, Guest>,
  isComplete: (screen: string, port: number) => boolean = () => false,
): Promise<Meeting> {
  const port = guests.server.port ?? guests.client.port;
  for (let seconds = 0;; seconds += 5) {
    const meeting = await meetOnce(transport, guests, isComplete, port);
    const { errors } = meeting.endings.server;
    const isHeld = !meeting.listened && /already in use|10048/i.test(errors);
    if (!isHeld || port === undefined || seconds > 60) return meeting;
    if (seconds === 0) note(`waiting until the system frees port ${port}`);
    await delay(5000);
  }
}

async function meetOnce(
  transport: "tcp" | "udp",
  guests: Record<Role, Guest>,
  isComplete: (screen: string, port: number) => boolean,
  given?: number,
): Promise<Meeting> {
  const start = (role: Role, port: number) =>
    new Program(
      guests[role].command(port),
      undefined,
      { env: { NO_COLOR: "1", PYTHONIOENCODING: "utf-8" } },
      undefined,
      MOST,
    );
  let port = given ?? (guests.server.tellsPort ? 0 : freePort(transport));
  await using server = start("server", port);
  const listened = await isListening(server, port, transport, 10);
  if (!listened) {
    const status = await server.end();
    return {
      port,
      listened,
      screens: { server: server.screen, client: "" },
      endings: {
        server: { status, errors: server.errors },
        client: { status: null, errors: "" },
      },
    };
  }
  port = portOf(server) ?? port;
  await using client = start("client", port);
  await type(client, server, guests.client);
  const clientEnding = await watch(client, server, PATIENCE);
  const hasSaidAll = await server.until(() => isComplete(server.screen, port), LAST_WORDS);
  const serverEnding = await watch(server, server, hasSaidAll ? 0.02 : 0.1);
  return {
    port,
    listened,
    screens: { server: server.screen, client: client.screen },
    endings: { server: serverEnding, client: clientEnding },
  };
}

/** Types what there is to type, each line when the program asks for it or says nothing more. */
async function type(program: Program, server: Program, { types }: Guest) {
  let seen = -1;
  const asks = () => program.screen.length > seen && /[^\n]$/.test(program.screen);
  for (let count = 0; types(program.screen, count) !== undefined; count++) {
    await isSoon(asks, 1.5, [program, server]);
    // What looks like a question may be the beginning of a line.
    for (let length = NaN; length !== program.screen.length;) {
      length = program.screen.length;
      await program.until(() => program.screen.length !== length, 0.1);
    }
    const line = types(program.screen, count);
    if (line === undefined || await program.ended(0)) break;
    await program.type(line);
    seen = program.screen.length;
  }
  await program.endInput();
}

/** Waits until a program ends, or neither of two has said anything for some seconds. */
async function watch(program: Program, other: Program, seconds: number): Promise<Ending> {
  const end = Date.now() + LONGEST;
  const said = () => program.screen.length + program.errors.length + other.screen.length;
  while (Date.now() < end) {
    const before = said();
    if (program === other) await program.until(() => said() !== before, seconds);
    else await isSoon(() => said() !== before, seconds, [program, other]);
    if (await program.ended(0)) {
      const errors = program.hasPrintedTooMuch
        ? `it printed without end, more than ${MOST} characters`
        : program.errors;
      return { status: await program.status, errors };
    }
    if (said() === before) break;
  }
  const { errors } = program; // without what it says about being ended
  await program.end();
  return { status: null, errors };
}
