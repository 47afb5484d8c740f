#!/usr/bin/env -S deno run -A
/**
 * Works with the labs: runs a lab's server and client in one terminal, their
 * transcripts side by side in the order of events.
 *
 * ```sh
 * deno task lab run          # all labs in turn
 * deno task lab run echo_udp # one lab
 * ```
 *
 * A lab is a pair of scripts, `NAME_server*.ts` and `NAME_client*.ts`. Each of
 * them shows its session in a console block at its head; running a lab runs
 * these two sessions, and fails when they come out otherwise.
 *
 * It needs `--allow-run` to start the scripts and `--allow-read` to find them.
 *
 * @module
 */
import { deadline } from "@std/async/deadline";
import { Failure, run, UsageError, write } from "./lib.ts";

/** A terminal session, as the console block in a script's header shows it. */
export interface Session {
  /** The script's file name. */
  script: string;
  /** The arguments on the command line. */
  args: string[];
  /** The lines that the user types. */
  typed: string[];
  /** What then stands on the screen: what the script prints and what is typed. */
  screen: string;
}

/**
 * Reads the session from a script's header. Its first line is the command; what
 * the user types follows there in a comment, each line with the sign of the
 * Enter key behind it: `# and type 50⏎ 25⏎`. A space at the end of a line, which
 * editors take away, is written as `␣`.
 *
 * @param script The script's file name.
 * @param source The script's text.
 * @returns The first session of the header.
 * @throws {Failure} The header shows no session.
 */
