/** Runs the session in every script's header, and what reads and runs them. */
import { assert, assertEquals } from "@std/assert";
import { type Lab, readScript, type Script } from "../../scripts/lab/catalog/header.ts";
import { labs } from "../../scripts/lab/catalog/labs.ts";
import { runChecked, scriptParticipant } from "../../scripts/lab/session/checks.ts";
import { compareLines, sameScreen } from "../../scripts/lab/session/transcript.ts";
import { SCRIPTS } from "../helpers.ts";

/** Runs a lab, and returns what is wrong. */
async function problems(lab: Lab): Promise<string[]> {
  const { checks } = await runChecked(lab, {
    server: scriptParticipant(lab, lab.server),
    client: scriptParticipant(lab, lab.client),
  });
  return checks.filter(({ problem }) => problem).map(({ what, problem }) => `${what}: ${problem}`);
}

for (const lab of labs) {
  Deno.test(`lab ${lab.name} runs as its headers show, with the permissions of its shebang`, async () => {
    const source = Deno.readTextFileSync(SCRIPTS + lab.server.name);
    const [, permissions] = source.match(/^#!.* deno run (.+)\n/)!;
    const { checks } = await runChecked(lab, {
      server: scriptParticipant(lab, lab.server, { permissions }),
      client: scriptParticipant(lab, lab.client, { permissions }),
    });
    assertEquals(checks.filter(({ problem, isNotation }) => problem || isNotation), []);
    assertEquals(checks.length, 7);
  });
}

const [echo] = labs;
const guess = labs.find(({ name }) => name === "guess")!;

Deno.test("runChecked() reports a screen that differs from the header, and a program that fails", async () => {
  const { server, client } = echo;
  const screen = client.screen;
  const long = ["--message=" + "x".repeat(3000)];
  for (
    const [changed, ...parts] of [
      [
        { client: { ...client, screen: screen.replace("Sending", "Seeding") } },
        "line 2 is: Sending Test",
      ],
      [{ client: { ...client, screen: screen + "more\n" } }, "line 7 is missing: more"],
      [
        { client: { ...client, screen: screen.replace(/Closing.*\n/, "") } },
        "line 6 is too much: Closing",
      ],
      [{ client: { ...client, screen: screen.trimEnd() } }, "its last line has no line end"],
      [
        { server: { ...server, args: ["--nonsense"] } },
        "it does not listen",
        "unknown flag --nonsense",
      ],
      [
        { client: { ...client, args: long } },
        "it ended with status 1; on stderr it printed:\nerror: the server closed",
      ],
    ] as [{ server?: Script; client?: Script }, ...string[]][]
  ) {
    const [problem] = await problems({ ...echo, ...changed });
    for (const part of parts) assert(problem.includes(part), problem);
  }
  const asked = { ...guess.client, screen: guess.client.screen.replace("number", "figure") };
  const [problem] = await problems({ ...guess, client: asked });
  assert(problem.includes("line 1 is: Guess a number"), problem);
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
 * The user types one⏎ Hello, two⏎
 *
 * \`\`\`console
 * $ deno run -A scripts/x.ts --message='a b' --port=1
 * ask: one
 *
 * ask: Hello, two
 * empty:␣
 * \`\`\`
 */
listen({ port: 0 });`;
  const flags = { host: "x", port: 81 };
  assertEquals(readScript("x.ts", source, flags), {
    name: "x.ts",
    summary: "Title of it: a thing.",
    original: "x.py",
    course: "A course, week 1",
    flags,
    port: 81,
    args: ["--message=a b", "--port=1"],
    typed: ["one", "Hello, two"],
    screen: "ask: one\n\nask: Hello, two\nempty: \n",
  });
  assertEquals(readScript("y.ts", "/** Y. */", {}), null);
  assertEquals(readScript("my_x.ts", source, flags), null);
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

Deno.test("compareLines() marks a difference, but not Python's notation for bytes", () => {
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
