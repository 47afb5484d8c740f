/** The exercises: each fails on the file that it starts from, and passes with the model solution. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { examine, TIME } from "../../scripts/lab/check/check.ts";
import type { Finding } from "../../scripts/lab/check/check_run.ts";
import { labs } from "../../scripts/lab/catalog/labs.ts";
import { EXERCISES } from "../../scripts/lab/exercises/all.ts";
import { filled, modelOf } from "../../scripts/lab/exercises/exercise.ts";
import { checksOf, stubFile } from "../../scripts/lab/exercises/start.ts";
import { Program } from "../../scripts/lab/process/program.ts";
import {
  lab,
  resultOf,
  SCRIPTS,
  temporary,
  THOROUGH,
  THOROUGH_ONLY,
  WITH_SIGNALS,
} from "../helpers.ts";
import { labHere } from "./in_process.ts";
import { HALF_WAY, type HalfWay } from "./halfway.ts";

/** Checks a text in place of the file of an exercise, up to the first failure. */
async function checkText(number: number, text: string): Promise<Finding[]> {
  await using folder = await temporary();
  const { script } = EXERCISES[number - 1];
  for (const name of ["lib.ts", "cli.ts"]) {
    Deno.copyFileSync(SCRIPTS + name, `${folder.path}/${name}`);
  }
  const file = `${folder.path}/${script}.ts`;
  Deno.writeTextFileSync(file, text);
  const options = { exercise: checksOf(number), most: 1, time: 4 * TIME }; // for a busy machine
  return await examine(file, script, options);
}

/** Returns the first line of the first failure. */
function firstProblem(findings: Finding[]): string | undefined {
  return findings.flatMap(({ problem }) => problem ?? [])[0]?.split("\n")[0];
}

for (const [i, exercise] of EXERCISES.entries()) {
  const number = i + 1;
  Deno.test(`exercise ${number} fails untouched`, async () => {
    const [{ problem }, ...rest] = await checkText(number, stubFile(number));
    assertEquals(problem, `nothing has been changed yet\nfirst: ${exercise.first}`);
    assert(rest.length > 5 && rest.every(({ skipped }) => skipped !== undefined));
  });
  // In a quick run, those of 5 and 8 are checked below.
  Deno.test(`exercise ${number} passes with the model solution`, THOROUGH_ONLY, async () => {
    const done = await checkText(number, modelOf(exercise));
    assertEquals(done.flatMap(({ what, problem }) => problem ? [`${what}: ${problem}`] : []), []);
    assertEquals(done.filter(({ skipped }) => skipped !== undefined), []);
  });
}

/** Checks a half-way state, and compares the first line of its first failure. */
async function checkHalfWay({ exercise: number, did, gaps, says }: HalfWay) {
  const exercise = EXERCISES[number - 1];
  const text = filled(exercise, gaps.map((gap, i) => gap ?? exercise.gaps[i].model));
  const problem = firstProblem(await checkText(number, text));
  if (typeof says === "string") assertEquals(problem, says, did);
  else assert(says.test(problem ?? ""), `${did}: ${problem}`);
}

for (const i of EXERCISES.keys()) {
  const states = HALF_WAY.filter(({ exercise }) => exercise === i + 1);
  Deno.test(`exercise ${i + 1} says what is wrong in half-way states`, THOROUGH_ONLY, async () => {
    for (const state of states) await checkHalfWay(state);
  });
}

Deno.test("the first line of a failure is different for each half-way state of an exercise", () => {
  for (const i of EXERCISES.keys()) {
    const lines = HALF_WAY.filter(({ exercise }) => exercise === i + 1).map(({ says }) =>
      `${says}`
    );
    assert(lines.length >= 2, `exercise ${i + 1}`);
    assertEquals(new Set(lines).size, lines.length);
  }
});

Deno.test("every lab has an exercise, and the README lists all of them in their order", () => {
  const scripts = EXERCISES.map(({ script }) => `${script}.ts`);
  for (const { name, server, client } of labs) {
    assert(scripts.includes(server.name) || scripts.includes(client.name), name);
  }
  const readme = Deno.readTextFileSync(`${SCRIPTS}../README.md`);
  const lines = EXERCISES.map(({ script, title }, i) => `${i + 1}. \`${script}\`: ${title}\n`);
  assertStringIncludes(readme, lines.join(""));
});

