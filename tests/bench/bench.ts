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
 * A ratio above 1 says that ours is faster. Contestants that the machine does
 * not have are left out and named. Needs a shell: Linux or macOS.
 *
 * @module
 */
import { Failure, print, run, UsageError, write } from "../../scripts/lib.ts";
import { SCRIPTS } from "../../scripts/lab/header.ts";
import { DENO_RUN } from "../../scripts/lab/program.ts";
import { Machine, type Sample, type Spread, spread } from "./contest.ts";

const SECONDS = 0.5; // that each server is under load, after a warm-up
const BYTES = 2_000_000_000; // through netcat
const LONG = 1_000_000; // characters of the long message
const GROWTH = [1, 10, 100, 1000, 5000]; // connections
const MANY = 1000; // connections from which their memory is told

/** One line of the benchmark: who does what, and how far ahead ours should be. */
interface Row {
  name: string;
  /** What each contestant does, in one sentence. */
  what: string;
  unit: "/s" | "ms" | "MB/s";
  /** Who takes part, ours first. */
  contestants: Record<string, () => Promise<Sample>>;
  /** How far ahead of whom ours should be. */
  goals: Record<string, number>;
}

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

async function allRows(machine: Machine): Promise<Row[]> {
  const { python, node, compiler } = machine;
  const load = (
    server: Parameters<Machine["underLoad"]>[0],
    ...words: (string | number)[]
  ) =>
  () => machine.underLoad(server, words);
  const udp = (inFlight: number, ...more: string[]) =>
    ["udp", inFlight, SECONDS, 64, ...more] as const;
  const tcp = (clients: number, size: number, ...more: string[]) =>
    ["tcp", clients, SECONDS, size, ...more] as const;

  /** A lab's server beside its counterpart, and beside the least that Deno and C can do. */
  const lab = (
    script: string,
    words: readonly (string | number)[],
    least?: ["tcp" | "once" | "udp", bufferSize: number],
    flags: string[] = [],
    constants: Record<string, number> = {},
  ) => ({
    ours: load(machine.ours(script, ...flags), ...words),
    ...python && {
      Python: () => machine.underLoad(machine.counterpart(script, constants), [...words]),
    },
    ...least && { bare: load(machine.bareServer(...least), ...words) },
    ...compiler && least && {
      C: load(machine.leastServer(...least), ...words),
    },
  });
  /** Takes the milliseconds of an answer for the figure, where one takes long. */
  const inMilliseconds = (contestants: Row["contestants"]) =>
    Object.fromEntries(
      Object.entries(contestants).map(([name, measure]) => [
        name,
        async () => {
          const sample = await measure();
          return { ...sample, value: sample.p50! / 1000 };
        },
      ]),
    );
  /** An echo server without a transcript beside the others' echo servers. */
  const echo = (
    words: readonly (string | number)[],
    bufferSize: number,
    flags: string[] = [],
  ) => ({
    ours: load(
      machine.ours("practical12_server_tcp.ts", "--quiet", ...flags),
      ...words,
    ),
    ...node && { Node: load(machine.nodeServer(), ...words) },
    ...python && {
      asyncio: load(machine.pythonServer("echo_asyncio.py"), ...words),
    },
    bare: load(machine.bareServer("tcp", bufferSize), ...words),
    ...compiler && {
      C: load(machine.leastServer("tcp", bufferSize), ...words),
    },
  });

  const big = `${machine.folder}/big`;
  await Deno.writeFile(big, new Uint8Array(0));
  await Deno.truncate(big, BYTES);
  for await (const _ of (await Deno.open(big)).readable); // into the system's cache
  const netcats: Record<string, string> = {
    ours: [...DENO_RUN, "-A", `${SCRIPTS}netcat.ts`].join(" "),
    ...await machine.has("nc", "nc.openbsd") && { nc: "nc.openbsd -N" },
    ...await machine.has("ncat", "ncat") && { ncat: "ncat" },
    ...await machine.has("socat", "socat") && { socat: "socat" },
  };
  /** 2 GB through each netcat; `%` stands for its command. */
  const through = (shell: string, isOut: boolean) =>
    Object.fromEntries(
      Object.entries(netcats).map(([name, command]) => {
        const call = name === "socat"
          ? `socat ${isOut ? "-u - TCP:127.0.0.1:PORT" : "-u TCP:127.0.0.1:PORT -"}`
          : `${command} ${name === "ncat" && !isOut ? "--recv-only" : ""} 127.0.0.1 PORT`;
        const line = shell.replace("%", call);
        return [name, () => machine.throughput(line, BYTES, isOut)];
      }),
    );
  const netcatGoals = { nc: 1, ncat: 1, socat: 1 };

  /** A whole run of a client against our server. */
  const client = (...command: string[]) => async () => {
    const server = machine.ours("echo_server.ts", "--quiet");
    const { program, port } = await machine.start(server);
    await using _ = program;
    return await machine.wholeRun([...command, `--port=${port}`]);
  };

  return [
    {
      name: "echo_server_udp",
      what: "Echoes datagrams of 64 bytes, 32 in flight, with the transcript in a file.",
      unit: "/s",
      contestants: lab("echo_server_udp.ts", udp(32), ["udp", 2048]),
      goals: { Python: 1.8 },
    },
    {
      name: "echo_server_udp, one in flight",
      what: "The same with the next datagram sent when the last is back: latency.",
      unit: "/s",
      contestants: lab("echo_server_udp.ts", udp(1), ["udp", 2048]),
      goals: { Python: 1 },
    },
    {
      name: "echo_server, 1 client",
      what: "Takes a connection, echoes 64 bytes and closes, with the transcript in a file.",
      unit: "/s",
      contestants: lab("echo_server.ts", tcp(1, 64, "once"), ["once", 2048]),
      goals: { Python: 1 },
    },
    {
      name: "echo_server, 50 clients",
      what: "The same with 50 clients at the same time.",
      unit: "/s",
      contestants: lab("echo_server.ts", tcp(50, 64, "once"), ["once", 2048]),
      goals: { Python: 1.5 },
    },
    {
      name: "practical12_server_tcp",
      what: "Echoes 64 bytes again and again to 50 clients, with the transcript in a file.",
      unit: "/s",
      contestants: {
        ours: load(machine.ours("practical12_server_tcp.ts"), ...tcp(50, 64)),
        ...python && {
          threads: load(
            machine.pythonServer("echo_threads.py"),
            ...tcp(50, 64),
          ),
        },
      },
      goals: { threads: 1.8 },
    },
    {
      name: "practical12_server_tcp --quiet",
      what: "Echoes 64 bytes again and again to 50 clients, without a transcript.",
      unit: "/s",
      contestants: echo(tcp(50, 64), 1024),
      goals: { Node: 1.15, asyncio: 1.2, C: 0.85 },
    },
    {
      name: "practical12_server_tcp --quiet, 64 KiB",
      what: "Echoes 64 KiB again and again to 4 clients, with --buffer-size=65536.",
      unit: "/s",
      contestants: echo(tcp(4, 65536), 65536, ["--buffer-size=65536"]),
      goals: { Node: 1.5, asyncio: 1, C: 1 },
    },
    {
      name: "echo_server_v3",
      what: "Echoes messages of 20 characters on one connection, 15 bytes a read.",
      unit: "/s",
      contestants: lab("echo_server_v3.ts", tcp(1, 20, "framed"), ["tcp", 15]),
      goals: { Python: 1 },
    },
    {
      name: "echo_server_v2",
      what: "Echoes one message of 1,000,000 characters, 15 bytes a read.",
      unit: "ms",
      contestants: inMilliseconds(
        lab("echo_server_v2.ts", tcp(1, LONG, "framed", "once")),
      ),
      goals: { Python: 1.2 },
    },
    {
      name: "echo_server_v2, 64 KiB",
      what: "The same with --buffer-size=65536, and the counterpart's BUF_SIZE as well.",
      unit: "ms",
      contestants: inMilliseconds(lab(
        "echo_server_v2.ts",
        tcp(1, LONG, "framed", "once"),
        undefined,
        ["--buffer-size=65536"],
        { BUF_SIZE: 65536 },
      )),
      goals: { Python: 1.5 },
    },
    {
      name: "upper_server_tcp",
      what: "Sends 10 MB back in upper case, 2048 bytes a read.",
      unit: "ms",
      contestants: inMilliseconds(
        lab("upper_server_tcp.ts", tcp(1, 1e7, "once", "upper")),
      ),
      goals: { Python: 1 },
    },
    {
      name: "upper_server_udp",
      what: "Sends datagrams of 64 bytes back in upper case, 32 in flight.",
      unit: "/s",
      contestants: lab("upper_server_udp.ts", udp(32, "upper")),
      goals: { Python: 1 },
    },
    {
      name: "practical12_server_udp",
      what: "Echoes datagrams of 64 bytes, 32 in flight, with the transcript in a file.",
      unit: "/s",
      contestants: lab("practical12_server_udp.ts", udp(32), ["udp", 1024]),
      goals: { Python: 1 },
    },
    {
      name: "netcat, out of a file",
      what: "Sends 2 GB that its stdin is, a file.",
      unit: "MB/s",
      contestants: through(`% < ${big}`, true),
      goals: netcatGoals,
    },
    {
      name: "netcat, out of a pipe",
      what: "Sends 2 GB that come through a pipe.",
      unit: "MB/s",
      contestants: through(`cat ${big} | %`, true),
      goals: netcatGoals,
    },
    {
      name: "netcat, into /dev/null",
      what: "Receives 2 GB, its stdout /dev/null.",
      unit: "MB/s",
      contestants: through("% < /dev/null > /dev/null", false),
      goals: netcatGoals,
    },
    {
      name: "netcat, into a pipe",
      what: "Receives 2 GB, its stdout a pipe.",
      unit: "MB/s",
      contestants: through("% < /dev/null | cat > /dev/null", false),
      goals: netcatGoals,
    },
    {
      name: "start",
      what: "From the start of echo_server to the first connection that it takes.",
      unit: "ms",
      contestants: {
        ours: () => machine.startUp(machine.ours("echo_server.ts")),
        ...python && {
          Python: () => machine.startUp(machine.counterpart("echo_server.ts")),
        },
      },
      goals: { Python: 1 },
    },
    {
      name: "client",
      what: "A whole run of echo_client against a server that is there.",
      unit: "ms",
      contestants: {
        ours: client(...DENO_RUN, "-A", `${SCRIPTS}echo_client.ts`),
        ...python && {
          Python: client(
            python,
            "-E",
            `${SCRIPTS}../tests/python/echo_client.py`,
          ),
        },
      },
      goals: { Python: 1 },
    },
  ];
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
    ours: machine.ours("practical12_server_tcp.ts", "--quiet"),
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

async function bench(only: string, rounds: number, json: string) {
  if (json) await Deno.writeTextFile(json, "", { append: true }); // fails at once
  const folder = await Deno.makeTempDir({ prefix: "bench" });
  try {
    const machine = await Machine.look(folder);
    const all = await allRows(machine);
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
    { only: "", rounds: 3, json: "" },
    ({ only, rounds, json }) => {
      if (Deno.build.os === "windows") throw new Failure("there is no sh here");
      if (rounds < 1) throw new UsageError("--rounds must be 1 or more");
      return bench(only, rounds, json);
    },
  );
}
