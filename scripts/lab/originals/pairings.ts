/**
 * Judges and prints pairings of originals and scripts: whether they work, and what they print that the
 * two originals together do not.
 *
 * @module
 */
import {
  bold,
  columnWidths,
  green,
  printRow,
  printRule,
  red,
  yellow,
} from "../terminal/columns.ts";
import { type Lab, type Role, ROLES } from "../catalog/header.ts";
import {
  type Exit,
  MAX_OUTPUT,
  type Participant,
  type SessionResult,
  type Typing,
} from "../session/session.ts";
import { write } from "../terminal/output.ts";
import { comparable, type ComparedLine, compareLines } from "../session/transcript.ts";

const MAX_ROWS = 60; // of a screen that are printed

/** A program that is compared. */
export interface Compared extends Participant {
  /** Its name with its flags. */
  title?: string;
  /** What is typed to it. */
  typing?: Typing;
}

/** A server and a client. */
export type Pairing = Record<Role, Compared>;

/** A pairing that was run. */
export interface Run {
  /** The programs. */
  pairing: Pairing;
  /** What happened. */
  result: SessionResult;
}

/**
 * Returns why a pairing does not work, or nothing if it works.
 *
 * @param lab The lab.
 * @param run The pairing.
 * @param reference The originals together, if this is another pairing.
 */
export function problemsOf(lab: Lab, { pairing, result }: Run, reference?: Run): string[] {
  const { server, client } = pairing;
  const { exits, screens } = result;
  if (server.port !== undefined && client.port !== undefined && server.port !== client.port) {
    return [`${server.name} has port ${server.port}, ${client.name} has ${client.port}`];
  }
  if (!exits.client) {
    return [`${server.name} does not listen on port ${result.port}${reasonOf(exits.server)}`];
  }
  const problems = ROLES.flatMap((role) => {
    const { name } = pairing[role];
    const exit = exits[role]!;
    if (exit.hasPrintedTooMuch) {
      return [`${name} printed without end, more than ${MAX_OUTPUT} characters`];
    }
    const isOriginal = !reference || reference.pairing[role] === pairing[role];
    const usual = isOriginal ? reference?.result.exits[role] : undefined;
    const isUsual = usual?.isOwn === exit.isOwn && (usual.status === exit.status || !usual.isOwn);
    if (exit.isOwn && exit.status === 0 || isUsual) return [];
    // The input of a client that asks again has ended: Python calls that an EOFError.
    if (isOriginal && /EOFError/.test(exit.errors)) return [];
    if (exit.isOwn) return [`${name} ended with status ${exit.status}${reasonOf(exit)}`];
    const mayContinue = role === "server" || !reference && screens.client !== "";
    return mayContinue ? [] : [`${name} did not end${reasonOf(exit)}`];
  });
  // An original prints with our script what it prints with the other original.
  if (reference?.pairing.client === client && problems.length === 0) {
    const lines = essentialLines(screens.client, lab.name).join("\n");
    const missing = essentialLines(reference.result.screens.client, lab.name)
      .find((line) => !lines.includes(line));
    if (missing) {
      problems.push(`the data did not come back: ${client.name} does not print ${missing}`);
    }
  }
  return problems;
}

/** Returns the error that a program printed, as the end of a sentence. */
function reasonOf({ errors }: Exit): string {
  const lines = errors.trim().split("\n");
  const line = lines.findLast((line) => /^(error: |\w*(Error|Exception)\b)/.test(line)) ??
    lines.at(-1);
  return line ? `: ${line}` : "";
}

/** Returns the lines of a screen without what may differ from one run to the next. */
function essentialLines(screen: string, lab: string): string[] {
  const lines = screen.split("\n").filter((line) => line.trim() !== "");
  if (lab === "guess") return lines.filter((line) => /correct/i.test(line)).map(() => "CORRECT");
  return lines.map((line) => line.replace(/\d+/g, "N").trim());
}

/** Prints whether a pairing works, and why it does not. */
export function printVerdict(pairing: Pairing, problems: string[]) {
  const [server, client] = ROLES.map((role) => pairing[role].title ?? pairing[role].name);
  const verdict = problems.length === 0 ? green("works") : red("does not work");
  write`${bold(`${server} with ${client}`)}: ${verdict}\n`;
  for (const problem of problems) write`  ${problem}\n`;
}

/** Prints the screens of the two originals. */
export function printReference({ pairing, result }: Run) {
  const [left, right] = ROLES.map((role) => result.screens[role].trimEnd().split("\n"));
  const names = ROLES.map((role) => pairing[role].name);
  const widths = columnWidths([names[0], ...left], [names[1], ...right]);
  printRow(names[0], names[1], widths);
  printRule(widths);
  const rows = Math.max(left.length, right.length);
  for (let i = 0; i < Math.min(rows, MAX_ROWS); i++) {
    printRow(left[i] ?? "", right[i] ?? "", widths);
  }
  printOmitted(rows);
  write`\n`;
}

/** Returns a screen as it would be if the server had another port. */
export function atPort(screen: string, port: number, other: number): string {
  return screen.replaceAll(new RegExp(`\\b${port}\\b`, "g"), `${other}`);
}

/** Prints how the screen of a role differs from the reference. A table that was printed is not repeated. */
export function printComparison(
  role: Role,
  { pairing, result }: Run,
  reference: Run,
  printed: Set<string>,
) {
  const screen = atPort(result.screens[role], result.port, reference.result.port);
  const rows = compareLines(reference.result.screens[role], screen);
  const { name } = pairing[role];
  const differing = rows.filter(({ mark }) => mark === "≠").length;
  if (differing === 0) {
    const isSame = rows.every(({ mark }) => mark === " ");
    const same = isSame
      ? green("prints the same")
      : yellow("prints the same but for bytes notation");
    write`  ${name} ${same}\n`;
    return;
  }
  const table = comparable(JSON.stringify(rows));
  write`  ${name} ${yellow("differs")} in ${differing} ${differing === 1 ? "line" : "lines"}`;
  if (printed.has(table)) {
    write`, as above\n`;
    return;
  }
  printed.add(table);
  write`:\n`;
  printTable(reference.pairing[role].name, name, rows);
}

function printTable(left: string, right: string, rows: ComparedLine[]) {
  const cells = (side: "left" | "right") => rows.map((row) => row[side] ?? "");
  const widths = columnWidths([left, ...cells("left")], [right, ...cells("right")]);
  printRow(left, right, widths);
  printRule(widths);
  for (const { left = "", right = "", mark } of rows.slice(0, MAX_ROWS)) {
    printRow(left, right, widths, mark === " " ? "│" : mark);
  }
  printOmitted(rows.length);
}

function printOmitted(rows: number) {
  if (rows > MAX_ROWS) write`... and ${rows - MAX_ROWS} more lines\n`;
}
