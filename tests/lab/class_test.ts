/** The command `lab check` with a class: names, folders, points and formats. */
import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { scripts } from "../../scripts/lab/catalog/labs.ts";
import { checksOf } from "../../scripts/lab/check/check.ts";
import { findSubmissions } from "../../scripts/lab/check/class/find_files.ts";
import { fileNames } from "../../scripts/lab/check/class/reports.ts";
import { asCsv } from "../../scripts/lab/check/formats/csv.ts";
import { asJson } from "../../scripts/lab/check/formats/json.ts";
import { asJunit } from "../../scripts/lab/check/formats/junit.ts";
import { asTable } from "../../scripts/lab/check/formats/table.ts";
import { asTap } from "../../scripts/lab/check/formats/tap.ts";
import type { Result } from "../../scripts/lab/check/result.ts";
import { UserError } from "../../scripts/cli.ts";
import { temporary, WITH_POSIX_FILES } from "../helpers.ts";
import { labHere } from "./in_process.ts";

/** Makes files with their folders. */
function makeFiles(folder: string, files: Record<string, string>) {
  for (const [path, text] of Object.entries(files)) {
    Deno.mkdirSync(`${folder}/${path}`.replace(/[^/]*$/, ""), { recursive: true });
    if (!path.endsWith("/")) Deno.writeTextFileSync(`${folder}/${path}`, text);
  }
}

/** Returns what is found in a folder with empty files of some names. */
async function findIn(paths: string[], as = "", words = [""]) {
  await using folder = await temporary();
  makeFiles(folder.path, Object.fromEntries(paths.map((path) => [path, ""])));
  const { submissions, skipped } = findSubmissions(
    words.map((word) => word === "" ? folder.path : `${folder.path}/${word}`),
    as,
  );
  const below = (path: string) => path.slice(folder.path.length + 1).replaceAll("\\", "/");
  return {
    found: submissions.map(({ file, script, student }) => [below(file), script, student]),
    skipped: skipped.map(({ path, why }) => [below(path), why]),
  };
}

/** Files as course systems export them: the script that the name means, and the student. */
const EXPORTED: [path: string, script: string, student: string][] = [
  ["smith_123_echo_server (1).ts", "echo_server.ts", "smith 123"],
  ["müller_LATE_88123_echo_server-2.py", "echo_server.ts", "müller LATE 88123"],
  ["garcía_125_1_13a_echo_server.py", "echo_server.ts", "garcía 125"],
  ["[group 3] taylor_133_echo_server.py", "echo_server.ts", "[group 3] taylor 133"],
  ["#clark_147_echo_server.py", "echo_server.ts", "#clark 147"],
  ["van der berg_134_Echo_Server [2].mjs", "echo_server.ts", "van der berg 134"],
  ["wilson_138_echo_server (final version).py", "echo_server.ts", "wilson 138"],
  ["lewis_148_echo_server copy.py", "echo_server.ts", "lewis 148"],
  ["Jörg Übel_131_assignsubmission_file_/1_13b_echo_client.py", "echo_client.ts", "Jörg Übel 131"],
  ["李 明_132_assignsubmission_file_/echo_server_udp.py", "echo_server_udp.ts", "李 明 132"],
  ["anna/week 2/20240131_TCPServer.py", "upper_server_tcp.ts", "anna"],
  ["ben_1_tcp_server.py", "tcp_server.ts", "ben 1"],
  ["ben_1_echoserverv2.py", "echo_server_v2.ts", "ben 1"],
  ["ben_1_echoserver.py", "echo_server_v1.ts", "ben 1"],
  ["echo_server_v3.ts", "echo_server_v3.ts", ""],
];

Deno.test("lab check finds the scripts and students in names as course systems export them", async () => {
  const { found, skipped } = await findIn(EXPORTED.map(([path]) => path));
  assertEquals(found.toSorted(), EXPORTED.toSorted());
  assertEquals(skipped, []);
});

Deno.test("lab check knows each script by its own name and that of its original", async () => {
  for (const { name, original } of scripts()) {
    const path = `x_1_${original.endsWith(".py") ? original : name}`;
    if (/echo-(server|client)/.test(path)) continue; // a name of two originals
    assertEquals((await findIn([path])).found, [[path, name, "x 1"]]);
    assertEquals((await findIn([`x_1_${name}`])).found, [[`x_1_${name}`, name, "x 1"]]);
  }
});

