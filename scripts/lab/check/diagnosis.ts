/**
 * Says what is wrong, in words that a student understands. It says no more than what was sent,
 * expected and received shows.
 *
 * @module
 */
import { escapeText } from "../../cli.ts";
import type { Mismatch, Step } from "./steps.ts";
import { VERDICTS, wrongVerdict } from "./verdicts.ts";
import type { Named } from "../catalog/labs.ts";

/** What a failed probe looked like. */
export interface Circumstances {
  /** What is wrong. */
  mismatch: Mismatch;
  /** What was sent last. */
  sent: string;
  /** What all probes before it sent, for replies that belong to another one. */
  earlier: string[];
  /** The script that it takes the place of. */
  script: Named;
  /** The steps. */
  steps: Step[];
}

const HEADER = /^ *\d+ */;

/** Returns the cause in one line. */
export function causeOf(circumstances: Circumstances): string {
  const { mismatch, sent, earlier, script, steps } = circumstances;
  const { kind, expected, actual } = mismatch;
  const { role, lab } = script;
  const isUdp = lab.transport === "udp";
  const reply = role === "server" ? "reply" : "message";
  if (kind === "refused") return "it listens, but not where its clients connect: at 127.0.0.1";
  if (kind === "twice") return `each message was sent twice, the first one was ${brief(actual)}`;
  if (kind === "waits") return "it waits without end for a server that sends nothing";
  if (kind === "open") {
    const isHalf = role === "client" && steps.some(({ ends }, i) => ends && steps[i + 1]?.send);
    return "the connection is still open: it was never closed" +
      (isHalf ? ", nor its sending half, so that the server waits for more" : "");
  }
  if (kind === "print") return `it did not print: ${expected.split("\n")[0]}`;
  if (expected === "" && (actual !== "" || isUdp && kind === "other")) {
    return surplus(circumstances);
  }
  if (/^\0+$/.test(actual)) {
    return `the ${reply} is ${
      byteLength(actual)
    } zeros: it sends a buffer, not the bytes that came`;
  }
  const special = framing(mismatch) ?? letters(mismatch, sent) ?? space(mismatch);
  // A reset can destroy the end of what came, not its beginning.
  if (special && (kind !== "reset" || !expected.startsWith(actual))) return special;
  if (actual === "" && kind === "other" && isUdp) {
    const what = role === "server" ? "the reply is" : "the client sent";
    return `${what} an empty datagram, and should be ${brief(expected)}`;
  }
  if (actual === "") return nothingCame(circumstances);
  const code = codeProblem(mismatch);
  if (code !== undefined) return code;
  if (earlier.some((text) => text !== sent && text !== "" && actual === text)) {
    return `the ${reply} is written into the program: ${brief(actual)} came whatever was sent`;
  }
  const number = steps.find((_, i) => steps[i + 1]?.gets === "CORRECT")?.send;
  if (lab.name === "guess" && role === "server" && typeof number === "string") {
    if (VERDICTS.includes(actual)) return wrongVerdict(Number(sent), Number(number), actual);
  }
  const [part, all] = [byteLength(actual), byteLength(expected)];
  if (expected.startsWith(actual)) {
    if (isUdp && role === "client") {
      return `the client sent ${brief(actual)}, and should send ${brief(expected)}`;
    }
    if (isUdp) {
      return `only ${part} of ${all} bytes came: its buffer is too small, and the rest of the ` +
        "datagram is lost";
    }
    const ending = kind === "silence" ? "and then nothing more" : "and then the end";
    return role === "client"
      ? `the client sent only ${part} of ${all} bytes, ${ending}: ${
        brief(actual)
      }, and should send ` +
        brief(expected)
      : `only ${part} of ${all} bytes came back, ${ending}: ` +
        "one read gives a part of a message, not always all of it";
  }
  const again = earlierAnswer(circumstances);
  if (again !== undefined) {
    return role === "server"
      ? `it sent an earlier reply again: ${brief(again)} came before ${brief(expected)}`
      : `it sent ${brief(again)} again, though the reply to it had come`;
  }
  const lost = lostPart(expected, actual);
  if (lost !== undefined) return lost;
  if (actual === `${expected}\n`) return `a line end (newline) was added: ${brief(actual)}`;
  if (actual === `${sent}${sent}`) return `the ${reply} came twice: ${brief(actual)}`;
  if (actual.startsWith(expected)) return `more came than should: ${brief(actual)}`;
  if (actual.endsWith(expected)) {
    return `${brief(actual.slice(0, -expected.length))} came before the ${reply}`;
  }
  const isCut = actual.includes("\ufffd") && !expected.includes("\ufffd");
  if (isCut && expected.length < byteLength(expected)) {
    return "a character that was cut in two did not come out whole: decode with { stream: true }";
  }
  const question = role === "server" && sent !== expected &&
    `\nafter this was sent: ${brief(sent)}`;
  return `the ${reply} is ${brief(actual)}, and should be ${brief(expected)}${question || ""}`;
}

