/** The command `lab check`: right exercises pass it, and what is told about wrong ones. */
import { assert, assertEquals } from "@std/assert";
import { examine } from "../../scripts/lab/check/check.ts";
import type { Finding } from "../../scripts/lab/check/exam.ts";
import { scripts } from "../../scripts/lab/names.ts";
import { hasPython } from "../../scripts/lab/program.ts";
import { BROKEN } from "./broken.ts";
import { SCRIPTS } from "../helpers.ts";

const RIGHT = `${import.meta.dirname}/right/`;
const AT_ONCE = 6; // checks
const python = await hasPython();

const isRunnable = (file: string) => python || !file.endsWith(".py");

/** Whether most of its check is waiting, for replies that never come: those are begun first. */
const isLong = (file: string) => /client_udp|guess_client/.test(file);

/** Does something with each of many, some at a time. */
async function each<T>(things: T[], work: (thing: T) => Promise<void>, fileOf = String) {
  const waiting = things.toSorted((a, b) => Number(isLong(fileOf(b))) - Number(isLong(fileOf(a))));
  const worker = async () => {
    for (let thing; (thing = waiting.shift());) await work(thing);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** The script whose place a file takes. */
const scriptFor = (file: string) => file.replace(/\.\w+$/, ".ts");

function failures(findings: Finding[]): string[] {
  return findings.flatMap(({ what, problem }) =>
    problem === undefined ? [] : [`${what}: ${problem}`]
  );
}

Deno.test("check passes all scripts, and their counterparts in Python", async () => {
  const others = [...Deno.readDirSync(RIGHT)].map(({ name }) => name);
  const files = scripts().flatMap(({ name }) => {
    const python = name.replace(".ts", ".py");
    const counterpart = `${SCRIPTS}../tests/python/${python}`;
    return [SCRIPTS + name, ...others.includes(python) ? [] : [counterpart]];
  }).filter(isRunnable);
  const wrong: string[] = [];
  await each(files, async (file) => {
    const findings = await examine(file, scriptFor(file.split("/").at(-1)!));
    wrong.push(...failures(findings).map((failure) => `${file}: ${failure}`));
    assert(findings.length > 3, file);
  });
  assertEquals(wrong, []);
});

Deno.test("check passes right exercises that are written in quite other ways", async () => {
  const files = [...Deno.readDirSync(RIGHT)].map(({ name }) => name).filter(isRunnable);
  const wrong: string[] = [];
  await each(files, async (file) => {
    const findings = await examine(RIGHT + file, scriptFor(file));
    wrong.push(...failures(findings).map((failure) => `${file}: ${failure}`));
  });
  assertEquals(wrong, []);
});

Deno.test("check tells first what is wrong about each broken exercise, within 15 seconds", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.copyFile(`${SCRIPTS}lib.ts`, `${folder}/lib.ts`);
  const table: string[] = [];
  const missed: string[] = [];
  const chosen = BROKEN.filter(({ name }) => isRunnable(name));
  await each([...chosen.entries()], async ([i, { name, fault, told, source }]) => {
    const path = `${folder}/${i}_${name}`;
    Deno.writeTextFileSync(path, source);
    const before = Date.now();
    const findings = await examine(path, scriptFor(name), { most: 1 });
    const seconds = (Date.now() - before) / 1000;
    const [problem = "not caught"] = findings.flatMap(({ problem }) => problem ?? []);
    const [first] = problem.split("\n");
    table.push(`| ${name} ${fault} | ${first} | ${seconds.toFixed(1)} |`);
    if (!told.test(first) || seconds > 15) {
      missed.push(`${name} ${fault} (${seconds} s): ${problem}`);
    }
  });
  const file = Deno.env.get("CHECK_TABLE");
  if (file) Deno.writeTextFileSync(file, table.sort().join("\n") + "\n");
  await Deno.remove(folder, { recursive: true });
  assertEquals(missed, []);
  assert(chosen.length >= 60);
});
