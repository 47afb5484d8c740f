/** The program lab.ts: list, help, demo, run and new. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { cpSync } from "node:fs";
import { posix, win32 } from "node:path";
import { widthOf } from "../../scripts/lab/terminal/columns.ts";
import { labs } from "../../scripts/lab/catalog/labs.ts";
import { aboutFile, isInside } from "../../scripts/lab/terminal/files.ts";
import { DENO_RUN, Program } from "../../scripts/lab/process/program.ts";
import {
  inParallel,
  lab,
  type Result,
  resultOf,
  SCRIPTS,
  temporary,
  THOROUGH,
  WITH_POSIX_FILES,
} from "../helpers.ts";
import { labHere } from "./in_process.ts";

Deno.test("lab lists all labs, with and without the command list", async () => {
  const { status, stdout, stderr } = await lab([]);
  assertEquals([status, stderr], [0, ""]);
  assertEquals(await labHere(["list"]), { status, stdout, stderr });
  assertEquals(stdout.match(/mirrors/g)?.length, 22);
  assertStringIncludes(
    stdout,
    "echo_udp  UDP  CMPU4021 Distributed Systems, week 2\n  echo_server_udp.ts  mirrors 1_14a_echo_server_udp.py\n",
  );
});

/** Wrong command lines. */
const WRONG: [args: string[], message: string][] = [
  [["lst"], "unknown name lst: did you mean list?"],
  [["run", "ecko"], "unknown name ecko: did you mean echo?"],
  [["compare"], "LAB is missing, or --originals=DIR for all labs"],
  [["list", "x"], "unexpected argument x"],
  [["check", "--form=x"], "unknown flag --form=x: did you mean --format?"],
  [["new", "echo_sever_v1", "x"], "unknown name echo_sever_v1: did you mean echo_server_v1?"],
  [["show", "guess_clint"], "unknown name guess_clint: did you mean guess_client?"],
  [
    ["check", "x.ts", "--as=upper_servr_udp.ts"],
    "unknown name upper_servr_udp.ts: did you mean upper_server_udp?",
  ],
  [["new"], "N|LAB|SCRIPT is missing"],
  [["compare", "echo", "--orginals=x"], "unknown flag --orginals=x: did you mean --originals?"],
  [["list", "-x"], "unknown flag -x"],
];

Deno.test("lab refuses a wrong command line, and suggests the nearest correct word", async () => {
  for (const [args, message] of WRONG) {
    const { status, stdout, stderr } = await labHere(args);
    assertEquals([status, stdout], [2, ""]);
    assert(stderr.startsWith(`error: ${message}\nusage: lab.ts `), stderr);
  }
});

Deno.test("lab demo shows labs side by side, in plain text when stdout is not a terminal", async () => {
  const names = THOROUGH ? [] : ["echo_udp", "practical12_tcp"]; // [] means all labs
  const { status, stdout, stderr } = await labHere(["demo", ...names]);
  assertEquals([status, stderr], [0, ""]);
  assertEquals(stdout.match(/^ok$/gm)?.length, names.length || labs.length);
  assert(!stdout.includes("\x1b"));
  assertStringIncludes(stdout, "│ Enter a message: Hello, world\n");
});

Deno.test("lab demo prints no line wider than the terminal", async () => {
  for (const width of THOROUGH ? [40, 69, 100] : [40]) {
    const { stdout } = await labHere(["demo", "echo_v2"], { COLUMNS: `${width}` });
    for (const line of stdout.split("\n")) assert(widthOf(line) <= width, line);
    assert(/^ok$/m.test(stdout), stdout);
  }
});

Deno.test("lab demo shows events in their order", async () => {
  const { stdout } = await labHere(["demo", "echo_client_udp.ts"]);
  // What two programs print at almost the same time may come in either order.
  for (
    const order of [
      ["Starting up", "Sending", "received Test"],
      ["Starting up", "Waiting", "received 33"],
    ]
  ) {
    const places = order.map((text) => stdout.indexOf(text));
    assertEquals(places, places.toSorted((a, b) => a - b), stdout);
  }
});

Deno.test("lab run passes flags and typed lines to the client", async () => {
  const { status, stdout } = await lab([
    "run",
    "echo_v2",
    "--",
    "--message=héllo",
  ]);
  assertEquals(status, 0, stdout);
  assertStringIncludes(stdout, "│ héllo\n");
  const game = await lab(["run", "guess", "--", "--tries=1"], "7\n42\n");
  assertEquals(game.status, 0, game.stdout);
  assertStringIncludes(game.stdout, "guessed 7: HIGHER");
});

