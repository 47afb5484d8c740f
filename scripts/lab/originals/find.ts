/**
 * The Python files that the scripts mirror: where they lie, and what stands in them.
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
 * The text of a Python file: in UTF-8, with a mark of its bytes' order or without, or else in
 * Latin-1, as old files have it.
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
 * The file that a script mirrors. It has the name that the course gives it, or ours.
 *
 * @param script The script.
 * @param folder Where the originals lie, there or in folders below; without one, our
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
  // Everybody has a server.py: the lab's own also prints or sends what the lab's session shows.
  const isGeneral = !isNamed && /(^|[/\\])(server|client)\.py$/i.test(file);
  if (isGeneral && !(transport && sharesText(file, lab))) return "is not from this lab";
}

/** Whether a line in the session of a lab begins with a text in a Python file. */
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

/** The files of some names in a folder and those below it, hidden ones left out. */
function filesIn(folder: string, names: string[]): string[] {
  let entries: Deno.DirEntry[] = [];
  try {
    entries = [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1);
  } catch { /* no folder, or none that can be read */ }
  return entries.flatMap(({ name, isDirectory }) => {
    if (name.startsWith(".")) return [];
    const path = `${folder.replace(/[/\\]$/, "")}/${name}`;
    if (isDirectory) return filesIn(path, names);
    return names.includes(name.toLowerCase()) && isFile(path) ? [path] : [];
  });
}

