/**
 * The programs of a session: how they are started, and what can be seen of them. Here is a program that is started by a
 * command; `../trace/traced_participant.ts` has one that runs under a tracer, which shows more.
 *
 * @module
 */
import type { Role } from "../catalog/header.ts";
import { freePort, isBound } from "../process/ports.ts";
import { isListening, portOf, Program } from "../process/program.ts";
import { UserError } from "../../cli.ts";

/** A port. Under a tracer, a program may use another one than it names. */
export interface Address {
  /** The port that the program names and prints. */
  named: number;
  /** The port that it uses. */
  actual: number;
}

/** Where a server listens. */
export interface Listening extends Address {
  /** What it speaks. */
  transport: "tcp" | "udp";
  /** The address of this machine that it has, if that is known. */
  host?: string;
}

/** Where the output of a program goes. */
export interface Output {
  /** Called with everything that appears on the screen. */
  onScreen?(output: string): void;
  /** Called with everything that it prints on stderr. */
  onErrors?(output: string): void;
}

/** A program that takes a role. */
export interface Participant {
  /** Its name in reports. */
  readonly name: string;
  /** Its port, if it cannot be chosen. */
  readonly port?: number;
  /**
   * Starts it.
   *
   * @param role What it is.
   * @param address Where the server of a client listens, or where a server must listen, if that is not free to choose.
   * @param output Where its output goes.
   * @throws {UserError} Its port is in use.
   */
  start(role: Role, address: Address | undefined, output: Output): Promise<Actor>;
}

/** A participant that runs. */
export interface Actor extends AsyncDisposable {
  /** The program. */
  readonly program: Program;
  /**
   * Waits until it listens.
   *
   * @param seconds How long to wait while it does not work.
   * @param end When to give up in any case, as `Date.now()` counts.
   * @returns Where it listens; undefined if it ends or waits for something else.
   */
  listening(seconds: number, end: number): Promise<Listening | undefined>;
  /** Returns whether it waits for its next line of input, after `count` lines. Missing if that can't be seen. */
  asks?(count: number): boolean;
  /** Returns whether it tried to reach another port than the server's. Missing if that can't be seen. */
  isLost?(): boolean;
  /** Returns a number that grows with everything that it is seen to do. */
  progress(): number;
  /** Types a line. */
  type(line: string): Promise<void>;
  /** Ends it with Ctrl-C, if it still runs. Returns its exit status when nothing more can be seen of it. */
  end(): Promise<number>;
}

/** The characters that a program may print. */
export const MAX_OUTPUT = 100_000;

/** The environment of the programs of a session, so that they print the same everywhere. */
export const ENVIRONMENT = { NO_COLOR: "1", PYTHONIOENCODING: "utf-8" };

/** How to start a program by a command. */
export interface CommandOptions {
  /** What it speaks. */
  transport: "tcp" | "udp";
  /** Its port, if it cannot be chosen. */
  port?: number;
  /** Whether it accepts port 0 and reports its port on stderr, as our servers do. */
  reportsPort?: boolean;
}

/**
 * Returns a participant that is started by a command.
 *
 * @param name Its name in reports.
 * @param command Returns the command that starts it at a port.
 */
export function commandParticipant(
  name: string,
  command: (port: number) => string[],
  { transport, port: ownPort, reportsPort = false }: CommandOptions,
): Participant {
  return {
    name,
    port: ownPort,
    async start(role, address, { onScreen, onErrors }) {
      const chosen = ownPort ?? address?.actual;
      const port = chosen ?? (reportsPort ? 0 : freePort(transport));
      if (role === "server" && chosen !== undefined && await isBound(port, transport)) {
        throw new UserError(`port ${port}, which ${name} uses, is already in use`);
      }
      const options = { env: ENVIRONMENT };
      const program = new Program(command(port), onScreen, options, onErrors, MAX_OUTPUT);
      return {
        program,
        async listening(seconds, end) {
          if (!await isListening(program, port, transport, seconds, end)) return;
          const actual = reportsPort ? portOf(program) ?? port : port;
          return { transport, named: actual, actual };
        },
        progress: () => program.screen.length + program.errors.length,
        type: (line) => program.type(line),
        end: () => program.end(),
        [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
      };
    },
  };
}
