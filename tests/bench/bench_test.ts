/** The benchmark: that it measures, that it sees wrong answers, and the table in README.md. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { DENO_RUN, Program } from "../../scripts/lab/program.ts";
import { type Report, shortTable } from "./bench.ts";
import { Machine } from "./contest.ts";
import { startServer } from "../helpers.ts";

const HERE = import.meta.dirname!;
const NOT_ON_WINDOWS = { ignore: Deno.build.os === "windows" };

/** Runs the benchmark to its end. */
async function bench(...args: string[]): Promise<Program> {
  const script = `${HERE}/bench.ts`;
  await using program = new Program([...DENO_RUN, "-A", script, ...args]);
  assert(await program.ended(60), "the benchmark hangs");
  return program;
}

/** Runs both loads, the one in C where it can be compiled. */
async function runLoads(words: string[]): Promise<Program[]> {
  const folder = await Deno.makeTempDir();
  const { load } = await Machine.look(folder);
  const fallback = [...DENO_RUN, "-A", `${HERE}/load.ts`];
  const programs: Program[] = [];
  for (const command of [load, fallback]) {
    await using program = new Program([...command, ...words]);
    await program.endInput();
    assert(await program.ended(), `${command} hangs`);
    programs.push(program);
  }
  await Deno.remove(folder, { recursive: true });
  return programs;
}

Deno.test(
  "the benchmark measures a row, and writes it to a file",
  NOT_ON_WINDOWS,
  async () => {
    const file = await Deno.makeTempFile();
    const args = ["--only=echo_server_v3", "--rounds=1", `--json=${file}`];
    const { status, screen } = await bench(...args);
    const report: Report = JSON.parse(await Deno.readTextFile(file));
    await Deno.remove(file);
    assertEquals(await status, 0);
    assertStringIncludes(screen, "\necho_server_v3\n  Echoes messages");
    const [{ figures, ratios }] = report.rows;
    assert(figures.ours.median > 0);
    for (const [contestant, { median }] of Object.entries(ratios)) {
      const ratio = figures.ours.median / figures[contestant].median;
      assertEquals(median.toFixed(6), ratio.toFixed(6));
    }
    assertEquals(report.rows.length, 1);
    assertEquals(report.growth, []);
  },
);

Deno.test(
  "the benchmark refuses a row that it has not, and no rounds",
  NOT_ON_WINDOWS,
  async () => {
    for (const flag of ["--only=nonsense", "--rounds=0"]) {
      const { status, errors } = await bench(flag);
      assertEquals(await status, 2);
      assertStringIncludes(errors, flag.slice(0, 8));
    }
  },
);

for (const transport of ["tcp", "udp"]) {
  Deno.test(`the loads count right answers over ${transport}`, async () => {
    const script = `practical12_server_${transport}.ts`;
    const { server, port } = await startServer(script, ["--quiet"]);
    await using _ = server;
    const words = [transport, `${port}`, "3", "0.1", "2000"];
    if (transport === "udp") words[4] = "64";
    for (const { screen, status } of await runLoads(words)) {
      assertEquals(await status, 0);
      const [answers, , , failures] = screen.split(" ").map(Number);
      assert(answers > 0);
      assertEquals(failures, 0);
    }
  });

  Deno.test(`the loads see wrong answers over ${transport}`, async () => {
    const script = `practical12_server_${transport}.ts`;
    const { server, port } = await startServer(script, ["--quiet"]);
    await using _ = server;
    // The server does not answer in upper case.
    const words = [transport, `${port}`, "3", "0.1", "64", "upper"];
    for (const { screen, status } of await runLoads(words)) {
      assertEquals(await status, 1);
      const [answers, , , failures] = screen.split(" ").map(Number);
      assertEquals(answers, 0);
      assert(failures > 0);
    }
  });
}

Deno.test("the table of speed in tests/README.md is that of the run in result.json", async () => {
  const report = JSON.parse(
    await Deno.readTextFile(`${HERE}/result.json`),
  ) as Report;
  const readme = await Deno.readTextFile(`${HERE}/../README.md`);
  const lines = readme.split("\n").map((line) => line.replaceAll(/ +/g, " "));
  for (const line of shortTable(report)) {
    assert(lines.includes(line), `the README has no line: ${line}`);
  }
  for (const version of Object.values(report.versions)) {
    assertStringIncludes(readme.replaceAll(/\s+/g, " "), version);
  }
  assertStringIncludes(readme, report.date);
});