Deno.test("lab run fails when the server or the client fails", async () => {
  const { status, stdout, stderr } = await lab(["run", "guess"], "7\n");
  assertEquals([status, stderr], [1, "error: 1 of 1 labs failed\n"]);
  assertStringIncludes(stdout, "error: the number was not found\n");
});

/** Runs a command line as a terminal does, which has no task around it. */
async function shell(command: string, cwd?: string): Promise<Result> {
  const isWindows = Deno.build.os === "windows";
  const unset = isWindows ? 'set "INIT_CWD=" &' : "unset INIT_CWD;";
  const line = command.replace(/^deno/, `${unset} "${Deno.execPath()}"`);
  const words = isWindows ? ["cmd", "/d", "/s", "/c", `"${line}"`] : ["sh", "-c", line];
  const options = { cwd, windowsRawArguments: true }; // cmd.exe has quotes of its own
  await using program = new Program(words, undefined, options);
  return await resultOf(program, 60);
}

const printedCommands = (stdout: string) =>
  stdout.match(/^ {2}deno .*$/gm)!.map((line) => line.trim());

Deno.test("lab new names the exercise of a lab, and how to copy its scripts", async () => {
  const { status, stdout } = await labHere(["new", "echo_client_v2"]);
  assertEquals(status, 0);
  const title = "Exercise 10: a header that says how long the message is";
  assert(stdout.startsWith(`${title} is about the lab echo_v2.`), stdout);
  assertStringIncludes(stdout, "\n  deno task lab new 10 ../exercise-10\n");
  assertStringIncludes(stdout, "\n  deno task lab new echo_client_v2 ../my-copy\n");
});

Deno.test(
  "lab new makes a copy whose printed commands work, also after it is moved",
  async () => {
    await using folder = await temporary();
    const target = `${folder.path}/my exercise`;
    const { status, stdout } = await labHere(["new", "echo_v1", target]);
    assertEquals(status, 0);
    const [, server, client, check] = printedCommands(stdout);
    assertStringIncludes((await shell(`${server} --help`)).stdout, "TCP echo server, version 1");
    assertStringIncludes((await shell(`${client} --help`)).stdout, "TCP echo client, version 1");
    if (THOROUGH) { // below, one script is checked after the copy was moved
      const checked = await shell(check);
      assertEquals(checked.status, 0, checked.stdout + checked.stderr);
      assertEquals(checked.stdout.match(/^ok \d - /gm)?.length, 2);
    }

    const moved = `${folder.path}/moved`;
    Deno.renameSync(target, moved);
    const below = await shell("deno task check echo_server_v1.ts", `${moved}/scripts`);
    assertEquals(below.status, 0, below.stdout + below.stderr);
    if (!THOROUGH) return; // the type checker is slow
    const frozen = await shell("deno check --frozen scripts/echo_server_v1.ts", moved);
    assertEquals(frozen.status, 0, frozen.stderr);
  },
);

Deno.test("an exercise whose port is taken names an existing kill_port.ts", async () => {
  await using folder = await temporary();
  await labHere(["new", "echo_v1", folder.path]);
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const server = `${folder.path}/scripts/echo_server_v1.ts`;
  const command = [...DENO_RUN, "-A", server, `--port=${listener.addr.port}`];
  await using program = new Program(command);
  const { status, stderr } = await resultOf(program);
  assertEquals(status, 1, stderr);
  const [, path, port] = stderr.match(/ free this one: deno run -A "(.+)" (\d+)\n$/) ?? [];
  assertEquals(Number(port), listener.addr.port, stderr);
  assertEquals(Deno.realPathSync(path), Deno.realPathSync(`${SCRIPTS}kill_port.ts`));
});

Deno.test("lab new adds a second lab to the first, and changes no file", async () => {
  await using folder = await temporary();
  const { path } = folder;
  await labHere(["new", "echo_v1", path]);
  Deno.writeTextFileSync(`${path}/scripts/lib.ts`, "// mine");
  const { status, stderr } = await labHere(["new", "guess", path]);
  assertEquals(
    [status, stderr],
    [0, `note: ${path}/scripts/lib.ts differs from ours, and was not changed\n`],
  );
  assertEquals(Deno.readTextFileSync(`${path}/scripts/lib.ts`), "// mine");
  assertEquals(
    [...Deno.readDirSync(`${path}/scripts`)].map(({ name }) => name).sort(),
    [
      "cli.ts",
      "echo_client_v1.ts",
      "echo_server_v1.ts",
      "guess_client.ts",
      "guess_server.ts",
      "lib.ts",
      "std.d.ts",
    ],
  );
});

