/** What several tests need: scripts that run, and ports that are free or closed. */
import { assert } from "@std/assert";
import { DENO_RUN, portOf, Program, SCRIPTS } from "../scripts/session.ts";

export { SCRIPTS };

const encoder = new TextEncoder();
const decoder = new TextDecoder();
export const encode = (text: string) => encoder.encode(text);
export const decode = (data: Uint8Array) => decoder.decode(data);

/** Starts a script with the network permission alone. */
export function start(
  script: string,
  args: string[] = [],
  options?: Deno.CommandOptions,
): Program {
  const command = [...DENO_RUN, "--allow-net", SCRIPTS + script];
  return new Program([...command, ...args], undefined, options);
}

/** Starts a server script on a free port and waits until it listens there. */
export async function startServer(
  script: string,
  args: string[] = [],
  options?: Deno.CommandOptions,
): Promise<{ server: Program; port: number }> {
  const server = start(script, ["--port=0", ...args], options);
  assert(await server.until(() => portOf(server) !== undefined), server.errors);
  return { server, port: portOf(server)! };
}

/** The host that a script takes when none is given. */
export function defaultHost(script: string): string {
  return Deno.readTextFileSync(SCRIPTS + script).match(/host: "(.+?)"/)![1];
}

/** What a program printed and how it ended. */
export interface Result {
  status: number;
  stdout: string;
  stderr: string;
}

/** Runs a script to its end, its keyboard a pipe that holds `stdin`. */
export async function runScript(
  script: string,
  args: string[] = [],
  stdin: string | Uint8Array = "",
): Promise<Result> {
  await using program = start(script, args);
  await program.send(typeof stdin === "string" ? encode(stdin) : stdin);
  await program.endInput();
  assert(await program.ended(), `${script} hangs: ${program.screen}`);
  return {
    status: await program.status,
    stdout: program.screen,
    stderr: program.errors,
  };
}

/** A TCP port that was free a moment ago, and where nothing listens. */
export function closedPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

export function connect(port: number): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port });
}

/** Reads until the other side ends, at most so many bytes. */
export async function readToEnd(
  connection: Deno.Conn,
  most = Infinity,
): Promise<Uint8Array> {
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
