/**
 * Finds the number of a guess server that draws it, by bisection.
 *
 * @module
 */
import type { CheckRun } from "./check_run.ts";
import { brief } from "./diagnosis.ts";
import { Exchange } from "./exchange.ts";
import { TEXT, textVerdict, VERDICTS } from "./verdicts.ts";

/** A guess with the server's reply. */
export interface Guess {
  /** The number that was sent. */
  guess: number;
  /** The reply. */
  verdict: string;
  /** The address of the player, as Python prints it. */
  player: string;
}

/** What a game with the server showed. */
export interface Game {
  /** The number, if it was found. 0 means any number below 1, and 100 any number above 99. */
  number?: number;
  /** The guesses, in order. */
  guesses: Guess[];
  /** What is wrong, if anything. */
  problem?: string;
  /** The datagrams, if something is wrong. */
  exchange?: string;
}

/** Plays a game until the number is found or something is wrong. */
export async function findNumber(
  run: CheckRun,
  server: { port: number; clients: Deno.DatagramConn[] },
): Promise<Game> {
  const exchange = new Exchange();
  const socket = server.clients.shift()!;
  const { port } = socket.addr as Deno.NetAddr;
  const guesses: Guess[] = [];
  const to = { transport: "udp", hostname: "127.0.0.1", port: server.port } as const;
  const ask = async (guess: number): Promise<string> => {
    const data = new TextEncoder().encode(`${guess}`);
    exchange.sent("client", data);
    const timer = setTimeout(() => socket.close(), Math.min(run.left, 4000));
    try {
      await socket.send(data, to);
      const [reply] = await socket.receive();
      exchange.sent("server", reply);
      const verdict = new TextDecoder().decode(reply);
      guesses.push({ guess, verdict, player: `('127.0.0.1', ${port})` });
      return verdict;
    } finally {
      clearTimeout(timer);
    }
  };
  const wrong = (problem: string): Game => ({ guesses, problem, exchange: exchange.draw(problem) });
  try {
    let [low, high] = [1, 99];
    while (low <= high) {
      const guess = Math.floor((low + high) / 2);
      const verdict = await ask(guess);
      if (verdict === "CORRECT") {
        const isText = await comparesText(guess, ask);
        return isText ? wrong(TEXT) : { number: guess, guesses };
      }
      if (!VERDICTS.includes(verdict)) return wrong(unknownVerdict(verdict));
      if (verdict === "HIGHER") low = guess + 1;
      else high = guess - 1;
    }
    if (high === 0 && await ask(0) === "CORRECT") {
      return { ...wrong("it draws numbers below 1: the least should be 1"), number: 0 };
    }
    if (low === 100 && await ask(100) === "CORRECT") {
      return { ...wrong("it draws numbers above 99: the greatest should be 99"), number: 100 };
    }
    const all: string[] = [];
    for (let guess = 1; guess <= 99; guess++) all.push(await ask(guess));
    return wrong(inconsistency(all));
  } catch {
    const last = guesses.length === 0
      ? "the first guess"
      : `the guess after ${guesses.at(-1)!.guess}`;
    return wrong(`no reply came to ${last}`);
  } finally {
    try {
      socket.close();
    } catch { /* it is closed already */ }
  }
}

/** Asks for a number with another count of digits, and returns whether text is compared. */
async function comparesText(
  number: number,
  ask: (guess: number) => Promise<string>,
): Promise<boolean> {
  const [guess, verdict] = number < 10 ? [10, "LOWER"] : [9, "HIGHER"];
  const asText = textVerdict(guess, number);
  return number !== 9 && asText !== verdict && await ask(guess) === asText;
}

function unknownVerdict(verdict: string): string {
  const upper = verdict.toUpperCase();
  if (VERDICTS.includes(upper)) return `it came in lower case: ${brief(verdict)}, not ${upper}`;
  if (VERDICTS.includes(verdict.trim())) return `white space was added: ${brief(verdict)}`;
  return `the reply is ${brief(verdict)}, and should be HIGHER, LOWER or CORRECT`;
}

/** Says what is wrong about the verdicts on all guesses from 1 to 99, which bisection did not find. */
function inconsistency(verdicts: string[]): string {
  const correct = verdicts.indexOf("CORRECT") + 1;
  const isOf = (verdict: string, list: string[]) => list.every((other) => other === verdict);
  const before = verdicts.slice(0, correct - 1);
  const after = verdicts.slice(correct);
  if (correct === 0) {
    const last = verdicts.lastIndexOf("HIGHER") + 1;
    if (isOf("HIGHER", verdicts.slice(0, last)) && isOf("LOWER", verdicts.slice(last))) {
      return `no guess from 1 to 99 is CORRECT: HIGHER up to ${last}, LOWER from ${last + 1} on`;
    }
    return "the verdicts contradict each other, and no guess from 1 to 99 is CORRECT";
  }
  if (isOf("LOWER", before) && isOf("HIGHER", after)) {
    return `HIGHER and LOWER are swapped: the number is ${correct}, and a smaller guess gets LOWER`;
  }
  const isText = verdicts.every((verdict, i) => verdict === textVerdict(i + 1, correct));
  if (isText) return TEXT;
  return "the verdicts contradict each other: the number changes while the game goes on";
}
