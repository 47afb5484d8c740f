/**
 * The Python files that the scripts mirror: where they are, and how they are started.
 *
 * @module
 */
import { escapeText, UserError } from "../../cli.ts";
import { isFile, mustBeFolder, readBytes } from "../terminal/files.ts";
import { type Lab, type Role, type Script, SCRIPTS } from "../catalog/header.ts";
import { labs } from "../catalog/labs.ts";

const MAX_LINES = 20_000; // of an original

const COUNTERPARTS = `${SCRIPTS}lab/counterparts`;

/**
 * Reads a Python file: in UTF-8, with or without a byte order mark, or else in Latin-1, as old files
 * have it.
 *
 * @param file The file.
 * @throws {UserError} It is not a regular file, or larger than 1 MB, or has too many lines.
 */
export function sourceOf(file: string): string {
  const data = readBytes(file);
  if (data.reduce((lines, byte) => byte === 10 ? lines + 1 : lines, 0) > MAX_LINES) {
    throw new UserError(`${file}: the file has more than ${MAX_LINES} lines`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(data);
  } catch {
    return new TextDecoder("latin1").decode(data);
  }
}

/** Returns whether a folder, or one below it, contains a file with the name of a script's original. */
export function hasOriginal(script: Script, folder: string): boolean {
  try {
    findOriginal(script, folder);
    return true;
  } catch (error) {
    return error instanceof UserError && error.message.endsWith(" both fit");
  }
}

/**
 * Finds the file that a script mirrors. It has the name that the course gives it, or ours.
 *
 * @param script The script.
 * @param folder The folder of the originals, which may be in folders below it. If it is empty, our
 * counterparts are taken.
 * @returns The file's path.
 * @throws {UserError} The folder does not exist, or it contains no such file, or several.
 */
export function findOriginal(script: Script, folder: string): string {
  const lab = labs.find(({ server, client }) => [server.name, client.name].includes(script.name))!;
  const role: Role = script.name === lab.server.name ? "server" : "client";
  const isNamed = script.original.endsWith(".py");
  const names = [isNamed ? script.original : `${role}.py`, script.name.replace(".ts", ".py")];
  if (folder !== "") mustBeFolder(folder);
  const files = folder === ""
    ? [`${COUNTERPARTS}/${names[1]}`].filter(isFile)
    : filesIn(folder, names.map((name) => name.toLowerCase()));
  const problems = new Map(files.map((file) => [file, mismatch(file, lab, isNamed)]));
  const fitting = files.filter((file) => !problems.get(file));
  const different = new Map(fitting.map((file) => [sourceOf(file), file]));
  if (different.size > 1) {
    throw new UserError(
      `${fitting.join(" and ")} both fit`,
      `say which: --${role}=${escapeText(fitting[0])}`,
    );
  }
  if (fitting.length > 0) return fitting[0];
  const found = files.map((file) => `${file} ${problems.get(file)}`).join(", ");
  throw new UserError(
    `no ${names.join(" or ")} in ${folder || COUNTERPARTS}${found && `: ${found}`}`,
  );
}

/** Returns why a file is not the original of a lab, if its text shows that. */
function mismatch(file: string, lab: Lab, isNamed: boolean): string | undefined {
  const transport = transportOf(file);
  if (transport === other(lab.transport)) return `is not ${lab.transport}`;
  // Many labs have a server.py. That of this lab prints or sends what the lab's session shows.
  const isGeneral = !isNamed && /(^|[/\\])(server|client)\.py$/i.test(file);
  if (isGeneral && !(transport && sharesText(file, lab))) return "is not from this lab";
}

/** Returns whether a line in the session of a lab begins with a text in a Python file. */
function sharesText(file: string, { server, client }: Lab): boolean {
  const session = `\n${server.screen}\n${client.screen}`.toLowerCase();
  const strings = codeOf(sourceOf(file)).matchAll(/(["'])((?:\\.|(?!\1).)*)\1/g);
  return strings.some(([, , string]) => {
    const [start] = string.toLowerCase().split(/[{%\\]/);
    return start.trim().length >= 5 && session.includes(`\n${start.trim()}`);
  });
}

function other(transport: "tcp" | "udp"): "tcp" | "udp" {
  return transport === "tcp" ? "udp" : "tcp";
}

/** Returns the files of some names in a folder and the folders below it, without hidden ones. */
function filesIn(folder: string, names: string[]): string[] {
  let entries: Deno.DirEntry[] = [];
  try {
    entries = [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1);
  } catch { /* not a folder, or not readable */ }
  return entries.flatMap(({ name, isDirectory }) => {
    if (name.startsWith(".")) return [];
    const path = `${folder.replace(/[/\\]$/, "")}/${name}`;
    if (isDirectory) return filesIn(path, names);
    return names.includes(name.toLowerCase()) && isFile(path) ? [path] : [];
  });
}

/** Returns what a Python file speaks, if its text shows that. */
function transportOf(file: string): "tcp" | "udp" | undefined {
  const code = codeOf(sourceOf(file));
  if (/\bSOCK_DGRAM\b|\.(recvfrom|sendto)\(|\bUDPServer\(/.test(code)) return "udp";
  if (/\bSOCK_STREAM\b|\.(accept|listen|create_\w+)\(|\bTCPServer\(/.test(code)) return "tcp";
}

// A string literal. One without an end ends with its line.
const STRING = /"(?:\\.|[^"\\\n])*(?:"|\\?$)|'(?:\\.|[^'\\\n])*(?:'|\\?$)/.source;

const STRING_OR_COMMENT = new RegExp(`${STRING}|#.*`, "gm");

/** Returns a Python source without its comments and docstrings. */
function codeOf(source: string): string {
  return source.replaceAll("\r", "").replace(/^[ \t]*[rf]?("""|''')[^]*?\1/gm, "")
    .replace(STRING_OR_COMMENT, (part) => part[0] === "#" ? "" : part);
}

/** How to start an original. */
export interface Original {
  /** Its path. */
  file: string;
  /** Its name. */
  name: string;
  /** Whether it takes its port from the command line. */
  takesPort: boolean;
  /**
   * Returns the arguments to start it with: those of a script that it has as well, and its port and its
   * message where it takes them.
   */
  args(port: number, others: string[], message?: string): string[];
}

/** Reads how an original is started: which arguments its text names. */
export function readOriginal(file: string): Original {
  const code = codeOf(sourceOf(file));
  const words = wordsOf(code);
  const takesPort = code.includes("--port") || words.includes("port");
  return {
    file,
    name: file.split(/[/\\]/).at(-1)!,
    takesPort,
    args(port, others, message = "Hello, world") {
      if (words.length > 0) {
        const values = { port: `${port}`, host: "127.0.0.1", message };
        return words.map((word) => values[word]);
      }
      const known = others.filter((arg) => code.includes(arg.split("=")[0]));
      return takesPort ? [...known, `--port=${port}`] : known;
    },
  };
}

/** Returns what the arguments of a program are for, as far as its text shows that. */
function wordsOf(code: string): ("port" | "host" | "message")[] {
  const words: ("port" | "host" | "message")[] = [];
  for (
    const { 1: int, 2: place, index } of code.matchAll(/(\bint\(\s*)?(?:sys\.)?\bargv\[(\d)\]/g)
  ) {
    const before = code.slice(Math.max(0, index - 200), index).split("\n").at(-1)!;
    const isMessage = /mess|msg|text|data|sentence|send/i.test(before);
    if (place !== "0") words[Number(place) - 1] ??= int ? "port" : isMessage ? "message" : "host";
  }
  return Array.from(words, (word) => word ?? "host");
}
