/** Runs the session in every script's header, and looks at the headers. */
import { assert, assertEquals } from "@std/assert";
import { findLabs, readSession, runLab, sameScreen } from "../scripts/lab.ts";
import { SCRIPTS } from "./helpers.ts";

const labs = findLabs();

for (const lab of labs) {
  Deno.test(`lab ${lab.name} runs as its headers show, with the permissions of its shebang`, async () => {
    const shebang = Deno.readTextFileSync(SCRIPTS + lab.server.script)
      .split("\n")[0];
    const [, permissions] = shebang.match(
      /^#!\/usr\/bin\/env -S deno run (.+)$/,
    )!;
    assertEquals(await runLab(lab, permissions), []);
  });
}

Deno.test("runLab() tells when a screen is not as shown", async () => {
  const [lab] = labs;
  const client = { ...lab.client, screen: lab.client.screen + "more\n" };
  const [problem] = await runLab({ ...lab, client }, "--allow-net");
  assert(problem.includes("but its header shows"), problem);
});

Deno.test("runLab() tells when a program does not ask for what is typed", async () => {
  const lab = labs.find(({ name }) => name === "guess")!;
  const screen = lab.client.screen.replace("number", "figure");
  const [status, output] = await runLab(
    { ...lab, client: { ...lab.client, screen } },
    "--allow-net",
  );
  assertEquals(status, "guess_client.ts ended with status 1, not 0");
  assert(output.includes("the number was not found"), output);
});

Deno.test("runLab() tells when a server does not start", async () => {
  const [lab] = labs;
  const server = { ...lab.server, args: ["--nonsense"] };
  const [problem] = await runLab({ ...lab, server }, "--allow-net");
  assert(problem.includes("did not start"), problem);
});

Deno.test("readSession() reads command, typed lines and screen", () => {
  const source = `/**
 * Title.
 *
 * \`\`\`console
 * $ deno run -A scripts/x.ts --message='a b' --port=1 # and type one⏎ Hello, two⏎
 * ask: one
 *
 * ask: Hello, two
 * empty:␣
 * \`\`\`
 */`;
  assertEquals(readSession("x.ts", source), {
    script: "x.ts",
    args: ["--message=a b", "--port=1"],
    typed: ["one", "Hello, two"],
    screen: "ask: one\n\nask: Hello, two\nempty: \n",
  });
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
