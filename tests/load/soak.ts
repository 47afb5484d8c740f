/**
 * Puts every server under load for minutes, one server at a time: well-behaved clients, some of them
 * with a message of a megabyte, clients that misbehave, and garbage. Prints a table, and the problems
 * that were found: wrong or slow replies, missing or duplicate lines, a crash, or memory, file
 * descriptors and timers that are not freed. They are measured on Linux only, after a warm-up and at
 * the end. The exit status is 1 if there was a problem.
 *
 *     deno task soak --minutes=10 --seed=7
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { inParallel } from "../helpers.ts";
import { seededRandom } from "../scripts/lossy.ts";
import {
  BAD_CLIENTS,
  type BadClient,
  FLOODS,
  makeGarbage,
  sendGarbage,
  serveAtOnce,
} from "./bad_clients.ts";
import { SERVERS } from "./servers.ts";
import { Watched } from "./watched.ts";

// Clients in a round.
const WELL_BEHAVED = 400;
const BAD = 40;
const GARBAGE = 40;
const CONCURRENCY = 24;

const FLOOD_EVERY = 5; // rounds; a long message comes with it
const LONG_SUFFIX = " héllo 😀".repeat(100_000); // 800,000 characters, 1.3 MB
const WARM_UP = 0.3; // of a server's time
const MAX_SHOWN = 3; // problems of a server in a round

// Milliseconds, and MB.
const MAX_P99 = 1000;
const MAX_WAIT = 2000;
const MAX_LONG_WAIT = 10_000;
const MAX_GROWTH = { udp: 16, tcp: 32 };

/** A row of the table. */
type Row = Record<string, string | number> & { server: string; served: number };

async function soak(minutes: number, seed: number) {
  console.log(`seed ${seed}, ${minutes} minutes`);
  const scripts = Object.keys(SERVERS);
  const rows: Row[] = [];
  const failures: string[] = [];
  for (const [i, script] of scripts.entries()) {
    const milliseconds = minutes * 60_000 / scripts.length;
    const { row, problems } = await soakServer(script, seededRandom(seed + i), milliseconds);
    rows.push(row);
    failures.push(...problems.map((problem) => `${script}: ${problem}`));
    console.log(`${script}: ${row.served} served, ${problems[0] ?? "no problems"}`);
  }
  printTable(rows);
  if (failures.length === 0) return;
  console.error([`error: the soak failed, seed ${seed}`, ...failures].join("\n"));
  Deno.exit(1);
}

/** Puts one server under load. Returns its row of the table and its problems. */
async function soakServer(script: string, random: () => number, milliseconds: number) {
  // With a small young generation, V8 does not let memory grow much before it frees it.
  const flags = ["--v8-flags=--max-semi-space-size=1"];
  await using watched = await Watched.start(script, { flags });
  const { program, transport } = watched;
  const row: Row = { server: script, served: 0, long: 0, bad: 0, garbage: 0 };
  const problems: string[] = [];
  const waits: number[] = [];
  await serveAtOnce(watched, WELL_BEHAVED);
  await watched.checkLineCount(); // before clients whose lines are not known
  const idle = await watched.resources();
  let warm = idle;
  const start = Date.now();
  for (let round = 0; Date.now() - start < milliseconds; round++) {
    try {
      await runRound(watched, row, random, round);
    } catch (error) {
      watched.problems.push(`${error}`);
    }
    problems.push(...watched.problems.splice(0).slice(0, MAX_SHOWN));
    if (await program.ended(0)) {
      problems.push(`the server crashed: ${program.errors.slice(-1000)}`);
      return { row, problems };
    }
    waits.push(...watched.waits);
    watched.forget();
    const isWarm = round >= FLOOD_EVERY && Date.now() - start > WARM_UP * milliseconds;
    if (warm === idle && isWarm) warm = await watched.resources(idle);
  }
  waits.sort((a, b) => a - b);
  const quantile = (share: number) => waits[Math.ceil(share * waits.length) - 1];
  row.served = waits.length;
  for (
    const [name, share, max] of [["p50", 0.5], ["p99", 0.99, MAX_P99], [
      "max",
      1,
      MAX_WAIT,
    ]] as const
  ) {
    row[`ms ${name}`] = quantile(share);
    if (max && quantile(share) > max) {
      problems.push(`slow: ${name} ${Math.round(quantile(share))} ms`);
    }
  }
  const held = await watched.resources(idle);
  row["MB from"] = warm.memory;
  row["MB to"] = held.memory;
  if (held.memory - warm.memory > MAX_GROWTH[transport]) {
    problems.push(`memory grew from ${warm.memory} MB to ${held.memory} MB`);
  }
  for (const what of ["descriptors", "timers"] as const) {
    if (held[what] > idle[what]) problems.push(`${what}: ${idle[what]}, then ${held[what]}`);
  }
  const status = await program.end("SIGTERM");
  if (status !== 143 && Deno.build.os !== "windows") problems.push(`SIGTERM: status ${status}`);
  return { row, problems };
}

