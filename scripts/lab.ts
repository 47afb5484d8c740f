#!/usr/bin/env -S deno run -A
/**
 * Works with the labs: lists and runs them, shows and compares them with their
 * Python originals, checks exercises, and copies a script to start from.
 *
 * ```sh
 * deno task lab                               # lists the labs
 * deno task lab run echo -- --message=Hi      # server and client side by side
 * deno task lab show echo_server --originals=DIR    # original and script
 * deno task lab compare echo --originals=DIR  # both run, the four pairings
 * deno task lab check FILE --as=echo_server   # an exercise, in TAP
 * deno task lab new echo_server DIR           # a copy to start from
 * ```
 *
 * A lab is a pair of scripts, `NAME_server*.ts` and `NAME_client*.ts`. Each
 * shows its session in a console block at its head: that is what it is checked
 * against. Originals are looked for in DIR under their course's name or under
 * ours (`echo_server.py`); without DIR the project's own counterparts are taken.
 *
 * It needs `-A`: it reads the scripts, runs them and Python, and writes copies.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { check } from "./lab/check.ts";
import {
  bold,
  columnWidths,
  green,
  printRow,
  printRule,
  red,
  terminalWidth,
  yellow,
} from "./lab/columns.ts";
import { type Half, type Lab, type Script, SCRIPTS } from "./lab/header.ts";
import { find, findLab, findScripts, labs, scripts } from "./lab/names.ts";
import { findOriginal } from "./lab/originals.ts";
import { ourPlayer, type Player, pythonPlayer, runPair } from "./lab/pair.ts";
import { hasPython } from "./lab/program.ts";
import { compareLines } from "./lab/screens.ts";
import { Failure, input, note, run, UsageError, write } from "./lib.ts";

const TASKS = ["list", "run", "demo", "show", "compare", "check", "new"];

function list() {
  for (const { name, transport, server, client } of labs) {
    write(`${bold(name)}  ${transport.toUpperCase()}  ${server.course}\n`);
    for (const script of [server, client]) {
      write(`  ${script.name}  mirrors ${script.original}\n`);
      write(`    ${script.summary}\n`);
    }
  }
}

/** Two screens next to each other, which grow line by line in the order of events. */
class SideBySide {
  #widths: [number, number];
  #begun = { server: "", client: "" }; // lines without an end
  #prompt = ""; // what of the client's line stands on the terminal already

  constructor(widths: [number, number], readonly isTyped: boolean) {
    this.#widths = widths;
  }

