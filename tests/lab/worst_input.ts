/**
 * Runs what reads untrusted text on the input that is worst for it, and prints how long each case
 * takes: lines of JSON with the case, and the milliseconds of processor time that it took. A case
 * is named before it runs, so that a caller who ends this program knows which one hangs.
 *
 * `worst_input.ts SIZE [FIRST]`: the characters of each input, and how many cases to leave out.
 */
import process from "node:process";
import { align } from "../../scripts/lab/originals/align.ts";
import { isSameCode } from "../../scripts/lab/check/check.ts";
import { readSubmission, runtimeError } from "../../scripts/lab/check/submission.ts";
import { hasFlag } from "../../scripts/lab/check/start.ts";
import { wrapped } from "../../scripts/lab/terminal/columns.ts";
import { nextGuess } from "../../scripts/lab/originals/compare.ts";
import { readScript } from "../../scripts/lab/catalog/header.ts";
import { scripts } from "../../scripts/lab/catalog/labs.ts";
import { findOriginal, readOriginal, sourceOf } from "../../scripts/lab/originals/find.ts";
import { portOf, type Program } from "../../scripts/lab/process/program.ts";
import { comparable, compareLines, settled } from "../../scripts/lab/session/transcript.ts";
import type { Run } from "../../scripts/lab/originals/pairing.ts";
import { problemsOf } from "../../scripts/lab/originals/report.ts";
import { MAX_OUTPUT } from "../../scripts/lab/session/participant.ts";
import { Observed } from "../../scripts/lab/trace/run_traced.ts";
import { visible } from "../../scripts/lab/trace/diagram.ts";
import { parseProcNet } from "../../scripts/system/linux.ts";
import { parseMacNetstat } from "../../scripts/system/mac.ts";
import { parseTasklist } from "../../scripts/system/windows.ts";
import { escapeText } from "../../scripts/cli.ts";
import { repr } from "../../scripts/lib.ts";

const [size, first = 0] = Deno.args.map(Number);
let count = 0;

/** A text of the wanted size: a start, a unit that repeats, and an end. */
const long = (unit: string, start = "", end = "") =>
  start + unit.repeat((size - start.length - end.length) / unit.length) + end;

/** Lines of 10,000 characters each. */
const lines = (unit: string, start = "", end = "") => {
  const line = start + unit.repeat(10_000 / unit.length) + end + "\n";
  return line.repeat(size / line.length);
};

const server = scripts().find(({ name }) => name === "echo_server.ts")!;
const SOURCES: Record<string, string> = {
  "blank lines": long("\n"),
  "one blank line": long(" ", "", "x"),
  "tabs": long("\t", "", "x"),
  "an unclosed quote and backslashes": long("\\\\", 'x = "'),
  "an unclosed single quote and backslashes": long("\\\\", "print('"),
  "an unclosed backtick and backslashes": long("\\\\", "print(`"),
  "escaped quotes": long('\\"'),
  "lines of escaped quotes": lines("\\'"),
  "quotes of all kinds": long("\"'`"),
  "triple quotes": long("\"\"\"\n'''\n"),
  "calls of bind": long("bind("),
  "calls of bind, a line each": long("s.bind((\n"),
  "calls with a name": long("bind(a)\n"),
  "calls of sendto": long("x.sendto("),
  "calls of send": long(".send('"),
  "calls of recv": long(".recv("),
  "calls of print": long("print('a' "),
  "as many lines as may be": "print('a')\n".repeat(size / 50),
  "as many functions as may be": "def a():\n".repeat(size / 50),
  "lines of print": long("print('a'\n"),
  "assignments of a name to itself": long("a=a\n", "bind(a)\n"),
  "assignments of two names": long("a=b\nb=a\n", "bind(a)\n"),
  "open tuples": long("a=(\n", "bind(a)\n"),
  "open tuples in a line": long("a=(", "bind(a)\n"),
  "names in a line": long("a, ", "bind(a)\n", "= 1"),
  "nested parentheses": long("(", "a=", "\nbind(a)"),
  "equals signs": long("a = "),
  "a word of ports": long("port"),
  "a word of hosts": long("host"),
  "a word of messages": long("msg"),
  "lines of ports": lines("port"),
  "lines of buffers": lines("buf"),
  "lines of messages": lines("message"),
  "ports and blanks": long(" ", "port", "x"),
  "a word with servers": long("Server"),
  "arguments": long("argv[1] "),
  "arguments that are numbers": long("int(argv[1]) "),
  "digits": long("1"),
  "a product": long("1*", "bind(", "x)"),
  "comments without an end": long("/*"),
  "comments of a line": long("//\n"),
  "braces": long("{", "print('", "')"),
  "percent signs": long("%1", "print('", "')"),
  "underscores": long("_", "def "),
};
const SCREENS: Record<string, string> = {
  "addresses": long("('a', 1)"),
  "many addresses": Array.from({ length: size / 20 }, (_, i) => `('h', ${1e9 + i})\n`).join(""),
  "beginnings of addresses": long("('"),
  "lines of beginnings of addresses": lines("('"),
  "digits": long("1"),
  "digits and a line end": long("1", "", "\n"),
  "digits in lines": lines("1"),
  "bytes without an end": long("\\'", "b'"),
  "bytes": long("b'\\x"),
  "blank lines": long("\n"),
  "ports": long("port 1"),
  "lines": long("a\n"),
};
const ERRORS: Record<string, string> = {
  "places": long("file://", "error: Uncaught Error: x\n    at ", " x"),
  "errors": long("Error", "Traceback \n"),
  "clients": long("): ", "error: client ("),
  "places in Python": long('.py", line', '  File "'),
  "ends of Python": long("Error.", "", "x"),
  "words": long("a", "error: "),
  "ports": long("note: listening on port 1 "),
  "lines": long("error: a\n"),
  "places named": long("place: a port 1 "),
};
const HEADERS: Record<string, string> = {
  "comments without an end": long("/**\n"),
  "sessions": long("```console\n$ x\n", "/**\n", "*/"),
  "a session of many lines": long("\n", "/**\n * ```console\n * $ deno x.ts\n", "```\n*/"),
  "what it mirrors": long("Mirrors ", "/**\n", "\n```console\n$ deno x.ts\n```\n*/"),
  "sentences": long("a.", "/**\n", "\n```console\n$ deno x.ts\n```\n*/"),
  "words": long("a'", "/**\n```console\n$ x.ts ", "\n```\n*/"),
  "hosts": long('host: "', "/**\n```console\n$ x.ts\n```\n*/\n"),
  "blanks": long(" ", "/**\n```console\n$ x.ts", "a\n```\n*/"),
};