/** Says if text was sent in another code than UTF-8, or a number as one byte. */
function codeProblem({ expected, actual }: Mismatch): string | undefined {
  if (actual.includes("\0") && actual.replace(/[\0\ufffd]/g, "") === expected) {
    return `the text was encoded as UTF-16, not as UTF-8: ${byteLength(actual)} bytes came for ` +
      `${brief(expected)}`;
  }
  const isNumber = /^\d+$/.test(expected) && actual === String.fromCharCode(Number(expected));
  return isNumber ? `the number ${expected} was sent as one byte, not as text` : undefined;
}

/** Returns the answer of an earlier step of the probe, if it came again in place of the next one. */
function earlierAnswer({ mismatch: { expected, actual }, steps }: Circumstances) {
  const answers = steps.flatMap(({ gets }) => typeof gets === "string" && gets ? [gets] : []);
  const now = answers.indexOf(expected);
  return answers.slice(0, Math.max(0, now)).reverse()
    .find((answer) => answer !== expected && actual.startsWith(answer));
}

const CLEAR = 16; // characters that are not there twice by chance

/** Says which part in the middle of a long text did not come. */
function lostPart(expected: string, actual: string): string | undefined {
  let same = 0;
  while (same < actual.length && actual[same] === expected[same]) same++;
  const next = actual.slice(same, same + CLEAR);
  const from = expected.indexOf(next, same);
  if (same < CLEAR / 4 || next.length < CLEAR || from < 0) return undefined;
  const [first, last] = [byteLength(expected.slice(0, same)), byteLength(expected.slice(0, from))];
  return `${last - first} bytes in the middle are missing: after the first ${first} bytes of ` +
    `${byteLength(expected)} came those from ${last} on`;
}

/** Says what is wrong about the pieces that are printed after a text. */
export function wrongPieces(start: string, actual: string, expected: string): string {
  const problem = `what it prints after \`${start}\` is ${brief(actual)}, and should be ${
    brief(expected)
  }`;
  return actual.includes("\ufffd") && !expected.includes("\ufffd")
    ? `a character that a read cut in two is not whole: decode with { stream: true }\n${problem}`
    : problem;
}

/** Says what came although nothing should. */
function surplus({ mismatch: { actual }, sent, script, steps }: Circumstances) {
  if (script.role === "client") {
    const newline = actual === "\n" ? ", a newline behind its message" : "";
    return `the client sent more than it should: ${brief(actual)}${newline}`;
  }
  if (actual === "") return "it sent an empty datagram, though no reply was due";
  if (actual.replaceAll("\0", "") === "") {
    return `more came back than should: ${byteLength(actual)} zeros, the rest of its buffer`;
  }
  const answers = steps.flatMap(({ gets }) => typeof gets === "string" ? [gets] : []);
  if (answers.some((answer) => answer !== "" && actual.endsWith(answer))) {
    return "a reply came twice";
  }
  return answers.length > 0 || sent === ""
    ? `more came back than should: ${brief(actual)}`
    : `it sent ${brief(actual)}, though no reply was due`;
}

/** Says what did not come. */
function nothingCame(
  { mismatch: { kind, expected }, sent, script, steps }: Circumstances,
) {
  const isUdp = script.lab.transport === "udp";
  if (script.role === "client") {
    if (isUdp && steps.some(({ drops }) => drops !== undefined)) {
      return "it did not ask again, and no reply came: a datagram or its reply may get lost";
    }
    return isUdp
      ? `the client sent no datagram: ${brief(expected)} should come`
      : kind === "silence"
      ? `the client sent nothing: ${brief(expected)} should come`
      : `the client closed the connection without sending ${brief(expected)}`;
  }
  if (isUdp) return "no reply came back over UDP to the port that asked";
  return kind === "silence"
    ? `no reply came back to ${brief(sent)}: the connection stays open, and nothing comes`
    : `no reply came back to ${brief(sent)}: the server closed the connection before it`;
}