  /** Adds what appeared on a half's screen. */
  add(half: Half, output: string) {
    const lines = (this.#begun[half] + output).split("\n");
    this.#begun[half] = lines.pop()!;
    for (const line of lines) this.#row(half, line);
    // A prompt shows at once, where the user types behind it.
    if (this.isTyped && Deno.stdout.isTerminal() && !this.#prompt) {
      this.#prompt = this.#begun.client;
      const margin = " ".repeat(this.#widths[0]);
      if (this.#prompt) write(`${margin} │ ${this.#prompt}`);
    }
  }

  /** Adds lines of a half's stderr. */
  tell(half: Half, output: string) {
    for (const line of output.split("\n").slice(0, -1)) this.#row(half, line);
  }

  /** Shows the lines that never got an end. */
  end() {
    for (const half of ["server", "client"] as const) {
      if (this.#begun[half]) this.add(half, "\n");
    }
  }

  #row(half: Half, line: string) {
    const isShown = half === "client" && this.#prompt &&
      line.startsWith(this.#prompt);
    if (this.#prompt && !isShown) write("\n");
    this.#prompt = "";
    if (isShown) return; // the terminal shows what is typed by itself
    if (half === "server") printRow(line, "", this.#widths);
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
async function runLab(lab: Lab, more: string[], isTyped: boolean) {
  const titles = [lab.server, lab.client].map(({ name, args }) => [name, ...args].join(" "));
  titles[1] += more.map((arg) => ` ${arg}`).join("");
  const [left, right] = [lab.server, lab.client].map(({ screen }, i) => [
    titles[i],
    ...screen.replace(/\bport \d+/g, "port 65535").split("\n"),
  ]);
  if (isTyped) right.push(" ".repeat(80)); // what may come is not known
  const widths = columnWidths(left, right);
  write(bold(lab.name) + "\n");
  printRow(titles[0], titles[1], widths);
  printRule(widths);

  const screens = new SideBySide(widths, isTyped);
  const players = {
    server: ourPlayer(lab.server),
    client: ourPlayer(lab.client, "-A", more),
  };
  const { checks } = await runPair(lab, players, {
    keyboard: isTyped ? keyboard() : undefined,
    onScreen: (half, output) => screens.add(half, output),
    onErrors(half, output) {
      const isListening = /^note: listening on .*\n/;
      if (isTyped) screens.tell(half, output.replace(isListening, ""));
    },
  });
  screens.end();
  const problems = checks.filter(({ problem }) => problem);
  for (const { what, problem } of problems) {
    write(red(`not so: ${what}`) + `\n${problem}\n`);
  }
  write((problems.length === 0 ? green("ok") : red("failed")) + "\n\n");
  return problems.length === 0;
}

async function* keyboard() {
  for (let line; (line = await input("")) !== null;) yield line;
}

/** Runs labs in turn, all of them where none is named. */
async function runLabs(names: string[], more: string[], isTyped: boolean) {
  const chosen = names.length > 0 ? names.map(findLab) : labs;
  let failed = 0;
  for (const lab of chosen) {
    const asks = lab.client.typed.length > 0;
    const typing = isTyped && (asks || more.length > 0);
    if (!await runLab(lab, more, typing)) failed++;
  }
  if (failed > 0) {
    throw new Failure(`${failed} of ${chosen.length} labs failed`);
  }
}

function show(name: string, originals: string) {
  const chosen = findScripts(name);
  for (const script of chosen) {
    const file = findOriginal(script, originals);
    const [left, right] = [file, SCRIPTS + script.name].map((path) =>
      Deno.readTextFileSync(path).trimEnd().split(/\r?\n/)
        .map((line) => line.replaceAll("\t", "    "))
    );
    const titles = [file.split("/").at(-1)!, script.name];
    const room = Math.floor((terminalWidth() - 3) / 2);
    const widths: [number, number] = [room, room];
    printRow(titles[0], titles[1], widths);
    printRule(widths);
    for (let i = 0; i < Math.max(left.length, right.length); i++) {
      printRow(left[i] ?? "", right[i] ?? "", widths);
    }
    write("\n");
  }
}

async function needPython() {
  if (!await hasPython()) throw new Failure("there is no Python 3 here");
}

async function compare(name: string, originals: string) {
  const lab = findLab(name);
  await needPython();
  const original = (script: Script) => pythonPlayer(script, findOriginal(script, originals));
  const players = {
    server: [original(lab.server), ourPlayer(lab.server)],
    client: [original(lab.client), ourPlayer(lab.client)],
  };
  const screens: Record<Half, string>[] = [];
  const verdicts: string[] = [];
  let failed = 0;
  for (const [s, c] of [[0, 0], [1, 1], [0, 1], [1, 0]]) {
    const pair = { server: players.server[s], client: players.client[c] };
    const outcome = await runPatiently(lab, pair);
    screens.push(outcome.screens);
    const problem = outcome.checks.find(({ problem }) => problem);
    const verdict = problem
      ? red(`differs: ${problem.what}: ${problem.problem}`)
      : outcome.checks.some(({ isNotation }) => isNotation)
      ? yellow("same but for bytes notation")
      : green("same");
    if (problem) failed++;
    verdicts.push(`${pair.server.name} with ${pair.client.name}: ${verdict}`);
  }
  for (const half of ["server", "client"] as const) {
    const [left, right] = screens.map((screen) =>
      screen[half].replace(/\bport \d+/g, `port ${lab[half].port}`)
    );
    const rows = compareLines(left, right);
    const [theirs, ours] = players[half];
    const widths = columnWidths(
      [theirs.name, ...rows.map(({ left }) => left)],
      [ours.name, ...rows.map(({ right }) => right)],
    );
    printRow(theirs.name, ours.name, widths);
    printRule(widths);
    for (const { left, right, mark } of rows) {
      printRow(left, right, widths, mark === " " ? "│" : mark);
    }
    write("\n");
  }
  write("≠ differs, ~ the same but in Python's notation for bytes\n\n");
  for (const verdict of verdicts) write(`${verdict}\n`);
  if (failed > 0) throw new Failure(`${failed} of 4 pairings failed`);
}

/**
 * Runs a pair, again and again while the system still holds an original's port:
 * an original that does not set SO_REUSEADDR leaves it so for a minute
 * (TIME-WAIT, RFC 9293).
 */
async function runPatiently(lab: Lab, pair: Record<Half, Player>) {
  for (let seconds = 0;; seconds += 5) {
    const outcome = await runPair(lab, pair);
    const [{ problem }] = outcome.checks;
    const port = pair.server.port ?? pair.client.port;
    const isHeld = problem && port !== undefined &&
      /already in use|10048/i.test(problem);
    if (!isHeld || seconds > 60) return outcome;
    if (seconds === 0) note(`waiting until the system frees port ${port}`);
    await delay(5000);
  }
}

/** Copies what an exercise needs, and never over a file that is there. */
function copy(name: string, folder: string) {
  const chosen = findScripts(name);
  const both = scripts().filter(({ lab }) => lab === chosen[0].lab);
  const names = ["lib.ts", "std.d.ts", ...both.map(({ name }) => name)];
  const files = names.map((name) => ({
    path: `scripts/${name}`,
    text: Deno.readTextFileSync(SCRIPTS + name),
  }));
  const { tasks: _, ...config } = JSON.parse(
    Deno.readTextFileSync(`${SCRIPTS}../deno.json`),
  );
  files.push({
    path: "deno.json",
    text: JSON.stringify(config, null, 2) + "\n",
  });
  for (const { path } of files) {
    try {
      Deno.lstatSync(`${folder}/${path}`);
    } catch {
      continue;
    }
    throw new Failure(`${folder}/${path} is there already: nothing was copied`);
  }
  Deno.mkdirSync(`${folder}/scripts`, { recursive: true });
  for (const { path, text } of files) {
    Deno.writeTextFileSync(`${folder}/${path}`, text, { createNew: true });
  }

  const quoted = /[^\w./-]/.test(folder) ? `'${folder}'` : folder;
  write("Run it, server and client each in a terminal of its own:\n");
  for (const { name, args } of both) {
    const command = [`${quoted}/scripts/${name}`, ...args].join(" ");
    write(`  deno run -A ${command}\n`);
  }
  write("Check it:\n");
  for (const { name } of chosen) {
    const as = name.replace(".ts", "");
    write(`  deno task lab check ${quoted}/scripts/${name} --as=${as}\n`);
  }
}

/** Words that a task needs, or an error that names them. */
function need(words: string[], ...names: string[]): string[] {
  const missing = names[words.length];
  if (missing) throw new UsageError(`${missing} is missing`);
  if (words.length > names.length) {
    throw new UsageError(`unexpected argument ${words[names.length]}`);
  }
  return words;
}

if (import.meta.main) {
  const flags = {
    _: [`[${TASKS.join(" | ")}]`, "..."],
    originals: String,
    as: String,
  };
  await run(flags, async ({ _: words, originals = "", as }) => {
    const end = Deno.args.indexOf("--");
    const more = end < 0 ? [] : Deno.args.slice(end + 1);
    const [task = "list", ...names] = words.slice(
      0,
      words.length - more.length,
    );
    switch (task) {
      case "list":
        need(names);
        return list();
      case "run":
        if (more.length > 0) need(names, "the name of a lab");
        return await runLabs(names, more, true);
      case "demo":
        return await runLabs(names, [], false);
      case "show":
        return show(need(names, "the name of a lab or script")[0], originals);
      case "compare":
        return await compare(need(names, "the name of a lab")[0], originals);
      case "check":
        if (as === undefined) throw new UsageError("--as=SCRIPT is missing");
        return await check(need(names, "the file to check")[0], as);
      case "new": {
        const [name, folder] = need(
          names,
          "the name of a lab or script",
          "the folder",
        );
        return copy(name, folder);
      }
      default:
        find(TASKS.map((name) => ({ name })), task);
    }
  });
}