const folder = Deno.makeTempDirSync();
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

function run(name: string, work: () => unknown) {
  if (count++ < first) return;
  console.log(JSON.stringify({ name }));
  const before = process.cpuUsage();
  try {
    work();
  } catch (error) {
    const isRefused = (error as Error).constructor.name === "UserError";
    if (!isRefused) throw error;
  }
  const { user, system } = process.cpuUsage(before);
  console.log(JSON.stringify({ name, milliseconds: (user + system) / 1000 }));
}

const script = Deno.readTextFileSync(new URL("../../scripts/echo_server.ts", import.meta.url));
for (const [name, source] of Object.entries(SOURCES)) {
  const file = `${folder}/echo_server.py`;
  Deno.writeTextFileSync(file, source);
  run(`show: ${name}`, () => align(sourceOf(file), script));
  run(`original: ${name}`, () => readOriginal(file));
  run(`search: ${name}`, () => findOriginal(server, folder));
  run(`submission: ${name}`, () => hasFlag(readSubmission(file, server), "--port"));
  run(`copy: ${name}`, () => isSameCode(source, script));
  run(`header: ${name}`, () => readScript("x.ts", source, {}));
}
for (const [name, screen] of Object.entries(SCREENS)) {
  const role = { server: { name: "a" }, client: { name: "b" } };
  const exit = { isOwn: true, status: 0, errors: screen };
  const result = {
    screens: { server: screen, client: screen },
    exits: { server: exit, client: exit },
  };
  const observed = { server: new Observed(), client: new Observed() };
  const reference = { pairing: role, result, observed } as unknown as Run;
  run(`comparable: ${name}`, () => comparable(screen));
  run(`settled: ${name}`, () => settled(screen, "a", 1));
  run(`compare: ${name}`, () => compareLines(screen.slice(0, MAX_OUTPUT), "a\nb\n"));
  run(`halving: ${name}`, () => nextGuess(screen, 0));
  run(`verdict: ${name}`, () => problemsOf(server.lab, reference, reference));
  run(`diagram: ${name}`, () => visible(new TextEncoder().encode(screen)));
}
for (const [name, errors] of Object.entries(ERRORS)) {
  const program = { errors } as Program;
  const submission = { path: "/a/b.py" } as Parameters<typeof runtimeError>[1];
  run(`error: ${name}`, () => runtimeError(errors, submission));
  run(`port: ${name}`, () => portOf(program));
  run(`/proc: ${name}`, () => parseProcNet(errors, "TCP"));
  run(`tasklist: ${name}`, () => parseTasklist(errors));
  run(`netstat: ${name}`, () => parseMacNetstat(errors));
  run(`escaped: ${name}`, () => escapeText(errors));
  run(`repr: ${name}`, () => repr(new TextEncoder().encode(errors)));
}
for (const [name, source] of Object.entries(HEADERS)) {
  run(`header: ${name}`, () => readScript("x.ts", source, {}));
}
run("columns: letters", () => wrapped(long("a"), 80));
run("columns: lines", () => "\n".repeat(size).split("\n").forEach((line) => wrapped(line, 80)));
run("columns: controls", () => wrapped(long("\x1b\u202e"), 80));
run("columns: accents", () => wrapped(long("\u0301"), 80));
run("columns: emoji", () => wrapped(long("👩‍👩‍👧‍👦"), 80));
run("columns: tabs and letters", () => wrapped(long("a\t"), 80));
run("diagram: spaces", () => visible(new TextEncoder().encode(long(" ", "a", "b"))));