/** Runs Deno in a folder. */
async function deno(args: string[], cwd: string) {
  await using program = new Program([Deno.execPath(), ...args], undefined, { cwd });
  return await resultOf(program);
}

Deno.test("the files from which the exercises start are formatted, and have no lint or type errors", async () => {
  await using folder = await temporary();
  await labHere(["new", "1", folder.path]);
  for (const [i, { script }] of EXERCISES.entries()) {
    Deno.writeTextFileSync(`${folder.path}/scripts/${script}.ts`, stubFile(i + 1));
  }
  const files = EXERCISES.map(({ script }) => `scripts/${script}.ts`);
  const checks = [["fmt", "--check"], ["lint"], ...THOROUGH ? [["check", "--frozen"]] : []];
  for (const args of checks) {
    const { status, stderr } = await deno([...args, ...files], folder.path);
    assertEquals(status, 0, stderr);
  }
});

Deno.test("lab new starts an exercise whose check fails until it is done, and then names the next", async () => {
  await using folder = await temporary();
  const path = `${folder.path}/my exercise`;
  const { status, stdout } = await labHere(["new", "8", path]);
  assertEquals(status, 0);
  assert(stdout.startsWith("Exercise 8: two clients at the same time\n"), stdout);
  for (const task of ["watch", "check", "hint"]) assertStringIncludes(stdout, `deno task ${task} `);

  const untouched = await deno(["task", "check"], path);
  assertEquals(untouched.status, 1);
  assertStringIncludes(untouched.stdout, "not ok 1 - the exercise has been started\n");
  assertStringIncludes(untouched.stdout, EXERCISES[7].first);

  Deno.writeTextFileSync(`${path}/scripts/practical12_server_tcp.ts`, modelOf(EXERCISES[7]));
  const done = await deno(["task", "check"], path);
  assertEquals(done.status, 0, done.stdout + done.stderr);
  assert(!done.stdout.includes("not ok"));
  assertStringIncludes(
    done.stdout,
    "# The next one is exercise 9: the end of a message. Start it:\n",
  );
  assertStringIncludes(done.stdout, "#   deno task next ../exercise-9\n");

  const next = await deno(["task", "next", "../exercise-9"], path);
  assertEquals(next.status, 0, next.stderr);
  assertEquals(
    Deno.readTextFileSync(`${folder.path}/exercise-9/scripts/upper_client_tcp.ts`),
    stubFile(9),
  );
});

Deno.test("lab new writes nothing into a folder that holds something else, and lab check names its exercise", async () => {
  await using folder = await temporary();
  const { path } = folder;
  await labHere(["new", "1", path]);
  const before = Deno.readTextFileSync(`${path}/deno.json`);
  const again = await labHere(["new", "1", path]);
  assertEquals(again.status, 0, again.stderr); // it is all there

  const second = await labHere(["new", "2", path]);
  assertEquals([second.status, second.stderr], [
    1,
    `error: ${path}/deno.json is there already, and differs: nothing was written\n` +
    "start each exercise in a folder of its own, for instance ../exercise-2\n",
  ]);
  assertEquals(Deno.readTextFileSync(`${path}/deno.json`), before);
  assert(![...Deno.readDirSync(`${path}/scripts`)].some(({ name }) => name === "echo_client.ts"));

  const file = `${path}/scripts/echo_server_v1.ts`;
  Deno.writeTextFileSync(file, "myWork; // which is not declared");
  assertEquals((await labHere(["new", "1", path])).status, 1);
  assertEquals(Deno.readTextFileSync(file), "myWork; // which is not declared");

  const { stderr } = await labHere(["check", file]);
  const note = `note: ${file} is exercise 1: --exercise=1 checks whether it is done\n`;
  assert(stderr.startsWith(note), stderr);
});

