/** The README, the headers and the files as they lie. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { findLabs } from "../scripts/lab/header.ts";
import { DENO_RUN, portOf, Program } from "../scripts/lab/program.ts";
import { SCRIPTS, temporary } from "./helpers.ts";

const read = (path: string) => Deno.readTextFileSync(new URL(`../${path}`, import.meta.url));
const readme = read("README.md");
const labs = findLabs();
const scripts = labs.flatMap(({ server, client }) => [server.name, client.name]);

/** The comment at a script's head as plain text. */
function header(script: string): string {
  const [, comment] = read(`scripts/${script}`).match(/\/\*\*\n([^]*?)\*\//)!;
  return comment.replace(/^ \* ?/gm, "");
}

/** What a script mirrors, and the course that it belongs to. */
function origin(script: string): [original: string, course: string] {
  const [, original, course] = header(script).replaceAll("\n", " ")
    .match(/Mirrors (.+?) \((.+?)\)/)!;
  return [original, course];
}

Deno.test("the README's table lists every lab with its originals, by course", () => {
  const found: string[] = [];
  for (const [row] of readme.matchAll(/^\| .*\(scripts\/\w+_server.*$/gm)) {
    const [name, scripts, lesson, mirrors] = row.slice(2, -2).split(" | ").map((cell) =>
      cell.trim()
    );
    const { server, client } = labs.find((lab) => lab.name === name)!;
    assertEquals(scripts, `[server](scripts/${server.name}), [client](scripts/${client.name})`);
    assert(lesson.length > 10);
    const [[original, course], [other]] = [origin(server.name), origin(client.name)];
    const originals = [...new Set([original, other])].join(", ");
    const [, named] = mirrors.match(/^(.*): (.*)$/)!;
    assertEquals(mirrors, `${named}: ${originals}`);
    assert(course.startsWith(named), `${name}: ${course}`);
    found.push(name);
  }
  assertEquals(found.toSorted(), labs.map(({ name }) => name).toSorted());
});

Deno.test("the README's table of socket calls names what the programs use", () => {
  const rows = [...readme.matchAll(/^\| (`\w+`.*?) \| (.*?) \| /gm)];
  const words = (cell: string) => [...cell.matchAll(/`(.+?)`/g)].map(([, word]) => word);
  const sources = (folder: string) =>
    [...Deno.readDirSync(`${SCRIPTS}${folder}`)].filter(({ name }) => /\.(ts|py)$/.test(name))
      .map(({ name }) => read(`scripts/${folder}/${name}`)).join("\n");
  const [deno, python] = [sources("."), sources("../tests/python")];
  assertEquals(rows.length, 13);
  for (const [, theirs, ours] of rows) {
    for (const word of words(theirs)) {
      assert(python.includes(word) || word === "send", `${word} in Python`); // sendall instead
    }
    for (const word of words(ours)) assert(deno.includes(word), word);
  }
});

for (const script of scripts) {
  Deno.test(`${script} has a header like the others`, () => {
    const [shebang, start] = read(`scripts/${script}`).split("\n");
    assertEquals(shebang, "#!/usr/bin/env -S deno run --allow-net");
    assertEquals(start, "/**");
    assertMatch(header(script), /^[A-Z][^]*?\.\n\n/); // a sentence on its own
    const half = script.includes("_server") ? "_client" : "_server";
    const other = script.replace(/_(server|client)/, half);
    const text = header(script).replaceAll("\n", " ");
    assert(text.includes(`Run it together with \`${other}\`.`));
    assertMatch(header(script), /\n@module\s*$/);
    const [original] = origin(script);
    const list = original === "task T3" ? "Beyond the sheet" : "Differences from the original";
    assert(header(script).includes(`\n${list}:\n- `));
  });

  Deno.test(`${script} imports lib.ts and nothing else`, () => {
    const imports = read(`scripts/${script}`).matchAll(/from "(.+?)"/g);
    assertEquals([...imports].map(([, from]) => from), ["./lib.ts"]);
  });
}

Deno.test("a copy of a script runs with lib.ts and deno.json beside it", async () => {
  await using folder = await temporary();
  await Deno.mkdir(`${folder.path}/scripts`);
  await Deno.copyFile(`${SCRIPTS}../deno.json`, `${folder.path}/deno.json`);
  for (const name of ["lib.ts", "cli.ts"]) {
    await Deno.copyFile(`${SCRIPTS}${name}`, `${folder.path}/scripts/${name}`);
  }
  const copy = `${folder.path}/scripts/mine.ts`;
  await Deno.copyFile(`${SCRIPTS}echo_server.ts`, copy);
  await using server = new Program([...DENO_RUN, "--allow-net", copy, "--port=0"]);
  assert(await server.until(() => portOf(server) !== undefined), server.errors);
});

const MODULES = {
  "lib.ts": [`${SCRIPTS}lib.ts`],
  "kill_port.ts": [`${SCRIPTS}kill_port.ts`],
  "the lab tool": ["lab", "lab/check", "lab/check/probes", "lab/wire"].flatMap((folder) =>
    [...Deno.readDirSync(SCRIPTS + folder)].map(({ name }) => `${SCRIPTS}${folder}/${name}`)
  ).filter((name) => name.endsWith(".ts")),
};

for (const [what, files] of Object.entries(MODULES)) {
  Deno.test(`deno doc finds nothing to complain about in ${what}`, async () => {
    const command = new Deno.Command(Deno.execPath(), { args: ["doc", "--lint", ...files] });
    const { success, stderr } = await command.output();
    assert(success, new TextDecoder().decode(stderr));
  });
}
