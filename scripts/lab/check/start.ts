/**
 * How a hand-in is started: on which port, with which luck, and with which rights.
 *
 * @module
 */
import { dirname } from "node:path";
import type { HandIn } from "./submission.ts";
import { Program, PYTHON_RUN } from "../process/program.ts";
import { type Sandbox, watch } from "./sandbox.ts";

const MOST = 500_000; // characters that it may print before it is ended

/** What its random numbers are: the least, the greatest, or as they come. */
export type Chance = "least" | "greatest";

/** How to start a hand-in. */
export interface Start {
  /** The port that it listens on, or connects to; without one, it is left to it. */
  port?: number;
  /** More arguments. */
  args?: string[];
  /** Whether the arguments of the session are left out. */
  isPlain?: boolean;
  /** What its random numbers are. */
  chance?: Chance;
  /** Whether it only says where it would listen, or connect to, and ends: see `placeOf`. */
  asksPlace?: boolean;
  /** Where it runs. */
  sandbox: Sandbox;
  /** The UDP ports of this machine that a server may send to: those of its clients. */
  clients?: number[];
}

/** Starts a hand-in: with its own port and nothing else, where it can be held. */
export function start(handIn: HandIn, how: Start): Program {
  const { port, args = [], isPlain, sandbox } = how;
  const flags = [...isPlain ? [] : argsOf(handIn), ...args].filter((arg) => knows(handIn, arg));
  if (handIn.ownPort === undefined && port !== undefined) flags.push(`--port=${port}`);
  let program: Program;
  if (handIn.isPython) {
    const options = { env: { PYTHONIOENCODING: "utf-8" }, cwd: dirname(handIn.path) };
    const command = [...pythonCommand(handIn, how), ...flags];
    program = new Program(command, undefined, options, undefined, MOST, true);
    watch(program);
  } else {
    const audit = sandbox.newAudit();
    const { env, ...options } = sandbox.options;
    const command = [...sandbox.command(netOf(handIn, how), preloads(handIn, how)), ...flags];
    const all = { ...options, env: { ...env, DENO_AUDIT_PERMISSIONS: audit } };
    program = new Program(command, undefined, all, undefined, MOST);
    watch(program, audit);
  }
  return program;
}

/** The addresses that a hand-in may use: its own port on this machine, and its clients over UDP. */
function netOf({ script: { lab } }: HandIn, { port, clients = [] }: Start): string[] {
  const hosts = ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "[::]"];
  const own = port === undefined ? [] : hosts.map((host) => `${host}:${port}`);
  const any = lab.transport === "udp" ? hosts.map((host) => `${host}:0`) : []; // to bind, not to send
  // A socket on `::` calls its clients by IPv6 addresses.
  const theirs = clients.flatMap((port) => [`127.0.0.1:${port}`, `[::ffff:127.0.0.1]:${port}`]);
  return [...own, ...any, ...theirs];
}

/** The arguments of the session in the script's header, the port left out. */
function argsOf({ script }: HandIn): string[] {
  return script.args.filter((arg) => !arg.startsWith("--port="));
}

/**
 * Whether a program takes a flag. Python's originals take few, and refuse the others; in TypeScript
 * the flags that a session does without may be missing, too.
 */
export function knows({ isPython, source, script }: HandIn, arg: string): boolean {
  const [flag] = arg.split("=");
  if (source.includes(flag)) return true;
  if (isPython) {
    const isParsedByHand = source.includes("sys.argv") && !/argparse|optparse|getopt/.test(source);
    return isParsedByHand && new RegExp(`["']${flag.slice(2)}["']`).test(source);
  }
  const isTyped = flag === "--message" && script.typed.length > 0;
  if (flag !== "--host" && flag !== "--buffer-size" && !isTyped) return true;
  const name = flag === "--buffer-size" ? "bufferSize" : flag.slice(2);
  // "message" is a name of events, too.
  return !isTyped && new RegExp(`["'\`]${flag.slice(2)}["'\`=]`).test(source) ||
    source.includes("lib.ts") && new RegExp(`\\b${name}:`).test(source);
}

