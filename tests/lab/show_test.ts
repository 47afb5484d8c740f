/** The command `lab show`: original and script, each step next to the same step. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { widthOf, wrapped } from "../../scripts/lab/terminal/columns.ts";
import { labs } from "../../scripts/lab/catalog/labs.ts";
import { SCRIPTS, temporary } from "../helpers.ts";
import { labHere } from "./in_process.ts";

const ODD = [
  "#" + "x".repeat(500),
  "\tprint('tab')\t\t# a comment that continues after two tabs, and then goes on, and on, and on",
  "print('日本語テキスト" + "漢字".repeat(60) + "')",
  "print('" + "👩‍👩‍👧‍👦🇮🇪👍🏽".repeat(20) + "')",
  "print('" + "e\u0301".repeat(200) + "')",
  "x = '\x1b[31m\x07\u202e'",
  "",
].join("\n");

for (const width of [40, 69, 70, 80, 111]) {
  Deno.test(`lab show prints no line wider than a terminal of ${width} columns`, async () => {
    await using folder = await temporary();
    for (const { server, client } of labs) {
      for (const { name } of [server, client]) {
        const file = name.replace(".ts", ".py");
        const source = Deno.readTextFileSync(`${SCRIPTS}lab/counterparts/${file}`);
        Deno.writeTextFileSync(`${folder.path}/${file}`, source + ODD);
      }
    }
    for (const { name } of width === 80 ? labs : labs.slice(0, 1)) {
      const { status, stdout, stderr } = await labHere(
        ["show", name, `--originals=${folder.path}`],
        { COLUMNS: `${width}` },
      );
      assertEquals([status, stderr], [0, ""]);
      for (const line of stdout.split("\n")) assert(widthOf(line) <= width, line);
      assertEquals(stdout.includes("│"), width >= 70, stdout);
      assertStringIncludes(stdout, "import");
    }
  });
}

Deno.test("wrapped() breaks after words, and loses nothing", () => {
  assertEquals(wrapped("one two three", 8), ["one two ", "three"]);
  assertEquals(wrapped("    indented", 6), ["    in", "dented"]);
  assertEquals(wrapped("a\tb", 80), ["a   b"]);
  assertEquals(wrapped("日本語", 5), ["日本", "語"]);
  assertEquals(wrapped("e\u0301e\u0301e\u0301", 2), ["e\u0301e\u0301", "e\u0301"]);
  assertEquals(wrapped("", 5), [""]);
  assertEquals(wrapped("\x1b[1m", 80), ["\\x1b[1m"]);
  const long = "x".repeat(200_000);
  assertEquals(wrapped(long, 33).join(""), long);
});

Deno.test("widthOf() counts columns", () => {
  for (
    const [text, width] of [["abc", 3], ["é", 1], ["e\u0301", 1], ["日本", 4], ["👍", 2], ["│≠", 2]]
  ) assertEquals(widthOf(text as string), width as number);
});

Deno.test("lab show puts original and script next to each other, with marks between them", async () => {
  const { status, stdout } = await labHere(["show", "echo_server_v1"]);
  assertEquals(status, 0);
  assert(/^echo_server_v1\.py +│ echo_server_v1\.ts$/m.test(stdout), stdout);
  assert(/\.bind\(.* = .*Deno\.listen/.test(stdout), stdout);
  assert(!stdout.includes("```console") && !stdout.includes("\x1b"), stdout);
  const both = await labHere(["show", "echo_v1.ts"]);
  assert(/echo_server_v1\.py[^]*echo_client_v1\.py/.test(both.stdout));
});

Deno.test("lab show finds originals by the names of their course, and says which are missing", async () => {
  await using folder = await temporary();
  const { path } = folder;
  Deno.writeTextFileSync(`${path}/echoserver.py`, "# the course's own\n");
  const { stdout } = await labHere(["show", "echo_server_v1", `--originals=${path}`]);
  assert(/^echoserver\.py +│/m.test(stdout) && stdout.includes("# the course's own"), stdout);
  const { status, stderr } = await labHere(["show", "echo_client_v1", `--originals=${path}`]);
  assertEquals([status, stderr], [
    1,
    `error: no echoclient.py or echo_client_v1.py in ${path}\n`,
  ]);
});

Deno.test("lab show takes the files that it is given", async () => {
  await using folder = await temporary();
  const file = `${folder.path}/any.py`;
  Deno.writeTextFileSync(file, "# mine\n");
  const { stdout } = await labHere(["show", "echo_server", `--server=${file}`]);
  assert(stdout.startsWith("any.py ") && stdout.includes("\n# mine "), stdout);
  const { stderr } = await labHere(["show", "echo_client", "--client=no.py"]);
  assertEquals(stderr, "error: no.py: no such file\n");
});

Deno.test("lab show does not show a byte order mark, and reads old files in Latin-1", async () => {
  await using folder = await temporary();
  const [marked, old] = ["marked.py", "old.py"].map((name) => `${folder.path}/${name}`);
  Deno.writeTextFileSync(marked, "\ufeff# für alle\n");
  Deno.writeFileSync(old, Uint8Array.from("# für alle\n", (char) => char.charCodeAt(0)));
  const { stdout } = await labHere(["show", "echo", `--server=${marked}`, `--client=${old}`]);
  assertEquals(stdout.match(/^# für alle +│/gm)?.length, 2, stdout);
});
