/**
 * Lets all servers live through minutes of trouble, one after the other: honest clients, some with
 * a megabyte to say, clients that misbehave, and rubbish, all mixed. Ends with a table, and with
 * status 1 unless every answer was right and came soon, every line of the transcript was there, and
 * once, no server crashed, and none kept anything: then it is said what, from how much to how much.
 *
 * What is kept is measured between a server's warm-up, when it has seen everything once, and the
 * end of its turn, on Linux only.
 *
 * ```console
 * $ deno task soak --minutes=10 --seed=7
 * ```
 *
 * @module
 */
import { note, run, UserError } from "../../scripts/cli.ts";
import { print } from "../../scripts/lib.ts";
import { inParallel } from "../helpers.ts";
import { seededRandom } from "../scripts/lossy.ts";
import { crowd, dump, FLOODS, makeRubbish, MISDEEDS } from "./bad_clients.ts";
import { SERVERS } from "./servers.ts";
import { Watched } from "./watched.ts";

const HONEST = 400; // clients in a round
const BAD = 40;
const RUBBISH = 40;
const FLOOD_EVERY = 5; // rounds; a long message comes with it
const AT_A_TIME = 24; // clients
const WARM_UP = 0.3; // of a server's turn
const LONG = " héllo 😀".repeat(100_000); // 800,000 characters, 1.3 MB
const MOST = { p99: 1000, longest: 2000, long: 10_000, memory: { udp: 16, tcp: 32 } }; // milliseconds, MB
const SHOWN = 3; // problems of a server in a round

interface Row {
  server: string;
  served: number;
  long: number;
  bad: number;
  rubbish: number;
  wrong: number;
  [milliseconds: `ms ${string}`]: number;
  [kept: `${string} from` | `${string} to`]: number;
}

async function soak({ seed, minutes }: { seed: number; minutes: number }) {
  seed ||= Date.now() % 1_000_000;
  print(`seed ${seed}, ${minutes} minutes`);
  const scripts = Object.keys(SERVERS);
  const rows: Row[] = [];
  const problems: string[] = [];
  for (const [i, script] of scripts.entries()) {
    const random = seededRandom(seed + i);
    const { row, told } = await takeTurn(script, random, minutes * 60_000 / scripts.length);
    rows.push(row);
    problems.push(...told);
    print(`${script}: ${row.served} served, ${told.length === 0 ? "all is well" : told[0]}`);
  }
  printTable(rows);
  if (problems.length > 0) {
    throw new UserError(`the soak failed, seed ${seed}`, problems.join("\n"));
  }
}

/** A server's turn: its row of the table, and what is wrong with it. */
async function takeTurn(script: string, random: () => number, milliseconds: number) {
  // With little room for what is young, the garbage collector lets memory rise but slowly.
  await using watched = await Watched.start(script, {
    flags: ["--v8-flags=--max-semi-space-size=1"],
  });
  const row: Row = { server: script, served: 0, long: 0, bad: 0, rubbish: 0, wrong: 0 };
  const told: string[] = [];
  const waits: number[] = [];
  const tell = (problem: string) => {
    told.push(`${script}: ${problem}`);
    note(told.at(-1)!);
  };
  await crowd(watched, HONEST);
  await watched.count(); // nobody else was there: every line is known
  const idle = await watched.held();
  let warm = idle;
  const start = Date.now();
  for (let round = 0; Date.now() - start < milliseconds; round++) {
    await playRound(watched, row, random, round).catch((error) =>
      watched.problems.push(`${error}`)
    );
    const problems = watched.problems.splice(0);
    row.wrong += problems.length;
    problems.slice(0, SHOWN).forEach(tell);
    if (await watched.program.ended(0)) {
      tell(`it crashed: ${watched.program.errors.slice(-1000)}`);
      break;
    }
    waits.push(...watched.waits);
    watched.forget();
    const hasSeenAll = round >= FLOOD_EVERY && Date.now() - start > WARM_UP * milliseconds;
    if (warm === idle && hasSeenAll) warm = await watched.held(idle);
  }
  row.served = waits.length;
  const sorted = Float64Array.from(waits).sort();
  const share = (part: number) => sorted[Math.ceil(part * sorted.length) - 1];
  const [p99, longest] = [share(0.99), share(1)];
  Object.assign(row, { "ms p50": share(0.5), "ms p99": p99, "ms max": longest });
  if (!(p99 <= MOST.p99)) tell(`one client of 100 waited for ${Math.round(p99)} ms`);
  if (!(longest <= MOST.longest)) tell(`a client waited for ${Math.round(longest)} ms`);
  if (await watched.program.ended(0)) return { row, told };
  const held = await watched.held(idle);
  for (const what of ["memory", "descriptors", "timers"] as const) {
    const [from, to] = [warm[what], held[what]].map(Math.round);
    Object.assign(row, { [`${what} from`]: from, [`${what} to`]: to });
    const [before, most, unit] = what === "memory"
      ? [from, MOST.memory[watched.transport], " MB"]
      : [idle[what], 0, ""];
    if (to - before > most) tell(`its ${what} grew from ${before}${unit} to ${to}${unit}`);
  }
  const status = await watched.program.end("SIGTERM");
  if (status !== 143 && Deno.build.os !== "windows") tell(`SIGTERM ended it with ${status}`);
  return { row, told };
}

/** A round of mixed clients, at the end of which all lines must have come. */
async function playRound(watched: Watched, row: Row, random: () => number, round: number) {
  const { server, transport } = watched;
  const pick = <T>(values: T[]) => values[Math.floor(random() * values.length)];
  const serve = () => watched.serve();
  const suffer = (misdeed: typeof MISDEEDS.tcp[string]) => async () => {
    await misdeed(watched, serve);
    row.bad++;
  };
  const jobs = [
    ...Array<() => Promise<void>>(HONEST).fill(serve),
    ...Array.from({ length: BAD }, () => suffer(pick(Object.values(MISDEEDS[transport])))),
    ...Array.from({ length: RUBBISH }, () => {
      const rubbish = makeRubbish(watched, random);
      return async () => {
        await dump(watched, rubbish);
        row.rubbish++;
      };
    }),
  ];
  if (round % FLOOD_EVERY === 0) {
    const floods = Object.values(FLOODS[transport]);
    jobs.push(suffer(floods[round / FLOOD_EVERY % floods.length]));
  }
  const order = jobs.map((job) => ({ job, place: random() })).sort((a, b) => a.place - b.place);
  await inParallel(order.map(({ job }) => job), AT_A_TIME);
  await watched.settle();
  if (round % FLOOD_EVERY !== 0 || transport === "udp" || server.readsOnce) return;
  const before = watched.waits.length;
  await watched.serve(undefined, LONG);
  const [wait] = watched.waits.splice(before);
  if (wait > MOST.long) watched.problems.push(`a long message took ${Math.round(wait)} ms`);
  row.long++;
  await watched.settle();
}

function printTable(rows: Row[]) {
  const names = Object.keys(rows[0]) as (keyof Row)[];
  const cell = (value: unknown) =>
    typeof value !== "number" ? `${value ?? "-"}` : `${Math.round(10 * value) / 10}`;
  const cells = [names as string[], ...rows.map((row) => names.map((name) => cell(row[name])))];
  const widths = names.map((_, i) => Math.max(...cells.map((row) => row[i].length)));
  for (const [name, ...values] of cells) {
    const padded = values.map((value, i) => value.padStart(widths[i + 1]));
    print([name.padEnd(widths[0]), ...padded].join("  "));
  }
}

if (import.meta.main) await run({ seed: NaN, minutes: 10 }, soak);