Deno.test("lab check takes a name of several scripts for the one that others mean, or skips it", async () => {
  const alone = await findIn(["a_1_echo-server.py"]).catch((error) => error);
  assertEquals(alone.found, []);
  assertMatch(
    alone.skipped[0][1],
    /^its name fits .*echo_server.ts.* and practical12_server_udp.ts$/,
  );
  const { found } = await findIn(["a_1_echo-server.py", "b_2_practical12_server_udp.py"]);
  assertEquals(found[0], ["a_1_echo-server.py", "practical12_server_udp.ts", "a 1"]);
});

Deno.test("lab check skips what is not a submission, and says why", async () => {
  const { found, skipped } = await findIn([
    "README.md",
    "lee_1_week2.zip",
    "__pycache__/echo_server.cpython-311.pyc",
    "__MACOSX/._echo_server.py",
    ".DS_Store",
    "#echo_server.py#",
    "echo_server.py~",
    "white_154/",
    "anna/echo_server.ts",
    "anna/lib.ts",
  ]);
  assertEquals(found, [["anna/echo_server.ts", "echo_server.ts", "anna"]]);
  assertEquals(Object.fromEntries(skipped), {
    "README.md": "not a submission",
    "lee_1_week2.zip": "an archive: unpack it first",
    "__pycache__/": "not a submission",
    "__MACOSX/": "not a submission",
    ".DS_Store": "not a submission",
    "#echo_server.py#": "not a submission",
    "echo_server.py~": "not a submission",
    "white_154/": "nothing to check in it",
    "anna/lib.ts": "its name is not that of a script",
  });
});

Deno.test("lab check --as says it for files whose names do not, but not for the modules next to one", async () => {
  const { found } = await findIn(
    ["anna/server.py", "ben/echo_server.ts", "ben/helper.ts", "x_1_main.py", "y_2_echo_client.py"],
    "echo_server.ts",
  );
  assertEquals(found.map(([file, script]) => `${file} ${script}`), [
    "anna/server.py echo_server.ts",
    "ben/echo_server.ts echo_server.ts",
    "x_1_main.py echo_server.ts",
    "y_2_echo_client.py echo_client.ts",
  ]);
});

Deno.test("lab check takes files and patterns, in the order in which they are given", async () => {
  const files = ["b/echo_server.ts", "a/echo_server.ts", "echo_server [1].py", "notes.txt"];
  const { found } = await findIn(files, "", ["echo_server [1].py", "*/echo_s*.ts", "notes.txt"]);
  assertEquals(found.map(([file, , student]) => [file, student]), [
    ["echo_server [1].py", ""],
    ["a/echo_server.ts", "a"],
    ["b/echo_server.ts", "b"],
  ]);
  assertThrows(
    () => findSubmissions(["no/such/*.py"]),
    UserError,
    "no/such/*.py: no such file, and nothing matches",
  );
});

Deno.test("lab check does not follow links in a folder", WITH_POSIX_FILES, async () => {
  await using folder = await temporary();
  makeFiles(folder.path, { "a/echo_server.ts": "" });
  Deno.symlinkSync("..", `${folder.path}/a/up`);
  Deno.symlinkSync("/etc/hostname", `${folder.path}/a/echo_client.ts`);
  const { submissions, skipped } = findSubmissions([folder.path]);
  assertEquals(submissions.length, 1);
  assertEquals(skipped.map(({ why }) => why), ["a link", "a link"]);
});

// Formats

const HOSTILE = '\x1b[31mred\x00 ]]> <b> & " , = # \\ \u202e \x9b \u{e0041} \ufffe';

const RESULTS: Result[] = [
  {
    file: "c/-young_150_echo_server.py",
    student: "-young 150",
    script: "echo_server.ts",
    checks: [{ what: "it starts" }, { what: "a # in it" }],
    beyond: [
      { what: "resets", note: "beyond the sheet: it ends" },
      { what: "two at once" },
      { what: "--port", skipped: "no time is left" },
    ],
    seconds: 1.25,
  },
  {
    file: "c/#clark_147_echo_server.py",
    student: "#clark 147",
    script: "echo_server.ts",
    checks: [
      { what: "it starts", problem: `=${HOSTILE}\nmore`, expected: "", actual: HOSTILE },
      { what: "a # in it", skipped: "fix the failures above first" },
    ],
    beyond: [],
    seconds: 0.5,
  },
  {
    file: "c/slow_1_echo_server.py",
    student: "slow 1",
    script: "echo_server.ts",
    checks: [{ what: "it starts" }, { what: "a # in it", skipped: "no time is left" }],
    beyond: [],
    seconds: 30,
  },
  {
    file: "c/echo_server.ts",
    student: "",
    script: "echo_server.ts",
    checks: ["it starts", "a # in it"].map((what) => ({ what, skipped: "cannot be checked" })),
    beyond: [],
    error: "it imports x, which is not in its folder",
    seconds: 0.1,
  },
];