export function readSession(script: string, source: string): Session {
  const header = source.match(/\/\*\*\n([^]*?)\*\//)?.[1] ?? "";
  const block = header.replace(/^ \* ?/gm, "").match(
    /^```console\n\$ (.*)\n([^]*?)^```/m,
  );
  if (!block) throw new Failure(`${script} shows no session in its header`);
  const [command, comment = ""] = block[1].split(" # and type ");
  const words = command.match(/[^\s']*'[^']*'|\S+/g) ?? [];
  return {
    script,
    args: words.slice(words.findIndex((word) => word.endsWith(script)) + 1)
      .map((word) => word.replaceAll("'", "")),
    typed: comment.split("⏎").slice(0, -1).map((line) => line.trimStart()),
    screen: block[2].replaceAll("␣\n", " \n"),
  };
}

/** A lab: a server, its client, and the session that each of them shows. */
export interface Lab {
  /** The scripts' common name, without `_server` and `_client`. */
  name: string;
  server: Session;
  client: Session;
}

/** Finds the labs among the scripts of this folder, in the order of their names. */
export function findLabs(): Lab[] {
  const read = (script: string) =>
    readSession(
      script,
      Deno.readTextFileSync(`${import.meta.dirname}/${script}`),
    );
  return [...Deno.readDirSync(import.meta.dirname!)]
    .map(({ name }) => name)
    .filter((name) => /_server\w*\.ts$/.test(name))
    .sort()
    .map((server) => ({
      name: labName(server),
      server: read(server),
      client: read(server.replace("_server", "_client")),
    }));
}

/** `echo_server_udp.ts`, `echo_client_udp` and `echo_udp` all name the lab `echo_udp`. */
function labName(name: string): string {
  return name.replace(/\.ts$/, "").replace(/_(server|client)/, "");
}

const PATIENCE = 3000; // milliseconds that a program may take to end when told to

/** A program that runs: what it prints, and its keyboard. */
export class Program {
  /** What stands on its screen: its stdout, and what was typed. */
  screen = "";
  /** What it printed on stderr. */
  errors = "";
  /** Its exit status. */
  readonly status: Promise<number>;
  #child: Deno.ChildProcess;
  #keyboard?: WritableStreamDefaultWriter<Uint8Array>;
  #hasEnded = false;
  #change = Promise.withResolvers<void>();

  /**
   * Starts a program.
   *
   * @param command The program and its arguments.
   * @param onScreen Called with everything that appears on its screen.
   * @param options Options of `Deno.Command`.
   */
  constructor(
    command: string[],
    readonly onScreen: (output: string) => void = () => {},
    options: Deno.CommandOptions = {},
  ) {
    this.#child = new Deno.Command(command[0], {
      args: command.slice(1),
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      ...options,
    }).spawn();
    this.#keyboard = this.#child.stdin.getWriter();
    this.status = this.#follow();
  }

  async #follow(): Promise<number> {
    await Promise.all([
      this.#read(this.#child.stdout, (output) => this.#show(output)),
      this.#read(this.#child.stderr, (output) => this.errors += output),
    ]);
    const { code } = await this.#child.status;
    this.#hasEnded = true;
    this.#changed();
    return code;
  }

  async #read(
    stream: ReadableStream<Uint8Array<ArrayBuffer>>,
    use: (output: string) => void,
  ) {
    for await (const output of stream.pipeThrough(new TextDecoderStream())) {
      use(output);
      this.#changed();
    }
  }

  #show(output: string) {
    this.screen += output;
    this.onScreen(output);
  }

  #changed() {
    this.#change.resolve();
    this.#change = Promise.withResolvers<void>();
  }

  /**
   * Waits until something is the case, and looks again whenever the program
   * prints or ends.
   *
   * @param condition What to wait for.
   * @param seconds How long at most.
   * @returns Whether it is the case; not when time ran out or the program ended.
   */
  async until(condition: () => boolean, seconds = 10): Promise<boolean> {
    const end = Date.now() + seconds * 1000;
    while (!condition()) {
      if (this.#hasEnded || Date.now() > end) return false;
      await deadline(this.#change.promise, end - Date.now()).catch(() => {});
    }
    return true;
  }

  /** Waits until it has ended by itself, some seconds at most. */
  async ended(seconds = 10): Promise<boolean> {
    await this.until(() => false, seconds);
    return this.#hasEnded;
  }

  /** Types a line; it shows on the screen, as on a terminal. */
  async type(line: string) {
    this.#show(`${line}\n`);
    await this.send(new TextEncoder().encode(`${line}\n`));
  }

  /** Puts bytes into its input, which do not show. */
  async send(data: Uint8Array) {
    await this.#keyboard?.write(data).catch(() => {}); // it may have ended first
  }

  /** Ends its keyboard input, as Ctrl-D does. */
  async endInput() {
    await this.#keyboard?.close().catch(() => {}); // the program may have ended first
    this.#keyboard = undefined;
  }

  /** Ends the program at once when its scope is left. */
  async [Symbol.asyncDispose]() {
    await this.end("SIGKILL");
  }

  /** Sends a signal, and waits for the program's end: its exit status. */
  async end(signal: Deno.Signal = "SIGINT"): Promise<number> {
    this.#kill(signal);
    await deadline(this.status, PATIENCE).catch(() => this.#kill("SIGKILL"));
    await this.endInput();
    return await this.status;
  }

  #kill(signal: Deno.Signal) {
    try {
      if (!this.#hasEnded) this.#child.kill(signal);
    } catch { /* it has just ended */ }
  }
}

/** Runs a script; what Deno itself says, for instance of downloads, stays unsaid. */
export const DENO_RUN = [Deno.execPath(), "run", "--quiet"];

/** Who of the two halves of a lab. */
export type Half = "server" | "client";

/**
 * Runs a lab as its two headers show it: starts the server on a free port, then
 * the client, types what is typed, and ends the server with Ctrl-C.
 *
 * @param lab The lab.
 * @param permissions What the scripts are allowed, for instance `--allow-net`.
 * @param onScreen Called with everything that appears on a half's screen.
 * @returns What came out otherwise than shown; nothing when all is well.
 */
export async function runLab(
  lab: Lab,
  permissions: string,
  onScreen: (half: Half, output: string) => void = () => {},
): Promise<string[]> {
  const start = (half: Half, port: number) =>
    new Program(
      commandOf(lab[half], permissions, port),
      (output) => onScreen(half, output),
    );
  const problems: string[] = [];
  const check = (
    half: Half,
    program: Program,
    port: number,
    status: number,
    expected: number,
  ) => {
    const { script, screen } = lab[half];
    if (status !== expected) {
      problems.push(`${script} ended with status ${status}, not ${expected}`);
    }
    const errors = program.errors.replace(/^note: listening on .*\n/, "");
    if (errors !== "") problems.push(`${script} printed on stderr:\n${errors}`);
    if (!sameScreen(program.screen, screen, port)) {
      problems.push(
        `${script} printed:\n${program.screen}but its header shows:\n${screen}`,
      );
    }
  };

  await using server = start("server", 0);
  await server.until(() => portOf(server) !== undefined);
  const port = portOf(server);
  if (port === undefined) {
    return [`${lab.server.script} did not start:\n${server.errors}`];
  }
  await using client = start("client", port);
  for (const { line, before } of prompts(lab.client)) {
    await client.until(() => settled(client.screen, before, port));
    if (!sameScreen(client.screen, before, port)) break;
    await client.type(line);
  }
  await client.endInput();
  await client.ended();
  check("client", client, port, await client.end(), 0);

  const patience = problems.length > 0 ? 1 : 10;
  await server.until(
    () => settled(server.screen, lab.server.screen, port),
    patience,
  );
  const interrupted = Deno.build.os === "windows" ? 1 : 130;
  check("server", server, port, await server.end(), interrupted);
  return problems;
}

/** The command of a session, with another port. */
function commandOf(
  { script, args }: Session,
  permissions: string,
  port: number,
): string[] {
  const others = args.filter((arg) => !arg.startsWith("--port="));
  return [
    ...DENO_RUN,
    permissions,
    `${import.meta.dirname}/${script}`,
    ...others,
    `--port=${port}`,
  ];
}

/** The port that a server says it listens on. */
export function portOf(server: Program): number | undefined {
  const [, port] =
    server.errors.match(/^note: listening on \S+ port (\d+)\n/m) ?? [];
  return port === undefined ? undefined : Number(port);
}

/** What is typed in a session, and what stands on the screen when it is typed. */
function prompts(
  { typed, screen }: Session,
): { line: string; before: string }[] {
  let end = 0;
  return typed.map((line) => {
    end = screen.indexOf(`${line}\n`, end);
    const before = screen.slice(0, end);
    end += line.length + 1;
    return { line, before };
  });
}

/**
 * Compares a screen with the one that a header shows. Only the port that the
 * server listens on and the ports of clients may differ; the same client must
 * have the same port everywhere.
 */
export function sameScreen(
  actual: string,
  shown: string,
  port: number,
): boolean {
  return comparable(actual) === comparable(shown, port);
}

/** Whether a growing screen has become the one shown, or never will. */
function settled(actual: string, shown: string, port: number): boolean {
  // An address in the last line may still be incomplete.
  const sure = actual.replace(/.*\('[^\n]*$/, "");
  return sameScreen(actual, shown, port) ||
    !comparable(shown, port).startsWith(comparable(sure));
}

function comparable(screen: string, port?: number): string {
  const clients: string[] = [];
  return (port ? screen.replace(/\bport \d+/g, `port ${port}`) : screen)
    .replace(/\('([^']+)', (\d+)\)/g, (_, host, client) => {
      if (!clients.includes(client)) clients.push(client);
      return `('${host}', client ${clients.indexOf(client)})`;
    });
}

const SEPARATOR = " │ ";

/** Prints two texts next to each other in two columns, wrapped to their widths. */
function printRow(left: string, right: string, widths: [number, number]) {
  const rest = [[...left], [...right]];
  do {
    const [start, end] = rest.map((chars, column) =>
      chars.splice(0, widths[column]).join("")
    );
    write((start.padEnd(widths[0]) + SEPARATOR + end).trimEnd() + "\n");
  } while (rest.some((chars) => chars.length > 0));
}

/** The widths of two columns: what their texts need, less where the terminal is narrow. */
function columnWidths(left: string[], right: string[]): [number, number] {
  const [a, b] = [left, right].map((lines) =>
    Math.max(...lines.map((line) => line.length))
  );
  if (!Deno.stdout.isTerminal()) return [a, b];
  const room = Math.max(Deno.consoleSize().columns - SEPARATOR.length, 20);
  if (a + b <= room) return [a, b];
  const narrow = Math.min(a, Math.max(Math.floor(room / 2), room - b));
  return [narrow, room - narrow];
}

const color = (code: number) => (text: string) =>
  Deno.noColor || !Deno.stdout.isTerminal()
    ? text
    : `\x1b[${code}m${text}\x1b[0m`;
const [bold, green, red] = [color(1), color(32), color(31)];

/** Runs a lab and shows both screens as they grow. Returns whether all went well. */
async function showLab(lab: Lab): Promise<boolean> {
  const titles = [lab.server, lab.client].map(({ script, args }) =>
    [script, ...args].join(" ")
  );
  const widths = columnWidths(
    [
      titles[0],
      ...lab.server.screen.replace(/\bport \d+/, "port 65535").split("\n"),
    ],
    [
      titles[1],
      ...lab.client.screen.replace(/\bport \d+/, "port 65535").split("\n"),
    ],
  );
  write(bold(lab.name) + "\n");
  printRow(titles[0], titles[1], widths);
  write(widths.map((width) => "─".repeat(width)).join("─┼─") + "\n");

  const begun = { server: "", client: "" }; // lines without an end
  const problems = await runLab(lab, "-A", (half, output) => {
    const lines = (begun[half] + output).split("\n");
    begun[half] = lines.pop()!;
    for (const line of lines) {
      if (half === "server") printRow(line, "", widths);
      else printRow("", line, widths);
    }
  });
  if (begun.server || begun.client) {
    printRow(begun.server, begun.client, widths);
  }
  for (const problem of problems) write(red(problem.trimEnd()) + "\n");
  write((problems.length === 0 ? green("ok") : red("failed")) + "\n\n");
  return problems.length === 0;
}

async function runLabs(names: string[]) {
  const labs = findLabs();
  const chosen = names.map((name) => {
    const lab = labs.find((lab) => lab.name === labName(name));
    if (lab) return lab;
    throw new UsageError(
      `there is no lab ${name}; the labs: ${
        labs.map(({ name }) => name).join(" ")
      }`,
    );
  });
  let failed = 0;
  for (const lab of chosen.length > 0 ? chosen : labs) {
    if (!await showLab(lab)) failed++;
  }
  if (failed > 0) throw new Failure(`${failed} of the labs failed`);
}

if (import.meta.main) {
  await run({ _: ["run", "[NAME ...]"] }, async ({ _: [task, ...names] }) => {
    if (task !== "run") {
      throw new UsageError("lab.ts needs to be told what to do: run");
    }
    await runLabs(names);
  });
}
