/**
 * A hand-in: a program that a student wrote, its ports, and what its runtime says about it.
 *
 * @module
 */
import { basename, dirname } from "node:path";
import { UserError } from "../../cli.ts";
import { portsOf } from "../../system/linux.ts";
import { mustBeFile, readText } from "../terminal/files.ts";
import type { Named } from "../catalog/labs.ts";
import { isInTimeWait } from "../process/ports.ts";
import { isListening, portOf, type Program } from "../process/program.ts";

const PROGRAM = /\.(ts|mts|js|mjs|py)$/;

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
 * @throws {UserError} It is no program.
 */
export function readHandIn(file: string, script: Named): HandIn {
  if (!PROGRAM.test(file)) {
    throw new UserError(`${file}: an exercise ends in .ts, .js, .mjs or .py`);
  }
  const path = Deno.realPathSync(file);
  const isPython = path.endsWith(".py");
  if (isPython !== file.endsWith(".py") || !PROGRAM.test(path)) {
    throw new UserError(`${file}: this is a link to a file of another kind: ${basename(path)}`);
  }
  mustBeFile(file);
  const source = readText(path);
  const takesPort = !isPython || /--port|['"]-p['"]|sys\.argv/.test(source);
  const own = source.match(/\bport\w*\s*(?::\s*int\s*)?=\s*(\d+)/i) ??
    source.match(new RegExp(`\\b(${script.port})\\b`)) ?? portInCall(source);
  return {
    name: basename(path),
    path,
    source,
    isPython,
    ownPort: takesPort ? undefined : Number(own?.[1] ?? script.port),
    script,
  };
}

/** Finds a number at the end of the arguments of a call that takes an address. */
function portInCall(source: string): RegExpMatchArray | null {
  for (const line of source.split("\n")) {
    const call = line.search(/(?:bind|connect|sendto)\(/);
    const port = call < 0 ? null : line.slice(call).match(/(\d{2,5})\s*\)/);
    if (port) return port;
  }
  return null;
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
      const port = 10000 + Math.floor(Math.random() * 10000); // above are those of freePort()
      if (isInTimeWait(port)) continue;
      try {
        const release = bind(transport === "tcp" ? "udp" : "tcp", port);
        this.#held.push(release);
        bind(transport, port)();
        return port;
      } catch { /* taken */ }
    }
    throw new UserError("there is no free port");
  }

  /** Gives all back. */
  [Symbol.dispose]() {
    for (const release of this.#held) release();
  }
}

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
  const protocol = script.lab.transport === "tcp" ? "TCP" : "UDP";
  const found = portsOf(program.pid, protocol)
    .concat(told > 0 ? [told] : [])
    .filter((other) => other !== port);
  return found[0];
}

/**
 * What a program's runtime said about a mistake, once: the message and the place, not the stack.
 *
 * @param errors What the program printed on stderr.
 * @param handIn The program: a place in its folder says more than one in Python's own modules.
 * @returns The lines, or nothing where there is no mistake.
 */
export function mistake(errors: string, { path }: HandIn): string | undefined {
  const lines = errors.split("\n");
  const trace = lines.findLastIndex((line) => line.startsWith("Traceback "));
  if (trace >= 0 || lines.some((line) => /^\w*(Error|Interrupt|Exit)\b/.test(line))) {
    const last = lines.findLast((line) => /^[\w.]*(Error|Exception|timeout|Exit)\b/.test(line));
    const places = lines.filter((line) => /^ +File ".*\.py", line/.test(line));
    const place = places.findLast((line) => line.includes(dirname(path))) ?? places.at(-1);
    if (last) return [last, ...place ? [place.trim().replace(/, in .*/, "")] : []].join("\n");
  }
  // A program's own `error:` in words is none; but lib.ts tells a mistake in the script so, too.
  const isMistake = (line: string, next: string[]) =>
    /^(error: )?Uncaught |^error: (client \(.*?\): )?\w*Error: /.test(line) ||
    /^error: /.test(line) && next.some((line) => /^ +at .*file:/.test(line));
  const first = lines.findIndex((line, i) => isMistake(line, lines.slice(i + 1, i + 3)));
  if (first < 0) return undefined;
  const message = lines[first]
    .replace(/^error: (client \(.*?\): )?/, "")
    .replace(/^Uncaught (\(in promise\) )?/, "")
    .replace(/^Interrupted: .*/, "$&: it was closed while it still read: is an `await` missing?")
    .replace(/, run again with the .*/, ": an exercise gets its own port and nothing else");
  const place = lines.slice(first).find((line) => /^ +at .*file:\/\//.test(line)) ??
    lines.slice(first).find((line) => /^ +at /.test(line));
  if (place === undefined) return message;
  const url = place.lastIndexOf("file://");
  return `${message}\n${url < 0 ? place.trim() : `at ${place.slice(url).replace(/\)$/, "")}`}`;
}
