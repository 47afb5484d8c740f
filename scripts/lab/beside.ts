/**
 * A Python original and our script side by side, each step beside the same step.
 *
 * @module
 */

/** A line of the original beside one of the script; what one side has not is left out. */
export interface Row {
  /** The original's line. */
  left?: string;
  /** The script's line. */
  right?: string;
  /** What both do, where it is the same: `accept`, `loop`, `print`. */
  step?: string;
}

/** A step, how much it matters that two lines share it, and how each language writes it. */
type Step = [name: string, weight: number, python: RegExp, typescript: RegExp];

const STEPS: Step[] = [
  ["bind", 20, /\.bind\(/, /Deno\.listen(Datagram)?\(/],
  ["listen", 2, /\.listen\(/, /Deno\.listen\(/],
  ["accept", 20, /\.accept\(/, /\baccepted\(|\.accept\(|\bserve\(/],
  ["connect", 20, /\.connect(_ex)?\(/, /Deno\.connect\(/],
  ["recv", 20, /\.recv(from)?(_into)?\(/, /\.(read|receive)\(|\breceiveFrom\(|\blasting\(/],
  ["send", 20, /\.send(all|to)?\(/, /\bwriteAll\(|\.(write|send)\(/],
  ["input", 20, /\b(raw_)?input\(/, /\binput\(/],
  ["upper", 4, /\.upper\(/, /\.toUpperCase\(/],
  ["shutdown", 5, /\.shutdown\(/, /\.closeWrite\(/],
  ["timeout", 3, /\.settimeout\(/, /\b(deadline|ask)\(/],
  ["close", 4, /\.close\(/, /\.close\(/],
  ["socket", 3, /\bsocket\(/, /Deno\.(listen|listenDatagram|connect)\(/],
  ["decode", 2, /\.decode\(|\bcodecs\./, /\.decode\(|\bTextDecoder\(/],
  ["encode", 2, /\.encode\(/, /\.encode\(|\bTextEncoder\(/],
  ["header", 2, /header/i, /header/i],
  ["loop", 2, /^\s*(while|for)\b/, /^\s*(while|for|do)\b/],
  ["break", 2, /\bbreak\b/, /\bbreak\b/],
  ["try", 2, /^\s*try:/, /\btry \{/],
  ["except", 2, /^\s*except\b/, /\bcatch\b/],
  ["finally", 2, /^\s*finally:/, /\bfinally\b/],
  ["return", 1, /^\s*return\b/, /\breturn\b/],
  ["function", 2, /^\s*(async )?def /, /\bfunction\*? /],
  ["main", 3, /__name__/, /import\.meta\.main/],
  ["run", 2, /parse_args\(|\bmain\(\)/, /\bawait run\(/],
  ["if", 1, /^\s*(el)?if\b/, /\bif \(/],
  ["else", 1, /^\s*else:/, /\belse\b/],
  ["import", 1, /^\s*(import|from)\b/, /^import\b/],
  ["flags", 1, /^\w*(host|port|buf|payload|message|msg)\w*\s*=/i, /^const FLAGS\b/],
  ["host", 2, /^\s*\w*host\w*\s*=/i, /^\s*(const )?\w*host\w*(:|\s=) (?!await|string)/i],
  ["port", 2, /^\s*\w*port\w*\s*=|"--port"/i, /^\s*(const )?\w*port\w*(:|\s=) (?!number)/i],
  [
    "buffer",
    2,
    /^\s*\w*(buf|payload)\w*\s*=/i,
    /^\s*(const )?\w*(buf|payload)\w*(:|\s=) (?!new|number)/i,
  ],
  ["message", 2, /^\s*\w*(message|msg)\w*\s*=/i, /^\s*((const|let) )?message(:|\s=) (?!string)/i],
];

/** A line of a source. */
interface Line {
  text: string;
  /** The names of its steps. */
  steps: Set<string>;
  /** The function that it begins, without its underscores. */
  defines?: string;
  /** The words that it prints, if it prints. */
  printed?: string[];
}

const STRING = /(["'`])(?:\\.|(?!\1).)*?\1/g;

/** Finds the steps in the lines of a source. Those in its comments are none. */
function linesOf(source: string, language: "python" | "typescript"): Line[] {
  const isPython = language === "python";
  const texts = source.replaceAll("\r", "").trimEnd().split("\n");
  let inComment = "";
  return texts.map((text, i) => {
    const steps = new Set<string>();
    const line: Line = { text, steps };
    if (text.trim() === "") steps.add("");
    const [opening, closing] = isPython ? [/^\s*[rf]?("""|''')/, inComment] : [/^\s*\/\*/, "*/"];
    const [start, quotes = "/*"] = text.match(opening) ?? [];
    if (inComment) {
      if (text.includes(closing)) inComment = "";
      return line;
    }
    if (start !== undefined) {
      const end = isPython ? quotes : "*/";
      if (!text.slice(start.length).includes(end)) inComment = end;
      return line;
    }
    const code = withoutComment(text, isPython);
    const bare = code.replace(STRING, (string) => string === '"--port"' ? string : '""');
    for (const [name, , python, typescript] of STEPS) {
      if ((isPython ? python : typescript).test(bare)) steps.add(name);
    }
    const [, name] = bare.match(/\b(?:def|function\*?) (\w+)/) ?? [];
    line.defines = name?.replaceAll("_", "").toLowerCase();
    const call = bare.match(isPython ? /\b(print|stdout\.write)\s*\(/ : /\b(print|log|write)\(/);
    if (call && !/^\s*(async )?(def|function|import)\b/.test(bare)) {
      line.printed = wordsIn(texts.slice(i, i + 6).join("\n").slice(code.indexOf(call[0])));
    }
    return line;
  });
}

function withoutComment(text: string, isPython: boolean): string {
  const parts = text.match(
    isPython ? /"(?:\\.|[^"])*"|'(?:\\.|[^'])*'|#.*|./g : /(["'`])(?:\\.|(?!\1).)*\1|\/\/.*|./g,
  ) ?? [];
  return parts.filter((part) => !part.startsWith(isPython ? "#" : "//")).join("");
}

/** The words in the strings of a call, without the places for values. */
function wordsIn(call: string): string[] {
  let depth = 0;
  let inside = "";
  for (const [part] of call.matchAll(/(["'`])(?:\\.|(?!\1)[^])*?\1|[^]/g)) {
    if (part.length > 1) inside += ` ${part.slice(1, -1)}`;
    else if (part === "(") depth++;
    else if (part === ")" && --depth === 0) break;
  }
  const text = inside.replace(/\$?\{[^}]*\}|%[-\d.]*[sdr]|\\[nrt]/g, " ");
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** How much two lines are the same step; 0 if not at all. */
function likeness(a: Line, b: Line): number {
  let sum = 0;
  if (a.steps.has("") && b.steps.has("")) sum += 0.01;
  for (const [name, weight] of STEPS) {
    if (a.steps.has(name) && b.steps.has(name)) sum += weight;
  }
  if (a.defines && a.defines === b.defines) sum += 6;
  if (a.printed && b.printed) {
    const common = a.printed.filter((word) => b.printed!.includes(word)).length;
    const all = a.printed.length + b.printed.length;
    const share = all === 0 ? 0.5 : 2 * common / all;
    if (share >= 0.5) sum += 20 * share;
  }
  return sum;
}

/**
 * Lays a Python source and a script side by side: the lines that are the same step in one
 * row, in the order of both (the longest common subsequence of their steps).
 *
 * @param python The original's source.
 * @param typescript The script's; the comment at its head, its manual, is left out.
 * @returns The rows from top to bottom.
 *
 * @example
 * ```ts
 * align("s.bind(address)\n", "using listener = Deno.listen({ port });\n");
 * // [{ left: "s.bind(address)", right: "using listener = ...", step: "bind" }]
 * ```
 */
export function align(python: string, typescript: string): Row[] {
  const a = linesOf(python, "python");
  const b = linesOf(typescript.replace(/^(#!.*\r?\n)?\/\*\*[^]*?\*\/\s*/, ""), "typescript");
  const best = Array.from({ length: a.length + 1 }, () => new Float64Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const same = likeness(a[i], b[j]);
      const both = same > 0 ? same + best[i + 1][j + 1] : 0;
      best[i][j] = Math.max(both, best[i + 1][j], best[i][j + 1]);
    }
  }
  const rows: Row[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    const isBoth = i < a.length && j < b.length && likeness(a[i], b[j]) > 0 &&
      best[i][j] === likeness(a[i], b[j]) + best[i + 1][j + 1];
    if (isBoth) rows.push({ left: a[i].text, right: b[j].text, step: stepOf(a[i++], b[j++]) });
    else if (j >= b.length || (i < a.length && best[i][j] === best[i + 1][j])) {
      rows.push({ left: a[i++].text });
    } else rows.push({ right: b[j++].text });
  }
  return rows;
}

/** The name of the weightiest step that two lines share; blank lines share none. */
function stepOf(a: Line, b: Line): string | undefined {
  const shared = STEPS.filter(([name]) => a.steps.has(name) && b.steps.has(name));
  const [[name] = [undefined]] = shared.toSorted(([, a], [, b]) => b - a);
  return name ?? (a.printed && b.printed ? "print" : undefined);
}
