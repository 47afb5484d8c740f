/** What of the Python counterparts stands in the scripts, and how much room it takes there. */
import { assert, assertEquals } from "@std/assert";
import { findLabs } from "../../scripts/lab/header.ts";
import { SCRIPTS } from "../helpers.ts";

const MOST_LINES = 475; // of code in all scripts that have an original
const MOST_IN_LIB = 450; // with its comments
const LEAST_SHOWN = 0.97; // of the steps
const KEY_STEPS = ["socket", "accept", "loop", "recv", "recvfrom", "header read", "header written"];

/** The steps that a student looks for, as Python writes them and as the scripts do. */
const STEPS: [name: string, python: RegExp, typescript: RegExp][] = [
  ["socket", /\.(bind|connect)\(|SOCK_DGRAM/, /Deno\.(listen|listenDatagram|connect)\(/],
  ["loop", /^(while|for) (?!char\b)/, /^(while|for) /], // the original goes through no characters
  ["accept", /\.accept\(/, /\.accept\(/],
  ["recv", /\.recv\(/, /\.read\(/],
  ["recvfrom", /\.recvfrom\(/, /\.receive\(/],
  ["header read", /\[:HEADER_SIZE\]\)/, /\bNumber\(header\);$/],
  ["header written", /:>\{HEADER_SIZE\}/, /\.padStart\(HEADER_SIZE\)/],
  ["input", /\binput\(/, /\binput\(/],
  ["upper", /\.upper\(/, /\.toUpperCase\(/],
  ["send", /\.send(all|to)\(/, /\bwriteAll\(|\.send\(/],
  ["shutdown", /\.shutdown\(/, /\.closeWrite\(/],
  ["print", /\bprint\(/, /\b(print|log)\(/],
];

/** The lines of code: comments, imports and blank lines left out. */
function codeOf(source: string): string[] {
  return source.replace(/^#!.*\n|"""[^]*?"""|\/\*\*[^]*?\*\//g, "").split("\n")
    .map((line) => line.trim()).filter((line) => !/^(#|\/\/|import\b|from\b|$)/.test(line));
}

/** A counterpart with its function that receives messages in the place where these are used. */
function inlined(python: string): string {
  const [part, body] = python.match(/^def receive_\w+\(sock\):\n((?: .*\n|\n)+)/m) ?? [python, ""];
  if (body === "") return python;
  const [, before, use, after] = python.replace(part, "")
    .match(/^([^]*\n)(.*\b(?:receive_\w+|next)\(.*\n)([^]*)$/)!;
  return before + (use.includes(" in ") ? use + body : body + use) + after;
}

/** The names of the steps in their order; a UDP server's Python makes its socket in two of them. */
function stepsIn(source: string, language: 1 | 2): string[] {
  return codeOf(source).flatMap((line) =>
    STEPS.filter((step) => step[language].test(line)).map(([name]) => name)
  ).filter((name, i, names) => name !== "socket" || names[i - 1] !== "socket");
}

/** The longest sequence of steps that stands in both, in the order of both. */
function inBoth(a: string[], b: string[]): string[] {
  let row: string[][] = Array(b.length + 1).fill([]);
  for (const name of a) {
    const above = row;
    row = [[]];
    for (const [j, other] of b.entries()) {
      const [left, up] = [row[j], above[j + 1]];
      row.push(name === other ? [...above[j], name] : left.length > up.length ? left : up);
    }
  }
  return row.at(-1)!;
}

Deno.test("the steps of the originals stand in the scripts, in their order and in little room", () => {
  const scripts = findLabs().filter(({ name }) => name !== "guess") // which has no original
    .flatMap(({ server, client }) => [server.name, client.name]);
  const sums = { lines: 0, theirLines: 0, shown: 0, steps: 0 };
  for (const script of scripts) {
    const source = Deno.readTextFileSync(SCRIPTS + script);
    const name = script.replace(".ts", ".py");
    const python = Deno.readTextFileSync(`${SCRIPTS}../tests/python/${name}`);
    const steps = stepsIn(inlined(python), 1);
    const shown = inBoth(steps, stepsIn(source, 2));
    const key = (names: string[]) => names.filter((name) => KEY_STEPS.includes(name));
    assertEquals(key(shown), key(steps), script);
    const [lines, theirLines] = [codeOf(source).length, codeOf(python).length];
    const row = { lines, theirLines, shown: shown.length, steps: steps.length };
    for (const key of Object.keys(sums) as (keyof typeof sums)[]) sums[key] += row[key];
  }
  assertEquals(scripts.length, 20);
  assert(sums.shown >= LEAST_SHOWN * sums.steps, JSON.stringify(sums));
  assert(sums.lines <= MOST_LINES, JSON.stringify(sums));
  const lib = Deno.readTextFileSync(`${SCRIPTS}lib.ts`).split("\n").length - 1;
  assert(lib <= MOST_IN_LIB, `lib.ts has ${lib} lines`);
});
