/** What the tests of kill_port.ts share: programs that hold ports, and the tool itself. */
import { assert, assertEquals } from "@std/assert";
import { DENO_RUN, Program } from "../../scripts/lab/process/program.ts";
import { has, LINUX_ONLY, type Result, resultOf, SCRIPTS } from "../helpers.ts";

// Elsewhere than on Linux only the parsers are tested.
export const WITH_PYTHON = { ignore: LINUX_ONLY.ignore || !has("python3") };
export const WITH_NODE = { ignore: LINUX_ONLY.ignore || !has("node") };
export const NOBODY = { uid: 65534, gid: 65534 }; // a user who has no rights
export const AS_ROOT = {
  ignore: LINUX_ONLY.ignore || Deno.uid() !== 0 ||
    !has(Deno.execPath(), { args: ["--version"], ...NOBODY }),
};
export const AS_ROOT_WITHOUT_RIGHTS = {
  ignore: AS_ROOT.ignore ||
    !has("setpriv", { args: ["--bounding-set=-kill", "true"] }),
};

/** A program that prints the PIDs of those who hold a port, and then waits. */
export class PortHolder extends Program {
  get pids(): number[] {
    return this.screen.match(/\d+/g)!.map(Number);
  }

  static async start(
    command: string[],
    options?: Deno.CommandOptions,
  ): Promise<PortHolder> {
    const holder = new PortHolder(command, undefined, options);
    const isReady = await holder.until(() => holder.screen.endsWith("\n"));
    if (!isReady) await holder.end();
    assert(isReady, holder.errors);
    return holder;
  }
}

export function startPython(code: string): Promise<PortHolder> {
  const start = `
import os, socket, sys
from socket import AF_INET, AF_INET6, SOCK_DGRAM
def tcp(host, port, family=AF_INET, **options):
    return socket.create_server((host, port), family=family, **options)
def udp(host, port, family=AF_INET):
    s = socket.socket(family, SOCK_DGRAM)
    s.bind((host, port))
    return s
def wait(*pids):
    print(*pids, flush=True)
    sys.stdin.read()
`;
  return PortHolder.start(["python3", "-c", start + code]);
}

/** Starts a Deno program that listens on 127.0.0.1. */
export function startDeno(
  port: number,
  code = "",
  options?: Deno.CommandOptions,
): Promise<PortHolder> {
  const program = `
    Deno.listen({ hostname: "127.0.0.1", port: ${port}, reusePort: true });
    ${code}
    console.log(Deno.pid);
    await Deno.stdin.read(new Uint8Array(1));`;
  const command = [Deno.execPath(), "eval", "--quiet", program];
  return PortHolder.start(command, options);
}

export const KILL_PORT = [...DENO_RUN, "-A", `${SCRIPTS}kill_port.ts`];

export function startTool(...args: (string | number)[]): Program {
  return new Program([...KILL_PORT, ...args.map(String)]);
}

/** The program's result, its keyboard at an end. */
export async function result(program: Program): Promise<Result> {
  await using tool = program;
  await tool.endInput();
  return await resultOf(tool);
}

export function killPort(...args: (string | number)[]): Promise<Result> {
  return result(startTool(...args));
}

/** The tool's result when its question is answered. */
export async function answered(port: number, answer: string): Promise<Result> {
  const tool = startTool(port);
  await tool.type(answer);
  return await result(tool);
}

export type Row = [pid: number, program: string, protocol: string, host: string];

export function table(port: number, ...rows: Row[]): string {
  const lines = rows.map(([pid, program, protocol, host]) =>
    `${`${pid}`.padEnd(7)} ${program.padEnd(15)} ${protocol}      ` +
    `('${host}', ${port})\n`
  );
  return "PID     program         protocol address\n" + lines.join("");
}

/** Checks what `--list` prints. */
export async function assertListed(port: number, ...rows: Row[]) {
  const stdout = table(port, ...rows);
  assertEquals(await killPort(port, "--list"), { status: 0, stdout, stderr: "" });
}

export async function assertNobody(port: number) {
  const stderr = `error: nothing is listening on port ${port}\n`;
  assertEquals(await killPort(port, "--list"), { status: 1, stdout: "", stderr });
}
