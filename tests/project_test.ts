/** The README's tables, the headers of the scripts, and their documentation. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { labs } from "../scripts/lab/catalog/labs.ts";
import { DENO_RUN, portOf, Program } from "../scripts/lab/process/program.ts";
import { SCRIPTS, temporary } from "./helpers.ts";

const read = (path: string) => Deno.readTextFileSync(new URL(`../${path}`, import.meta.url));
const readme = read("README.md");

/** Returns the cells of a row of a Markdown table. */
const cellsOf = (row: string) => row.slice(1, -1).split(" | ").map((cell) => cell.trim());

Deno.test("the README's table lists every lab with its scripts, course and originals", () => {
  const rows = readme.match(/^\| .*\(scripts\/\w+_server.*$/gm) ?? [];
  const found = rows.map((row) => {
    const [name, scripts, _lesson, mirrors] = cellsOf(row);
    const { server, client } = labs.find((lab) => lab.name === name)!;
    assertEquals(scripts, `[server](scripts/${server.name}), [client](scripts/${client.name})`);
    const [, course, originals] = mirrors.replaceAll("`", "").match(/^(.*): (.*)$/)!;
    assert(server.course.startsWith(course), `${name}: ${server.course}`);
    assertEquals(originals, [...new Set([server.original, client.original])].join(", "));
    return name;
  });
  assertEquals(found.sort(), labs.map(({ name }) => name).sort());
});

Deno.test("the README's table of socket calls names calls that the programs use", () => {
  const [, header, body] = readme.match(/^(\|.*\bPython\b.*\|)\n\| -.*\n((?:\|.*\n)+)/m)!;
  const python = cellsOf(header).findIndex((cell) => cell.endsWith("Python"));
  const sourcesIn = (folder: string) =>
    [...Deno.readDirSync(`${SCRIPTS}${folder}`)].filter(({ name }) => /\.(ts|py)$/.test(name))
      .map(({ name }) => read(`scripts/${folder}/${name}`)).join("\n");
  const [scripts, counterparts] = [sourcesIn("."), sourcesIn("lab/counterparts")];
  for (const row of body.trim().split("\n")) {
    for (const [i, cell] of cellsOf(row).slice(0, 2).entries()) {
      for (const [, call] of cell.matchAll(/`(.+?)`/g)) {
        if (i === python && call === "send") continue; // the counterparts use sendall
        assert((i === python ? counterparts : scripts).includes(call.replace(/\(.*/, "")), call);
      }
    }
  }
});

for (const { name, original, course } of labs.flatMap(({ server, client }) => [server, client])) {
  Deno.test(`${name} can be executed, names its original, lists the differences, imports lib.ts alone`, () => {
    const source = read(`scripts/${name}`);
    assert(source.startsWith("#!/usr/bin/env -S deno run --allow-net\n/**\n"));
    assert(original !== "" && course !== "");
    assertMatch(source, /\n \* (Differences from the original|Beyond the sheet):\n \* - /);
    const imports = source.matchAll(/from "(.+?)"/g);
    assertEquals([...imports].map(([, from]) => from), ["./lib.ts"]);
  });
}

Deno.test("a copy of a script runs with deno.json and the modules that it imports", async () => {
  await using folder = await temporary();
  await Deno.mkdir(`${folder.path}/scripts`);
  await Deno.copyFile(`${SCRIPTS}../deno.json`, `${folder.path}/deno.json`);
  const command = new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", pathToFileURL(`${SCRIPTS}echo_server.ts`).href],
  });
  const { modules } = JSON.parse(new TextDecoder().decode((await command.output()).stdout));
  for (const { specifier } of modules as { specifier: string }[]) {
    if (!specifier.startsWith("file:") || specifier.includes("node_modules")) continue;
    const path = fileURLToPath(specifier);
    await Deno.copyFile(path, `${folder.path}/scripts/${relative(SCRIPTS, path)}`);
  }
  const copy = `${folder.path}/scripts/echo_server.ts`;
  await using server = new Program([...DENO_RUN, "--allow-net", copy, "--port=0"]);
  assert(await server.until(() => portOf(server) !== undefined), server.errors);
});

Deno.test("deno doc --lint finds no problem", async () => {
  const filesIn = (folder: string): string[] =>
    [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
      isDirectory ? filesIn(`${folder}${name}/`) : `${folder}${name}`
    );
  const isLabScript = (path: string) => /_(server|client)\w*\.ts$/.test(path);
  const modules = filesIn(SCRIPTS).filter((path) =>
    /(?<!\.d)\.ts$/.test(path) && !isLabScript(path.slice(SCRIPTS.length))
  );
  const command = new Deno.Command(Deno.execPath(), { args: ["doc", "--lint", ...modules] });
  const { success, stderr } = await command.output();
  assert(success, new TextDecoder().decode(stderr));
});

Deno.test("deno.lock lists only deno-std, because users download all of it", () => {
  assertEquals(Object.keys(JSON.parse(read("deno.lock")).npm), ["deno-std@1.4.0"]);
});
