/** Programs, sockets and free ports for tests, and conditions that a machine must meet. */
import { assert } from "@std/assert";
import { delay } from "@std/async/delay";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, isAbsolute, join } from "node:path";
import { SCRIPTS } from "../scripts/lab/catalog/header.ts";
import { canBind, isBound } from "../scripts/lab/process/ports.ts";
import { DENO_RUN, portOf, Program } from "../scripts/lab/process/program.ts";
import { isFile } from "../scripts/lab/terminal/files.ts";
import { readSockets } from "../scripts/system/sockets.ts";

export { SCRIPTS };

const encoder = new TextEncoder();
const decoder = new TextDecoder();
export const encode = (text: string) => encoder.encode(text);
/** Returns a message as echo v2 and v3 send it: its length in characters, padded to 10, comes first. */
export const withHeader = (message: string) => `${[...message].length}`.padStart(10) + message;
export const decode = (data: Uint8Array) => decoder.decode(data);

/** Whether `deno task test:all` runs the tests: with all cases, not only the most important ones. */
export const THOROUGH = Deno.env.get("TEST_ALL") === "1";
/** For tests that only `deno task test:all` runs. */
export const THOROUGH_ONLY = { ignore: !THOROUGH };

const NOT_ON_WINDOWS = { ignore: Deno.build.os === "windows" };
/** For tests that send SIGINT, SIGTERM or SIGSTOP. On Windows, `kill` ends a program at once. */
export const WITH_SIGNALS = NOT_ON_WINDOWS;
/** For tests that run a line of sh: its pipes and redirections, `mkfifo`, `ulimit`. */
export const WITH_SHELL = NOT_ON_WINDOWS;
/** For tests with links, the permissions of files, and names that Windows does not allow. */
export const WITH_POSIX_FILES = NOT_ON_WINDOWS;
/** For tests with Unix sockets, which Deno does not have on Windows. */
export const WITH_UNIX_SOCKETS = NOT_ON_WINDOWS;
/** For tests in which one write must wait. On Windows, the system takes megabytes at once. */
export const WITH_FULL_BUFFERS = NOT_ON_WINDOWS;
/** For tests that connect to 0.0.0.0. Windows refuses it. */
export const WITH_ZERO_ADDRESS = NOT_ON_WINDOWS;
/** For tests with SO_REUSEPORT, which Windows does not have. */
export const WITH_REUSEPORT = NOT_ON_WINDOWS;
/**
 * For tests in which the other side ends its half while a write waits. Wine, which runs Windows
 * programs on Linux, reports such a write as done and loses the rest of it.
 */
export const WITH_WAITING_WRITES = { ignore: isWine() };
export const LINUX_ONLY = { ignore: Deno.build.os !== "linux" };
export const WITH_IPV6 = { ignore: !hasIpv6() };

/** Bytes of the longest datagram that a test may send. 9216 is the default limit of macOS. */
export const LONGEST_DATAGRAM = Deno.build.os === "darwin" ? 9216 : 65507;

/** Characters of the longest argument that a test may use. A command line of Windows has at most 32,767. */
export const LONGEST_ARGUMENT = Deno.build.os === "windows" ? 30_000 : 100_000;

/** Returns whether this is not Windows but Wine, which has a function of its own in a library of Windows. */
function isWine(): boolean {
  try {
    const symbols = { wine_get_version: { parameters: [], result: "pointer" } } as const;
    Deno.dlopen("ntdll.dll", symbols).close();
    return true;
  } catch {
    return false;
  }
}

function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

/** Returns the path of a program; `undefined` if this machine does not have it. */
export function findProgram(program: string): string | undefined {
  if (isAbsolute(program)) return isFile(program) ? program : undefined;
  const folders = (Deno.env.get("PATH") ?? "").split(delimiter);
  const name = Deno.build.os === "windows" ? `${program}.exe` : program;
  return folders.map((folder) => join(folder, name)).find(isFile);
}

/** Returns whether a program exists. With options, also whether it succeeds with them. */
export function has(program: string, options?: Deno.CommandOptions): boolean {
  if (!options) return findProgram(program) !== undefined;
  try {
    return new Deno.Command(program, options).outputSync().success;
  } catch {
    return false;
  }
}

/** Starts a script with `--allow-net` as its only permission. */
export function start(script: string, args: string[] = [], options?: Deno.CommandOptions): Program {
  const command = [...DENO_RUN, "--allow-net", SCRIPTS + script];
  return new Program([...command, ...args], undefined, options);
}

