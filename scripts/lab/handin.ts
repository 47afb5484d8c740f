/**
 * A hand-in: a program that a student wrote, how it is started, and what it may do.
 *
 * @module
 */
import { basename, dirname, resolve } from "node:path";
import { Failure } from "../lib.ts";
import { SCRIPTS } from "./header.ts";
import type { Named } from "./names.ts";
import { DENO_RUN, isListening, portOf, Program, PYTHON_RUN } from "./program.ts";

const MOST = 500_000; // characters that it may print before it is ended

/** What its random numbers are: the least, the greatest, or as they come. */
export type Chance = "least" | "greatest";

/** A program that a student wrote. */
export interface HandIn {
  /** Its file's name. */
  name: string;
  /** Its file. */
  path: string;
  /** Its text. */
  source: string;
  /** Whether it is Python, which can't be held. */
  isPython: boolean;
  /** The port that it has, where it takes no `--port`: only Python's originals do so. */
  ownPort?: number;
  /** The script whose place it takes. */
  script: Named;
}

/**
 * Looks at a file.
 *
 * @param file The file.
 * @param script The script whose place it takes.
 * @throws {Failure} It is no program.
 */
export function readHandIn(file: string, script: Named): HandIn {
  if (!/\.(ts|mts|js|mjs|py)$/.test(file)) {
    throw new Failure(`${file}: an exercise ends in .ts, .js, .mjs or .py`);
  }
  const path = Deno.realPathSync(file);
  const source = Deno.readTextFileSync(path);
  const isPython = path.endsWith(".py");
  const takesPort = !isPython || /--port|['"]-p['"]|sys\.argv/.test(source);
  const own = source.match(/\bport\w*\s*(?::\s*int\s*)?=\s*(\d+)/i) ??
    source.match(new RegExp(`\\b(${script.port})\\b`)) ??
    source.match(/(?:bind|connect|sendto)\(.*?(\d{2,5})\s*\)/);
  return {
    name: basename(path),
    path,
    source,
    isPython,
    ownPort: takesPort ? undefined : Number(own?.[1] ?? script.port),
    script,
  };
}

/**
 * Ports that nobody else takes. The port of the other transport is bound as well: where two
 * checks run at once, that is how each sees what the other has taken, before its program listens.
 */
export class Ports {
  #held: (() => void)[] = [];

  /** Takes a free port of the loopback interface, none of those that the system gives to clients. */
  take(transport: "tcp" | "udp"): number {
    const hostname = "127.0.0.1";
    const bind = (transport: "tcp" | "udp", port: number) => {
      const socket = transport === "tcp"
        ? Deno.listen({ hostname, port })
        : Deno.listenDatagram({ transport, hostname, port });
      return () => socket.close();
    };
    for (let tries = 0; tries < 1000; tries++) {
      const port = 10000 + Math.floor(Math.random() * 20000);
      try {
        const release = bind(transport === "tcp" ? "udp" : "tcp", port);
        this.#held.push(release);
        bind(transport, port)();
        return port;
      } catch { /* taken */ }
    }
    throw new Failure("there is no free port");
  }

  /** Gives all back. */
  [Symbol.dispose]() {
    for (const release of this.#held) release();
  }
}

/** How to start a hand-in. */
export interface Start {
  /** The port that it listens on, or connects to. */
  port: number;
  /** More arguments. */
  args?: string[];
  /** Whether the arguments of the session are left out. */
  isPlain?: boolean;
  /** What its random numbers are. */
  chance?: Chance;
  /** The file in which Deno notes which permissions it asked for. */
  audit?: string;
}

/** Starts a hand-in: with the network and nothing else, where it can be held. */
export function start(handIn: HandIn, { port, args = [], isPlain, chance, audit }: Start): Program {
  const flags = [...isPlain ? [] : argsOf(handIn), ...args].filter((arg) => knows(handIn, arg));
  if (handIn.ownPort === undefined) flags.push(`--port=${port}`);
  const env: Record<string, string> = { NO_COLOR: "1", PYTHONIOENCODING: "utf-8" };
  if (audit) env.DENO_AUDIT_PERMISSIONS = audit;
  const command = handIn.isPython
    ? pythonCommand(handIn, port, chance)
    : denoCommand(handIn, chance);
  const folder = dirname(handIn.path);
  return new Program([...command, ...flags], undefined, { env, cwd: folder }, undefined, MOST);
}

/** The arguments of the session in the script's header, the port left out. */
function argsOf({ script }: HandIn): string[] {
  return script.args.filter((arg) => !arg.startsWith("--port="));
}

/** Whether a program takes a flag: Python's originals take few, and refuse the others. */
export function knows({ isPython, source }: HandIn, arg: string): boolean {
  const [flag] = arg.split("=");
  if (!isPython || source.includes(flag)) return true;
  const isParsedByHand = source.includes("sys.argv") && !/argparse|optparse|getopt/.test(source);
  return isParsedByHand && new RegExp(`["']${flag.replace("--", "")}["']`).test(source);
}

function denoCommand({ path }: HandIn, chance?: Chance): string[] {
  const command = [...DENO_RUN, "--allow-net", "--no-prompt", "--unstable-net"];
  if (!hasConfig(dirname(path))) {
    command.push(`--config=${resolve(SCRIPTS, "../deno.json")}`, "--no-lock");
  }
  if (chance) {
    const value = chance === "least" ? 0 : 1 - Number.EPSILON / 2;
    command.push(`--preload=data:text/javascript,Math.random=()=>${value}`);
  }
  return [...command, path];
}

/** Whether a folder, or one above it, tells Deno how to run what is in it. */
function hasConfig(folder: string): boolean {
  for (const { name } of Deno.readDirSync(folder)) {
    if (name === "deno.json" || name === "deno.jsonc") return true;
  }
  return dirname(folder) !== folder && hasConfig(dirname(folder));
}

function pythonCommand({ path, ownPort }: HandIn, port: number, chance?: Chance): string[] {
  if (ownPort === undefined && !chance) return [...PYTHON_RUN, path];
  const settings = [`${ownPort ?? 0}`, `${port}`, chance ?? "as it comes"];
  return [...PYTHON_RUN, "-c", PYTHON_RUNNER, path, ...settings];
}

/**
 * Runs a Python file that has a port of its own, and lets it believe that it has that port: so
 * many can be checked at once, also where the port needs a privilege.
 */
const PYTHON_RUNNER = `
import os, random, runpy, socket, sys

path, own, given, chance = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
sys.argv[:5] = [path]
sys.path[0] = os.path.dirname(path)

def swapped(address, old, new):
    if own and isinstance(address, tuple) and len(address) > 1 and address[1] == old:
        return (address[0], new) + address[2:]
    return address

def sends(method):
    def call(self, *args):
        return method(self, *args[:-1], swapped(args[-1], own, given))
    return call

def tells(method):
    def call(self, *args):
        return swapped(method(self, *args), given, own)
    return call

def receives(method):
    def call(self, *args):
        data, address = method(self, *args)
        return data, swapped(address, given, own)
    return call

for wrap, names in (
    (sends, ("bind", "connect", "connect_ex", "sendto")),
    (tells, ("getsockname", "getpeername")),
    (receives, ("recvfrom", "recvfrom_into")),
):
    for name in names:
        setattr(socket.socket, name, wrap(getattr(socket.socket, name)))

if chance in ("least", "greatest"):
    least = chance == "least"
    below = lambda self, n: 0 if least else n - 1
    random.Random._randbelow = random.SystemRandom._randbelow = below
    random.random = lambda: 0.0 if least else 1 - 2 ** -53
    random._inst.random = random.random

runpy.run_path(path, run_name="__main__")
`;

/** Waits until a server listens on a port that it was given, some seconds at most. */
export function listens(
  { script }: HandIn,
  server: Program,
  port: number,
  seconds: number,
): Promise<boolean> {
  return isListening(server, port, script.lab.transport, seconds);
}

/** The port that a server listens on, where that is another one than it was given. */
export function otherPort(
  { script }: HandIn,
  program: Program,
  port: number,
): number | undefined {
  const told = portOf(program) ?? Number(program.screen.match(/\bport:? (\d+)/i)?.[1] ?? NaN);
  const found = boundPorts(program.pid, script.lab.transport)
    .concat(told > 0 ? [told] : [])
    .filter((other) => other !== port);
  return found[0];
}

/** The ports that a process holds, where the system tells: only Linux does so in files. */
function boundPorts(pid: number, transport: "tcp" | "udp"): number[] {
  try {
    const files = [...Deno.readDirSync(`/proc/${pid}/fd`)].map(({ name }) => name);
    const sockets = new Set(files.map((name) => Deno.readLinkSync(`/proc/${pid}/fd/${name}`)));
    return ["", "6"].flatMap((version) =>
      Deno.readTextFileSync(`/proc/net/${transport}${version}`).split("\n").slice(1)
    ).map((line) => line.trim().split(/\s+/))
      .filter(([, , , state, , , , , , inode]) =>
        sockets.has(`socket:[${inode}]`) && /^0[A7]$/.test(state)
      )
      .map(([, local]) => parseInt(local.split(":")[1], 16));
  } catch {
    return []; // another system, or the process has just ended
  }
}

/**
 * What a program's runtime said about a mistake, once: the message and the place, not the stack.
 *
 * @param errors What the program printed on stderr.
 * @returns The lines, or nothing where there is no mistake.
 */
export function mistake(errors: string): string | undefined {
  const lines = errors.split("\n");
  const trace = lines.findLastIndex((line) => line.startsWith("Traceback "));
  if (trace >= 0 || lines.some((line) => /^\w*(Error|Interrupt|Exit)\b/.test(line))) {
    const last = lines.findLast((line) => /^[\w.]*(Error|Exception|timeout|Exit)\b/.test(line));
    const place = lines.findLast((line) => /^ +File ".*\.py", line/.test(line));
    if (last) return [last, ...place ? [place.trim().replace(/, in .*/, "")] : []].join("\n");
  }
  const first = lines.findIndex((line) => /^(error: )?Uncaught |^error: /.test(line));
  if (first < 0) return undefined;
  const message = lines[first].replace(/^error: /, "").replace(/^Uncaught (\(in promise\) )?/, "");
  const place = lines.slice(first).find((line) => /^ +at .*file:\/\//.test(line)) ??
    lines.slice(first).find((line) => /^ +at /.test(line));
  return [message, ...place ? [place.trim().replace(/^at .*?(file:\/\/\S+?)\)?$/, "at $1")] : []]
    .join("\n");
}