/** Returns whether a text has a character that a terminal acts on, apart from line ends. */
const isUnsafe = (text: string) => /[^\P{C}\n]|[\p{Zl}\p{Zp}]/u.test(text);

Deno.test("TAP has a subtest for each file, which is ok only if all checks passed", () => {
  const { text } = asTap(RESULTS);
  assert(!isUnsafe(text), text);
  const lines = text.split("\n");
  assertEquals(lines[0], "TAP version 14");
  assertEquals(lines.filter((line) => /^(not )?ok|^1\.\./.test(line)), [
    "ok 1 - -young 150: c/-young_150_echo_server.py",
    "not ok 2 - \\#clark 147: c/\\#clark_147_echo_server.py",
    "not ok 3 - slow 1: c/slow_1_echo_server.py",
    "not ok 4 - c/echo_server.ts",
    "1..4",
  ]);
  assertEquals(lines.filter((line) => /^ {4}(not )?ok|^ {4}1\.\./.test(line)).slice(0, 6), [
    "    ok 1 - it starts",
    "    ok 2 - a \\# in it",
    "    1..2",
    "    not ok 1 - it starts",
    "    not ok 2 - a \\# in it (not reached: fix the failures above first)",
    "    1..2",
  ]);
  assertStringIncludes(text, "    # beyond the sheet, note: resets: it ends\n");
});

Deno.test("JSON has the points, and all characters without harm for a terminal", () => {
  const { text } = asJson(RESULTS, [{ path: `x${HOSTILE}`, why: "a link" }]);
  assert(!isUnsafe(text), text);
  const { files, skipped } = JSON.parse(text);
  assertEquals(skipped, [{ path: `x${HOSTILE}`, why: "a link" }]);
  const totals = files.map((file: Record<string, unknown>) => [file.result, file.points, file.of]);
  assertEquals(totals, [["passed", 2, 2], ["failed", 0, 2], ["incomplete", 1, 2], [
    "failed",
    0,
    2,
  ]]);
  assertEquals(files[1].checks[1], {
    what: "a # in it",
    result: "not reached",
    message: "fix the failures above first",
  });
});

Deno.test("JUnit has a failure, or an error if a file is incomplete, and no character that XML lacks", () => {
  const { text } = asJunit(RESULTS);
  assert(!isUnsafe(text), text);
  assertStringIncludes(text, '<testsuites name="lab check" tests="8" failures="1" errors="2">');
  assertEquals(text.match(/<(failure|error|skipped) /g), [
    "<failure ",
    "<skipped ",
    "<error ",
    "<error ",
    "<skipped ",
  ]);
  assertStringIncludes(text, "]]&gt; &lt;b&gt; &amp; &quot;");
  assert(!/&(?!(amp|lt|gt|quot);)/.test(text));
});

