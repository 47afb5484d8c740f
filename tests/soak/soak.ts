/**
 * Lets all servers live through minutes of trouble, one after the other: honest
 * clients, clients that misbehave, and rubbish, all mixed. Ends with a table,
 * and with status 1 unless every answer was right, no server crashed, and the
 * memory and the descriptors of each returned to where they began.
 *
 * They are measured for the first time after a warm-up, when the server has
 * seen everything once. Memory (VmRSS) may have grown by 64 MB at the end of a
 * server's turn: the garbage collector lets it rise so far, and then no more;
 * descriptors may not have grown by one.
 * Both are measured on Linux only.
 *
 * ```console
 * $ deno task soak --minutes=10 --seed=7
 * ```
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { Failure, note, print, run } from "../../scripts/lib.ts";
import { seededRandom } from "../scripts/lossy.ts";
import { dump, FAULTS, makeRubbish, runAll, SERVERS, Subject } from "./trouble.ts";

const HONEST = 400; // clients in a round
const FAULTY = 40;
const RUBBISH = 40;
const HEAVY_EVERY = 5; // rounds
const AT_A_TIME = 24; // clients
const WARM_UP = 0.5; // of a server's turn
const SETTLING = 10; // seconds until the last descriptors are closed
const MEMORY_TOLERANCE = 64; // MB
const SHOWN = 3; // problems of a server
const CAN_MEASURE = Deno.build.os === "linux";

interface Row {
  script: string;
  served: number;
  faults: number;
  rubbish: number;
  wrong: number;
  crashes: number;
  memory: [start: number, end: number];
  descriptors: [start: number, end: number];
}

async function soak(seed: number, minutes: number) {
  print(`seed ${seed}, ${minutes} minutes, ${SERVERS.length} servers`);
  const turn = minutes * 60_000 / SERVERS.length;
  const rows: Row[] = [];
  for (const [i, server] of SERVERS.entries()) {
    const row: Row = {
      script: server.script,
      served: 0,
      faults: 0,
      rubbish: 0,
      wrong: 0,
      crashes: 0,
      memory: [NaN, NaN],
      descriptors: [NaN, NaN],
    };
    rows.push(row);
    await using subject = await Subject.start(server);
    await takeTurn(subject, row, seededRandom(seed + i), turn);
    const { served, faults, rubbish, wrong, crashes } = row;
    print(
      `${server.script}: ${served} served, ${faults} faults, ${rubbish} rubbish, ${wrong} wrong, ${crashes} crashes`,
    );
  }
  printTable(rows);
  if (!rows.every(isGood)) throw new Failure(`the soak failed: seed ${seed}`);
}

async function takeTurn(subject: Subject, row: Row, random: () => number, milliseconds: number) {
  const { server, program } = subject;
  const start = Date.now();
  let isWarm = false;
  let idle = 0; // descriptors before the first client
  if (CAN_MEASURE) idle = subject.descriptors();
  for (let round = 0; Date.now() - start < milliseconds; round++) {
    const hasSeenAll = round > 2 * HEAVY_EVERY;
    if (!isWarm && hasSeenAll && Date.now() - start > WARM_UP * milliseconds) {
      isWarm = true;
      [row.memory[0], row.descriptors[0]] = await measure(subject, idle);
    }
    try {
      await playRound(subject, row, random, round);
    } catch (error) {
      if (!await program.ended(1)) {
        subject.problems.push(`${error}`);
      }
    }
    row.served = subject.served;
    row.wrong += subject.problems.length;
    for (const problem of subject.problems.splice(0).slice(0, SHOWN)) {
      note(`${server.script}: ${problem}`);
    }
    if (await program.ended(0)) {
      row.crashes++;
      note(`${server.script} crashed: ${program.errors.slice(-1000)}`);
      return;
    }
    subject.forget();
  }
  [row.memory[1], row.descriptors[1]] = await measure(subject, idle);
  const status = await program.end("SIGTERM");
  if (status !== 143 && Deno.build.os !== "windows") row.crashes++;
}

/** A round of mixed clients, at the end of which all lines must have come. */
async function playRound(subject: Subject, row: Row, random: () => number, round: number) {
  const { server } = subject;
  const faults = FAULTS.filter((fault) => fault.transport === server.transport);
  const heavy = faults.filter(({ isHeavy }) => isHeavy);
  const light = faults.filter(({ isHeavy }) => !isHeavy);
  const pick = <T>(values: T[]) => values[Math.floor(random() * values.length)];
  const honest = () => subject.serveOne();
  const suffer = ({ inflict }: typeof faults[0]) => async () => {
    await inflict(subject, honest);
    row.faults++;
  };
  const jobs = [
    ...Array(HONEST).fill(honest),
    ...Array.from({ length: FAULTY }, () => suffer(pick(light))),
    ...Array.from({ length: RUBBISH }, () => {
      const rubbish = makeRubbish(server, random);
      return async () => {
        await dump(subject, rubbish);
        row.rubbish++;
      };
    }),
  ];
  if (round % HEAVY_EVERY === 0) {
    jobs.push(suffer(heavy[round / HEAVY_EVERY % heavy.length]));
  }
  const order = jobs.map((job) => ({ job, place: random() }))
    .sort((a, b) => a.place - b.place);
  await runAll(order.map(({ job }) => job), AT_A_TIME);
  await subject.settle();
}

/** Memory and descriptors of a server once nobody is connected any more. */
async function measure(
  subject: Subject,
  idle: number,
): Promise<[memory: number, descriptors: number]> {
  if (!CAN_MEASURE) return [NaN, NaN];
  const end = Date.now() + SETTLING * 1000;
  while (subject.descriptors() > idle && Date.now() < end) await delay(100);
  return [subject.memory(), subject.descriptors()];
}

function isGood({ served, wrong, crashes, memory, descriptors }: Row): boolean {
  const hasReturned = !CAN_MEASURE ||
    memory[1] - memory[0] <= MEMORY_TOLERANCE &&
      descriptors[1] <= descriptors[0];
  return served > 0 && wrong === 0 && crashes === 0 && hasReturned;
}

function printTable(rows: Row[]) {
  const number = (value: number) => Number.isNaN(value) ? "-" : `${Math.round(value)}`;
  const cells = [
    [
      "server",
      "served",
      "faults",
      "rubbish",
      "wrong",
      "crashes",
      "MB start",
      "MB end",
      "fds start",
      "fds end",
    ],
    ...rows.map(({ script, memory, descriptors, ...counts }) => [
      script,
      ...Object.values(counts).map(number),
      ...memory.map(number),
      ...descriptors.map(number),
    ]),
    [
      "all",
      ...(["served", "faults", "rubbish", "wrong", "crashes"] as const)
        .map((name) => number(rows.reduce((sum, row) => sum + row[name], 0))),
    ],
  ];
  const widths = cells[0].map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)));
  for (const row of cells) {
    const [name, ...values] = row.map((cell, i) =>
      i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])
    );
    print([name, ...values].join("  "));
  }
}

if (import.meta.main) {
  await run(
    { seed: NaN, minutes: 10 },
    ({ seed, minutes }) => soak(seed || Date.now() % 1_000_000, minutes),
  );
}