Deno.test("a number that is not an exercise is refused", async () => {
  const message = "error: exercise 12 does not exist: the exercises are 1 to 11\n";
  const others = [["check", "--exercise=12"], ["hint", "--exercise=12"]];
  for (const args of [["new", "12"], ...others]) {
    const { status, stderr } = await labHere(args);
    assertEquals([status, stderr], [1, message]);
  }
  const { status, stderr } = await labHere(["check", "x.ts", "--exercise=1", "--as=echo_server"]);
  assertEquals(status, 2);
  assert(stderr.startsWith("error: exercise 1 is about echo_server_v1, not echo_server\n"), stderr);
});

Deno.test("lab hint says more each time, and in the end shows the model solution", async () => {
  await using folder = await temporary();
  const { path } = folder;
  await labHere(["new", "1", path]);
  const hint = (...args: string[]) => lab(["hint", ...args], "", { cwd: path });
  const { hints } = EXERCISES[0];
  for (const [i] of hints.entries()) {
    const { status, stdout } = await hint();
    assertEquals(status, 0);
    assert(stdout.includes(`, hint ${i + 1} of ${hints.length}\n`), stdout);
    assertEquals(stdout.includes("while (true) {\n"), i === hints.length - 1);
  }
  assertStringIncludes((await hint("9")).stderr, "hint 9 does not exist: the hints are 1 to 4");
  assertStringIncludes((await labHere(["hint"])).stderr, "this is not the folder of an exercise");
  if (!THOROUGH) return;
  assertStringIncludes((await hint()).stdout, `, hint ${hints.length} of `); // the last one
  assertStringIncludes((await hint("1")).stdout, ", hint 1 of ");
  assertStringIncludes((await hint("--exercise=11", "4")).stdout, "echo_server_v3.ts\n");

  Deno.writeTextFileSync(`${path}/.hints_shown`, "not a number");
  assertStringIncludes((await hint()).stdout, ", hint 1 of ");
  assertEquals((await hint("x")).status, 2);
});

Deno.test(
  "lab check --watch checks again after each save, and Ctrl-C ends it with its programs",
  WITH_SIGNALS,
  async () => {
    await using folder = await temporary();
    const { path } = folder;
    await labHere(["new", "5", path]);
    const file = `${path}/scripts/upper_server_udp.ts`;
    const command = [Deno.execPath(), "run", "-A", `${SCRIPTS}lab.ts`, "check", "--watch"];
    // The programs that are checked have their files in this folder.
    const env = { TMPDIR: path };
    await using program = new Program(command, undefined, { cwd: path, env });
    let seen = 0;
    const next = async (text: string): Promise<string> => {
      const rest = () => program.screen.slice(seen);
      const isThere = () => rest().includes(text);
      assert(await program.until(isThere, 60), `${rest()}\n${program.errors}`);
      const part = rest().slice(0, rest().indexOf(text));
      seen += part.length + text.length;
      return part;
    };
    const END = "is saved. Ctrl-C ends this.\n";
    const untouched = await next(END);
    assertStringIncludes(untouched, "nothing has been changed yet\n  first: ");
    assert(!untouched.includes("\x1b"), "it clears a screen that is not a terminal");

    // Many editors write a new file, and then rename it.
    Deno.writeTextFileSync(`${path}/scripts/.new.ts~`, modelOf(EXERCISES[4]));
    Deno.renameSync(`${path}/scripts/.new.ts~`, file);
    const done = await next(END);
    assert(!done.includes("not ok"), done);
    assertStringIncludes(done, "The next one is exercise 6: a reply that is lost. Start it:\n");

    Deno.removeSync(file);
    assertStringIncludes(await next(END), "upper_server_udp.ts: no such file\n");

    Deno.writeTextFileSync(file, `${stubFile(5)}\nconst x = ;\n`);
    const broken = await next(END);
    assertStringIncludes(broken, "SyntaxError: Expression expected\n");
    assertEquals(broken.match(/^not ok/gm)?.length, 1);

    Deno.writeTextFileSync(file, modelOf(EXERCISES[4]));
    await next("ok      it starts and listens on its port\n");
    assertEquals(await program.end("SIGINT"), 130);
    const left = [...Deno.readDirSync(path)].filter(({ name }) => /^socket-labs-/.test(name));
    assertEquals(left, []);
  },
);