Deno.test("CSV begins with a byte order mark, and has no cell that a spreadsheet runs", () => {
  const { text } = asCsv(RESULTS);
  const [header, ...rows] = text.split("\r\n");
  assertEquals(header, "\ufeffstudent,file,script,result,points,of,first failure");
  assertEquals(rows[0], "'-young 150,c/-young_150_echo_server.py,echo_server.ts,passed,2,2,");
  assertMatch(rows[1], /^#clark 147,.*,failed,0,2,"'=\\x1b\[31mred.* "" , = .*"$/);
  assertEquals(rows.at(-1), "");
  assert(!isUnsafe(text.slice(1).replaceAll("\r\n", "\n")), text);
});

Deno.test("the table shows points, names and the first failure, on narrow terminals below each other", () => {
  assertEquals(asTable([RESULTS[0], RESULTS[2]], 80).text.split("\n"), [
    "2/2  -young 150",
    "1/2  slow 1      incomplete: no time is left",
    "",
  ]);
  const narrow = asTable(RESULTS, 40).text.split("\n");
  assert(narrow.every((line) => line.length <= 40), narrow.join("\n"));
  assertEquals(
    narrow.slice(-4),
    [
      "0/2  c/echo_server.ts",
      "     it imports x, which is not in its ",
      "     folder",
      "",
    ].map((line) => line.trimEnd()),
  );
});

Deno.test("reports have names that are different on all systems, and allowed there", () => {
  assertEquals(
    fileNames([
      "Zoë",
      "zoe\u0308",
      "zoe",
      "a/b:c",
      "CON",
      "../x",
      "-y.",
      "李 明",
      "\x1b",
      "x".repeat(200),
    ]),
    [
      "Zoë.txt",
      "zoë 2.txt",
      "zoe 3.txt",
      "a_b_c.txt",
      "_CON.txt",
      "_x.txt",
      "y.txt",
      "李 明.txt",
      "_.txt",
      `${"x".repeat(80)}.txt`,
    ],
  );
});

// Points

Deno.test("the checks of a script that count have different names", () => {
  for (const { name } of scripts()) {
    for (const isStrict of [false, true]) {
      const names = checksOf(name, { isStrict });
      assertEquals(new Set(names).size, names.length, name);
      assert(names.length > 3, name);
    }
  }
});

const SERVER = `
const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 8080 });
console.log("The server is ready to receive");
for await (const [data, client] of socket) {
  await socket.send(new TextEncoder().encode(new TextDecoder().decode(data.slice(0, 2048)).toUpperCase()), client);
}
`;

const CLIENT = `
const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
await Deno.stdout.write(new TextEncoder().encode("Input lowercase sentence:"));
const typed = new Uint8Array(10_000);
const length = await Deno.stdin.read(typed);
const server = { transport: "udp", hostname: "127.0.0.1", port: 8080 } as const;
await socket.send(typed.subarray(0, length - 1), server);
const [data] = await socket.receive();
console.log(new TextDecoder().decode(data));
socket.close();
`;

Deno.test("lab check FOLDER gives all the same number of points, writes a report for each, and stops at nothing", async () => {
  await using folder = await temporary();
  const path = (name: string) => `${folder.path}/${name}`;
  makeFiles(folder.path, {
    "class/anna_1_UDPServer.ts": SERVER,
    "class/ben_2_assignsubmission_file_/upper_server_udp (1).ts": SERVER.replace(
      ".toUpperCase()",
      "",
    ),
    "class/carl 100% %41_3_upper_server_udp.ts": "const x = ;\n",
    "class/dora_4_upper_server_udp.ts": `import "../secret.ts";\n`,
    "class/eve_5_upper_client_udp.ts": CLIENT,
    "class/README.md": "",
    "reports/notes.txt": "mine",
  });
  const { status, stdout, stderr } = await labHere(
    ["check", path("class"), `--out=${path("reports")}`, "--format=json"],
  );
  assertEquals(status, 1);
  assertMatch(
    stderr,
    /^note: skipped, not a submission: .*README\.md\n(note: .*\n)?error: 3 of 5 files failed\n$/,
  );
  const { files } = JSON.parse(stdout);
  const all = checksOf("upper_server_udp.ts");
  for (const { script, checks, beyond } of files) {
    const names = (list: { what: string }[]) => list.map(({ what }) => what);
    assertEquals(names(checks), checksOf(script));
    // With --strict these count, too.
    const strict = checksOf(script, { isStrict: true });
    assertEquals(names(beyond).filter((name) => !strict.includes(name)), []);
  }
  const shown = files.map((file: Record<string, unknown>) => [file.student, file.result, file.of]);
  assertEquals(shown, [
    ["anna 1", "passed", all.length],
    ["ben 2", "failed", all.length],
    ["carl 100% %41 3", "failed", all.length],
    ["dora 4", "failed", all.length],
    ["eve 5", "passed", checksOf("upper_client_udp.ts").length],
  ]);
  assertEquals([files[0].points, files[2].points], [all.length, 0]);
  assertStringIncludes(files[3].error, "it imports");
  const names = [...Deno.readDirSync(path("reports"))].map(({ name }) => name).sort();
  assertEquals(names, [
    "anna 1.txt",
    "ben 2.txt",
    "carl 100_ _41 3.txt",
    "dora 4.txt",
    "eve 5.txt",
    "notes.txt",
  ]);
  assertStringIncludes(
    Deno.readTextFileSync(path("reports/ben 2.txt")),
    "it came back as it was sent, not in upper case",
  );

  // A report may be replaced, another file not.
  Deno.writeTextFileSync(path("reports/anna 1.txt"), "mine");
  const again = await labHere(["check", path("class"), `--out=${path("reports")}`]);
  assertEquals([again.status, again.stdout], [1, ""]);
  assertStringIncludes(again.stderr, "anna 1.txt is there already, and is not a report");
});

Deno.test("lab check says what is wrong with --format and --out, and when there is nothing to check", async () => {
  await using folder = await temporary();
  makeFiles(folder.path, { "empty/README.md": "", "file": "" });
  const wrong = await labHere(["check", folder.path, "--format=jsn"]);
  assertEquals(wrong.status, 2);
  assertStringIncludes(wrong.stderr, "error: unknown format jsn: did you mean json?\n");
  const nothing = await labHere(["check", `${folder.path}/empty`]);
  assertEquals(nothing.status, 1);
  assertStringIncludes(nothing.stderr, `error: no submission in ${folder.path}/empty\n`);
});
