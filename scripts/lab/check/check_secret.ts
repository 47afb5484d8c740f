/**
 * What the guess server's number is: from 1 to 99, and not always the same.
 *
 * @module
 */
import { listen } from "./check_server.ts";
import type { Exam } from "./check_run.ts";
import type { Chance } from "./start.ts";

const STARTS = 5; // one in a million has the same number each time by chance

/** Starts the server with random numbers that are known, and finds out its number each time. */
export async function examineSecret(exam: Exam): Promise<void> {
  const what = "the number is from 1 to 99, stays as it is, and is not always the same";
  if (exam.stop) return exam.report({ what, skipped: exam.stop });
  const chances: (Chance | undefined)[] = ["least", "greatest", undefined];
  const found: (number | undefined)[] = [];
  for (const chance of chances) found.push(await secretOf(exam, chance));
  const isSame = () => new Set(found).size === 1;
  while (isSame() && found.length < STARTS && exam.left > 2000) found.push(await secretOf(exam));
  exam.report({ what, problem: problemOf(found, isSame(), exam.handIn.source) });
}

function problemOf(
  found: (number | undefined)[],
  isSame: boolean,
  source: string,
): string | undefined {
  const [least, greatest] = found.slice(0, 2).toSorted((a = -1, b = -1) => a - b);
  if (found.includes(undefined)) return "not every guess was answered";
  if (found.includes(NaN)) {
    return "the number changes while the game goes on: it is to be drawn once, at the start";
  }
  if (isSame) return `the number is always ${found[0]}: it is to be drawn anew at each start`;
  if (found.includes(0)) return "it draws numbers below 1: the least should be 1";
  if (found.includes(100)) return "it draws numbers above 99: the greatest should be 99";
  // Where the numbers come from elsewhere, nothing is known about the range.
  if (!/Math\.random|\brandom\b|secrets/.test(source)) return undefined;
  if (least !== 1) return `the least number that it draws is ${least}: it should be 1`;
  if (greatest !== 99) return `the greatest number that it draws is ${greatest}: it should be 99`;
}

/**
 * The number that a server has drawn: 0 and 100 stand for all below 1 and above 99, `NaN` for one
 * that changes. Without a reply it is unknown.
 */
async function secretOf(exam: Exam, chance?: Chance): Promise<number | undefined> {
  const { running } = await listen(exam, { chance, isPlain: true, clients: 1 });
  if (!running) return undefined;
  await using _program = running.program;
  const socket = running.clients.shift()!;
  const server = { transport: "udp", hostname: "127.0.0.1", port: running.port } as const;
  const timer = setTimeout(() => socket.close(), exam.patience);
  const judge = async (guess: number) => {
    await socket.send(new TextEncoder().encode(`${guess}`), server);
    return new TextDecoder().decode((await socket.receive())[0]);
  };
  try {
    let [low, high] = [1, 99];
    while (low <= high) {
      const guess = Math.floor((low + high) / 2);
      const verdict = await judge(guess);
      if (verdict === "CORRECT") {
        const again = [await judge(guess), await judge(guess)];
        return again.every((verdict) => verdict === "CORRECT") ? guess : NaN;
      }
      if (verdict === "HIGHER") low = guess + 1;
      else high = guess - 1;
    }
    return high === 0 ? 0 : low === 100 ? 100 : NaN;
  } catch {
    /* no reply came in time */
  } finally {
    clearTimeout(timer);
    try {
      socket.close();
    } catch { /* closed already */ }
  }
}
