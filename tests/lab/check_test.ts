/** The command `lab check`: right exercises pass it, and what is told about wrong ones. */
import { assert, assertEquals } from "@std/assert";
import { examine } from "../../scripts/lab/check/check.ts";
import type { Finding } from "../../scripts/lab/check/check_run.ts";
import { mistake, readHandIn } from "../../scripts/lab/check/submission.ts";
import { find, scripts } from "../../scripts/lab/catalog/labs.ts";
import { hasPython } from "../../scripts/lab/process/program.ts";
import { BROKEN } from "./broken.ts";
import { inParallel, SCRIPTS, temporary } from "../helpers.ts";

const RIGHT = `${import.meta.dirname}/right/`;
const AT_ONCE = 6; // checks
const python = await hasPython();

const isRunnable = (file: string) => python || !file.endsWith(".py");

/** Whether most of its check is waiting, for replies that never come: those are begun first. */
const isLong = (file: string) => /client_udp|guess_client/.test(file);

/** Checks many, some at a time: gives what is wrong. */
async function wrongOnes<T>(
  things: T[],
  wrongAbout: (thing: T) => Promise<string[]>,
  fileOf: (thing: T) => string = String,
): Promise<string[]> {
  const inOrder = things.toSorted((a, b) => Number(isLong(fileOf(b))) - Number(isLong(fileOf(a))));
  const wrong: string[] = [];
  await inParallel(
    inOrder.map((thing) => async () => wrong.push(...await wrongAbout(thing))),
    AT_ONCE,
  );
  return wrong;
}

/** The script whose place a file takes. */
const scriptFor = (file: string) => file.replace(/\.\w+$/, ".ts");

function failures(findings: Finding[]): string[] {
  return findings.flatMap(({ what, problem }) =>
    problem === undefined ? [] : [`${what}: ${problem}`]
  );
}

/** What a check finds wrong about a right file. */
async function wrongAbout(file: string): Promise<string[]> {
  const findings = await examine(file, scriptFor(file.split("/").at(-1)!));
  assert(findings.length > 3, file);
  return failures(findings).map((failure) => `${file}: ${failure}`);
}

Deno.test("check passes all scripts, and their counterparts in Python", async () => {
  const others = [...Deno.readDirSync(RIGHT)].map(({ name }) => name);
  const files = scripts().flatMap(({ name }) => {
    const python = name.replace(".ts", ".py");
    const counterpart = `${SCRIPTS}lab/counterparts/${python}`;
    return [SCRIPTS + name, ...others.includes(python) ? [] : [counterpart]];
  }).filter(isRunnable);
  assertEquals(await wrongOnes(files, wrongAbout), []);
});

Deno.test("check passes right exercises that are written in quite other ways", async () => {
  const files = [...Deno.readDirSync(RIGHT)].map(({ name }) => RIGHT + name).filter(isRunnable);
  assertEquals(await wrongOnes(files, wrongAbout), []);
});

Deno.test("check tells first what is wrong about each broken exercise, within 15 seconds", async () => {
  await using folder = await temporary();
  for (const name of ["lib.ts", "cli.ts"]) {
    await Deno.copyFile(`${SCRIPTS}${name}`, `${folder.path}/${name}`);
  }
  const table: string[] = [];
  const chosen = BROKEN.filter(({ name }) => isRunnable(name));
  const missed = await wrongOnes(
    [...chosen.entries()],
    async ([i, { name, fault, told, source }]) => {
      const path = `${folder.path}/${i}_${name}`;
      Deno.writeTextFileSync(path, source);
      const before = Date.now();
      const findings = await examine(path, scriptFor(name), { most: 1 });
      const seconds = (Date.now() - before) / 1000;
      const [problem = "not caught"] = findings.flatMap(({ problem }) => problem ?? []);
      const [first] = problem.split("\n");
      table.push(`| ${name} ${fault} | ${first} | ${seconds.toFixed(1)} |`);
      const isRight = told.test(first) && seconds <= 15;
      return isRight ? [] : [`${name} ${fault} (${seconds} s): ${problem}`];
    },
    ([, { name }]) => name,
  );
  const file = Deno.env.get("CHECK_TABLE");
  if (file) Deno.writeTextFileSync(file, table.sort().join("\n") + "\n");
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
