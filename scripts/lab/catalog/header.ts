/**
 * The scripts' headers, the sessions that they show, and the labs to which the scripts belong.
 *
 * @module
 */
import { dirname } from "node:path";
import type { Flags } from "../../cli.ts";
import { readText } from "../terminal/files.ts";
import { note } from "../terminal/output.ts";

/** What a program does in a lab. */
export type Role = "server" | "client";

/** Both roles. */
export const ROLES: readonly Role[] = ["server", "client"];

/** A script and what its header says. */
export interface Script {
  /** The file's name. */
  name: string;
  /** What it is, in one sentence. */
  summary: string;
  /** What it mirrors: a file of the course, or a task. */
  original: string;
  /** The course that the original belongs to. */
  course: string;
  /** Its flags, with their values when not given. */
  flags: Flags;
  /** Its default port. */
  port: number;
  /** The arguments on the command line of its session. */
  args: string[];
  /** The lines that the user types in it. */
  typed: string[];
  /** The screen of the session: what the script prints and what the user types. */
  screen: string;
}

/**
 * Reads a script's header. The session is a console block. Its first line is the command. The line
 * before the block says what the user types, with a sign for the Enter key: `The user types 50⏎ 25⏎`. A space at the end of a
 * line, which editors remove, is written as `␣`.
 *
 * @param name The file's name.
 * @param source The script's text.
 * @param flags The flags that it exports.
 * @returns What the header says, or `null` if it shows no session of this file, as in a copy with another
 * name.
 */
export function readScript(name: string, source: string, flags: Flags): Script | null {
  const start = source.search(/\/\*\*\r?\n/);
  const end = start < 0 ? -1 : source.indexOf("*/", start);
  const comment = end < 0 ? "" : source.slice(source.indexOf("\n", start) + 1, end);
  const header = comment.replaceAll("\r", "").replace(/^ \* ?/gm, "");
  const prose = header.replaceAll(/\s+/g, " ");
  const block = header.match(/^```console\n\$ (.*)\n([^]*?)^```/m);
  if (!block) return null;
  const [, original = "", course = ""] = prose.match(/Mirrors (.{1,200}?) \((.{1,200}?)\)/) ??
    [];
  const [, typed = ""] = header.slice(0, block.index).match(/\nThe user types (.*⏎)\n\n$/) ?? [];
  const words = block[1].match(/[^\s']*'[^']*'|\S+/g) ?? [];
  const script = words.findIndex((word) => word.split(/[/\\]/).at(-1) === name);
  if (script < 0) return null;
  return {
    name,
    summary: prose.match(/^.+?\.(?= )/)?.[0] ?? "",
    original: original.replaceAll("`", ""),
    course,
    flags,
    port: Number(flags.port),
    args: words.slice(script + 1).map((word) => word.replaceAll("'", "")),
    typed: typed.split("⏎").slice(0, -1).map((line) => line.trimStart()),
    screen: block[2].replaceAll("␣\n", " \n"),
  };
}

/** A lab: a server and its client. */
export interface Lab {
  /** The name of both scripts without `_server` and `_client`. */
  name: string;
  /** What the scripts speak. */
  transport: "tcp" | "udp";
  /** The script that waits for clients. */
  server: Script;
  /** The script that connects to it. */
  client: Script;
}

/** The folder of the scripts. */
export const SCRIPTS = `${dirname(dirname(import.meta.dirname!))}/`;

/**
 * Finds the labs among the scripts, in the order of their names. Other files in the folder, such as a
 * copy of a script with another name, are ignored.
 */
export async function findLabs(): Promise<Lab[]> {
  const names = [...Deno.readDirSync(SCRIPTS)]
    .map(({ name }) => name)
    .filter((name) => /_server\w*\.ts$/.test(name))
    .sort();
  const labs = await Promise.all(names.map(async (name): Promise<Lab[]> => {
    const [source, server] = await readFile(name);
    const [, client] = await readFile(name.replace("_server", "_client"));
    if (!server || !client) return [];
    const transport = source.includes("Deno.listenDatagram") ? "udp" : "tcp";
    return [{ name: labName(name), transport, server, client }];
  }));
  return labs.flat();
}

/** Reads the text of a script, its header and its flags, if there is such a script. */
async function readFile(name: string): Promise<[source: string, script: Script | null]> {
  let source: string;
  try {
    source = readText(SCRIPTS + name);
  } catch {
    return ["", null]; // no such file, or not readable
  }
  if (!readScript(name, source, {})) return [source, null]; // a copy, which may print when it is imported
  try {
    const { FLAGS } = await import(`../../${name}`);
    return [source, readScript(name, source, FLAGS)];
  } catch (error) {
    note(`${name} is left out, because it cannot be loaded: ${(error as Error).message}`);
    return [source, null];
  }
}

/** Returns the lab of a name: `echo_udp` for `echo_server_udp.ts`, `echo_client_udp` and `echo_udp`. */
export function labName(name: string): string {
  return name.replace(/\.(ts|py)$/, "").replace(/_(server|client)/, "");
}