/** What a Python file sends over, if that can be told from its text. */
function transportOf(file: string): "tcp" | "udp" | undefined {
  const code = codeOf(sourceOf(file));
  if (/\bSOCK_DGRAM\b|\.(recvfrom|sendto)\(|\bUDPServer\(/.test(code)) return "udp";
  if (/\bSOCK_STREAM\b|\.(accept|listen|create_\w+)\(|\bTCPServer\(/.test(code)) return "tcp";
}

// A string literal; one without an end goes to the end of its line.
const STRING = /"(?:\\.|[^"\\\n])*(?:"|\\?$)|'(?:\\.|[^'\\\n])*(?:'|\\?$)/.source;

const STRING_OR_COMMENT = new RegExp(`${STRING}|#.*`, "gm");

/** A Python source without its comments and docstrings. */
function codeOf(source: string): string {
  return source.replaceAll("\r", "").replace(/^[ \t]*[rf]?("""|''')[^]*?\1/gm, "")
    .replace(STRING_OR_COMMENT, (part) => part[0] === "#" ? "" : part);
}

/** What stands in an original. */
export interface Original {
  /** Its path. */
  file: string;
  /** Its name. */
  name: string;
  /** The port it has, where it is given none. */
  port?: number;
  /** The bytes that it reads at once. */
  bufferSize?: number;
  /** The text that it sends, where that stands in it. */
  message?: string;
  /** Whether it asks for what it sends. */
  asks: boolean;
  /** Whether it listens on, or connects to, the address of this machine's name. */
  usesHostName: boolean;
  /** The arguments that it is started with: what it knows of others, a port and a message. */
  args(port: number, others: string[], message?: string): string[];
}

/**
 * Reads what stands in an original.
 *
 * @param file Its path.
 * @param usual The port that its lab has in our script.
 * @param given The port that it has, where the user says so.
 * @returns What stands in it; without a port where it takes one as an argument.
 * @throws {UserError} Its port can't be found.
 */
export function readOriginal(file: string, usual: number, given?: number): Original {
  const code = codeOf(sourceOf(file));
  const values = new Values(code);
  const name = file.split(/[/\\]/).at(-1)!;
  const words = wordsOf(code);
  const takesPort = code.includes("--port") || words.includes("port");
  const port = takesPort ? undefined : given ?? portIn(code, values, usual);
  if (!takesPort && port === undefined) {
    throw new UserError(`${file}: no port found in it`, "say which it has: --port=N");
  }
  return {
    file,
    name,
    port,
    bufferSize: values.of(code.match(/\.recv(?:from)?\(([^()]*)\)/)?.[1] ?? ""),
    message: messageIn(code),
    asks: /\b(raw_)?input\(|\bstdin\b/.test(code),
    usesHostName: /\bgethostname\(/.test(code),
    args(port, others, message = "Hello, world") {
      if (words.length > 0) {
        const given = { port: `${port}`, host: "127.0.0.1", message };
        return words.map((word) => given[word]);
      }
      const known = others.filter((arg) => code.includes(arg.split("=")[0]));
      return takesPort ? [...known, `--port=${port}`] : known;
    },
  };
}

/** What the words behind a program's name are to it, as far as its text tells. */
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

// An original has a few of each. Without limits, a hostile file would take hours.
const MOST_CALLS = 50;
const MOST_NAMES = 100;
const MOST_ASSIGNMENTS = 20; // to one name
const LONGEST_LIST = 2000; // characters of a call's arguments or of a tuple

/** The port of the address that a socket is bound to, connects or sends to. */
function portIn(code: string, values: Values, usual: number): number | undefined {
  const calls =
    /\b(bind|connect(?:_ex)?|sendto|create_\w+|\w+Server|start_server|open_connection)\(/g;
  for (const { 0: call, 1: name, index } of code.matchAll(calls).take(MOST_CALLS)) {
    const parts = partsOf(code, index + call.length);
    // An address is a tuple, but in asyncio, where the port is an argument.
    const place = { sendto: -1, open_connection: 1, start_server: 2 }[name] ?? 0;
    const port = values.of(parts.at(place) ?? "");
    if (port) return port;
  }
  const named = code.match(/\b(?=\w*port)\w+\s*=\s*(\d+)/i) ??
    code.match(/\(\s*(?:""|''|["'][\w.]+["'])\s*,\s*(\d{2,5})\s*\)/) ?? // an address
    code.match(`\\b(${usual})\\b`);
  return named ? Number(named[1]) : undefined;
}

/** One of the names to the left of an equals sign. */
interface Assignment {
  /** The number of names, and which of them it is. */
  count: number;
  place: number;
  /** Where the right side begins in the code, and its first line. */
  start: number;
  right: string;
}

/** The numbers that names have in a source. */
class Values {
  #assignments = new Map<string, Assignment[]>();
  #known = new Map<string, number | undefined>();

  constructor(readonly code: string) {
    for (const { 0: line, 1: left, index } of code.matchAll(/^([\w \t,.]+)=(?!=).*/gm)) {
      const names = left.split(",").map((name) => name.trim().replace(/^self\./, ""));
      const right = line.slice(left.length + 1).trimStart();
      const start = index + line.length - right.length;
      for (const [place, name] of names.entries()) {
        const earlier = this.#assignments.get(name) ?? [];
        this.#assignments.set(name, earlier);
        if (earlier.length === MOST_ASSIGNMENTS) continue;
        earlier.push({ count: names.length, place, start, right });
      }
    }
  }

  /** A number that stands in the code, or has a name there, or is the last of a tuple. */
  of(expression: string, depth = 0): number | undefined {
    const text = expression.trim();
    const product = text.match(/^\d[\d_]*(\s*\*\s*\d+)*(?=\s*$)/)?.[0].replaceAll("_", "");
    if (product) return product.split("*").reduce((all, factor) => all * Number(factor), 1);
    if (depth > 4) return undefined;
    if (text.startsWith("(")) return this.of(partsOf(text, 1).at(-1) ?? "", depth + 1);
    const name = text.match(/^(?:self\.)?(\w+)$/)?.[1];
    if (name === undefined) return undefined;
    if (!this.#known.has(name) && this.#known.size < MOST_NAMES) {
      this.#known.set(name, undefined); // while it is looked for: `a = a` gives no value
      this.#known.set(name, this.#find(name, depth));
    }
    return this.#known.get(name);
  }

  #find(name: string, depth: number): number | undefined {
    for (const { count, place, start, right } of this.#assignments.get(name) ?? []) {
      const isTuple = right.startsWith("("); // which may go on in the next lines
      const parts = isTuple ? partsOf(this.code, start + 1) : partsOf(right, 0);
      const value = this.of((count > 1 ? parts[place] : parts.at(-1)) ?? "", depth + 1);
      if (value !== undefined) return value;
    }
    const parameter = this.code.match(`\\b${name}\\s*(?::\\s*int\\s*)?=\\s*(\\d+)`);
    return parameter ? Number(parameter[1]) : undefined;
  }
}

const PART = new RegExp(`${STRING}|[^]`, "gm");

/** The parts between the commas of a list that starts somewhere, to its closing parenthesis. */
function partsOf(code: string, start: number): string[] {
  const parts = [""];
  let depth = 0;
  for (const [part] of code.slice(start, start + LONGEST_LIST).matchAll(PART)) {
    if ("([{".includes(part)) depth++;
    if (")]}".includes(part) && --depth < 0) break;
    if (part === "," && depth === 0) parts.push("");
    else parts[parts.length - 1] += part;
  }
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

/** The text that stands in the code for a client to send. */
function messageIn(code: string): string | undefined {
  const literal = /b?(?:"((?:\\.|[^"\n\\])*)"|'((?:\\.|[^'\n\\])*)')/.source;
  const found =
    code.match(new RegExp(`\\.send(?:all|to)?\\(\\s*(?:str\\.encode\\(|bytes\\()?${literal}`)) ??
      code.match(
        new RegExp(
          `\\b(?=\\w*(?:mess|msg|data|text|sentence))\\w+\\s*=\\s*${literal}\\s*(?:\\.encode|$)`,
          "im",
        ),
      );
  const text = found?.[1] ?? found?.[2];
  return text?.replace(
    /\\(.)/g,
    (_, char) => ({ n: "\n", t: "\t", r: "\r" })[char as string] ?? char,
  );
}
