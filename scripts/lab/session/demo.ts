/**
 * A lab that runs on the terminal, both screens side by side.
 *
 * @module
 */
import { input } from "../../lib.ts";
import {
  bold,
  columnWidths,
  green,
  printRow,
  printRule,
  red,
  terminalWidth,
  widthOf,
  wrapped,
} from "../terminal/columns.ts";
import type { Lab, Role } from "../catalog/header.ts";
import { write } from "../terminal/output.ts";
import { runFiles } from "../trace/recording.ts";
import { ourPlayer, runPair } from "./pair.ts";

/** Two screens next to each other, which grow line by line in the order of events. */
class SideBySide {
  #widths: [number, number];
  #begun = { server: "", client: "" }; // lines without an end
  #prompt = ""; // what of the client's line stands on the terminal already

  constructor(widths: [number, number], readonly isTyped: boolean) {
    this.#widths = widths;
  }

  /** Adds what appeared on a half's screen. */
  add(role: Role, output: string) {
    const lines = (this.#begun[role] + output).split("\n");
    this.#begun[role] = lines.pop()!;
    for (const line of lines) this.#row(role, line);
    // A prompt shows at once, where the user types behind it.
    if (this.isTyped && Deno.stdout.isTerminal() && !this.#prompt) {
      if (widthOf(this.#begun.client) <= this.#widths[1]) this.#prompt = this.#begun.client;
      const margin = " ".repeat(this.#widths[0]);
      if (this.#prompt) write`${margin} │ ${this.#prompt}`;
    }
  }

  /** Adds lines of a half's stderr. */
  tell(role: Role, output: string) {
    for (const line of output.split("\n").slice(0, -1)) this.#row(role, line);
  }

  /** Shows the lines that never got an end. */
  end() {
    for (const role of ["server", "client"] as const) {
      if (this.#begun[role]) this.add(role, "\n");
    }
  }

  #row(role: Role, line: string) {
    const isShown = role === "client" && this.#prompt && line.startsWith(this.#prompt);
    if (this.#prompt && !isShown) write`\n`;
    this.#prompt = "";
    if (isShown) return; // the terminal shows what is typed by itself
    if (role === "server") printRow(line, "", this.#widths);
    else printRow("", line, this.#widths);
  }
}

/**
 * Runs a lab and shows both screens side by side.
 *
 * @param lab The lab.
 * @param more More arguments for the client.
 * @param isTyped Whether the user types; else the session of the header does.
 * @returns Whether all went well.
 */
export async function runLab(lab: Lab, more: string[], isTyped: boolean): Promise<boolean> {
  const titles = [lab.server, lab.client].map(({ name, args }) => [name, ...args].join(" "));
  titles[1] += more.map((arg) => ` ${arg}`).join("");
  const [left, right] = [lab.server, lab.client].map(({ screen }, i) => [
    titles[i],
    ...screen.replace(/\bport \d+/g, "port 65535").split("\n"),
  ]);
  if (isTyped) right.push(" ".repeat(80)); // what may come is not known
  const widths = columnWidths(left, right);
  write`${bold(lab.name)}\n`;
  printRow(titles[0], titles[1], widths);
  printRule(widths);

  const screens = new SideBySide(widths, isTyped);
  const players = {
    server: ourPlayer(lab.server),
    client: ourPlayer(lab.client, "-A", more),
  };
  const { checks } = await runPair(lab, players, {
    keyboard: isTyped ? keyboard() : undefined,
    onScreen: (role, output) => screens.add(role, output),
    onErrors(role, output) {
      const isListening = /^note: listening on .*\n/;
      if (isTyped) screens.tell(role, output.replace(isListening, ""));
    },
  });
  screens.end();
  const problems = checks.filter(({ problem }) => problem);
  for (const { what, problem } of problems) {
    write`${red(`not so: ${what}`)}\n`;
    for (const line of problem!.trimEnd().split("\n")) {
      for (const part of wrapped(line, terminalWidth())) write`${part}\n`;
    }
  }
  write`${problems.length === 0 ? green("ok") : red("failed")}\n\n`;
  return problems.length === 0;
}

/**
 * Runs a lab with other programs in the places of its scripts, and shows both screens side by side.
 *
 * @param lab The lab.
 * @param files The programs.
 * @param more More arguments for the client.
 * @returns Whether all went well.
 */
export async function runFilesOnScreen(
  lab: Lab,
  files: Partial<Record<Role, string>>,
  more: string[],
): Promise<boolean> {
  const titles = [files.server ?? lab.server.name, files.client ?? lab.client.name];
  titles[1] += more.map((arg) => ` ${arg}`).join("");
  const room = " ".repeat(80); // what may come is not known
  const widths = columnWidths([titles[0], room], [titles[1], room]);
  write`${bold(lab.name)}\n`;
  printRow(titles[0], titles[1], widths);
  printRule(widths);
  const screens = new SideBySide(widths, true);
  const { problems } = await runFiles(lab, files, more, {
    keyboard: keyboard(),
    onScreen: (role, output) => screens.add(role, output),
    onErrors: (role, output) => screens.tell(role, output.replace(/^note: listening on .*\n/, "")),
  });
  screens.end();
  for (const problem of problems) write`${red(`failed: ${problem}`)}\n`;
  if (problems.length === 0) write`${green("ok")}\n`;
  return problems.length === 0;
}

async function* keyboard() {
  for (let line; (line = await input("")) !== null;) yield line;
}
