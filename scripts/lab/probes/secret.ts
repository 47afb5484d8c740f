/**
 * What the guess server's number is: from 1 to 99, and not always the same.
 *
 * @module
 */
import { begin } from "../exam_server.ts";
import type { Exam, Finding } from "../exam.ts";
import type { Chance } from "../start.ts";

const STARTS = 4; // one in a million has the same number each time by chance

/** Starts the server with random numbers that are known, and finds out its number each time. */
export async function examineSecret(exam: Exam) {
  const what = "the number is from 1 to 99, and not always the same";
  if (exam.stop) return exam.report({ what, skipped: exam.stop });
  const ends: Chance[] = ["least", "greatest"];
  const found: (number | undefined)[] = [];
  for (const chance of ends) found.push(await secretOf(exam, chance));
  const isSame = () => new Set(found).size === 1;
  while (isSame() && found.length < STARTS && exam.left > 2000) found.push(await secretOf(exam));
  exam.report({ what, problem: problemOf(found, isSame(), exam.handIn.source) } as Finding);
}

function problemOf(
  found: (number | undefined)[],
  isSame: boolean,
  source: string,
): string | undefined {
  const [least, greatest] = found.slice(0, 2).toSorted((a = -1, b = -1) => a - b);
  if (found.includes(undefined)) {
    return "no number from 1 to 99 is CORRECT: the number is none of them";
  }
  if (isSame) return `the number is always ${found[0]}: it is to be drawn anew at each start`;
  // Where the numbers come from elsewhere, nothing is known about the range.
  if (!/Math\.random|\brandom\b|secrets/.test(source)) return undefined;
  if (least !== 1) return `the least number that it draws is ${least}: it should be 1`;
  if (greatest !== 99) return `the greatest number that it draws is ${greatest}: it should be 99`;
}

/** The number that a server has drawn, if it is one from 1 to 99. */
async function secretOf(exam: Exam, chance?: Chance): Promise<number | undefined> {
  const running = await begin(exam, { chance, what: "it draws a number" }, false, true);
  if (!running) return undefined;
  await using _program = running.program;
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const server = { transport: "udp", hostname: "127.0.0.1", port: running.port } as const;
  const timer = setTimeout(() => socket.close(), exam.patience);
  try {
    let [low, high] = [1, 99];
    while (low <= high) {
      const guess = Math.floor((low + high) / 2);
      await socket.send(new TextEncoder().encode(`${guess}`), server);
      const [data] = await socket.receive();
      const verdict = new TextDecoder().decode(data);
      if (verdict === "CORRECT") return guess;
      if (verdict === "HIGHER") low = guess + 1;
      else high = guess - 1;
    }
  } catch {
    /* no reply came in time: the other probes tell */
  } finally {
    clearTimeout(timer);
    try {
      socket.close();
    } catch { /* closed already */ }
  }
}