/** Runs a mix of clients, and waits for the lines of the well-behaved ones. */
async function runRound(watched: Watched, row: Row, random: () => number, round: number) {
  const { server, transport } = watched;
  const pick = <T>(values: T[]) => values[Math.floor(random() * values.length)];
  const count = (column: string) => row[column] = Number(row[column]) + 1;
  const serve = () => watched.serve();
  const runBadClient = (client: BadClient) => async () => {
    await client(watched, serve);
    count("bad");
  };
  const jobs = [
    ...Array<() => Promise<void>>(WELL_BEHAVED).fill(serve),
    ...Array.from({ length: BAD }, () => runBadClient(pick(Object.values(BAD_CLIENTS[transport])))),
    ...Array.from({ length: GARBAGE }, () => {
      const garbage = makeGarbage(watched, random);
      return async () => {
        await sendGarbage(watched, garbage);
        count("garbage");
      };
    }),
  ];
  const withFlood = round % FLOOD_EVERY === 0;
  if (withFlood) {
    const floods = Object.values(FLOODS[transport]);
    jobs.push(runBadClient(floods[round / FLOOD_EVERY % floods.length]));
  }
  const shuffled = jobs.map((job) => ({ job, order: random() })).sort((a, b) => a.order - b.order);
  await inParallel(shuffled.map(({ job }) => job), CONCURRENCY);
  await watched.settle();
  if (!withFlood || transport === "udp" || server.readsOnce) return;
  await watched.serve(undefined, LONG_SUFFIX);
  const wait = watched.waits.pop() ?? 0;
  if (wait > MAX_LONG_WAIT) watched.problems.push(`a long message took ${Math.round(wait)} ms`);
  count("long");
  await watched.settle();
}

function printTable(rows: Row[]) {
  const columns = Object.keys(rows[0]);
  const toCell = (value?: string | number) =>
    typeof value === "number" ? `${Math.round(10 * value) / 10}` : value ?? "-";
  const table = [columns, ...rows.map((row) => columns.map((column) => toCell(row[column])))];
  const widths = columns.map((_, i) => Math.max(...table.map((cells) => cells[i].length)));
  for (const [name, ...cells] of table) {
    const padded = cells.map((cell, i) => cell.padStart(widths[i + 1]));
    console.log([name.padEnd(widths[0]), ...padded].join("  "));
  }
}

if (import.meta.main) {
  const { minutes = "10", seed = Date.now() % 1_000_000 } = parseArgs(Deno.args, {
    string: ["minutes", "seed"],
    unknown: (arg) => {
      console.error(
        `error: unknown argument ${arg}\nusage: deno task soak [--minutes=N] [--seed=N]`,
      );
      Deno.exit(2);
    },
  });
  if (!(Number(minutes) > 0) || Number.isNaN(Number(seed))) {
    console.error("error: --minutes and --seed must be numbers");
    Deno.exit(2);
  }
  await soak(Number(minutes), Number(seed));
}