/** Starts a server script on a free port, and waits until it listens. */
export async function startServer(
  script: string,
  args: string[] = [],
  options?: Deno.CommandOptions,
): Promise<{ server: Program; port: number }> {
  const server = start(script, ["--port=0", ...args], options);
  assert(await server.until(() => portOf(server) !== undefined), server.errors);
  return { server, port: portOf(server)! };
}

/** Returns the default host of a script. */
export function defaultHost(script: string): string {
  return Deno.readTextFileSync(SCRIPTS + script).match(/host: "(.+?)"/)![1];
}

/** The output and the exit status of a program. */
export interface Result {
  status: number;
  stdout: string;
  stderr: string;
}

/** Waits some seconds for the end of a program. Returns its result, or throws if it is still running. */
export async function resultOf(program: Program, seconds = 60): Promise<Result> {
  const hasEnded = await program.ended(seconds);
  const { screen: stdout, errors: stderr } = program;
  assert(hasEnded, `the program hangs: ${stdout}${stderr}`);
  return { status: await program.status, stdout, stderr };
}

/** Runs a script until it ends, with a pipe as its stdin. */
export async function runScript(
  script: string,
  args: string[] = [],
  stdin: string | Uint8Array = "",
): Promise<Result> {
  await using program = start(script, args);
  await program.send(typeof stdin === "string" ? encode(stdin) : stdin);
  await program.endInput();
  return await resultOf(program);
}

export function connect(port: number): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port });
}

/** Opens a UDP socket that closes at the end of its scope. */
export function udpSocket(hostname = "127.0.0.1", port = 0) {
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port });
  return Object.assign(socket, {
    port: (socket.addr as Deno.NetAddr).port,
    [Symbol.dispose]: () => socket.close(),
  });
}

/** Sends a datagram to a port of 127.0.0.1. */
export function sendTo(
  socket: Deno.DatagramConn,
  port: number,
  data: string | Uint8Array,
): Promise<number> {
  const bytes = typeof data === "string" ? encode(data) : data;
  return socket.send(bytes, { transport: "udp", hostname: "127.0.0.1", port });
}

/** Connects, sends a message, waits for `when`, and resets the connection (RST). */
export async function reset(
  port: number,
  message: string | Uint8Array = "",
  when: (client: Socket) => Promise<unknown> = () => Promise.resolve(),
) {
  const net = await import("node:net"); // takes 40 ms, so only when it is needed
  const client = net.connect({ port, host: "127.0.0.1", noDelay: true });
  client.on("error", () => {}); // the server may close the connection first
  const closed = new Promise((resolve) => client.on("close", resolve));
  const connected = new Promise((resolve) => client.on("connect", resolve));
  await Promise.race([connected, closed]);
  if (message.length > 0) await new Promise((resolve) => client.write(message, resolve));
  await when(client);
  client.resetAndDestroy();
  await closed;
}

/** Reads until the end of file, or until it has at least `most` bytes. */
export async function readToEnd(connection: Deno.Conn, most = Infinity): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const buffer = new Uint8Array(65536);
  for (let length = 0; length < most;) {
    const read = await connection.read(buffer);
    if (read === null) break;
    pieces.push(buffer.slice(0, read));
    length += read;
  }
  return new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
}

/** Returns whether every user may listen on port 81, or a test cannot drop this permission. */
export function hasPort81(): boolean {
  if (Deno.build.os !== "linux") {
    return Deno.build.os === "windows" || Deno.uid() === 0;
  }
  const file = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
  return Number(Deno.readTextFileSync(file)) <= 81;
}

/** Starts a command without root's permission for ports below 1024. For Linux. */
export const WITHOUT_PORT_81 = Deno.uid() === 0
  ? ["setpriv", "--bounding-set=-net_bind_service"]
  : [];

/** Runs lab.ts until it ends. */
export async function lab(
  args: string[],
  stdin = "",
  options?: Deno.CommandOptions,
  seconds = 60,
): Promise<Result> {
  const command = [...DENO_RUN, "-A", `${SCRIPTS}lab.ts`, ...args];
  await using program = new Program(command, undefined, options);
  await program.send(encode(stdin));
  await program.endInput();
  return await resultOf(program, seconds);
}

