/** What every lab script says to a command line that makes no sense. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { findLabs } from "../../scripts/lab/header.ts";
import { runScript } from "../helpers.ts";

const AT_ONCE = 4; // processes

/** Values that no number has, however a language reads numbers. */
const NO_NUMBERS = [
  "x",
  "-1",
  "1.5",
  "1e3",
  "0x10",
  "+1",
  "1,000",
  "1_000",
  "NaN",
  "Infinity",
  "٣", // an Arabic digit
  "５", // a full-width one
  "99999999999999999999",
  "\x1b[2J",
  "1\n2",
];

/** What else is wrong for a flag; all other flags that have numbers take any from 0. */
const OUT_OF_RANGE: Record<string, string[]> = {
  port: ["65536", "-0"],
  "buffer-size": ["0", "1073741825"],
  timeout: ["0", "0.0", "86401", ".", "1.", "-0.5", "1s"],
  tries: ["0", "1001", "2.5"],
  secret: ["0", "100"],
  "max-length": ["9007199254740993"],
};

/** What makes no sense for any script. */
const NONSENSE = [
  ["--nonsense"],
  ["--nonsense=1"],
  ["--PORT=1"],
  ["--prt", "1"],
  ["---port=1"],
  ["--no-port"],
  ["--port.x=1"],
  ["--__proto__=1"],
  ["--constructor"],
  ["--=1"],
  ["--help=1"],
  ["-x"],
  ["-port=1"],
  ["-"],
  ["--", "extra"],
  ["9900"],
  ["localhost", "9900"],
  ["\x1b[2J"],
  ["two\nlines"],
  ["x".repeat(1000)],
];

const scripts = findLabs()
  .flatMap(({ server, client }) => [server.name, client.name]);

/** The flags that a script's --help names, and whether each takes a value. */
async function flagsOf(script: string): Promise<Map<string, string>> {
  const { stdout } = await runScript(script, ["--help"]);
  const usage = stdout.slice(stdout.lastIndexOf("\nusage: "));
  return new Map(
    [...usage.matchAll(/\[--([\w-]+)(?:=('[^']*'|[^\]]+))?\]/g)]
      .map(([, flag, value = ""]) => [flag, value]),
  );
}

/** The command lines that a script must refuse because of its own flags. */
function wrongLines(flags: Map<string, string>, turn: number): string[][] {
  const wrong: string[][] = [];
  for (const [flag, value] of flags) {
    if (flag === "help") continue;
    if (value === "") {
      wrong.push([`--${flag}=yes`], [`--no-${flag}`]);
      continue;
    }
    wrong.push([`--${flag}`]); // its value is missing
    if (flag !== "message") wrong.push([`--${flag}=`], [`--${flag}`, ""]);
    const isNumber = /^(\d+|N)$/.test(value);
    if (!isNumber) continue;
    // All scripts read numbers in the same way: each tries some of the values.
    const some = [0, 1].map((i) => NO_NUMBERS[(turn * 2 + i) % NO_NUMBERS.length]);
    for (const number of [...some, ...OUT_OF_RANGE[flag] ?? []]) {
      // 1.5 seconds are as good as 1.
      if (flag === "timeout" && /^\d+(\.\d+)?$/.test(number) && number === "1.5") {
        continue;
      }
      wrong.push([`--${flag}=${number}`]);
    }
  }
  return wrong;
}

/** Checks that a script refuses a command line, and says clearly why. */
async function assertRefused(script: string, args: string[], flags: Map<string, string>) {
  const line = `${script} ${JSON.stringify(args)}`;
  const { status, stdout, stderr } = await runScript(script, args);
  assertEquals([status, stdout], [2, ""], `${line}: ${stderr}`);
  const [message, usage, ...more] = stderr.split("\n");
  assertEquals(more, [""], line);
  assertMatch(
    message,
    /^error: (unknown flag |unexpected argument |--[\w-]+ (must be |needs a value|takes no value)|--port=0 is for servers)/,
    line,
  );
  assert(!/\p{Cc}/u.test(message), line);
  assert(usage.startsWith(`usage: ${script} [--host=`), `${line}: ${usage}`);
  for (const flag of flags.keys()) assert(usage.includes(`[--${flag}`), usage);
}

for (const [turn, script] of scripts.entries()) {
  Deno.test(`${script} refuses flags and values that make no sense`, async () => {
    const flags = await flagsOf(script);
    assert(flags.has("host") && flags.has("port") && flags.has("help"));
    const lines = wrongLines(flags, turn);
    for (const i of [0, 1, 2]) {
      lines.push(NONSENSE[(turn * 3 + i) % NONSENSE.length]);
    }
    // A wrong flag is wrong also behind good ones, and behind what is no flag.
    lines.push(["--port=9900", "--nonsense"], ["--host", "127.0.0.1", "--port=x"]);
    if (script.includes("client")) lines.push(["--port=0"]);
    // Flags that other scripts have.
    const foreign = ["secret", "message", "buffer-size", "tries", "quiet"]
      .filter((flag) => !flags.has(flag));
    lines.push(...foreign.map((flag) => [`--${flag}=1`]));
    const next = lines.values();
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (const args of next) await assertRefused(script, args, flags);
      }),
    );
  });
}

Deno.test("a flag named as the list of words is unknown", async () => {
  const script = "echo_server.ts";
  const flags = await flagsOf(script);
  for (const args of [["--_=1"], ["--_"], ["--_", "x"]]) {
    await assertRefused(script, args, flags);
  }
});

Deno.test("the last of several values counts, and all of them must make sense", async () => {
  const script = "guess_server.ts";
  const flags = await flagsOf(script);
  await assertRefused(script, ["--secret=42", "--secret=x"], flags);
});

Deno.test("every nonsense of this file is tried by some script", () => {
  assert(scripts.length * 3 >= NONSENSE.length);
  assert(scripts.length * 2 >= NO_NUMBERS.length);
});
