/** Files, names and output that are made to hang, deceive or damage the lab tool. */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { parse } from "@std/yaml/parse";
import { asPoint } from "../../scripts/lab/check/formats/tap.ts";
import { AT_ONCE, privateFolder, takeTurn } from "../../scripts/lab/check/slots.ts";
import { aboutFile, writeWhole } from "../../scripts/lab/terminal/files.ts";
import { multiline, safe } from "../../scripts/lab/terminal/output.ts";
import { DENO_RUN, hasPython, Program } from "../../scripts/lab/process/program.ts";
import {
  has,
  lab,
  LINUX_ONLY,
  resultOf,
  SCRIPTS,
  temporary,
  THOROUGH,
  WITH_POSIX_FILES,
} from "../helpers.ts";
import { compared } from "./compared.ts";
import { labHere, withEnv } from "./in_process.ts";

const python = await hasPython();
const SIZE = THOROUGH ? 1_000_000 : 25_000; // characters
// Milliseconds of processor time. A time that grows with the square of the size takes seconds.
const MAX_TIME = 200 + SIZE * 0.003;

Deno.test(`no text of ${SIZE} characters keeps the lab tool busy`, async () => {
  const command = [...DENO_RUN, "-A", `${import.meta.dirname}/worst_input.ts`, `${SIZE}`];
  await using program = new Program(command);
  // Each case is named before it runs: one that hangs is the last that was named.
  for (let length = NaN; length !== program.screen.length;) {
    length = program.screen.length;
    await program.until(() => program.screen.length !== length, 30);
    if (await program.ended(0)) break;
  }
  const cases = program.screen.split("\n").slice(0, -1).map((line) => JSON.parse(line));
  assert(await program.ended(0), `it hangs: ${JSON.stringify(cases.at(-1))}`);
  assertEquals([await program.status, program.errors], [0, ""]);
  assertEquals(cases.filter(({ milliseconds }) => milliseconds > MAX_TIME), []);
});

// Output

const ESCAPE = "\x1b[32m\x9b2J\x07\r\u202e\ufff9\ufffb";
const NAME = `a\n1..0\nok 1 - forged${ESCAPE}`;
const HIDDEN = /[^\P{C}\n]|\p{Zl}|\p{Zp}/u; // a control or format character that is not a line end

Deno.test("a template shows its values with escapes, and keeps its own text", () => {
  const colored = safe`\x1b[1m${"a\x1b\n"}\x1b[0m`;
  assertEquals(colored.text, "\x1b[1ma\\x1b\\n\x1b[0m");
  assertEquals(safe`${colored}\n${[colored, colored]}${1}`.text.match(/a\\x1b/g)?.length, 3);
  assertEquals(multiline("a\x1b\nb\u202e\ufffa").text, "a\\x1b\nb\\u202e\\ufffa");
});