Deno.test("lab new says that the folder's own deno.json is not sufficient for a copy", async () => {
  await using folder = await temporary();
  const { path } = folder;
  Deno.writeTextFileSync(`${path}/deno.json`, "{}");
  const { status, stderr } = await labHere(["new", "echo_v1", path]);
  assertEquals([status, stderr], [
    0,
    `note: ${path}/deno.json differs from ours, and was not changed\n` +
    "note: the copy needs the settings in our deno.json: use a folder of its own\n",
  ]);
  assertEquals(Deno.readTextFileSync(`${path}/deno.json`), "{}");
});

Deno.test("lab new does not overwrite an exercise, and then copies nothing", async () => {
  await using folder = await temporary();
  const file = `${folder.path}/scripts/echo_server_v1.ts`;
  Deno.mkdirSync(`${folder.path}/scripts`);
  Deno.writeTextFileSync(file, "// my work");
  const { status, stderr } = await labHere(["new", "echo_v1", folder.path]);
  assertEquals(
    [status, stderr],
    [1, `error: ${file} is there already, and differs: nothing was copied\n`],
  );
  assertEquals(Deno.readTextFileSync(file), "// my work");
  assertEquals([...Deno.readDirSync(folder.path)].length, 1);
});

Deno.test("lab names the file or folder that it cannot replace", WITH_POSIX_FILES, async () => {
  await using folder = await temporary();
  const file = `${folder.path}/file`;
  Deno.writeTextFileSync(file, "");
  const book = await labHere(["book", file]);
  assertEquals([book.status, book.stderr], [1, `error: ${file}: file exists\n`]);
  const copy = await labHere(["new", "echo_v1", file]);
  assertEquals([copy.status, copy.stderr], [1, `error: ${file}/scripts: not a directory\n`]);
});

Deno.test("aboutFile() explains a missing permission, and changes no other error", () => {
  const denied = new Deno.errors.PermissionDenied(
    "Permission denied (os error 13): readfile '/tmp/a.ts'",
  );
  assertEquals((aboutFile(denied) as Error).message, "/tmp/a.ts: permission denied");
  const refused = new Deno.errors.ConnectionRefused("Connection refused (os error 111)");
  assertEquals(aboutFile(refused), refused);
});

Deno.test("lab help, -h and --help explain the commands", async () => {
  const { status, stdout } = await labHere(["help"]);
  assertEquals(status, 0);
  for (const command of ["list", "run", "demo", "show", "compare", "check", "new", "hint"]) {
    assert(new RegExp(`^lab ${command}\\b.*\\n {4}\\w`, "m").test(stdout), command);
    const about = await labHere(["help", command]);
    assert(about.stdout.startsWith(`lab ${command}`), about.stdout);
    assertEquals(await labHere([command, "--help"]), about);
    assertEquals(await labHere([command, "x", "y", "-h"]), about);
  }
  assertEquals((await labHere(["--help"])).stdout, stdout);
  assertStringIncludes((await labHere(["help", "shwo"])).stderr, "did you mean show?");
});

Deno.test("lab list ignores copies of scripts in scripts/, with or without their other role", async () => {
  await using folder = await temporary();
  const scripts = `${folder.path}/scripts`;
  cpSync(SCRIPTS, scripts, { recursive: true });
  Deno.copyFileSync(`${SCRIPTS}../deno.json`, `${folder.path}/deno.json`);
  const list = async () => {
    await using program = new Program([...DENO_RUN, "-A", `${scripts}/lab.ts`, "list"]);
    return await resultOf(program);
  };
  const before = await labHere(["list"]);
  Deno.copyFileSync(`${SCRIPTS}echo_server.ts`, `${scripts}/my_server.ts`);
  Deno.copyFileSync(`${SCRIPTS}guess_server.ts`, `${scripts}/play_server.ts`);
  Deno.copyFileSync(`${SCRIPTS}guess_client.ts`, `${scripts}/play_client.ts`);
  Deno.writeTextFileSync(`${scripts}/empty_server.ts`, "");
  Deno.writeTextFileSync(`${scripts}/empty_client.ts`, "/** Nothing. */");
  Deno.mkdirSync(`${scripts}/folder_server.ts`);
  const after = await list();
  assertEquals([after.status, after], [0, before]);
});

