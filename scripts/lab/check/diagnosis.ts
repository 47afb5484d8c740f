/**
 * What is wrong, in words that a student understands.
 *
 * @module
 */
import { escapeText } from "../../cli.ts";
import type { HandIn } from "./submission.ts";
import type { Step } from "./steps.ts";
import { Wrong } from "./steps.ts";

/** What a failed probe looked like. */
export interface Circumstances {
  /** What is wrong. */
  wrong: Wrong;
  /** What was sent before, the last thing of it. */
  sent: string;
  /** What all probes before it sent, for replies that come from another one. */
  earlier: string[];
  /** What is looked at. */
  handIn: HandIn;
  /** The steps. */
  steps: Step[];
}

const HEADER = /^ *\d+ */;

/** Says in one line what is wrong, of what the general things there are. */
export function causeOf({ wrong, sent, earlier, handIn, steps }: Circumstances): string {
  const { kind, expected, actual } = wrong;
  const { role, lab } = handIn.script;
  const isUdp = lab.transport === "udp";
  const reply = role === "server" ? "reply" : "message";
  const who = role;
  if (kind === "refused") return "it listens, but not where its clients look: at 127.0.0.1";
  if (kind === "absent") {
    const did = isUdp ? "sent no datagram" : "did not connect";
    const port = handIn.ownPort === undefined
      ? "the port given with --port"
      : `port ${handIn.script.port}`;
    return `the client ${did} to ${port}`;
  }
  if (kind === "open") {
    // A message that the server answers only after its end has ended where the client says so.
    const isHalf = role === "client" && steps.some(({ ends }, i) => ends && steps[i + 1]?.send);
    return "the connection is still open: it was never closed" +
      (isHalf ? ", not even its sending half: so the server waits for more" : "");
  }
  if (kind === "print") return `it did not print: ${firstLine(expected)}`;
  if (expected === "" && actual !== "") {
    if (role === "client") return `the client sent more than it should: ${brief(actual)}`;
    if (actual.replaceAll("\0", "") === "") {
      return `more came back than should: ${byteLength(actual)} zeros, the rest of its buffer`;
    }
    return actual === sent || actual.endsWith(sent) && sent
      ? "a reply came twice"
      : `more came back than should: ${brief(actual)}`;
  }
  const special = framing(wrong) ?? letters(wrong, sent) ?? space(wrong);
  if (special && kind !== "reset") return special;
  if (actual === "") {
    if (role === "client") {
      if (isUdp && steps.some(({ loses }) => loses !== undefined)) {
        return "it did not ask again: a datagram or its answer may get lost";
      }
      return isUdp
        ? `the client sent no datagram: ${brief(expected)} was to come`
        : kind === "silence"
        ? `the client sent nothing: ${brief(expected)} was to come`
        : `the client closed the connection without sending ${brief(expected)}`;
    }
    if (isUdp) return "no reply came back over UDP to the port that asked";
    if (kind === "silence") {
      return "no reply came back: the connection stays open, and nothing comes";
    }
    return `no reply came back: the ${who} closed the connection before it`;
  }
  if (earlier.some((text) => text !== sent && text !== "" && actual === text)) {
    return `the ${reply} is written into the program: ${brief(actual)} came whatever was sent`;
  }
  const [part, all] = [byteLength(actual), byteLength(expected)];
  if (expected.startsWith(actual)) {
    const ending = kind === "silence" ? "and then nothing more" : "and then the end";
    return role === "client"
      ? `only ${part} of ${all} bytes came, ${ending}: one write may take a part of a message`
      : `only ${part} of ${all} bytes came back, ${ending}: ` +
        "one read gives a part of a message, not always all of it";
  }
  if (actual === `${expected}\n`) return `a line end was added: ${brief(actual)}`;
  if (actual.startsWith(expected)) return `more came than should: ${brief(actual)}`;
  if (actual === `${sent}${sent}`) return `the ${reply} came twice: ${brief(actual)}`;
  if (actual.includes("\ufffd") && !expected.includes("\ufffd")) {
    return "a character that was cut in two did not come out whole: decode with { stream: true }";
  }
  if (kind !== "other" && all > 1000) {
    return `${part} of ${all} bytes came, and not the right ones: some of a long message got lost`;
  }
  const question = role === "server" && sent !== expected &&
    `\nafter this was sent: ${brief(sent)}`;
  return `the ${reply} is ${brief(actual)}, and should be ${brief(expected)}${question || ""}`;
}

/** What is wrong about a header of 10 characters. */
function framing({ expected, actual }: Wrong): string | undefined {
  const should = expected.match(/^ {0,9}\d+(?=\D|$)/);
  if (!should || should[0].length !== 10) return undefined;
  const text = expected.slice(10);
  const characters = [...text].length;
  const header = actual.slice(0, 10);
  if (actual === text && text !== "") return "the header is missing: 10 characters with the length";
  if (/^\d+ +$/.test(header)) {
    return "the length stands at the left of the header: it belongs to the right, after spaces";
  }
  if (/^0+\d+$/.test(header) && header.length === 10) {
    return "the header is filled with zeros: it is to be filled with spaces";
  }
  const [digits] = actual.match(HEADER) ?? [""];
  const number = Number(digits);
  const rest = actual.slice(digits.length);
  if (number === characters && number < text.length) {
    if (rest === text.slice(0, number).toWellFormed()) {
      return "it takes UTF-16 units, as `.length` does, where the length counts characters";
    }
  }
  if (number === characters && number < byteLength(text) && rest === start(text, number)) {
    return `it takes ${number} bytes, where the length counts characters: ` +
      `${brief(text)} has ${characters} and ${byteLength(text)} bytes`;
  }
  const counted = number === byteLength(text)
    ? "bytes"
    : number === text.length
    ? "UTF-16 units, as `.length` does"
    : "";
  if (digits.length === 10 && number !== characters && counted && text !== "") {
    return `the length counts ${counted}: ${quoted(text)} has ${characters} ` +
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

/** What is wrong about white space: what stands at the ends of a message belongs to it. */
function space({ expected, actual }: Wrong): string | undefined {
  if (actual === "" || actual === expected) return undefined;
  const isCut = [expected.trim(), expected.trimStart(), expected.trimEnd()].includes(actual);
  return isCut ? "white space at the ends was taken away: it belongs to the message" : undefined;
}

/** What is wrong about letters: their case, or their bytes. */
function letters({ expected, actual }: Wrong, sent: string): string | undefined {
  if (actual === "") return undefined;
  if (actual === expected) {
    return "bytes that are no text came back as others: who makes text of bytes may change them";
  }
  const isLatin = actual === latin(expected) && actual !== expected;
  if (isLatin || expected === sent.toUpperCase() && actual === latin(sent).toUpperCase()) {
    return `each byte was taken for a character, and not decoded as UTF-8: ${brief(actual)} ` +
      `should be ${brief(expected)}`;
  }
  if (actual === sent && expected !== sent && expected === sent.toUpperCase()) {
    return "it came back as it was sent, not in upper case";
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

function firstLine(text: string): string {
  return text.split("\n")[0];
}

/** Text in one line, and not too long. */
export function brief(text: string): string {
  const inLine = escapeText([...text].slice(0, 60).join(""));
  return text.length > 60
    ? `"${inLine}..." (${byteLength(text)} bytes)`
    : text.includes("`")
    ? `"${inLine}"`
    : `\`${inLine}\``;
}

function quoted(text: string): string {
  return brief(text);
}

/** The first bytes of a text, as text. */
function start(text: string, length: number): string {
  return new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, length));
}

/** Text of which each byte is taken for a character. */
function latin(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
