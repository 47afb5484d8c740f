/** The README's exercises: each fails on the copy that it starts from, and passes when it is done. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { examine } from "../../scripts/lab/check/check.ts";
import { EXERCISES, exercisesIn } from "../../scripts/lab/exercises/exercise.ts";
import { lab, SCRIPTS, temporary } from "../helpers.ts";

/** Exercise 1 when it is done, with nothing of ours in it. */
const READS_ON = `
const flag = (name: string, usual: number) =>
  Number(Deno.args.find((arg) => arg.startsWith(name))?.split("=")[1] ?? usual);
const listener = Deno.listen({ hostname: "127.0.0.1", port: flag("--port", 1235) });
console.log("Listening..");
for await (const client of listener) {
  try {
    const { hostname, port } = client.remoteAddr;
    console.log(\`Connection Address is:  ('\${hostname}', \${port})\`);
    const buffer = new Uint8Array(flag("--buffer-size", 1024));
    for (let length; (length = await client.read(buffer)) !== null;) {
      console.log(new TextDecoder().decode(buffer.subarray(0, length)));
      for (let sent = 0; sent < length;) sent += await client.write(buffer.subarray(sent, length));
    }
  } catch { /* this client is gone */ } finally {
    client.close();
  }
}
`;

/** The solution of each exercise. */
const DONE = [
  READS_ON,
  Deno.readTextFileSync(`${import.meta.dirname}/right/echo_server_v2.ts`),
  Deno.readTextFileSync(`${SCRIPTS}echo_server_v3.ts`),
];

for (const { number, lab: name, as, first } of EXERCISES) {
  Deno.test(`exercise ${number} fails on the untouched copy, says what to do first, and passes when done`, async () => {
    await using folder = await temporary();
    await lab(["new", name, folder.path]);
    const [file, ...more] = exercisesIn(folder.path, number);
    assertEquals(more, []);
    const script = file.split("/").at(-1)!;

    const untouched = await examine(file, script, { exercise: number });
    const problems = untouched.flatMap(({ problem }) => problem ?? []);
    assert(problems.length > 0);
    assertStringIncludes(problems[0], first);

    Deno.writeTextFileSync(file, DONE[number - 1]);
    const done = await examine(file, script, { exercise: number });
    assertEquals(done.flatMap(({ what, problem }) => problem ? [`${what}: ${problem}`] : []), []);
    assert(done.length > 5, `${as}: ${done.length}`);
  });
}

Deno.test("there are no other exercises", async () => {
  const { status, stderr } = await lab(["check", "--exercise=4"]);
  assertEquals([status, stderr], [1, "error: there is no exercise 4: the exercises are 1 to 3\n"]);
});
