/** Runs the session in every script's header, and what reads and runs them. */
import { assert, assertEquals } from "@std/assert";
import { findLabs, readScript, type Script } from "../../scripts/lab/header.ts";
import { ourPlayer, runPair } from "../../scripts/lab/pair.ts";
import { compareLines, sameScreen } from "../../scripts/lab/screens.ts";
import { SCRIPTS } from "../helpers.ts";

const labs = findLabs();

/** Runs a lab, and gives what is wrong. */
async function problems(server: Script, client: Script): Promise<string[]> {
  const lab = labs.find((lab) => lab.server.name === server.name)!;
  const players = { server: ourPlayer(server), client: ourPlayer(client) };
  const { checks } = await runPair({ ...lab, server, client }, players);
  return checks.filter(({ problem }) => problem)
    .map(({ what, problem }) => `${what}: ${problem}`);
}

for (const lab of labs) {
  Deno.test(`lab ${lab.name} runs as its headers show, with the permissions of its shebang`, async () => {
    const source = Deno.readTextFileSync(SCRIPTS + lab.server.name);
    const [, permissions] = source.match(/^#!.* deno run (.+)\n/)!;
    const players = {
      server: ourPlayer(lab.server, permissions),
      client: ourPlayer(lab.client, permissions),
    };
    const { checks } = await runPair(lab, players);
    assertEquals(checks.filter(({ problem }) => problem), []);
    assertEquals(checks.filter(({ isNotation }) => isNotation), []);
    assertEquals(checks.length, 7);
  });
}

const [echo] = labs;
const guess = labs.find(({ name }) => name === "guess")!;

Deno.test("runPair() tells when a screen is not as shown", async () => {
  const screen = echo.client.screen.replace("Sending", "Seeding");
  const [problem, ...more] = await problems(echo.server, {
    ...echo.client,
    screen,
  });
  assert(
    problem.startsWith("echo_client.ts prints the transcript: line 2 is: Sending Test"),
    problem,
  );
  assertEquals(more, []);
});

Deno.test("runPair() tells when a line or a line end is missing, or a line too much", async () => {
  for (
    const [screen, told] of [
      [echo.client.screen + "more\n", "line 7 is missing: more"],
      [echo.client.screen.replace(/Closing.*\n/, ""), "line 6 is too much: Closing"],
      [echo.client.screen.trimEnd(), "its last line has no line end"],
    ]
  ) {
    const [problem] = await problems(echo.server, { ...echo.client, screen });
    assert(problem.includes(told), problem);
  }
});

Deno.test("runPair() tells when a program does not ask for what is typed", async () => {
  const screen = guess.client.screen.replace("number", "figure");
  const [problem] = await problems(guess.server, { ...guess.client, screen });
  assert(problem.includes("line 1 is: Guess a number"), problem);
});

Deno.test("runPair() tells when a server does not start", async () => {
  const server = { ...echo.server, args: ["--nonsense"] };
  const [problem, ...more] = await problems(server, echo.client);
  assert(problem.includes("it does not listen"), problem);
  assert(problem.includes("unknown flag --nonsense"), problem);
  assertEquals(more, []);
});

Deno.test("runPair() tells when a client fails", async () => {
  const client = { ...echo.client, args: ["--message=" + "x".repeat(3000)] };
  const told = await problems(echo.server, client);
  assert(
    told[0].includes("it ended with status 1; on stderr it said:\nerror: the server closed"),
    told[0],
  );
});

Deno.test("readScript() reads what a header says", () => {
  const source = `#!/usr/bin/env deno
/**
 * Title of it:
 * a thing. More.
 *
 * Mirrors \`x.py\` (A course,
 * week 1).
 *
 * \`\`\`console
 * $ deno run -A scripts/x.ts --message='a b' --port=1 # and type one⏎ Hello, two⏎
 * ask: one
 *
 * ask: Hello, two
 * empty:␣
 * \`\`\`
 */
listen({ port: 0 });
run({ host: "x", port: 81 });`;
  assertEquals(readScript("x.ts", source), {
    name: "x.ts",
    summary: "Title of it: a thing.",
    original: "x.py",
    course: "A course, week 1",
    port: 81,
    args: ["--message=a b", "--port=1"],
    typed: ["one", "Hello, two"],
    screen: "ask: one\n\nask: Hello, two\nempty: \n",
  });
  assertEquals(readScript("y.ts", "/** Y. */"), null);
  assertEquals(readScript("my_x.ts", source), null);
});

Deno.test("sameScreen() lets only the listener's port and clients' ports differ", () => {
  const shown = "on port 99\nfrom ('127.0.0.1', 5)\nto ('127.0.0.1', 5)\n";
  const same = (screen: string) => sameScreen(screen, shown, 1234);
  assert(same("on port 1234\nfrom ('127.0.0.1', 7)\nto ('127.0.0.1', 7)\n"));
  assert(!same("on port 99\nfrom ('127.0.0.1', 7)\nto ('127.0.0.1', 7)\n"));
  assert(!same("on port 1234\nfrom ('127.0.0.1', 7)\nto ('127.0.0.1', 8)\n"));
  assert(!same("on port 1234\nfrom ('127.0.0.2', 7)\nto ('127.0.0.2', 7)\n"));
  assert(!same("on port 1234\nfrom ('127.0.0.1', 7)\nto ('127.0.0.1', 7)"));
});

Deno.test("compareLines() tells what differs from what is only Python's notation for bytes", () => {
  const mark = (left: string, right: string) =>
    compareLines(left, right).map(({ mark }) => mark).join("");
  assertEquals(mark("a\nb\n", "a\nb\n"), "  ");
  assertEquals(mark("a\nb\n", "a\nc\n"), " ≠");
  assertEquals(mark("a\n", "a\nc\n"), " ≠");
  assertEquals(mark("", "c\n"), "≠");
  assertEquals(mark("Data: b'Test'\n", "Data: Test\n"), "~");
  assertEquals(mark("Data: b'Tess'\n", "Data: Test\n"), "≠");
  assertEquals(mark(`x b"it's" y\n`, "x it's y\n"), "~");
  assertEquals(mark("b'h\\xc3\\xa9\\n\\\\'\n", "hé\\n\\\n"), "~");
});
