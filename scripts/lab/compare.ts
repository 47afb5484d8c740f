/**
 * Runs the originals and our scripts, and compares what they print.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { Failure, note, write } from "../lib.ts";
import { columnWidths, green, printRow, printRule, red, yellow } from "./columns.ts";
import type { Half, Lab, Script } from "./header.ts";
import { findLab } from "./names.ts";
import { findOriginal } from "./originals.ts";
import { ourPlayer, type Player, pythonPlayer, runPair } from "./pair.ts";
import { hasPython } from "./program.ts";
import { compareLines } from "./screens.ts";

async function needPython() {
  if (!await hasPython()) throw new Failure("there is no Python 3 here");
}

/** Compares a lab with its originals. */
export async function compare(name: string, originals: string) {
  const lab = findLab(name);
  await needPython();
  const original = (script: Script) => pythonPlayer(script, findOriginal(script, originals));
  const players = {
    server: [original(lab.server), ourPlayer(lab.server)],
    client: [original(lab.client), ourPlayer(lab.client)],
  };
  const screens: Record<Half, string>[] = [];
  const verdicts: string[] = [];
  let failed = 0;
  for (const [s, c] of [[0, 0], [1, 1], [0, 1], [1, 0]]) {
    const pair = { server: players.server[s], client: players.client[c] };
    const outcome = await runPatiently(lab, pair);
    screens.push(outcome.screens);
    const problem = outcome.checks.find(({ problem }) => problem);
    const verdict = problem
      ? red(`differs: ${problem.what}: ${problem.problem}`)
      : outcome.checks.some(({ isNotation }) => isNotation)
      ? yellow("same but for bytes notation")
      : green("same");
    if (problem) failed++;
    verdicts.push(`${pair.server.name} with ${pair.client.name}: ${verdict}`);
  }
  for (const half of ["server", "client"] as const) {
    const [left, right] = screens.map((screen) =>
      screen[half].replace(/\bport \d+/g, `port ${lab[half].port}`)
    );
    const rows = compareLines(left, right);
    const [theirs, ours] = players[half];
    const widths = columnWidths(
      [theirs.name, ...rows.map(({ left }) => left)],
      [ours.name, ...rows.map(({ right }) => right)],
    );
    printRow(theirs.name, ours.name, widths);
    printRule(widths);
    for (const { left, right, mark } of rows) {
      printRow(left, right, widths, mark === " " ? "│" : mark);
    }
    write("\n");
  }
  write("≠ differs, ~ the same but in Python's notation for bytes\n\n");
  for (const verdict of verdicts) write(`${verdict}\n`);
  if (failed > 0) throw new Failure(`${failed} of 4 pairings failed`);
}

/**
 * Runs a pair, again and again while the system still holds an original's port:
 * an original that does not set SO_REUSEADDR leaves it so for a minute
 * (TIME-WAIT, RFC 9293).
 */
async function runPatiently(lab: Lab, pair: Record<Half, Player>) {
  for (let seconds = 0;; seconds += 5) {
    const outcome = await runPair(lab, pair);
    const [{ problem }] = outcome.checks;
    const port = pair.server.port ?? pair.client.port;
    const isHeld = problem && port !== undefined &&
      /already in use|10048/i.test(problem);
    if (!isHeld || seconds > 60) return outcome;
    if (seconds === 0) note(`waiting until the system frees port ${port}`);
    await delay(5000);
  }
}
