/** The steps of the Python counterparts are in the scripts, function by function, in their order. */
import { assertEquals } from "@std/assert";
import { labs } from "../../scripts/lab/catalog/labs.ts";
import { SCRIPTS } from "../helpers.ts";

/** Steps that a student looks for, as Python writes them and as the scripts do. */
const STEPS: [name: string, python: RegExp, typescript: RegExp][] = [
  ["socket", /\.(bind|connect)\(|SOCK_DGRAM/, /Deno\.(listen|listenDatagram|connect)\(/],
  ["loop", /^\s*(while|for) /, /^\s*(while|for) /],
  ["accept", /\.accept\(/, /\.accept\(/],
  ["recv", /\.recv\(/, /\.read\(/],
  ["recvfrom", /\.recvfrom\(/, /\.receive\(/],
  ["receive", /\b(?<!def )receive\(/, /(?<!function )\breceive\(/],
  ["receive message", /\b(?<!def )receive_message\(/, /(?<!function )\breceiveMessage\(/],
  ["send message", /\b(?<!def )send_message\(/, /(?<!function )\bsendMessage\(/],
  ["header", /:>\{HEADER_SIZE\}/, /\.padStart\(HEADER_SIZE\)/],
  ["input", /\binput\(/, /\binput\(/],
  ["upper", /\.upper\(/, /\.toUpperCase\(/],
  ["send", /\.send(all|to)\(/, /\bwriteAll\(|\.send\(/],
  ["shutdown", /\.shutdown\(/, /\.closeWrite\(/],
  ["print", /\bprint\(/, /\b(print|log)\(/],
];

/** Returns the steps in each function of a source, by the name of the function in lower case. */
function stepsByFunction(source: string, language: 1 | 2): Map<string, string[]> {
  const functions = new Map<string, string[]>();
  let steps: string[] = [];
  const code = source.replace(/"""[^]*?"""|\/\*\*[^]*?\*\//g, "");
  for (const line of code.split("\n")) {
    const name = line.match(/^(?:def|(?:async )?function) (\w+)/)?.[1];
    if (name) functions.set(name.replaceAll("_", "").toLowerCase(), steps = []);
    else if (/^[^\s})]/.test(line)) steps = []; // code outside of functions
    if (/^\s*(#|\/\/)/.test(line)) continue;
    for (const step of STEPS) {
      // Python makes a UDP server's socket in two steps.
      const isAgain = step[0] === "socket" && steps.at(-1) === "socket";
      if (step[language].test(line) && !isAgain) steps.push(step[0]);
    }
  }
  return functions;
}

/** Returns the steps of `wanted` that are not in `found` in the same order. */
function missing(wanted: string[], found: string[]): string[] {
  let place = 0;
  return wanted.filter((step) => {
    const next = found.indexOf(step, place);
    if (next < 0) return true;
    place = next + 1;
    return false;
  });
}

for (const { name, server, client } of labs) {
  if (name === "guess") continue; // it has no original
  for (const script of [server.name, client.name]) {
    Deno.test(`${script} has the steps of its counterpart, in their order`, () => {
      const python = `${SCRIPTS}lab/counterparts/${script.replace(".ts", ".py")}`;
      const theirs = stepsByFunction(Deno.readTextFileSync(python), 1);
      const ours = stepsByFunction(Deno.readTextFileSync(SCRIPTS + script), 2);
      for (const [name, steps] of theirs) {
        const found = ours.get(name) ?? [];
        const isPrint = (step: string) => step === "print"; // some are at another point
        assertEquals(missing(steps.filter((step) => !isPrint(step)), found), [], name);
        assertEquals(missing(steps.filter(isPrint), found), [], name);
      }
    });
  }
}
