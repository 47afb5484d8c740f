/**
 * The Python files that the scripts mirror: where they lie, and what stands in them.
 *
 * @module
 */
import { UserError } from "../cli.ts";
import { type Half, type Lab, type Script, SCRIPTS } from "./header.ts";
import { labs } from "./names.ts";

const COUNTERPARTS = `${SCRIPTS}../tests/python`;

/** Whether there is a file of this name. */
export function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/**
 * Takes nothing but a file.
 *
 * @param path The path that the user gave.
 * @throws {UserError} There is none, or a folder.
 */
export function mustBeFile(path: string): void {
  if (isFile(path)) return;
  let isFolder = false;
  try {
    isFolder = Deno.statSync(path).isDirectory;
  } catch { /* nothing is there */ }
  throw new UserError(
    `${path}: ${isFolder ? "this is a folder: name the files in it" : "no such file"}`,
  );
}

/**
 * Accepts nothing but a folder.
 *
 * @param path The path that the user gave.
 * @throws {UserError} It does not exist, or it is not a folder.
 */
export function mustBeFolder(path: string): void {
  let isFolder: boolean | undefined;
  try {
    isFolder = Deno.statSync(path).isDirectory;
  } catch { /* it does not exist, or may not be read */ }
  if (!isFolder) throw new UserError(`${path}: ${isFolder === false ? "not a" : "no such"} folder`);
}

/** An error about a file or a folder, in words that name it; any other stays as it is. */
export function aboutFile(error: unknown): unknown {
  const { message } = error as Error;
  const [, what, path] = message.match(/^(.*?) \(os error \d+\): \w+ '(.*)'$/) ?? [];
  return path === undefined ? error : new UserError(`${path}: ${what.toLowerCase()}`);
}

/**
 * The text of a Python file: in UTF-8, with a mark of its bytes' order or without, or else in
 * Latin-1, as old files have it.
 *
 * @param file The file.
 */
export function sourceOf(file: string): string {
  const data = Deno.readFileSync(file);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(data);
  } catch {
    return new TextDecoder("latin1").decode(data);
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
  const half: Half = script.name === lab.server.name ? "server" : "client";
  const isNamed = script.original.endsWith(".py");
  const names = [isNamed ? script.original : `${half}.py`, script.name.replace(".ts", ".py")];
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
      `say which: --${half}=${fitting[0]}`,
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

/** A Python source without its comments and docstrings. */
function codeOf(source: string): string {
  return source.replaceAll("\r", "").replace(/^\s*[rf]?("""|''')[^]*?\1/gm, "")
    .replace(/"(?:\\.|[^"\n])*"|'(?:\\.|[^'\n])*'|#.*/g, (part) => part[0] === "#" ? "" : part);
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
  const name = file.split(/[/\\]/).at(-1)!;
  const words = wordsOf(code);
  const takesPort = code.includes("--port") || words.includes("port");
  const port = takesPort ? undefined : given ?? portIn(code, usual);
  if (!takesPort && port === undefined) {
    throw new UserError(`${file}: no port found in it`, "say which it has: --port=N");
  }
  return {
    file,
    name,
    port,
    bufferSize: valueOf(code, code.match(/\.recv(?:from)?\(([^()]*)\)/)?.[1] ?? ""),
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
    const before = code.slice(code.lastIndexOf("\n", index) + 1, index);
    const isMessage = /mess|msg|text|data|sentence|send/i.test(before);
    if (place !== "0") words[Number(place) - 1] ??= int ? "port" : isMessage ? "message" : "host";
  }
  return Array.from(words, (word) => word ?? "host");
}

/** The port of the address that a socket is bound to, connects or sends to. */
function portIn(code: string, usual: number): number | undefined {
  const calls =
    /\b(bind|connect(?:_ex)?|sendto|create_\w+|\w+Server|start_server|open_connection)\(/g;
  for (const { 0: call, 1: name, index } of code.matchAll(calls)) {
    const parts = partsOf(code.slice(index + call.length));
    // An address is a tuple, but in asyncio, where the port is an argument.
    const place = { sendto: -1, open_connection: 1, start_server: 2 }[name] ?? 0;
    const port = valueOf(code, parts.at(place) ?? "");
    if (port) return port;
  }
  const named = code.match(/\b\w*port\w*\s*=\s*(\d+)/i) ??
    code.match(/\(\s*(?:""|''|["'][\w.]+["'])\s*,\s*(\d{2,5})\s*\)/) ?? // an address
    code.match(`\\b(${usual})\\b`);
  return named ? Number(named[1]) : undefined;
}

/** A number that stands in the code, or has a name there, or is the last of a tuple. */
function valueOf(code: string, expression: string, depth = 0): number | undefined {
  const text = expression.trim();
  const product = text.match(/^\d[\d_]*(\s*\*\s*\d+)*(?=\s*$)/)?.[0].replaceAll("_", "");
  if (product) return product.split("*").reduce((all, factor) => all * Number(factor), 1);
  if (depth > 4) return undefined;
  if (text.startsWith("(")) return valueOf(code, partsOf(text.slice(1)).at(-1) ?? "", depth + 1);
  const name = text.match(/^(?:self\.)?(\w+)$/)?.[1];
  if (name === undefined) return undefined;
  for (const { 0: line, 1: left, 2: right, index } of code.matchAll(ASSIGNMENT)) {
    const names = left.split(",").map((name) => name.trim().replace(/^self\./, ""));
    const place = names.indexOf(name);
    if (place < 0) continue;
    const isTuple = right.startsWith("("); // which may go on in the next lines
    const parts = partsOf(isTuple ? code.slice(index + line.indexOf("(") + 1) : right);
    const value = valueOf(code, (names.length > 1 ? parts[place] : parts.at(-1)) ?? "", depth + 1);
    if (value !== undefined) return value;
  }
  const parameter = code.match(`\\b${name}\\s*(?::\\s*int\\s*)?=\\s*(\\d+)`);
  return parameter ? Number(parameter[1]) : undefined;
}

const ASSIGNMENT = /^[ \t]*([\w \t,.]+?)[ \t]*=(?!=)[ \t]*(.*)/gm;

/** The parts between the commas of a list, to its closing parenthesis. */
function partsOf(list: string): string[] {
  const parts = [""];
  let depth = 0;
  for (const [part] of list.matchAll(/"(?:\\.|[^"\n])*"|'(?:\\.|[^'\n])*'|[^]/g)) {
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
          `\\b\\w*(?:mess|msg|data|text|sentence)\\w*\\s*=\\s*${literal}\\s*(?:\\.encode|$)`,
          "im",
        ),
      );
  const text = found?.[1] ?? found?.[2];
  return text?.replace(
    /\\(.)/g,
    (_, char) => ({ n: "\n", t: "\t", r: "\r" })[char as string] ?? char,
  );
}
