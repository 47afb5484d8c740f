/** Files, names and output that are made to hang, deceive or damage the lab tool. */
import { assertEquals } from "@std/assert";
import { DENO_RUN, Program } from "../../scripts/lab/program.ts";

const MAX_TIME = 3000; // milliseconds of processor time; a slow machine takes 1500

Deno.test("no text of 1 MB keeps the lab tool busy", async () => {
  const command = [...DENO_RUN, "-A", `${import.meta.dirname}/worst_input.ts`, "1000000"];
  await using program = new Program(command);
  const heard = () => program.screen.split("\n").slice(0, -1).map((line) => JSON.parse(line));
  // A case that hangs is the last that was named: all together take about 20 s.
  for (let length = NaN; length !== program.screen.length;) {
    length = program.screen.length;
    await program.until(() => program.screen.length !== length, 30);
    if (await program.ended(0)) break;
  }
  const cases = heard();
  const slow = cases.filter(({ milliseconds }) => milliseconds > MAX_TIME);
  assertEquals(slow, []);
  assertEquals(await program.ended(0), true, `it hangs: ${JSON.stringify(cases.at(-1))}`);
  assertEquals([await program.status, program.errors], [0, ""]);
});