Deno.test("lab works from any folder, and finds files in the user's current folder", async () => {
  await using folder = await temporary();
  const elsewhere = await lab(["list"], "", { cwd: folder.path });
  assertEquals(elsewhere, await labHere(["list"]));
  // As `deno task lab new echo_v1 copy` in a folder of the project: a task starts at its top.
  Deno.mkdirSync(`${folder.path}/below`);
  const options = { cwd: folder.path, env: { INIT_CWD: `${folder.path}/below` } };
  assertEquals((await lab(["new", "echo_v1", "copy"], "", options)).status, 0);
  assert(Deno.statSync(`${folder.path}/below/copy/scripts/echo_server_v1.ts`).isFile);
});

Deno.test("lab check reports several files in turn, and sums them up", async () => {
  await using folder = await temporary();
  const right = Deno.readTextFileSync(`${import.meta.dirname}/right/upper_server_udp.ts`);
  const [a, b] = ["anna", "ben"].map((name) => `${folder.path}/${name}/upper_server_udp.ts`);
  for (const file of [a, b]) Deno.mkdirSync(file.replace(/\/[^/]*$/, ""));
  Deno.writeTextFileSync(a, right);
  Deno.writeTextFileSync(b, right.replace(".toUpperCase()", ""));
  const { status, stdout, stderr } = await labHere(["check", a, b]);
  assertEquals([status, stderr], [1, "error: 1 of 2 files failed\n"]);
  const [first, second] = [a, b].map((file) => file.replaceAll("\\", "\\\\")); // as TAP has it
  assertEquals(
    stdout.match(/^(# |ok|not ok|1\.\.).*$/gm)?.map((line) =>
      line.replace(/^# +\d+\/\d+/, "# N/N")
    ),
    [
      `# Subtest: anna: ${first}`,
      `ok 1 - anna: ${first}`,
      `# Subtest: ben: ${second}`,
      `not ok 2 - ben: ${second}`,
      "1..2",
      "# N/N  anna",
      "# N/N  ben   it came back as it was sent, not in upper case",
    ],
  );
  assertEquals(stdout.match(/^ {4}1\.\.\d+$/gm)?.length, 2);
});

Deno.test("isInside() compares paths as the system does", () => {
  const cases: [path: string, folder: string, isWindows: boolean, expected: boolean][] = [
    ["/home/ann/labs/mine", "/home/ann/labs", false, true],
    ["/home/ann/labs/..mine", "/home/ann/labs", false, true],
    ["/home/ann/labs", "/home/ann/labs", false, false],
    ["/home/ann/labs2", "/home/ann/labs", false, false],
    ["/home/ann", "/home/ann/labs", false, false],
    ["/home/ann/LABS/mine", "/home/ann/labs", false, false],
    ["c:\\Users\\ann\\Labs\\mine", "C:\\Users\\Ann\\labs", true, true],
    ["C:\\Users\\ann\\labs2", "C:\\Users\\ann\\labs", true, false],
    ["D:\\labs\\mine", "C:\\labs", true, false],
  ];
  for (const [path, folder, isWindows, expected] of cases) {
    assertEquals(isInside(path, folder, isWindows ? win32 : posix), expected, path);
  }
});

Deno.test("several labs run at once", async () => {
  const some = ["echo_udp", "guess"];
  const names = THOROUGH ? [...some, "echo", "echo_v3", "practical12_udp", "tcp"] : some;
  const demonstrate = async (name: string) => {
    const { status, stdout } = await lab(["demo", name], "", {}, 60);
    assertEquals(status, 0, stdout);
  };
  await inParallel(names.map((name) => () => demonstrate(name)), names.length, 1);
});

Deno.test("lab check reports a file that does not exist, and one whose name is not that of a script", async () => {
  const missing = `${SCRIPTS}missing/tcp_server.ts`;
  assertEquals(await labHere(["check", missing]), {
    status: 1,
    stdout: "",
    stderr: `error: ${missing}: no such file\n`,
  });
  const nameless = `${SCRIPTS}lib.ts`;
  const { status, stderr } = await labHere(["check", nameless]);
  assertEquals(status, 2);
  assertStringIncludes(stderr, `error: --as=SCRIPT is missing: ${nameless}: its name is not`);
});
