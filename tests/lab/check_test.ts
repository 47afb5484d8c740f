/** The command `lab check`: right exercises pass it, and what is told about wrong ones. */
import { assert, assertEquals } from "@std/assert";
import { examine } from "../../scripts/lab/check/check.ts";
import type { Finding } from "../../scripts/lab/check/exam.ts";
import { mistake, readHandIn } from "../../scripts/lab/check/handin.ts";
import { find, scripts } from "../../scripts/lab/names.ts";
import { hasPython } from "../../scripts/lab/program.ts";
import { BROKEN } from "./broken.ts";
import { SCRIPTS, temporary } from "../helpers.ts";

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

/** What is wrong about an exercise, made from a right one by a small change. */
async function problemsOf(name: string, from: string, to: string): Promise<string[]> {
  await using folder = await temporary();
  const source = Deno.readTextFileSync(RIGHT + name);
  assert(source.includes(from));
  Deno.writeTextFileSync(`${folder.path}/${name}`, source.replace(from, to));
  const findings = await examine(`${folder.path}/${name}`, scriptFor(name), { most: 1 });
  return findings.flatMap(({ problem }) => problem ?? []);
}

Deno.test("check says what was sent before a wrong reply", { ignore: !python }, async () => {
  const [problem] = await problemsOf("guess_server.py", "> self.secret)", "> self.secret - 1)");
  assertEquals(
    problem,
    "the reply is `LOWER`, and should be `CORRECT`\nafter this was sent: `42`",
  );
});

Deno.test("check says what is mostly missing where a read was interrupted", () => {
  const handIn = readHandIn(`${RIGHT}echo_server.ts`, find(scripts(), "echo_server"));
  assertEquals(
    mistake("error: Uncaught (in promise) Interrupted: operation canceled\n", handIn),
    "Interrupted: operation canceled: it was closed while it still read: is an `await` missing?",
  );
});

Deno.test(
  "check gives the place of a mistake in the exercise, not in Python's own modules",
  { ignore: !python },
  async () => {
    const accept = "    c, _ = welcome.accept()";
    const late = `    welcome.close()\n${accept}`;
    const [problem] = await problemsOf("upper_server_tcp.py", accept, late);
    assert(/^OSError: .*\nFile ".*upper_server_tcp\.py", line 29\n/.test(problem), problem);
  },
);
