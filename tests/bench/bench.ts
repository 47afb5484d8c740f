/**
 * How fast the scripts are, beside the Python programs that they mirror and
 * beside others that do the same work. All contestants of a row run in turn,
 * several rounds of it, so that a slow moment of the machine meets all of them;
 * what counts is the ratio of two figures of the same round.
 *
 * ```console
 * $ deno task bench --only=udp --rounds=3 --json=result.json
 * ```
 *
 * A ratio above 1 says that ours is faster. With `--before=FOLDER` the scripts of
 * another checkout take part. Contestants that the machine does not have are left
 * out and named. Needs a shell: Linux or macOS.
 *
 * @module
 */
import { run, UsageError, UserError, write } from "../../scripts/cli.ts";
import { print } from "../../scripts/lib.ts";
import { Machine, type Sample, type Spread, spread } from "./contest.ts";
import { allRows, type Row, SECONDS } from "./rows.ts";

const GROWTH = [1, 10, 100, 1000, 5000]; // connections
const MANY = 1000; // connections from which their memory is told

/** What a row gave. */
export interface Result {
  name: string;
  what: string;
  unit: string;
  figures: Record<string, Spread>;
  /** Ours to theirs, above 1 where ours is faster. */
  ratios: Record<string, Spread & { goal?: number }>;
  /** Percent of a core that the load used at most. */
  busy?: number;
}

/** What a number of connections does to a server. */
interface Growth {
  connections: number;
  contestant: string;
  answers: number;
  p50: number;
  p99: number;
  /** KB that the server grew by for each connection, where there are many. */
  memory?: number;
}

/** All that the benchmark found. */
export interface Report {
  date: string;
  machine: string;
  versions: Record<string, string>;
  load: string;
  rounds: number;
  missing: Record<string, string>;
  rows: Result[];
  growth: Growth[];
}

/** What to say while it runs: one line, written over where that is possible. */
function progress(line: string) {
  const isTerminal = Deno.stderr.isTerminal();
  const output = isTerminal ? `\r\x1b[K${line}` : line && `${line}\n`;
  Deno.stderr.writeSync(new TextEncoder().encode(output));
}

async function runRow(
  { name, what, unit, contestants, goals }: Row,
  rounds: number,
  place: string,
): Promise<Result> {
  const samples: Record<string, Sample[]> = {};
  for (let round = 1; round <= rounds; round++) {
    for (const [contestant, measure] of Object.entries(contestants)) {
      progress(`${place} ${name}: round ${round} of ${rounds}, ${contestant}`);
      (samples[contestant] ??= []).push(await measure());
    }
  }
  const figures: Result["figures"] = {};
  const ratios: Result["ratios"] = {};
  for (const [contestant, theirs] of Object.entries(samples)) {
    figures[contestant] = spread(theirs.map(({ value }) => value));
    if (contestant === "ours") continue;
    const values = theirs.map(({ value }, round) =>
      unit === "ms" ? value / samples.ours[round].value : samples.ours[round].value / value
    );
    const goal = goals[contestant];
    ratios[contestant] = { ...spread(values), ...goal && { goal } };
  }
  const busy = Object.values(samples).flat().flatMap(({ busy }) => busy ?? []);
  return {
    name,
    what,
    unit,
    figures,
    ratios,
    ...busy.length > 0 && { busy: Math.max(...busy) },
  };
}

/** Servers without a transcript, and how they bear more and more connections. */
async function grow(machine: Machine, rounds: number): Promise<Growth[]> {
  const { python, compiler } = machine;
  const servers = {
    ours: machine.ours("practical12_server_tcp.ts", ["--quiet"]),
    ...python && { asyncio: machine.pythonServer("echo_asyncio.py") },
    ...compiler && { C: machine.leastServer("tcp", 1024) },
  };
  const found: Growth[] = [];
  for (const connections of GROWTH) {
    const samples: Record<string, Sample[]> = {};
    for (let round = 1; round <= rounds; round++) {
      for (const [contestant, server] of Object.entries(servers)) {
        progress(
          `growth: ${connections} connections, round ${round} of ${rounds}, ${contestant}`,
        );
        const load = ["tcp", connections, SECONDS, 64];
        const sample = await machine.underLoad(server, load, connections);
        (samples[contestant] ??= []).push(sample);
      }
    }
    for (const [contestant, of] of Object.entries(samples)) {
      const median = (key: keyof Sample) => spread(of.map((sample) => sample[key] ?? 0)).median;
      found.push({
        connections,
        contestant,
        answers: median("value"),
        p50: median("p50"),
        p99: median("p99"),
        ...connections >= MANY && { memory: median("memory") },
      });
    }
  }
  return found;
}

