/**
 * The command line of the lab tool. Each command has its words, flags and help.
 *
 * @module
 */
import { run, UsageError } from "../../cli.ts";
import { multiline, safeError, write } from "./output.ts";
import { aboutFile, isInside } from "./files.ts";
import { find, nearest } from "./names.ts";

/** Flags and their values. */
export type Flags = Record<string, string | number | boolean>;

/** A command of the lab tool. */
export interface Command<F extends Flags> {
  /** Its name, the word after `lab`. */
  name: string;
  /** The words after it, in brackets if they may be left out. */
  words: string[];
  /** Its flags. */
  flags: (keyof F & string)[];
  /** What it does, in one line. */
  summary: string;
  /** The rest of its help. */
  manual: string;
  /** Runs it. `more` is what follows ` -- `. */
  run(words: string[], flags: F, more: string[]): void | Promise<void>;
}

/** The folder in which the tool runs: that of the project or of an exercise. */
export const FOLDER: string = Deno.cwd();

/**
 * Runs a command line and ends the program. Without a word, it runs the first command. `help`, `-h` and
 * `--help` print the help.
 *
 * @param commands The commands.
 * @param usual The flags of all commands, with their defaults.
 * @param args The command line.
 */
export async function runCommand<F extends Flags>(
  commands: Command<F>[],
  usual: F,
  args: string[],
): Promise<void> {
  const help: Command<F> = {
    name: "help",
    words: ["[COMMAND]"],
    flags: [],
    summary: "says what a command does",
    manual: "",
    run: ([name]) => explain(name === undefined ? undefined : find(all, name)),
  };
  const all = [...commands, help];
  const explain = (command?: Command<F>) =>
    write`${multiline(command ? manualOf(command, usual) : overview(all, usual))}`;

  const end = [...args, "--"].indexOf("--");
  const [own, more] = [args.slice(0, end), args.slice(end + 1)];
  const word = own.find((arg) => all.some(({ name }) => name === arg)) ??
    own.find((arg) => !arg.startsWith("-"));
  const command = word === undefined ? all[0] : all.find(({ name }) => name === word);
  const asksForHelp = own.some((arg) => arg === "--help" || arg === "-h");
  if (!command) {
    const unknown = () => Promise.resolve(void find(all, word!));
    return await run({ _: ["COMMAND", "..."] }, unknown, []);
  }

  // The usage line of a command shows only its own flags.
  const flags = Object.fromEntries(command.flags.map((name) => [name, usual[name]]));
  const wrong = own.find((arg) => arg.startsWith("-") && !(nameOf(arg) in flags));
  await run({ _: [command.name, ...command.words], ...flags }, async ({ _: words, ...given }) => {
    if (asksForHelp) return explain(word === undefined ? undefined : command);
    if (wrong) {
      throw new UsageError(`unknown flag ${wrong}${suggestion(command.flags, nameOf(wrong))}`);
    }
    const rest = words.slice(word === undefined ? 0 : 1);
    checkWords(command.words, rest);
    goToUser();
    try {
      await command.run(rest, { ...usual, ...given }, more);
    } catch (error) {
      throw safeError(aboutFile(error));
    }
  }, asksForHelp || wrong ? [] : own);
}

function usageOf<F extends Flags>({ name, words, flags }: Command<F>, usual: F): string {
  const shown = flags.map((flag) => usual[flag] === false ? `[--${flag}]` : `[--${flag}=...]`);
  return ["lab", name, ...words, ...shown].join(" ");
}

function manualOf<F extends Flags>(command: Command<F>, usual: F): string {
  const { summary, manual } = command;
  return `${usageOf(command, usual)}\n\n${summary}\n${manual && `\n${manual}\n`}`;
}

function overview<F extends Flags>(commands: Command<F>[], usual: F): string {
  const lines = commands.map((command) => `${usageOf(command, usual)}\n    ${command.summary}\n`);
  return "Works with the labs, their Python originals, and exercises.\n\n" + lines.join("") +
    "\nlab COMMAND --help says more.\n";
}

/** Returns the name in `--name=value`. */
function nameOf(flag: string): string {
  return flag.replace(/^--?/, "").replace(/=.*/, "");
}

function suggestion(flags: string[], name: string): string {
  if (flags.length === 0) return "";
  return `: did you mean --${nearest(name, flags.map((name) => ({ name })))}?`;
}

function checkWords(words: string[], given: string[]) {
  if (given.includes("")) throw new UsageError(`${words[given.indexOf("")] ?? "a word"} is empty`);
  const missing = words.filter((word) => !word.startsWith("["))[given.length];
  if (missing) throw new UsageError(`${missing} is missing`);
  const most = words.filter((word) => !word.startsWith("[--")).length;
  const takesMany = words.some((word) => word.includes("..."));
  if (!takesMany && given.length > most) throw new UsageError(`unexpected argument ${given[most]}`);
}

/** Changes to the user's folder. `deno task` starts a task in the folder of its project. */
function goToUser() {
  const start = Deno.env.get("INIT_CWD");
  if (start && isInside(start, FOLDER)) Deno.chdir(start);
}
