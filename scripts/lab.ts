#!/usr/bin/env -S deno run -A
/**
 * Works with the labs: lists and runs them, shows and compares them with their
 * Python originals, checks exercises, and copies a script to start from.
 *
 * - `deno task lab` lists the labs.
 * - `deno task lab run echo -- --message=Hi` runs server and client side by side.
 * - `deno task lab show echo_server --originals=DIR` shows original and script.
 * - `deno task lab compare echo --originals=DIR` runs both, in four pairings.
 * - `deno task lab check FILE --as=echo_server` checks an exercise, in TAP.
 * - `deno task lab check FOLDER --format=table` checks a class.
 * - `deno task lab wire echo_v2` draws what goes over the wire.
 * - `deno task lab wire echo --server=my.py` does the same for your own server.
 * - `deno task lab live guess` runs a lab in the browser, and you type.
 * - `deno task lab book DIR` writes all of it into a page for the browser.
 * - `deno task lab new 1 DIR` copies what an exercise needs.
 * - `deno task lab new echo_server DIR` makes a copy to start from.
 * - `deno task lab help check` says what a command does.
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
import { type Command, runCommand } from "./lab/terminal/command.ts";

/** The flags of all commands, with their values when not given. */
const FLAGS = {
  originals: "",
  as: "",
  exercise: NaN,
  strict: false,
  watch: false,
  format: "",
  out: "",
  server: "",
  client: "",
  port: NaN,
  mermaid: false,
  reads: false,
  hex: false,
  times: false,
  drop: "",
  duplicate: "",
  delay: "",
  split: "",
  open: false,
};

