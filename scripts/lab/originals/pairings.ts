/**
 * What is the matter with a pairing of originals and scripts, and what they print that
 * original with original does not.
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
import type { Guest, Meeting } from "../session/meeting.ts";
import { write } from "../terminal/output.ts";
import { comparable, type ComparedLine, compareLines } from "../session/transcript.ts";

const MOST_ROWS = 60; // of a screen that are shown

/** Two programs, one for each half. */
export type Pair = Record<Role, Guest>;

/** What original with original did. */
export interface Truth {
  /** The originals. */
  theirs: Pair;
  /** What became of their meeting. */
  truth: Meeting;
}

/** Says why a pairing does not work: nothing where it does. */
export function problemsOf(lab: Lab, pair: Pair, meeting: Meeting, held?: Truth): string[] {
  const { server, client } = pair;
  const { endings, screens } = meeting;
  if (server.port !== undefined && client.port !== undefined && server.port !== client.port) {
    return [`${server.name} has port ${server.port}, ${client.name} has ${client.port}`];
  }
  const lastWords = (role: Role) => {
    const line = endings[role].errors.trim().split("\n").at(-1);
    return line ? `: ${line}` : "";
  };
  if (!meeting.listened) {
    return [`${server.name} does not listen on port ${meeting.port}${lastWords("server")}`];
  }
  const problems = ROLES.flatMap((role) => {
    const { status, errors } = endings[role];
    const isTheirs = held?.theirs[role] === pair[role] || !held;
    const usual = isTheirs ? held?.truth.endings[role].status : undefined;
    if (status === 0 || (status === usual && held)) return [];
    // What asks on is told that there is no more to type: Python calls that an EOFError.
    if (isTheirs && /EOFError/.test(errors)) return [];
    if (status !== null) {
      return [`${pair[role].name} ended with status ${status}${lastWords(role)}`];
    }
    const mayRunOn = role === "server" || (isTheirs && !held && screens.client !== "");
    return mayRunOn ? [] : [`${pair[role].name} did not end${lastWords(role)}`];
  });
  // An original shows with our script what it shows with the other original.
  if (held && held.theirs.client === client && problems.length === 0) {
    const here = essence(screens.client, lab.name);
    const lost = essenceLines(held.truth.screens.client, lab.name)
      .find((line) => !here.includes(line));
    if (lost) problems.push(`the data did not come back: ${client.name} does not print ${lost}`);
  }
  return problems;
}

/** A screen without what may differ from one run to the next. */
function essence(screen: string, lab: string): string {
  return essenceLines(screen, lab).join("\n");
}

function essenceLines(screen: string, lab: string): string[] {
  const lines = screen.split("\n").filter((line) => line.trim() !== "");
  if (lab === "guess") return lines.filter((line) => /correct/i.test(line)).map(() => "CORRECT");
  return lines.map((line) => line.replace(/\d+/g, "N").trim());
}

/** Prints the verdict about a pairing, and tells whether it does not work. */
export function tell(pair: Pair, problems: string[]): boolean {
  const works = problems.length === 0;
  const verdict = works ? green("works") : red("does not work");
  write`${bold(`${title(pair.server)} with ${title(pair.client)}`)}: ${verdict}\n`;
  for (const problem of problems) write`  ${problem}\n`;
  return !works;
}

function title({ name, title }: Guest): string {
  return title ?? name;
}

/** Prints what original with original shows. */
export function printScreens({ server, client }: Pair, { screens }: Meeting) {
  const [left, right] = ROLES.map((role) => screens[role].trimEnd().split("\n"));
  const widths = columnWidths([server.name, ...left], [client.name, ...right]);
  printRow(server.name, client.name, widths);
  printRule(widths);
  const rows = Math.max(left.length, right.length);
  for (let i = 0; i < Math.min(rows, MOST_ROWS); i++) {
    printRow(left[i] ?? "", right[i] ?? "", widths);
  }
  tellMore(rows);
  write`\n`;
}

/** A screen as it is when the server has another port. */
export function atPort(screen: string, port: number, other: number): string {
  return screen.replaceAll(new RegExp(`\\b${port}\\b`, "g"), `${other}`);
}

/** Says whether a half prints what the original prints with the original, and what differs. */
export function printHalf(
  role: Role,
  pair: Pair,
  meeting: Meeting,
  { theirs, truth }: Truth,
  shown: Set<string>,
) {
  const ours = atPort(meeting.screens[role], meeting.port, truth.port);
  const original = truth.screens[role];
  const rows = compareLines(original, ours);
  const { name } = pair[role];
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
  if (shown.has(table)) write`, as above\n`;
  else write`:\n`;
  if (!shown.has(table)) printTable(theirs[role].name, name, rows);
  shown.add(table);
}

function printTable(left: string, right: string, rows: ComparedLine[]) {
  const cells = (side: "left" | "right") => rows.map((row) => row[side] ?? "");
  const widths = columnWidths([left, ...cells("left")], [right, ...cells("right")]);
  printRow(left, right, widths);
  printRule(widths);
  for (const { left = "", right = "", mark } of rows.slice(0, MOST_ROWS)) {
    printRow(left, right, widths, mark === " " ? "│" : mark);
  }
  tellMore(rows.length);
}

function tellMore(rows: number) {
  if (rows > MOST_ROWS) write`... and ${rows - MOST_ROWS} more lines\n`;
}
