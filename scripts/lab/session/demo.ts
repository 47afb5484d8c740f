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
import { runChecked, scriptParticipant } from "./checks.ts";

/** Two screens next to each other, which grow line by line as the programs print. */
export class SideBySide {
  #widths: [number, number];
  #unfinished = { server: "", client: "" }; // lines without their ends
  #prompt = ""; // the part of the client's line that is already on the terminal

  /** Prepares columns of some widths. */
  constructor(widths: [number, number], readonly isTyped: boolean) {
    this.#widths = widths;
  }

  /** Adds what a program printed, or what was typed to it. */
  add(role: Role, output: string) {
    const lines = (this.#unfinished[role] + output).split("\n");
    this.#unfinished[role] = lines.pop()!;
    for (const line of lines) this.#row(role, line);
    // A prompt is shown at once: the user types after it.
    if (this.isTyped && Deno.stdout.isTerminal() && !this.#prompt) {
      if (widthOf(this.#unfinished.client) <= this.#widths[1]) {
        this.#prompt = this.#unfinished.client;
      }
      const margin = " ".repeat(this.#widths[0]);
      if (this.#prompt) write`${margin} │ ${this.#prompt}`;
    }
  }

  /** Adds what a program printed on stderr. */
  addErrors(role: Role, output: string) {
    for (const line of output.split("\n").slice(0, -1)) this.#row(role, line);
  }

  /** Shows the lines without an end. */
  end() {
    for (const role of ["server", "client"] as const) {
      if (this.#unfinished[role]) this.add(role, "\n");
    }
  }

  #row(role: Role, line: string) {
    const isShown = role === "client" && this.#prompt && line.startsWith(this.#prompt);
    if (this.#prompt && !isShown) write`\n`;
    this.#prompt = "";
    if (isShown) return; // the terminal has shown what was typed
    if (role === "server") printRow(line, "", this.#widths);
    else printRow("", line, this.#widths);
  }
}

/**
 * Runs a lab and shows both screens side by side.
 *
 * @param lab The lab.
 * @param more More arguments for the client.
 * @param isTyped Whether the user types. Otherwise the lines of the header's session are typed.
 * @returns Whether everything went as the headers show.
 */
export async function runLab(lab: Lab, more: string[], isTyped: boolean): Promise<boolean> {
  const titles = [lab.server, lab.client].map(({ name, args }) => [name, ...args].join(" "));
  titles[1] += more.map((arg) => ` ${arg}`).join("");
  const [left, right] = [lab.server, lab.client].map(({ screen }, i) => [
    titles[i],
    ...screen.replace(/\bport \d+/g, "port 65535").split("\n"),
  ]);
  if (isTyped) right.push(" ".repeat(80)); // the width of future lines is not known
  const widths = columnWidths(left, right);
  write`${bold(lab.name)}\n`;
  printRow(titles[0], titles[1], widths);
  printRule(widths);

  const screens = new SideBySide(widths, isTyped);
  const participants = {
    server: scriptParticipant(lab, lab.server),
    client: scriptParticipant(lab, lab.client, { more }),
  };
  const { checks } = await runChecked(lab, participants, {
    typing: isTyped ? keyboard() : undefined,
    onScreen: (role, output) => screens.add(role, output),
    onErrors(role, output) {
      const isListening = /^note: listening on .*\n/;
      if (isTyped) screens.addErrors(role, output.replace(isListening, ""));
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

/** Returns the lines that the user types. */
export async function* keyboard(): AsyncGenerator<string> {
  for (let line; (line = await input("")) !== null;) yield line;
}
