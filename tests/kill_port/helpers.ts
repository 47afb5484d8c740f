/** What the tests of kill_port.ts share: programs that hold ports, and runs of the tool. */
import { assert } from "@std/assert";
import { DENO_RUN, hasPython, Program, pythonCommand } from "../../scripts/lab/process/program.ts";
import { encode, LINUX_ONLY, type Result, resultOf, SCRIPTS } from "../helpers.ts";

// On other systems only the parsers are tested.
export const WITH_PYTHON = { ignore: LINUX_ONLY.ignore || !await hasPython() };

/** A program that holds a port. It prints numbers on one line, its PIDs first, and then waits. */
export class Holder extends Program {
  /** The numbers that it printed. */
  get numbers(): number[] {
    return this.screen.match(/\d+/g)!.map(Number);
  }

  static async start(command: string[], options?: Deno.CommandOptions): Promise<Holder> {
    const holder = new Holder(command, undefined, options);
    const isReady = await holder.until(() => holder.screen.endsWith("\n"));
    if (!isReady) await holder.end();
    assert(isReady, holder.errors);
    return holder;
  }
}

const FUNCTIONS = `
import os, signal, socket, sys
from socket import AF_INET, AF_INET6, SOCK_DGRAM
def tcp(host, port, family=AF_INET, **options):
    return socket.create_server((host, port), family=family, **options)
def udp(host, port, family=AF_INET):
    s = socket.socket(family, SOCK_DGRAM)
    s.bind((host, port))
    return s
def wait(*numbers):
    print(*numbers or [os.getpid()], flush=True)
    sys.stdin.read()
`;

/** Starts a Python program. PORT in its code is replaced by a port. */
export async function startPython(code: string, port: number): Promise<Holder> {
  const program = FUNCTIONS + code.replaceAll("PORT", `${port}`);
  return await Holder.start([...await pythonCommand(), "-S", "-c", program]); // -S: it starts faster
}

export const KILL_PORT = [...DENO_RUN, "-A", `${SCRIPTS}kill_port.ts`];

export function startTool(...args: (string | number)[]): Program {
  return new Program([...KILL_PORT, ...args.map(String)]);
}

/** Returns a program's result, after the end of its input. */
export async function result(program: Program): Promise<Result> {
  await using tool = program;
  await tool.endInput();
  return await resultOf(tool);
}

/** Runs the tool with its arguments and its input. */
export async function killPort(args: (string | number)[], input = ""): Promise<Result> {
  const tool = startTool(...args);
  await tool.send(encode(input));
  return await result(tool);
}

/**
 * Makes the lines of an output comparable: A, B, C instead of the PIDs, PORT instead of the port,
 * one space between columns, and without the head of the table.
 */
export function linesOf(output: string, port: number, pids: number[]): string[] {
  let text = output.replace(/^PID +program .*\n/, "").replace(/ {2,}/g, " ").replace(/\n$/, "");
  // A PID may be the same number as the port, so the port comes first, where only a port can be.
  text = text.replaceAll(RegExp(`(?<=port |', |kill_port\\.ts )${port}\\b`, "g"), "PORT");
  pids.forEach((pid, i) => text = text.replaceAll(RegExp(`\\b${pid}\\b`, "g"), "ABC"[i]));
  return text === "" ? [] : text.replaceAll(`${port}`, "PORT").split("\n");
}