/** The commands. Each imports its code when it runs, so that the tool starts fast. */
const COMMANDS: Command<typeof FLAGS>[] = [
  {
    name: "list",
    words: [],
    flags: [],
    summary: "lists the labs: their scripts, and what these mirror",
    manual: "",
    run: async () => (await import("./lab/commands/list.ts")).list(),
  },
  {
    name: "run",
    words: ["[LAB...]", "[-- FLAGS]"],
    flags: ["server", "client", "originals"],
    summary: "runs a lab, server and client side by side; you type",
    manual: `\
Everything after -- goes to the client: lab run echo -- --message=Hi
Ctrl-D ends the input, Ctrl-C everything. Without a LAB, all labs run in turn.
--server=FILE    a program that takes the server's place: a .py, .ts, .js, .mjs or .cjs file.
--client=FILE    a program that takes the client's place.
--originals=DIR  the lab's Python files in DIR take both places.
The programs run with all your permissions.`,
    async run(names, flags, more) {
      const { runProgramsOrLabs } = await import("./lab/commands/run.ts");
      await runProgramsOrLabs(names, flags, more);
    },
  },
  {
    name: "demo",
    words: ["[LAB...]"],
    flags: [],
    summary: "runs a lab as the scripts' headers show it, typing included",
    manual: "Without a LAB, all labs run in turn. Status 1 where one does not go as shown.",
    async run(names) {
      const { runLabs } = await import("./lab/commands/run.ts");
      await runLabs(names, [], false);
    },
  },
  {
    name: "show",
    words: ["LAB|SCRIPT"],
    flags: ["originals", "server", "client"],
    summary: "shows original and script next to each other, step by step",
    manual: `\
Lines that are the same step are in one row, marked with =. On fewer than 70 columns the original is
shown above the script.
--originals=DIR  where the course's Python files are; without it, our counterparts.
--server=FILE    the original server, if several files fit, and --client=FILE.`,
    async run([name], flags) {
      const { show } = await import("./lab/originals/show.ts");
      show(name, flags.originals, flags);
    },
  },
  {
    name: "compare",
    words: ["[LAB]"],
    flags: ["originals", "server", "client", "port"],
    summary: "runs originals and scripts in all four pairings, and compares what they do",
    manual: `\
What the two originals print together is the reference for the other pairings. Status 1 if a pairing
does not work. Different wording is not a failure. Without a LAB, all labs of which DIR contains an
original are compared, with a table at the end.
--originals=DIR  where the course's Python files are, in folders below it too.
--server=FILE    the original server, if several files fit, and --client=FILE.
--port=N         the port of the originals, if the server is not to be started to observe it.`,
    async run([name], flags) {
      const { compare } = await import("./lab/originals/compare.ts");
      await compare(name, flags);
    },
  },
  {
    name: "wire",
    words: ["LAB", "[-- FLAGS]"],
    flags: [
      ...["server", "client", "originals", "mermaid", "reads", "hex", "times"] as const,
      ...["drop", "duplicate", "delay", "split"] as const,
    ],
    summary: "runs a lab, or your own programs, and draws what goes over the wire",
    manual: `\
--server=FILE    a program that takes the server's place: a .py, .ts, .js, .mjs or .cjs file.
--client=FILE    a program that takes the client's place.
--originals=DIR  the lab's Python files in DIR take both places.
--mermaid        prints the diagram in Mermaid's language.
--reads          shows what each read gets.
--hex            shows the bytes in hexadecimal too.
--times          shows when each event happened, in milliseconds since the start.
--drop=2         drops the server's second segment or datagram.
--duplicate=2    delivers it twice.
--delay=2:500    delivers it 500 ms later.
--split=2:15     delivers it in two segments, the first with 15 bytes. Of a datagram, only the first
                 part arrives.
client:2 is the client's second; commas separate several. Everything after -- goes to
the client: lab wire echo -- --message=Hi
The programs run with all your permissions. Status 1 if one of them fails.`,
    async run(names, flags, more) {
      const { drawWire } = await import("./lab/commands/wire.ts");
      await drawWire(names, flags, more);
    },
  },
  {
    name: "live",
    words: ["[LAB]"],
    flags: ["server", "client", "open"],
    summary: "opens a page for the browser in which a lab runs: you type, and disturb the wire",
    manual: `\
The address that it prints works on this machine only, and contains a secret. The page runs what you
choose in it, with all your permissions: a script, its counterpart in Python, or a file, which
runs again whenever you save it. Without a LAB, the page begins with the lab guess.
--server=FILE    a program that takes the server's place: a .py, .ts, .js, .mjs or .cjs file.
--client=FILE    a program that takes the client's place.
--open           opens the page in your browser.
It ends with Ctrl-C, or some seconds after the page is closed. No program is left.`,
    async run([name = "guess"], flags) {
      const { runLive } = await import("./lab/commands/live.ts");
      await runLive(name, flags);
    },
  },
  {
    name: "book",
    words: ["[FOLDER]"],
    flags: ["originals", "server", "client", "as"],
    summary: "runs all labs, and writes what happened as a page for the browser, lab-book.html",
    manual: `\
The page is whole in itself: it works from disk, offline, and on paper.
--originals=DIR  where the course's Python files are. They are shown next to our scripts, and run
                 in a recording of their own. Without it, our counterparts are shown.
--server=FILE    a program, such as a submission, that takes the place of an original server, and
                 --client=FILE. Its lab is the one whose script has its name.
--as=LAB         the lab of these programs, if their names do not say it.
The programs run with all your permissions.`,
    async run([folder = "."], flags) {
      const { writeBook } = await import("./lab/book/book.ts");
      await writeBook(folder, flags);
    },
  },
  {
    name: "check",
    words: ["[FILE|FOLDER...]"],
    flags: ["as", "exercise", "strict", "watch", "format", "out"],
    summary: "checks a submission or a class, and reports in TAP",
    manual: `\
Without a FILE, all scripts of the exercise in this folder are checked. In a FOLDER and the folders
below it, every program is checked that has the name of a script, or of the course's file. Before
and after the name there can be a student's name and numbers. The rest is skipped, with a note:
lab check hand-ins
--as=SCRIPT      the script that a file takes the place of, if its name does not say so.
--exercise=N     the exercise that it is: it has checks of its own. In the folder of an exercise,
                 this is not needed.
--strict         also requires what the sheet does not ask for: several clients at once,
                 --port, a client that resets its connection. Otherwise these are notes.
--watch          checks again each time a file is saved, and shows the first failure, until Ctrl-C.
--format=FORMAT  tap, table, junit, json or csv. The points are the checks that were passed.
--out=DIR        writes a report for each student to DIR, and prints a table.
Status 1 if a check failed, 3 if none failed but no time was left for some. TypeScript and
JavaScript get their own ports and nothing else. Python cannot be limited.`,
    async run(names, flags) {
      const { checkFiles, watchFile } = await import("./lab/commands/check.ts");
      await (flags.watch ? watchFile : checkFiles)(names, flags);
    },
  },
  {
    name: "new",
    words: ["N|LAB|SCRIPT", "[FOLDER]"],
    flags: [],
    summary: "starts exercise N in FOLDER, or copies the scripts of a lab to it",
    manual: `\
An exercise starts from a file with gaps. Nothing that is there already is changed.
In the folder, \`deno task watch\` checks the exercise each time a file is saved, \`deno task check\`
checks it once, and \`deno task hint\` gives a hint. Without FOLDER, the exercise is only explained.`,
    async run([name, folder]) {
      const { copyScripts, startExercise } = await import("./lab/exercises/start.ts");
      if (/^\d+$/.test(name)) startExercise(Number(name), folder);
      else copyScripts(name, folder);
    },
  },
  {
    name: "hint",
    words: ["[N]"],
    flags: ["exercise"],
    summary: "gives a hint for the exercise in this folder, one more each time",
    manual: `\
The last hint shows our solution. N is the number of a hint.
--exercise=N     the exercise, outside of its folder.`,
    async run([word], { exercise }) {
      const { giveHint } = await import("./lab/exercises/hint.ts");
      giveHint(word, exercise);
    },
  },
];

/** Runs a command line and ends the program. */
export const main = (args: string[]): Promise<void> => runCommand(COMMANDS, FLAGS, args);

if (import.meta.main) await main(Deno.args);
