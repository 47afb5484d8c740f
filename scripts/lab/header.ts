/**
 * The scripts' headers, the sessions that they show, and the labs that they make.
 *
 * @module
 */
import { dirname } from "node:path";
import { Failure } from "../lib.ts";

/** Who of the two halves of a lab. */
export type Half = "server" | "client";

/** A script with what its header says. */
export interface Script {
  /** The file's name. */
  name: string;
  /** What it is, in one sentence. */
  summary: string;
  /** What it mirrors: a file of the course, or a task. */
  original: string;
  /** The course that the original belongs to. */
  course: string;
  /** The port it takes when none is given. */
  port: number;
  /** The arguments on the command line of its session. */
  args: string[];
  /** The lines that the user types in it. */
  typed: string[];
  /** What then stands on the screen: what is printed and what is typed. */
  screen: string;
}

/**
 * Reads what a script's header says. The session is a console block: its first
 * line is the command; what the user types follows there in a comment, each
 * line with the sign of the Enter key behind it: `# and type 50⏎ 25⏎`. A space
 * at the end of a line, which editors take away, is written as `␣`.
 *
 * @param name The file's name.
 * @param source The script's text.
 * @returns What the header says.
 * @throws {Failure} The header shows no session.
 */
export function readScript(name: string, source: string): Script {
  const comment = source.match(/\/\*\*\r?\n([^]*?)\*\//)?.[1] ?? "";
  const header = comment.replaceAll("\r", "").replace(/^ \* ?/gm, "");
  const prose = header.replaceAll(/\s+/g, " ");
  const block = header.match(/^```console\n\$ (.*)\n([^]*?)^```/m);
  if (!block) throw new Failure(`${name} shows no session in its header`);
  const [, original = "", course = ""] = prose.match(/Mirrors (.+?) \((.+?)\)/) ??
    [];
  const [command, typed = ""] = block[1].split(" # and type ");
  const words = command.match(/[^\s']*'[^']*'|\S+/g) ?? [];
  return {
    name,
    summary: prose.match(/^.+?\.(?= )/)?.[0] ?? "",
    original: original.replaceAll("`", ""),
    course,
    port: Number(source.match(/host: ".*?",\s+port: (\d+)/)?.[1]),
    args: words.slice(words.findIndex((word) => word.endsWith(name)) + 1)
      .map((word) => word.replaceAll("'", "")),
    typed: typed.split("⏎").slice(0, -1).map((line) => line.trimStart()),
    screen: block[2].replaceAll("␣\n", " \n"),
  };
}

/** A lab: a server and its client. */
export interface Lab {
  /** The scripts' common name, without `_server` and `_client`. */
  name: string;
  /** What it runs over. */
  transport: "tcp" | "udp";
  /** The script that waits for clients. */
  server: Script;
  /** The script that connects to it. */
  client: Script;
}

/** The folder of the scripts. */
export const SCRIPTS = `${dirname(import.meta.dirname!)}/`;

/** Finds the labs among the scripts, in the order of their names. */
export function findLabs(): Lab[] {
  return [...Deno.readDirSync(SCRIPTS)]
    .map(({ name }) => name)
    .filter((name) => /_server\w*\.ts$/.test(name))
    .sort()
    .map((name) => {
      const source = Deno.readTextFileSync(SCRIPTS + name);
      const other = name.replace("_server", "_client");
      return {
        name: labName(name),
        transport: source.includes("Deno.listenDatagram") ? "udp" : "tcp",
        server: readScript(name, source),
        client: readScript(other, Deno.readTextFileSync(SCRIPTS + other)),
      };
    });
}

/** `echo_server_udp.ts`, `echo_client_udp` and `echo_udp` all name the lab `echo_udp`. */
export function labName(name: string): string {
  return name.replace(/\.(ts|py)$/, "").replace(/_(server|client)/, "");
}