/** A figure with three digits or more. */
function rounded(value: number): string {
  const maximumFractionDigits = value < 10 ? 2 : value < 100 ? 1 : 0;
  return value.toLocaleString("en", { maximumFractionDigits });
}

function printRow({ name, what, unit, figures, ratios, busy }: Result) {
  write(`\n${name}\n  ${what}\n`);
  for (const [contestant, { median, min, max }] of Object.entries(figures)) {
    const figure = `${rounded(median)} ${unit}`.padStart(14);
    const range = `${rounded(min)} to ${rounded(max)}`.padStart(20);
    write(`  ${contestant.padEnd(9)}${figure}${range}`);
    const ratio = ratios[contestant];
    if (ratio) {
      const { goal } = ratio;
      write(`   ours/theirs ${ratio.median.toFixed(2)}`);
      write(` (${ratio.min.toFixed(2)} to ${ratio.max.toFixed(2)})`);
      const verdict = goal && ratio.median < goal ? "behind" : "reached";
      if (goal) write(`   goal ${goal}: ${verdict}`);
    }
    write("\n");
  }
  if (busy !== undefined) {
    write(`  the load used ${busy} % of a core at most\n`);
  }
}

function printGrowth(growth: Growth[]) {
  write("\ngrowth of practical12_server_tcp --quiet\n");
  write("  Echoes 64 bytes again and again to more and more clients.\n");
  write(
    "  connections  contestant  answers/s  p50 us  p99 us  KB a connection\n",
  );
  for (const { connections, contestant, answers, p50, p99, memory } of growth) {
    const cells = [
      rounded(connections).padStart(11),
      contestant.padEnd(10),
      rounded(answers).padStart(9),
      rounded(p50).padStart(6),
      rounded(p99).padStart(6),
      (memory === undefined ? "" : rounded(memory)).padStart(15),
    ];
    write(`  ${cells.join("  ")}\n`);
  }
}

/**
 * The report as a table of a few columns for people, in Markdown.
 *
 * @param report What the benchmark found.
 * @returns Lines of the table, a row of the benchmark each.
 */
export function shortTable({ rows }: Report): string[] {
  return [
    "| what | ours | ours / theirs |",
    ...rows.map(({ name, unit, figures, ratios }) => {
      const others = Object.entries(ratios)
        .map(([contestant, { median }]) => `${contestant} ${median.toFixed(2)}`);
      const ours = `${rounded(figures.ours.median)} ${unit}`;
      return `| ${name} | ${ours} | ${others.join(", ")} |`;
    }),
  ];
}

async function bench(only: string, rounds: number, json: string, before: string) {
  if (json) await Deno.writeTextFile(json, "", { append: true }); // fails at once
  const folder = await Deno.makeTempDir({ prefix: "bench" });
  try {
    const machine = await Machine.look(folder);
    const all = await allRows(machine, before);
    const rows = all.filter(({ name }) => name.includes(only));
    const withGrowth = "growth".includes(only);
    if (rows.length === 0 && !withGrowth) {
      const names = all.map(({ name }) => name).join("; ");
      throw new UsageError(`--only=${only} is in none of: ${names}; growth`);
    }
    const report: Report = {
      date: new Date().toISOString().slice(0, 10),
      machine: `${Deno.build.os} ${Deno.build.arch}, ${navigator.hardwareConcurrency} cores`,
      versions: machine.versions,
      load: machine.compiler ? "load.c" : "load.ts",
      rounds,
      missing: machine.missing,
      rows: [],
      growth: [],
    };
    print(`${report.machine}; rounds: ${rounds}; load: ${report.load}`);
    for (const [name, version] of Object.entries(report.versions)) {
      print(`${name}: ${version}`);
    }
    for (const [who, why] of Object.entries(report.missing)) {
      print(`left out: ${who} (${why})`);
    }
    for (const [i, row] of rows.entries()) {
      const result = await runRow(row, rounds, `[${i + 1}/${rows.length}]`);
      progress("");
      printRow(result);
      report.rows.push(result);
    }
    if (withGrowth) {
      report.growth = await grow(machine, rounds);
      progress("");
      printGrowth(report.growth);
    }
    if (json) {
      await Deno.writeTextFile(json, JSON.stringify(report, null, 2) + "\n");
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) {
  await run(
    { only: "", rounds: 3, json: "", before: "" },
    ({ only, rounds, json, before }) => {
      if (Deno.build.os === "windows") throw new UserError("there is no sh here");
      if (rounds < 1) throw new UsageError("--rounds must be 1 or more");
      return bench(only, rounds, json, before);
    },
  );
}
