/**
 * A submission: a program that a student wrote, its ports, and the errors that its runtime reports.
 *
 * @module
 */
import { basename, dirname } from "node:path";
import { UserError } from "../../cli.ts";
import { mustBeFile, readText } from "../terminal/files.ts";
import type { Named } from "../catalog/labs.ts";

const PROGRAM = /\.(ts|mts|js|mjs|cjs|py)$/;

/** A program that a student wrote. */
export interface Submission {
  /** The name of its file. */
  name: string;
  /** The path of its file. */
  path: string;
  /** The text of its file. */
  source: string;
  /** Whether it is in Python, which cannot be limited to the network. */
  isPython: boolean;
  /** The script that it takes the place of. */
  script: Named;
}

/**
 * Reads a submission.
 *
 * @param file The file.
 * @param script The script that it takes the place of.
 * @throws {UserError} The file is not a program, or it does not exist.
 */
export function readSubmission(file: string, script: Named): Submission {
  if (!PROGRAM.test(file)) {
    throw new UserError(`${file}: a submission ends in .ts, .mts, .js, .mjs, .cjs or .py`);
  }
  const path = Deno.realPathSync(file);
  const isPython = path.endsWith(".py");
  if (isPython !== file.endsWith(".py") || !PROGRAM.test(path)) {
    throw new UserError(`${file}: this is a link to a file of another kind: ${basename(path)}`);
  }
  mustBeFile(file);
  return { name: basename(path), path, source: readText(path), isPython, script };
}

/**
 * Ports that no other check takes. The port of the other transport is bound as well, so that two
 * checks at the same time see which ports are taken before their programs listen.
 */
export class Ports {
  #held: (() => void)[] = [];

  /** Takes a free port of the loopback interface, outside of the range that the system gives to clients. */
  take(transport: "tcp" | "udp"): number {
    const hostname = "127.0.0.1";
    const bind = (transport: "tcp" | "udp", port: number) => {
      const socket = transport === "tcp"
        ? Deno.listen({ hostname, port })
        : Deno.listenDatagram({ transport, hostname, port });
      return () => socket.close();
    };
    for (let tries = 0; tries < 1000; tries++) {
      const port = 10000 + Math.floor(Math.random() * 10000); // freePort() takes higher ones
      try {
        const release = bind(transport === "tcp" ? "udp" : "tcp", port);
        this.#held.push(release);
        bind(transport, port)();
        return port;
      } catch { /* taken */ }
    }
    throw new UserError("all ports are in use");
  }

  /** Releases all ports. */
  [Symbol.dispose]() {
    for (const release of this.#held) release();
  }
}

/**
 * Returns the error that a program's runtime reported: the message and the place, not the stack.
 *
 * @param errors What the program printed on stderr.
 * @param submission The program: a place in its folder says more than one in Python's own modules.
 * @returns The lines, or nothing if no such error was printed.
 */
export function runtimeError(errors: string, { path }: Submission): string | undefined {
  const lines = errors.split("\n");
  const trace = lines.findLastIndex((line) => line.startsWith("Traceback "));
  if (trace >= 0 || lines.some((line) => /^\w*(Error|Interrupt|Exit)\b/.test(line))) {
    const last = lines.findLast((line) => /^[\w.]*(Error|Exception|timeout|Exit)\b/.test(line));
    const places = lines.filter((line) => /^ +File ".*\.py", line/.test(line));
    const place = places.findLast((line) => line.includes(dirname(path))) ?? places.at(-1);
    if (last) {
      const at = place === undefined ? [] : [place.trim().replace(/, in .*/, "")];
      return [explained(last), ...at].join("\n");
    }
  }
  // A program may print `error:` itself. lib.ts prints errors in the script in this way, too.
  const isError = (line: string, next: string[]) =>
    /^(error: )?Uncaught |^error: (client \(.*?\): )?\w*Error: /.test(line) ||
    /^error: /.test(line) && next.some((line) => /^ +at .*file:/.test(line));
  const first = lines.findIndex((line, i) => isError(line, lines.slice(i + 1, i + 3)));
  if (first < 0) return undefined;
  const message = explained(lines[first])
    .replace(/^error: (client \(.*?\): )?/, "")
    .replace(/^Uncaught (\(in promise\) )?/, "")
    .replace(/^Interrupted: .*/, "$&: it was closed while it still read: is an `await` missing?")
    .replace(/, run again with the .*/, ": an exercise gets its own port and nothing else");
  const isPlace = (line: string) => /^ +at .*file:\/\//.test(line) && !line.includes("/lab/trace/");
  const place = lines.slice(first).find(isPlace) ??
    lines.slice(first).find((line) => /^ +at /.test(line));
  if (place === undefined) return message;
  const url = place.lastIndexOf("file://");
  return `${message}\n${url < 0 ? place.trim() : `at ${place.slice(url).replace(/\)$/, "")}`}`;
}

/** Adds to an error of Windows what it means: its text is in the language of the system. */
function explained(error: string): string {
  return error.replace(
    /(os error|WinError) 10040\b.*/, // no `.*` before it: the time must be linear
    "$&: the datagram is longer than the buffer of this receive, and is lost",
  );
}