/** Says what is wrong about a header of 10 characters, if that is it. */
function framing({ expected, actual }: Mismatch): string | undefined {
  const should = expected.match(/^ {0,9}\d+(?=\D|$)/);
  if (!should || should[0].length !== 10) return undefined;
  const text = expected.slice(10);
  const characters = [...text].length;
  const header = actual.slice(0, 10);
  if (actual === text && text !== "") return "the header is missing: 10 characters with the length";
  if (/^\d+ +$/.test(header)) {
    return "the length is at the left of the header: it should be at the right, after spaces";
  }
  if (/^0+\d+$/.test(header) && header.length === 10) {
    return "the header is filled with zeros: it should be filled with spaces";
  }
  const [digits] = actual.match(HEADER) ?? [""];
  const number = Number(digits);
  const rest = actual.slice(digits.length);
  if (number === characters && number < text.length) {
    if (rest === text.slice(0, number).toWellFormed()) {
      return "it takes UTF-16 units, as `.length` does, where the length counts characters";
    }
  }
  if (characters < byteLength(text) && rest === start(text, characters)) {
    return `it takes ${characters} bytes, where the length counts characters: ` +
      `${brief(text)} has ${characters} and ${byteLength(text)} bytes`;
  }
  if (rest !== text && isTrimmed(rest, text)) return WHITE_SPACE;
  const counted = number === byteLength(text)
    ? "bytes"
    : number === text.length
    ? "UTF-16 units, as `.length` does"
    : "";
  if (digits.length === 10 && number !== characters && counted && text !== "") {
    return `the length counts ${counted}: ${brief(text)} has ${characters} ` +
      `${characters === 1 ? "character" : "characters"} and ${byteLength(text)} bytes`;
  }
  if (digits && digits.length !== 10 && rest === text && !/^ *\d/.test(text)) {
    return `the header has ${digits.length} characters: it should have 10`;
  }
  if (digits.length === 10 && number !== characters && text.startsWith(rest) && rest !== text) {
    if (rest === "") return "the header came without its message";
    return `only a part of the message was taken: ${brief(rest)} of ${brief(text)}`;
  }
  if (byteLength(text) > characters && actual === "") {
    return `no reply to ${
      brief(text)
    }: does it wait for bytes, where the length counts characters?`;
  }
  return undefined;
}

/** Says if white space is missing: at the ends of a message it is a part of it. */
function space({ expected, actual }: Mismatch): string | undefined {
  if (actual === "" || actual === expected) return undefined;
  return isTrimmed(actual, expected) ? WHITE_SPACE : undefined;
}

const WHITE_SPACE = "white space at the ends was cut off: it is a part of the message";

/** Returns whether a text is another one without the white space at its ends. */
function isTrimmed(text: string, whole: string): boolean {
  return text !== "" && [whole.trim(), whole.trimStart(), whole.trimEnd()].includes(text);
}

/** Says what is wrong about letters: their case, or their bytes. */
function letters({ expected, actual }: Mismatch, sent: string): string | undefined {
  if (actual === "") return undefined;
  if (actual === expected) {
    return "bytes that are not UTF-8 came back as others: bytes that are decoded as text may change";
  }
  const isLatin = actual === latin(expected) && actual !== expected;
  if (isLatin || expected === sent.toUpperCase() && actual === latin(sent).toUpperCase()) {
    return `each byte was taken for a character, and not decoded as UTF-8: ${brief(actual)} ` +
      `should be ${brief(expected)}`;
  }
  if (actual === sent && expected !== sent && expected === sent.toUpperCase()) {
    return "it came back as it was sent, not in upper case";
  }
  const others = /[^\0-\x7f]/gu;
  if (actual === expected.replace(others, "") || actual === expected.replace(others, "?")) {
    return `characters outside of ASCII got lost: ${brief(actual)} should be ${brief(expected)}`;
  }
  const ascii = sent.replace(/[a-z]/g, (letter) => letter.toUpperCase());
  if (expected === sent && expected !== actual && expected.toUpperCase() === actual) {
    return `it came in upper case: ${brief(actual)} should be ${brief(expected)}`;
  }
  if (expected === sent.toUpperCase() && actual === ascii) {
    return `only a to z were put into upper case: ${brief(actual)} should be ${brief(expected)}`;
  }
  if (actual === expected.toLowerCase() && actual !== expected) {
    return `it came in lower case: ${brief(actual)} should be ${brief(expected)}`;
  }
  return undefined;
}

/** Returns text in one line, and not too long. */
export function brief(text: string): string {
  const inLine = escapeText([...text].slice(0, 60).join(""));
  return text.length > 60
    ? `"${inLine}..." (${byteLength(text)} bytes)`
    : text.includes("`")
    ? `"${inLine}"`
    : `\`${inLine}\``;
}

/** Returns the first bytes of a text, as text. */
function start(text: string, length: number): string {
  return new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, length));
}

/** Returns a text of which each byte was taken for a character. */
function latin(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
