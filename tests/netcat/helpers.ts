/** What the tests of netcat.ts share: whom it talks to, and how both are started. */
import { assert, assertEquals } from "@std/assert";
import { DENO_RUN, portOf, Program } from "../../scripts/lab/program.ts";
import { closedPort, has, LINUX_ONLY, resultOf, runScript, SCRIPTS, start } from "../helpers.ts";

export const NETCAT = [...DENO_RUN, "--allow-net", `${SCRIPTS}netcat.ts`];
export const WITH_NC = { ignore: !has("nc.openbsd") };
export const WITH_SOCAT = { ignore: !has("socat") };
export const WITH_SCRIPT = { ignore: LINUX_ONLY.ignore || !has("script") };

/** Runs netcat with an input that is empty, to its end. */
export const netcat = (args: string) => runScript("netcat.ts", args.split(" "));

/** Starts `netcat -l` on a free port and waits until it listens there. */
export async function listen(flags: string): Promise<{ server: Program; port: number }> {
  const server = start("netcat.ts", [...flags.split(" "), "0"]);
  assert(await server.until(() => portOf(server) !== undefined), server.errors);
  return { server, port: portOf(server)! };
}

export function ownListener(hostname = "127.0.0.1"): Deno.TcpListener {
  return Deno.listen({ hostname, port: 0 });
}

/** Whom netcat must get along with. */
export interface Peer {
  name: string;
  ignore: boolean;
  /** The command that connects. */
  client(port: string): string[];
  /** The command that listens, and says so. */
  server(port: string): string[];
}

function nc(...flags: string[]): Peer {
  return {
    name: ["nc", ...flags].join(" "),
    ...WITH_NC,
    client: (port) => ["nc.openbsd", ...flags, "127.0.0.1", port],
    server: (port) => ["nc.openbsd", ...flags, "-lv", "127.0.0.1", port],
  };
}

export const NC = nc();
export const NC_N = nc("-N");
export const NCAT: Peer = {
  name: "ncat",
  ignore: !has("ncat"),
  client: (port) => ["ncat", "127.0.0.1", port],
  server: (port) => ["ncat", "-lv", "127.0.0.1", port],
};
export const ITSELF: Peer = {
  name: "another netcat",
  ignore: Deno.build.os === "windows", // for want of sh
  client: (port) => [...NETCAT, "127.0.0.1", port],
  server: (port) => [...NETCAT, "-lv", port],
};

/** socat, which waits for the second half some seconds when the first has ended. */
export function socat(...flags: string[]): Peer {
  return {
    name: "socat",
    ...WITH_SOCAT,
    client: (port) => ["socat", ...flags, "-", `TCP:127.0.0.1:${port}`],
    server: (
      port,
    ) => ["socat", ...flags, "-d", "-d", "-", `TCP-LISTEN:${port},bind=127.0.0.1`],
  };
}

export type Role = "client" | "server";

/** Netcat and whom it talks to. */
export class Pair {
  constructor(readonly ours: Program, readonly theirs: Program) {}

  /** Waits until both have ended, ours with status 0. */
  async ended() {
    const { status, stderr } = await resultOf(this.ours, 20);
    assertEquals(status, 0, stderr);
    await resultOf(this.theirs);
  }

  async [Symbol.asyncDispose]() {
    await this.ours.end("SIGKILL");
    await this.theirs.end("SIGKILL");
  }
}

/** What a command is started within. */
export type Around = (command: string[]) => string[];

/** A line of shell, in which `"$@"` is the command. */
export const shell = (line: string): Around => (command) => ["sh", "-c", line, "sh", ...command];

/** A line of shell, in which `"$@"` is the command, in a terminal. */
export const terminal = (line: string): Around => (command) => [
  ...["script", "-qec", line.replace('"$@"', command.join(" ")), "/dev/null"],
];

/** Starts netcat in its role and a peer in the other, connected to each other. */
export async function startPair(
  peer: Peer,
  role: Role,
  around: { ours?: Around; theirs?: Around } = {},
): Promise<Pair> {
  const { ours = (command) => command, theirs = (command) => command } = around;
  const port = `${closedPort()}`;
  const isClient = role === "client";
  const startOurs = () => new Program(ours(ITSELF[role](port)));
  const startTheirs = () => new Program(theirs(peer[isClient ? "server" : "client"](port)));
  const server = isClient ? startTheirs() : startOurs();
  const listens = await server.until(() => /listening on/i.test(server.errors + server.screen));
  if (!listens) await server.end("SIGKILL");
  assert(listens, server.errors);
  return isClient ? new Pair(startOurs(), server) : new Pair(server, startTheirs());
}

export function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(length);
  const most = 65536; // bytes given at a time
  for (let at = 0; at < length; at += most) {
    crypto.getRandomValues(data.subarray(at, at + most));
  }
  return data;
}

/** Gives a test a file that holds some bytes, and the line that `cksum` prints of it. */
export async function withFile(
  data: Uint8Array,
  body: (file: string, sum: string) => Promise<void>,
) {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeFile(file, data);
    await body(file, await cksum(data));
  } finally {
    await Deno.remove(file);
  }
}

/** The line that `cksum` prints of some bytes. */
export async function cksum(data: Uint8Array): Promise<string> {
  const program = new Program(["cksum"]);
  await program.send(data);
  await program.endInput();
  return (await resultOf(program)).stdout;
}
