/** The peers of netcat.ts, and functions that start both. */
import { assert, assertEquals } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { DENO_RUN, portOf, Program } from "../../scripts/lab/process/program.ts";
import {
  decode,
  encode,
  has,
  LINUX_ONLY,
  quietListener,
  quietPort,
  readToEnd,
  resultOf,
  runScript,
  SCRIPTS,
  start,
  WITH_SHELL,
} from "../helpers.ts";

/** Milliseconds until something that must happen counts as failed, also on a busy machine. */
export const TIMEOUT = 60_000;

export const NETCAT = [...DENO_RUN, "--allow-net", `${SCRIPTS}netcat.ts`];
/** The same with the permission for files, which Unix sockets need. */
export const WITH_FILES = NETCAT.toSpliced(-1, 0, "--no-prompt", "--allow-read", "--allow-write");
export const WITH_SOCAT = { ignore: !has("socat") };
export const WITH_SCRIPT = { ignore: LINUX_ONLY.ignore || !has("script") };

/** Runs netcat with an empty input, to its end. */
export const netcat = (args: string) => runScript("netcat.ts", args.split(" "));

/** Starts `netcat -l` on a free port and waits until it listens there. */
export async function listen(flags: string): Promise<Program & { port: number }> {
  const server = start("netcat.ts", [...flags.split(" "), "0"]);
  assert(await server.until(() => portOf(server) !== undefined), server.errors);
  return Object.assign(server, { port: portOf(server)! });
}

/** Sends a signal, and returns the exit status. */
export async function endBy(program: Program, signal: Deno.Signal): Promise<number> {
  Deno.kill(program.pid, signal);
  return (await resultOf(program)).status;
}

/** Returns a command that runs another command. */
export type Around = (command: string[]) => string[];

/** Runs a command in a line of shell, as `"$@"`. */
export const shell = (line: string): Around => (command) => ["sh", "-c", line, "sh", ...command];

/** Runs a command in a line of shell, as `"$@"`, in a terminal. */
export const terminal = (line: string): Around => (command) => [
  ...["script", "-qec", line.replace('"$@"', command.join(" ")), "/dev/null"],
];

/** Starts netcat as a client with the test as its server, and ends both after the test. */
export async function withServer(
  flags: string,
  body: (client: Program, server: Deno.TcpConn) => Promise<void>,
  around: Around = (command) => command,
) {
  using listener = quietListener();
  const args = `${flags} 127.0.0.1 ${listener.addr.port}`.trim().split(" ");
  await using client = new Program(around([...NETCAT, ...args]));
  using server = await listener.accept();
  await deadline(body(client, server), TIMEOUT);
}

/** Reads until the other side ends its half, and returns it as text. */
export async function readAllText(connection: Deno.Conn): Promise<string> {
  return decode(await deadline(readToEnd(connection), TIMEOUT));
}

/** Reads the next bytes, and returns them as text. */
export async function readText(connection: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(1000);
  return decode(buffer.subarray(0, await connection.read(buffer) ?? 0));
}

/** A program that netcat talks to. */
export interface Peer {
  name: string;
  ignore: boolean;
  /** The command that connects. */
  client(port: string): string[];
  /** The command that listens, and reports it. */
  server(port: string): string[];
}

/** Returns a netcat, with the flags that every netcat has. */
export function peer(name: string, command: string[]): Peer {
  const client = (port: string) => [...command, "127.0.0.1", port];
  const server = (port: string) => [...command, "-lv", "127.0.0.1", port];
  return { name, ignore: !has(command[0]), client, server };
}

export const NC = peer("nc", ["nc.openbsd"]);
export const NC_N = peer("nc -N", ["nc.openbsd", "-N"]);
export const NCAT = peer("ncat", ["ncat"]);
// The tests with another netcat need sh.
export const ITSELF = { ...peer("another netcat", NETCAT), ...WITH_SHELL };

/** Returns socat. With `-t` it waits for the second half after the first has ended. */
export function socat(...flags: string[]): Peer {
  const listens = (port: string) => `TCP-LISTEN:${port},bind=127.0.0.1`;
  return {
    name: "socat",
    ...WITH_SOCAT,
    client: (port) => ["socat", ...flags, "-", `TCP:127.0.0.1:${port}`],
    server: (port) => ["socat", ...flags, "-d", "-d", "-", listens(port)],
  };
}

export type Role = "client" | "server";

/** netcat.ts and its peer. */
export class Pair {
  constructor(readonly ours: Program, readonly theirs: Program) {}

  /** Waits until both have ended, ours with status 0. */
  async ended() {
    const { status, stderr } = await resultOf(this.ours);
    assertEquals(status, 0, stderr);
    await resultOf(this.theirs);
  }

  async [Symbol.asyncDispose]() {
    await this.ours.end("SIGKILL");
    await this.theirs.end("SIGKILL");
  }
}

/**
 * Starts netcat in its role and a peer in the other, connected to each other. `typed` is the start
 * of netcat's input.
 */
export async function startPair(
  peer: Peer,
  role: Role,
  around: { ours?: Around; theirs?: Around } = {},
  typed = "",
): Promise<Pair> {
  const { ours = (command) => command, theirs = (command) => command } = around;
  const port = `${quietPort()}`;
  const isClient = role === "client";
  const startOurs = () => {
    const program = new Program(ours(ITSELF[role](port)));
    program.send(encode(typed));
    return program;
  };
  const startTheirs = () => new Program(theirs(peer[isClient ? "server" : "client"](port)));
  const server = isClient ? startTheirs() : startOurs();
  const listens = await server.until(() => /listening on/i.test(server.errors + server.screen));
  if (!listens) await server.end("SIGKILL");
  assert(listens, server.errors);
  return isClient ? new Pair(startOurs(), server) : new Pair(server, startTheirs());
}

export function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(length);
  const max = 65536; // bytes for each call
  for (let at = 0; at < length; at += max) {
    crypto.getRandomValues(data.subarray(at, at + max));
  }
  return data;
}

/** Writes a file of random bytes. Returns it with the line that `cksum` prints for it. */
export async function randomFile(length: number) {
  const path = await Deno.makeTempFile();
  const data = randomBytes(length);
  await Deno.writeFile(path, data);
  const sum = await cksum(data);
  return { path, sum, [Symbol.asyncDispose]: () => Deno.remove(path) };
}

/** Returns the line that `cksum` prints for some bytes. */
export async function cksum(data: Uint8Array): Promise<string> {
  const program = new Program(["cksum"]);
  await program.send(data);
  await program.endInput();
  return (await resultOf(program)).stdout;
}