/** The flags for code of ours that runs before the hand-in. */
function preloads({ source }: HandIn, { chance, asksPlace }: Start): string[] {
  const flags: string[] = [];
  const preload = (code: string) =>
    flags.push(`--preload=data:text/javascript,${encodeURIComponent(code)}`);
  if (chance) preload(`Math.random = () => ${chance === "least" ? 0 : 1 - Number.EPSILON / 2}`);
  if (asksPlace) preload(PLACE_TELLER);
  if (/\bprompt\(/.test(source)) preload(PROMPT);
  return flags;
}

/** Lets `prompt` ask as at a terminal: Deno's own gives `null` at once where stdin is none. */
const PROMPT = `
globalThis.prompt = (message = "Prompt", before = "") => {
  Deno.stdout.writeSync(new TextEncoder().encode(message + " " + before));
  const line = [];
  const byte = new Uint8Array(1);
  let length;
  while ((length = Deno.stdin.readSync(byte)) && byte[0] !== 10) line.push(byte[0]);
  if (length === null && line.length === 0) return null; // the end of the input
  return before + new TextDecoder().decode(Uint8Array.from(line));
};
`;

function pythonCommand({ path, ownPort }: HandIn, { port, chance, asksPlace }: Start): string[] {
  const mode = asksPlace ? "asks place" : chance ?? "as it comes";
  return [...PYTHON_RUN, "-c", PYTHON_RUNNER, path, `${ownPort ?? 0}`, `${port ?? 0}`, mode];
}

/** The place that a program told which was started with `asksPlace`. */
export function placeOf({ errors }: Program): { host: string; port: number } | undefined {
  const [, host, port] = errors.match(/^place: (\S*) port (\d+)$/m) ?? [];
  return port === undefined ? undefined : { host, port: Number(port) };
}

/**
 * Lets a program tell where it would listen, or connect to, instead of doing so: so nothing is in
 * the way of what has that port on this machine.
 */
const PLACE_TELLER = `
import dgram from "node:dgram";
import net from "node:net";

const tell = (host, port) => {
  if (!Number(port)) return;
  Deno.stderr.writeSync(new TextEncoder().encode("\\nplace: " + (host ?? "") + " port " + port + "\\n"));
  Deno.exit(0);
};
const wrap = (owner, name, before) => {
  const method = owner[name];
  owner[name] = function (...args) {
    before(...args);
    return method.apply(this, args);
  };
};
const byOptions = ({ hostname, port } = {}) => tell(hostname, port);
wrap(Deno, "listen", byOptions);
wrap(Deno, "connect", byOptions);
const { listenDatagram } = Deno;
Deno.listenDatagram = (options) => {
  byOptions(options);
  const socket = listenDatagram(options);
  wrap(socket, "send", (_, to) => byOptions(to));
  return socket;
};
const byOrder = (first, ...rest) => {
  const [a, b] = Array.isArray(first) ? first : [first, ...rest];
  if (a !== null && typeof a === "object") tell(a.host ?? a.address, a.port);
  else tell(typeof b === "string" ? b : "", a);
};
wrap(net.Server.prototype, "listen", byOrder);
wrap(net.Socket.prototype, "connect", byOrder);
wrap(dgram.Socket.prototype, "bind", byOrder);
wrap(dgram.Socket.prototype, "connect", byOrder);
wrap(dgram.Socket.prototype, "send", (_, ...rest) => {
  const to = typeof rest[1] === "number" && typeof rest[2] === "number" ? rest.slice(2) : rest;
  tell(typeof to[1] === "string" ? to[1] : "", to[0]);
});
`;

/**
 * Runs a Python file. One that has a port of its own is let believe that it has that port: so many
 * can be checked at once, also where the port needs a privilege. Or it tells its place. All that it
 * starts is in one group of processes, and ends with it.
 */
const PYTHON_RUNNER = `
import os, random, runpy, socket, sys

path, own, given, mode = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
sys.argv[:5] = [path]
if hasattr(os, "setpgrp"):
    os.setpgrp()
sys.path[0] = os.path.dirname(path)

def swapped(address, old, new):
    if own and isinstance(address, tuple) and len(address) > 1 and address[1] == old:
        return (address[0], new) + address[2:]
    return address

def sends(method):
    def call(self, *args):
        address = args[-1]
        if mode == "asks place" and isinstance(address, tuple) and address[1]:
            print(f"\\nplace: {address[0]} port {address[1]}", file=sys.stderr, flush=True)
            os._exit(0)
        return method(self, *args[:-1], swapped(address, own, given))
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

for wrap, names in () if not own and mode != "asks place" else (
    (sends, ("bind", "connect", "connect_ex", "sendto")),
    (tells, ("getsockname", "getpeername")),
    (receives, ("recvfrom", "recvfrom_into")),
):
    for name in names:
        setattr(socket.socket, name, wrap(getattr(socket.socket, name)))

if mode in ("least", "greatest"):
    least = mode == "least"
    below = lambda self, n: 0 if least else n - 1
    random.Random._randbelow = random.SystemRandom._randbelow = below
    random.random = lambda: 0.0 if least else 1 - 2 ** -53
    random._inst.random = random.random

runpy.run_path(path, run_name="__main__")
`;
