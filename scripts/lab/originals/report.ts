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
import type { Exit } from "../session/session.ts";
import { write } from "../terminal/output.ts";
import type { Observed } from "../trace/run_traced.ts";
import type { Pairing, Run } from "./pairing.ts";
import { comparable, type ComparedLine, compareLines } from "../session/transcript.ts";

const MAX_ROWS = 60; // of a screen that are printed

/**
 * Returns why a pairing does not work, or nothing if it works.
 *
 * @param lab The lab.
 * @param run The pairing.
 * @param reference The originals together, if this is another pairing.
 */
export function problemsOf(lab: Lab, run: Run, reference?: Run): string[] {
  const { server, client } = run.pairing;
  const { exits, screens } = run.result;
  const observed = run.observed.server;
  if (!exits.client) {
    return [`${server.name} does not listen on port ${run.port}${reasonOf(exits.server)}`];
  }
  const { connects } = run.observed.client;
  if (connects.length > 0 && connects.every(({ port }) => port !== run.port)) {
    return [`${server.name} has port ${run.port}, ${client.name} has ${connects[0].port}`];
  }
  const problems = ROLES.flatMap((role) => {
    const { name, isOriginal } = run.pairing[role];
    const exit = exits[role]!;
    if (exit.excess) return [`${name} was ended: ${exit.excess}`];
    const usual = isOriginal ? reference?.result.exits[role] : undefined;
    const isUsual = usual?.isOwn === exit.isOwn && (usual.status === exit.status || !usual.isOwn);
    if (exit.isOwn && exit.status === 0 || isUsual) return [];
    // A client that asks again finds the end of its input: Python calls that an EOFError.
    const isDone = lab.name !== "guess" || /correct/i.test(screens.client);
    if (isOriginal && isDone && /EOFError/.test(exit.errors)) return [];
    if (exit.isOwn) return [`${name} ended with status ${exit.status}${reasonOf(exit)}`];
    const mayContinue = role === "server" || !reference && screens.client !== "";
    return mayContinue ? [] : [`${name} did not end${reasonOf(exit)}`];
  });
  // An original prints with our script what it prints with the other original.
  if (reference && client.isOriginal && problems.length === 0) {
    const lines = essentialLines(screens.client, lab.name).join("\n");
    const missing = essentialLines(reference.result.screens.client, lab.name)
      .find((line) => !lines.includes(line));
    if (missing) {
      problems.push(`the data did not come back: ${client.name} does not print ${missing}`);
    }
  }
  if (problems.length === 0 && observed.runtime !== undefined && observed.totals.received === 0) {
    problems.push(`${server.name} received nothing`);
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
  const [server, client] = ROLES.map((role) => pairing[role].title);
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

/** Prints how the screen of a role differs from the reference. A table that was printed is not repeated. */
export function printComparison(
  lab: Lab,
  role: Role,
  { pairing, result, observed }: Run,
  reference: Run,
  printed: Set<string>,
) {
  const rows = compareLines(reference.result.screens[role], result.screens[role]);
  const { name } = pairing[role];
  const differing = rows.filter(({ mark }) => mark === "≠").length;
  const table = comparable(JSON.stringify(rows));
  const isNew = differing > 0 && !printed.has(table);
  if (differing === 0) {
    const isSame = rows.every(({ mark }) => mark === " ");
    const same = isSame
      ? green("prints the same")
      : yellow("prints the same but for bytes notation");
    write`  ${name} ${same}\n`;
  } else {
    write`  ${name} ${yellow("differs")} in ${differing} ${differing === 1 ? "line" : "lines"}`;
    write`${isNew ? ":" : ", as above"}\n`;
  }
  if (isNew) printTable(reference.pairing[role].name, name, rows);
  printed.add(table);
  printTraffic(lab, observed[role], reference.observed[role]);
}

/** Prints in which pieces a program sent and read, and whether it sent the same as the original. */
function printTraffic({ transport }: Lab, observed: Observed, reference: Observed) {
  const dataOf = ({ sent }: Observed) =>
    sent.map(({ data }) => [...data].join()).join(transport === "udp" ? ";" : ",");
  const [pieces, usual] = [piecesOf(observed), piecesOf(reference)];
  write`  it ${pieces}`;
  if (pieces !== usual) write`; the original ${usual}`;
  const isSame = dataOf(observed) === dataOf(reference);
  const same = pieces === usual ? "the same" : "the same data";
  write`: ${isSame ? green(same) : yellow("not the same data")}\n`;
}

const MAX_PIECES = 8; // that are printed

function piecesOf({ sent, reads }: Observed): string {
  const list = (sizes: number[]) => {
    const more = sizes.length > MAX_PIECES ? ", ..." : "";
    return sizes.length === 0 ? "nothing" : `${sizes.slice(0, MAX_PIECES).join(", ")}${more} bytes`;
  };
  return `sends ${list(sent.map(({ length }) => length))} and reads ${list(reads)}`;
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