Deno.test("only one module of the lab tool prints", () => {
  const filesIn = (folder: string): string[] =>
    [...Deno.readDirSync(SCRIPTS + folder)].flatMap(({ name, isDirectory }) =>
      isDirectory ? filesIn(`${folder}${name}/`) : name.endsWith(".ts") ? [folder + name] : []
    );
  const files = filesIn("lab/");
  const others = ["lab/terminal/output.ts", "lab/trace/tracer_marks.ts"]; // this runs in a script
  for (const file of ["lab.ts", ...files.filter((name) => !others.includes(name))]) {
    const source = Deno.readTextFileSync(SCRIPTS + file);
    const [, imported = ""] = source.match(/import \{([^}]*)\} from "[./]*\/(?:cli|lib)\.ts"/) ??
      [];
    assert(!/\b(write|print|log|note|reportError)\b/.test(imported), `${file}: ${imported}`);
    assert(!/^[^`*]*console\.\w+\(/m.test(source), file);
  }
});

Deno.test(
  "check shows names of files with escapes, in reports and in the summary",
  WITH_POSIX_FILES,
  async () => {
    await using folder = await temporary();
    const files = ["1", "2"].map((number) => `${folder.path}/${NAME}${number}/echo_server.js`);
    for (const file of files) {
      Deno.mkdirSync(file.replace(/\/[^/]*$/, ""));
      Deno.writeTextFileSync(file, `throw new Error(${JSON.stringify(NAME)});`);
    }
    const { status, stdout, stderr } = await labHere(["check", ...files]);
    assertEquals(status, 1);
    for (const output of [stdout, stderr]) assert(!HIDDEN.test(output), JSON.stringify(output));
    assert(!/^(1\.\.0|ok 1 - forged)/m.test(stdout), stdout);
    assertEquals(stdout.match(/^not ok \d - .*forged.*echo_server\.js$/gm)?.length, 2, stdout);
  },
);

Deno.test("check shows a message that it throws with escapes", WITH_POSIX_FILES, async () => {
  await using folder = await temporary();
  const files = ["1", "2"].map((number) => `${folder.path}/${NAME}${number}`);
  const { status, stdout, stderr } = await labHere(["check", ...files, "--as=echo_server"]);
  assertEquals(status, 1);
  for (const output of [stdout, stderr]) assert(!HIDDEN.test(output), JSON.stringify(output));
});

Deno.test("show and its hints show names and sources with escapes", WITH_POSIX_FILES, async () => {
  await using folder = await temporary();
  const name = `a${ESCAPE.replace("\r", "")}`; // a flag's value holds no line end
  for (const number of [1, 2]) {
    const path = `${folder.path}/${number}${name}`;
    Deno.mkdirSync(path);
    Deno.writeTextFileSync(`${path}/echo_server.py`, `print("${ESCAPE}${number}")\n`);
    Deno.writeTextFileSync(`${path}/${name}.py`, `print("${ESCAPE}")\n`);
  }
  const both = await labHere(["show", "echo_server", `--originals=${folder.path}`]);
  assertEquals(both.status, 1);
  assertStringIncludes(both.stderr, "say which: --server=");
  assertEquals(both.stderr.split("\n").length, 3);
  const server = `--server=${folder.path}/1${name}/${name}.py`;
  for (const COLUMNS of ["60", "120"]) {
    const { status, stdout } = await labHere(["show", "echo_server", server], { COLUMNS });
    assertEquals(status, 0);
    assertStringIncludes(stdout, "\\x1b[32m");
    assert(!HIDDEN.test(stdout + both.stderr), JSON.stringify(stdout + both.stderr));
  }
});

Deno.test("compare shows what originals print with escapes", { ignore: !python }, async () => {
  const code = `import sys\nprint(${JSON.stringify(ESCAPE)})\nsys.stdout.flush()\n`;
  const { status, stdout, stderr } = await compared(
    "echo_v1",
    ["codl/echoserver.py", "codl/echoclient.py"],
    (source, path) =>
      path.endsWith("server.py")
        ? code + source
        : `${code}raise Exception(${JSON.stringify(ESCAPE)})\n`,
  );
  assertEquals(status, 1, stdout);
  assertEquals(stdout.match(/\\x1b\[32m/g)?.length, 3, stdout); // two screens, and the error
  assert(!HIDDEN.test(stdout + stderr), JSON.stringify(stdout + stderr));
});

Deno.test(
  "new shows its commands with escapes, and quotes them for the shell",
  WITH_POSIX_FILES,
  async () => {
    await using folder = await temporary();
    const path = `${folder.path}/$(touch x) it's${ESCAPE}`;
    const { status, stdout } = await labHere(["new", "echo", path]);
    assertEquals(status, 0);
    assert(!HIDDEN.test(stdout), JSON.stringify(stdout));
    assert(/deno run -A '.*\$\(touch x\) it'\\''s.*echo_server\.ts' /.test(stdout), stdout);
  },
);

Deno.test("an error that names a file with a line end is one line", WITH_POSIX_FILES, async () => {
  await using folder = await temporary();
  Deno.writeTextFileSync(`${folder.path}/file`, "");
  const { status, stderr } = await labHere(["new", "echo", `${folder.path}/file/${NAME}`]);
  assertEquals(status, 1);
  assertEquals(stderr.split("\n").length, 2, stderr);
  assert(!HIDDEN.test(stderr), JSON.stringify(stderr));
});

Deno.test("a TAP report contains a program's output as valid YAML", () => {
  for (
    const text of [
      "  indented",
      "\n  after a line end",
      "- a\n b",
      "   ",
      "",
      "\t tab",
      "...",
      "---\n...",
      "# x",
      "a: b: c\n{",
      "\ufeff\ufffe\uffff\u2028x",
      "  \n    deeper\n x",
      "\x1b[0m",
    ]
  ) {
    const { text: tap } = asPoint(1, { what: "x", problem: text, expected: text, actual: text });
    const [, block] = tap.match(/^not ok 1 - x\n {2}---\n([^]*)^ {2}\.\.\.\n$/m)!;
    const yaml = parse(block.replace(/^ {2}/gm, "")) as Record<string, string>;
    assertEquals(Object.keys(yaml), ["message", "expected", "actual"]);
    if (/^[ -~\n]*$/.test(text)) assertEquals(yaml.actual.trimEnd(), text.trimEnd());
  }
});

Deno.test("show takes no more than 1000 columns, however wide the terminal claims to be", async () => {
  const { stdout } = await labHere(["show", "echo_server"], { COLUMNS: "1e9" });
  assert(stdout.split("\n").every((line) => line.length <= 1000));
  assertStringIncludes(stdout, "import");
});

// Files that are not files

Deno.test("check, show and compare refuse devices, pipes and large files", LINUX_ONLY, async () => {
  await using folder = await temporary();
  const path = (name: string) => `${folder.path}/${name}`;
  await new Deno.Command("mkfifo", { args: [path("fifo.py"), path("echo_server.py")] }).output();
  Deno.symlinkSync("/dev/zero", path("zero.py"));
  Deno.symlinkSync(path("loop.py"), path("loop.py"));
  Deno.writeTextFileSync(path("large.py"), "");
  Deno.truncateSync(path("large.py"), 3_000_000_000);
  Deno.mkdirSync(path("folder.py"));
  for (
    const [name, problem] of [
      ["fifo.py", "this is a device or a pipe, not a file"],
      ["zero.py", "this is a device or a pipe, not a file"],
      ["large.py", "larger than 1 MB"],
      ["folder.py", "this is a folder: name the files in it"],
      ["missing.py", "no such file"],
    ]
  ) {
    for (
      const args of [
        // lab check takes a folder, too.
        ...name === "folder.py" ? [] : [["check", path(name), "--as=echo_server"]],
        ["show", "echo_server", `--server=${path(name)}`],
        ...python ? [["compare", "echo", `--server=${path(name)}`]] : [],
      ]
    ) {
      // Reading a pipe would block the tests as well.
      const run = /fifo|zero/.test(name) ? lab : labHere;
      const { status, stderr } = await run(args);
      assertEquals([status, stderr], [1, `error: ${path(name)}: ${problem}\n`], `${args}`);
    }
  }
  const { stderr } = await labHere(["show", "echo_server", `--server=${path("loop.py")}`]);
  assertStringIncludes(stderr, "loop.py");
  const none = await lab(["show", "echo_server", `--originals=${folder.path}`]);
  assertEquals(none.status, 1); // the pipe called echo_server.py is passed over
});

Deno.test("a file of /proc is not read: it may never end", LINUX_ONLY, async () => {
  await using folder = await temporary();
  const file = `${folder.path}/a.py`;
  Deno.symlinkSync("/proc/kmsg", file); // only the administrator may open it
  const { stderr } = await lab(["show", "echo_server", `--server=${file}`]);
  assert(!/hang/.test(stderr));
});

Deno.test("new passes over a pipe and a folder in the place of deno.json", LINUX_ONLY, async () => {
  for (const make of ["mkfifo", "mkdir"]) {
    await using folder = await temporary();
    await new Deno.Command(make, { args: [`${folder.path}/deno.json`] }).output();
    const { status, stderr } = await lab(["new", "echo", folder.path]);
    assertEquals(status, 0);
    assertStringIncludes(stderr, "deno.json differs from ours, and was not changed\n");
  }
});

// Files that are written

Deno.test("an empty argument is an error in the command line", async () => {
  for (const args of [["new", "echo", ""], ["book", ""], ["check", ""], ["show", ""]]) {
    const { status, stdout, stderr } = await labHere(args);
    assertEquals([status, stdout], [2, ""]);
    assert(/^error: .* is empty\nusage: /.test(stderr), stderr);
  }
});

Deno.test("a file is written as a whole, and not through a link", WITH_POSIX_FILES, async () => {
  await using folder = await temporary();
  const [file, target] = [`${folder.path}/page`, `${folder.path}/target`];
  Deno.writeTextFileSync(target, "precious");
  Deno.symlinkSync(target, file);
  writeWhole(file, "new");
  assertEquals([Deno.readTextFileSync(file), Deno.readTextFileSync(target)], ["new", "precious"]);
  assert(!Deno.lstatSync(file).isSymlink);
  Deno.mkdirSync(`${folder.path}/folder`);
  const error = aboutFile(assertThrows(() => writeWhole(`${folder.path}/folder`, "new"), Error));
  assertEquals((error as Error).message, `${folder.path}/folder: is a directory`);
  assertEquals([...Deno.readDirSync(folder.path)].length, 3);
});

Deno.test(
  "new leaves nothing half-written when the disk is full",
  { ignore: !has("bash", { args: ["-c", "ulimit -f 8"] }) },
  async () => {
    await using folder = await temporary();
    // Writing more than 8 KB to a file then fails, as on a full disk. lib.ts is longer.
    const limited = `trap '' XFSZ; ulimit -f 8; exec "$@"`;
    const command = [...DENO_RUN, "-A", `${SCRIPTS}lab.ts`, "new", "echo", folder.path];
    await using program = new Program(["bash", "-c", limited, "-", ...command]);
    const { status, stderr } = await resultOf(program);
    assertEquals(status, 1);
    assertStringIncludes(stderr, "ile too large");
    assertEquals([...Deno.readDirSync(`${folder.path}/scripts`)], []);
    const again = await labHere(["new", "echo", folder.path]);
    assertEquals([again.status, again.stderr], [0, ""]);
  },
);

// Turns

Deno.test("turns are in a folder that no other user can enter", WITH_POSIX_FILES, async () => {
  await using folder = await temporary();
  const folders = {
    XDG_RUNTIME_DIR: `${folder.path}/run`,
    XDG_CACHE_HOME: `${folder.path}/cache`,
  };
  await withEnv(folders, () => {
    const first = privateFolder()!;
    assert(first.startsWith(`${folder.path}/run/`));
    Deno.chmodSync(first, 0o777);
    assertEquals(privateFolder(), first);
    assertEquals(Deno.statSync(first).mode! & 0o777, 0o700);
    // A link, and what belongs to another user, are not taken.
    Deno.renameSync(first, `${folder.path}/other`);
    Deno.symlinkSync(`${folder.path}/other`, first);
    assert(privateFolder()!.startsWith(`${folder.path}/cache/`));
    if (Deno.uid() === 0) {
      Deno.removeSync(first);
      Deno.mkdirSync(first);
      Deno.chownSync(first, 12345, 12345);
      assert(privateFolder()!.startsWith(`${folder.path}/cache/`));
    }
  });
});

Deno.test("check says after 5 s that it waits for its turn", async () => {
  await using folder = await temporary();
  const env = { XDG_RUNTIME_DIR: folder.path };
  await withEnv(env, async () => {
    const turns: Disposable[] = [];
    for (let i = 0; i < AT_ONCE; i++) turns.push(await takeTurn());
    const file = `${folder.path}/echo_server.js`;
    Deno.writeTextFileSync(file, "Deno.exit(3)");
    const command = [...DENO_RUN, "-A", `${SCRIPTS}lab.ts`, "check", file];
    await using program = new Program(command, undefined, { env });
    const isNoted = await program.until(() => program.errors !== "");
    for (const turn of turns) turn[Symbol.dispose]();
    assert(isNoted);
    const { status, stdout, stderr } = await resultOf(program);
    assertEquals([status, stderr.split("\n")[0]], [
      1,
      `note: waiting for other checks on this computer: ${AT_ONCE} run at the same time`,
    ]);
    assertStringIncludes(stdout, "not ok 1");
  });
});
