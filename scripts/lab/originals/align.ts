/**
 * Puts a Python original and a script next to each other: function next to function, and the lines that
 * are the same step in one row.
 *
 * @module
 */
import { alignLists } from "../session/alignment.ts";

/** A line of the original next to one of the script. A side without a line is left out. */
export interface Row {
  /** The original's line. */
  left?: string;
  /** The script's line. */
  right?: string;
  /** What both lines do, if it is the same: `accept`, `loop`, `print`. */
  step?: string;
  /** The number of the original's line in its file, from 1 up. */
  leftRow?: number;
  /** The number of the script's line in its file, from 1 up. */
  rightRow?: number;
}

type Language = "python" | "typescript";

/** A step: its name, its weight, and how each language writes it. */
type Step = [name: string, weight: number, python: RegExp, typescript: RegExp];

/** The helpers of lib.ts that correspond to a call in Python. */
export const HELPERS = [
  "writeAll",
  "withTimeout",
  "withRetries",
  "serveClient",
  "print",
  "log",
  "input",
  "run",
  "repr",
];

const STEPS: Step[] = [
  ["bind", 20, /\.bind\(|\bcreate_server\(|\b\w+Server\(\(/, /Deno\.listen(Datagram)?\(/],
  ["connect", 20, /\.connect(_ex)?\(|\bcreate_connection\(/, /Deno\.connect\(/],
  ["accept", 20, /\.accept\(/, /\.accept\(/],
  ["receive", 20, /\.recv(from)?(_into)?\(/, /\.(read|receive)\(/],
  ["send", 20, /\.send(all|to)?\(/, /\bwriteAll\(|\.(write|send)\(/],
  ["input", 20, /\b(raw_)?input\(/, /\binput\(/],
  ["half-close", 10, /\.shutdown\(/, /\.closeWrite\(/],
  ["upper case", 10, /\.upper\(/, /\.toUpperCase\(/],
  ["timeout", 5, /\.settimeout\(/, /\bwith(Timeout|Retries)\(/],
  ["main", 5, /__name__ *==/, /import\.meta\.main/],
  ["header", 5, /:>\{?|\.(rjust|ljust|zfill)\(/, /\.pad(Start|End)\(/],
  ["decoder", 5, /getincrementaldecoder/, /new TextDecoder\(/],
  ["decode", 3, /\.decode\(/, /\.decode\(/],
  ["encode", 3, /\.encode\(|\bbytes\(/, /\.encode\(/],
  ["loop", 4, /^\s*(while|for)\b/, /^\s*(while|for)\b/],
  ["break", 4, /^\s*break\b/, /^\s*(if \(.*\) )?break\b/],
  ["try", 3, /^\s*try:/, /\btry \{/],
  ["finally", 3, /^\s*finally:/, /\bfinally\b/],
  ["close", 3, /\.close\(/, /\.close\(/],
  ["return", 2, /^\s*return\b/, /^\s*return\b/],
  ["import", 1, /^\s*(import|from)\b/, /^(import|\} from)\b/],
];

/** A setting that has a name in both: a port, a buffer size. */
const SETTINGS: [name: string, words: string[]][] = [
  ["host", ["host", "hostname", "servername", "serverip"]],
  ["port", ["port", "serverport"]],
  ["buffer size", ["bufsize", "buffersize", "buffer", "datapayload", "payload"]],
  ["message", ["message", "msg"]],
  ["header size", ["headersize", "header"]],
];

/** What `align` knows about a line. */
interface Line {
  text: string;
  /** Its number in the file, from 1 up. */
  row: number;
  /** The names of its steps. */
  steps: Set<string>;
  /** The functions that it calls, in lower case without underscores. */
  calls: Set<string>;
  /** The function that it defines. */
  defines?: string;
  /** The words that it prints. */
  printed?: string[];
}

/** Consecutive lines: a function, or what is between two of them. */
interface Block {
  /** The function's name, in lower case without underscores; "" between functions. */
  name: string;
  lines: Line[];
}

/**
 * Puts a Python source and a script next to each other. Functions of the same name come next to
 * each other, in the original's order. In a function, the lines that are the same step are in one
 * row (the heaviest common subsequence of their steps).
 *
 * @param python The original's source.
 * @param typescript The script's source. Its header is left out.
 * @returns The rows from top to bottom.
 *
 * @example
 * ```ts
 * align("s.bind(address)\n", "using listener = Deno.listen({ port });\n");
 * // [{ left: "s.bind(address)", right: "using listener = ...", step: "bind", leftRow: 1, rightRow: 1 }]
 * ```
 */
export function align(python: string, typescript: string): Row[] {
  const header = /^(#!.*\r?\n)?\/\*\*[^]*?\*\/\s*/;
  const left = blocksOf(linesOf(python, "python"));
  const [start = ""] = typescript.match(header) ?? [];
  const above = start.split("\n").length - 1; // lines of the header
  const right = blocksOf(linesOf(typescript.slice(start.length), "typescript", above));
  const partners = pairBlocks(left, right);
  const rows: Row[] = [];
  const isShown = new Set<Block>();
  /** Shows the script's blocks that have no partner, up to a block. */
  const catchUp = (end?: Block) => {
    const stop = end ? right.indexOf(end) : right.length;
    for (const block of right.slice(0, stop)) {
      if (isShown.has(block) || [...partners.values()].includes(block)) continue;
      isShown.add(block);
      rows.push(...block.lines.map(({ text, row }) => ({ right: text, rightRow: row })));
    }
  };
  for (const block of left) {
    const partner = partners.get(block);
    if (partner) {
      catchUp(partner);
      isShown.add(partner);
    }
    rows.push(...alignLines(block.lines, partner?.lines ?? []));
  }
  catchUp();
  return rows;
}

const MIN_COMMON = 10; // sum of weights; less in common is chance, except outside of functions

/** Finds for each block of the original the block of the script that does the same. */
function pairBlocks(left: Block[], right: Block[]): Map<Block, Block> {
  const partners = new Map<Block, Block>();
  const isFree = (block: Block) => ![...partners.values()].includes(block);
  const pairByName = (isNamed: boolean) => {
    for (const block of left) {
      if ((block.name !== "") !== isNamed || partners.has(block)) continue;
      const same = right.find((other) => other.name === block.name && isFree(other));
      if (same) partners.set(block, same);
    }
  };
  pairByName(true);
  // The others by their steps: first those that have the most in common.
  const pairs = left.filter((block) => !partners.has(block)).flatMap((block) =>
    right.filter(isFree).map((other) => ({ block, other, common: common(block, other) }))
  ).filter(({ common }) => common >= MIN_COMMON).sort((a, b) => b.common - a.common);
  for (const { block, other } of pairs) {
    if (!partners.has(block) && isFree(other)) partners.set(block, other);
  }
  pairByName(false);
  return partners;
}

/** Returns how much two blocks have in common, in any order. */
function common(a: Block, b: Block): number {
  const weightOf = (block: Block) => {
    const sums = new Map<string, number>();
    for (const { steps } of block.lines) {
      for (const step of steps) sums.set(step, (sums.get(step) ?? 0) + 1);
    }
    return sums;
  };
  const [left, right] = [weightOf(a), weightOf(b)];
  let sum = 0;
  for (const [name, weight] of STEPS) {
    sum += weight * Math.min(left.get(name) ?? 0, right.get(name) ?? 0);
  }
  return sum;
}

function alignLines(a: Line[], b: Line[]): Row[] {
  const pairs = alignLists(a.length, b.length, (i, j) => likeness(a[i], b[j]).weight);
  return pairs.map(([i, j]) => {
    const left = i === undefined ? {} : { left: a[i].text, leftRow: a[i].row };
    const right = j === undefined ? {} : { right: b[j].text, rightRow: b[j].row };
    const both = i !== undefined && j !== undefined;
    return { ...left, ...right, ...both && { step: likeness(a[i], b[j]).step } };
  });
}

/** Returns how much two lines have in common, and the step. */
function likeness(a: Line, b: Line): { weight: number; step?: string } {
  if (a.steps.has("") && b.steps.has("")) return { weight: 0.01 }; // blank lines
  if (a.printed && b.printed) {
    const shared = a.printed.filter((word) => b.printed!.includes(word)).length;
    const all = a.printed.length + b.printed.length;
    if (all === 0) return { weight: 5, step: "print" }; // both print values alone
    const share = 2 * shared / all;
    return share >= 0.5 ? { weight: 20 * share, step: "print" } : { weight: 0 };
  }
  if (a.printed || b.printed) return { weight: 0 };
  let weight = 0;
  let step: string | undefined;
  for (const [name, value] of STEPS) {
    if (!a.steps.has(name) || !b.steps.has(name)) continue;
    weight += value;
    step ??= name;
  }
  if (a.defines && b.defines) {
    weight += 6;
    step ??= "function";
  }
  for (const name of a.calls) {
    if (!b.calls.has(name)) continue;
    weight += 20;
    step ??= name;
  }
  for (const [name] of SETTINGS) {
    if (!a.steps.has(name) || !b.steps.has(name)) continue;
    weight += 5;
    step ??= name;
  }
  return { weight, step };
}

/** Splits lines into functions and what is between them. */
function blocksOf(lines: Line[]): Block[] {
  const blocks: Block[] = [{ name: "", lines: [] }];
  for (const line of lines) {
    const isEnd = /^[^\s})\]#]/.test(line.text) && !line.defines;
    const current = blocks.at(-1)!;
    if (line.defines && !/^\s/.test(line.text)) {
      // The comment above a function belongs to it.
      let start = current.lines.length;
      while (start > 0 && /^(#|\/\/|\/?\*| \*)/.test(current.lines[start - 1].text)) start--;
      blocks.push({ name: line.defines, lines: current.lines.splice(start) });
    } else if (isEnd && current.name !== "") blocks.push({ name: "", lines: [] });
    blocks.at(-1)!.lines.push(line);
  }
  return blocks.filter((block) => block.lines.length > 0);
}

// A string without an end ends with its line: looking for the end again from each quote in it could
// take minutes.
const STRING = /(["'`])(?:\\.|(?!\1)[^\\])*(?:\1|\\?$)/g;
const NOT_OWN = /^(print|log|write|if|while|for|return|function|def|switch|catch|super)$/;
const MAX_CALL = 1000; // characters of a call that prints

/** Finds the steps in the lines of a source, without those in comments. Other lines are above it. */
function linesOf(source: string, language: Language, above = 0): Line[] {
  const isPython = language === "python";
  const texts = source.replaceAll("\r", "").trimEnd().split("\n");
  let commentEnd = "";
  return texts.map((text, i) => {
    const row = above + i + 1;
    const line: Line = { text, row, steps: new Set(), calls: new Set() };
    if (text.trim() === "") line.steps.add("");
    if (commentEnd) {
      if (text.includes(commentEnd)) commentEnd = "";
      return line;
    }
    const [start, quotes] = text.match(isPython ? /^\s*[rf]?("""|''')/ : /^\s*(\/\*)/) ?? [];
    if (start !== undefined) {
      const end = isPython ? quotes : "*/";
      if (!text.slice(start.length).includes(end)) commentEnd = end;
      return line;
    }
    const code = withoutComment(text, isPython);
    const bare = code.replace(STRING, (string) => string === '"--port"' ? string : '""');
    for (const [name, , python, typescript] of STEPS) {
      if ((isPython ? python : typescript).test(name === "header" ? code : bare)) {
        line.steps.add(name);
      }
    }
    const [, setting] = bare.match(/^\s*(?:const |let )?(\w+)(?: *=(?!=)|: (?!string|number))/) ??
      [];
    for (const [name, words] of SETTINGS) {
      const isCommandLine = name === "port" && bare.includes('"--port"');
      if (isCommandLine || setting && words.includes(normalized(setting))) line.steps.add(name);
    }
    const [, defined] = bare.match(/^\s*(?:async |export )*(?:def|function\*?) (\w+)/) ?? [];
    if (defined) {
      line.defines = normalized(defined);
      return line;
    }
    for (const [, name] of bare.matchAll(/(?<![\w.])(\w+)\(/g)) {
      if (!NOT_OWN.test(name) && !/^[A-Z]/.test(name)) line.calls.add(normalized(name));
    }
    const call = bare.match(isPython ? /\b(print|stdout\.write)\s*\(/ : /\b(print|log)\(/);
    if (call && !/^\s*import\b/.test(bare)) {
      line.printed = wordsIn(texts.slice(i, i + 6).join("\n").slice(code.indexOf(call[0])));
    }
    return line;
  });
}

const normalized = (name: string) => name.replaceAll("_", "").toLowerCase();

function withoutComment(text: string, isPython: boolean): string {
  const parts = text.match(
    isPython
      ? /(["'])(?:\\.|(?!\1)[^\\])*(?:\1|\\?$)|#.*|./g
      : /(["'`])(?:\\.|(?!\1)[^\\])*(?:\1|\\?$)|\/\/.*|./g,
  ) ?? [];
  return parts.filter((part) => !part.startsWith(isPython ? "#" : "//")).join("");
}

/** Returns the words in the strings of a call that prints, without the places for values. */
function wordsIn(call: string): string[] {
  let depth = 0;
  let inside = "";
  // The name of an encoding is not printed.
  const start = call.slice(0, MAX_CALL).replace(/\.(de|en)code\([^()]*\)/g, "");
  for (const [part] of start.matchAll(/(["'`])(?:\\[^]|(?!\1)[^\\])*(?:\1|\\?$)|[^]/g)) {
    if (part.length > 1) inside += ` ${part.slice(1, -1)}`;
    else if (part === "(") depth++;
    else if (part === ")" && --depth === 0) break;
  }
  const text = inside.replace(/\$?\{[^}]*(?:\}|$)|%[-\d.]*[sdr]|\\[nrt]/g, " ");
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}