/**
 * Makes a temporary folder that is removed at the end of its scope. Its path is the one that programs print: on macOS, the
 * folder for temporary files is behind a link, and on Windows its name can be a short one.
 */
export async function temporary(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.realPath(await Deno.makeTempDir());
  return {
    path,
    async [Symbol.asyncDispose]() {
      // On Windows, a folder that a program just used cannot be removed for a moment.
      for (let tries = 1;; tries++) {
        try {
          return await Deno.remove(path, { recursive: true });
        } catch (error) {
          if (Deno.build.os !== "windows" || tries === 50) throw error;
          await delay(100);
        }
      }
    },
  };
}

/**
 * Runs jobs concurrently.
 *
 * @param jobs The jobs.
 * @param most How many of them run at a time, if the system can run their programs.
 * @param programs How many programs each of them runs.
 */
export async function inParallel(
  jobs: Iterable<() => Promise<unknown>>,
  most: number,
  programs = 0,
) {
  const queue = jobs[Symbol.iterator]();
  const work = async () => {
    for (let next; !(next = queue.next()).done;) await next.value();
  };
  const atOnce = programs === 0 ? most : Program.jobsAtOnce(most, programs);
  await Promise.all(Array.from({ length: atOnce }, work));
}

/**
 * Runs a test that must do something within a time limit of the program under test. A busy machine can
 * delay the test beyond this limit, so it may fail twice. A defect makes it fail three times.
 */
export async function upToThreeTimes(body: () => Promise<void>) {
  for (let attempt = 1;; attempt++) {
    try {
      return await body();
    } catch (error) {
      if (attempt === 3) throw error;
    }
  }
}

/** Defines a test whose cases run at the same time, because they mostly wait. Each may run two programs. */
export function testAtOnce(
  name: string,
  options: { ignore?: boolean },
  cases: Record<string, () => Promise<void>>,
) {
  Deno.test(name, options, async (test) => {
    const free = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };
    const steps = Object.entries(cases).map(([name, fn]) => () => test.step({ name, fn, ...free }));
    await inParallel(steps, steps.length, 2);
  });
}

const FIRST_PORT = 20000; // freePort() uses those above 25999
const PORTS = 150; // for each test file

/** Reserves ports for this test file while it runs. Returns the first of them. */
async function ownPorts(): Promise<number> {
  for (let place = 0;; place++) {
    const file = `${tmpdir()}/socket-labs-ports-${Deno.uid() ?? "user"}-${place}.lock`;
    const lock = await Deno.open(file, { create: true, write: true });
    // The system releases the lock when this process ends.
    if (await lock.tryLock(true)) return FIRST_PORT + PORTS * place;
    lock.close();
  }
}

const firstPort = await ownPorts();
const ports = await unusedPorts();

/**
 * The ports of this file without those that have a closed connection (TIME-WAIT), where programs
 * that do not set SO_REUSEADDR cannot listen. Reading all sockets is slow, so this is done once.
 */
async function unusedPorts(): Promise<number[]> {
  const taken = new Set((await readSockets("TCP")).map(({ port }) => port));
  const all = Array.from({ length: PORTS }, (_, i) => firstPort + i);
  const start = Math.floor(Math.random() * PORTS);
  return [...all.slice(start), ...all.slice(0, start)].filter((port) => !taken.has(port));
}

/** Returns a free port that no other test takes, and that the system does not assign by itself. */
export function quietPort(): number {
  while (true) {
    const port = ports.shift()!;
    ports.push(port);
    if (canBind(port, "tcp") && canBind(port, "udp", "0.0.0.0")) return port;
  }
}

/**
 * Returns a quiet port that the system does not list as bound. `runSession` refuses a port that is
 * listed, and a port that `quietPort` has just tested can be: see `quietListener`.
 */
export async function unlistedPort(transport: "tcp" | "udp"): Promise<number> {
  while (true) {
    const port = quietPort();
    if (!await isBound(port, transport)) return port;
  }
}

/**
 * Opens a listener on a quiet port. The port can be taken for a moment after `quietPort` has tested it:
 * a process that starts meanwhile has a copy of the test's socket until its own program runs.
 */
export function quietListener(hostname = "127.0.0.1"): Deno.TcpListener {
  for (let tries = 1;; tries++) {
    try {
      return Deno.listen({ hostname, port: quietPort() });
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse) || tries === 20) throw error;
    }
  }
}
