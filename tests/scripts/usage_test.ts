/** What every lab script says of itself, and to a command line that makes no sense. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { findLabs } from "../../scripts/lab/header.ts";
import { DENO_RUN, Program } from "../../scripts/lab/program.ts";
import { inParallel, resultOf, runScript, SCRIPTS } from "../helpers.ts";

/** What is no whole number, however a language reads numbers. */
const NO_NUMBERS = [
  ..."x,-1,1.5,1e3,0x10,+1,1_000,NaN,Infinity,-0,99999999999999999999".split(","),
  ...["1,000", "٣", "５", "\x1b[2J", "1\n2"], // digits of Arabic, and full-width
];

/** What else is wrong for a flag. */
const OUT_OF_RANGE = {
  port: ["65536"],
  "buffer-size": ["0", "1073741825"],
  timeout: ["0", "0.0", "86401", ".", "1.", "-0.5", "1s"],
  tries: ["0", "1001", "2.5"],
};

/** What makes no sense for any script. */
const NONSENSE = [
  ..."--nonsense=1,--PORT=1,---port=1,--no-port,--port.x=1,--__proto__=1,--constructor,--=1".split(
    ",",
  ),
  ..."--help=1,-x,-port=1,-,9900,\x1b[2J,two\nlines,--_=1,--_".split(","),
  ...["--port", "--port=", "--host=", "--timeout", "--secret=1", "--port=0", "x".repeat(1000)],
].map((word) => [word]);

/** Checks that a script refuses a command line, and says clearly why. */
async function assertRefused(script: string, args: string[]) {
  const line = `${script} ${JSON.stringify(args)}`;
  const { status, stdout, stderr } = await runScript(script, args);
  assertEquals([status, stdout], [2, ""], `${line}: ${stderr}`);
  const [message, usage, ...more] = stderr.split("\n");
  assertMatch(
    message,
    /^error: (unknown flag |unexpected argument |--[\w-]+ (must be |needs a value|takes no value)|--port=0 is for servers)/,
    line,
  );
  assert(!/\p{Cc}/u.test(message), line);
  assert(usage.startsWith(`usage: ${script} [--host=`), `${line}: ${usage}`);
  assertEquals(more, [""], line);
}

for (const script of findLabs().flatMap(({ server, client }) => [server.name, client.name])) {
  Deno.test(`${script} shows its manual without any permission, and refuses what is none of its flags`, async () => {
    const command = [...DENO_RUN, "--no-prompt", SCRIPTS + script, "--help"];
    await using program = new Program(command);
    const { status, stdout, stderr } = await resultOf(program);
    assertEquals([status, stderr], [0, ""]);
    assertStringIncludes(stdout, "Mirrors ");
    assertStringIncludes(stdout, `\n$ deno run -A scripts/${script}`);
    const usage = stdout.slice(stdout.indexOf(`\nusage: ${script} [--host=`));
    assertMatch(usage, /\[--host=\S+\] \[--port=\d+\].* \[--help\]\n$/);
    const known = [...usage.matchAll(/\[--([\w-]+)/g)].map(([, flag]) => flag);
    const all = ["secret", "message", "buffer-size", "tries", "timeout", "quiet", "max-length"];
    const foreign = all.filter((flag) => !known.includes(flag)).map((flag) => `--${flag}=1`);
    const wrong = [
      ...foreign,
      "--port=70000",
      "extra",
      ...known.includes("quiet") ? ["--quiet=1"] : [],
    ];
    await inParallel(wrong.map((arg) => () => assertRefused(script, [arg])), 4);
  });
}

// All scripts read their flags in the same way.
Deno.test("values and flags that make no sense are refused, each with its reason", async () => {
  const lines = Object.entries(OUT_OF_RANGE).flatMap(([flag, values]) => {
    const none = flag === "timeout" ? NO_NUMBERS.filter((word) => word !== "1.5") : NO_NUMBERS;
    return [...none, ...values].map((value) => [`--${flag}=${value}`]);
  });
  // A wrong flag is wrong also behind good ones, and behind what is no flag.
  lines.push(...NONSENSE, ["--port=9900", "--nonsense"], ["--host", "127.0.0.1", "--port=x"]);
  lines.push(["--", "extra"], ["localhost", "9900"], ["--tries", ""], ["--message"]);
  const client = "practical12_client_udp.ts";
  const refusals = lines.map((args) => () => assertRefused(client, args));
  const server = [["--no-quiet"], ["--secret=0"], ["--secret=100"], ["--secret=42", "--secret=x"]];
  refusals.push(...server.map((args) => () => assertRefused("guess_server.ts", args)));
  await inParallel(refusals, 4);
});

Deno.test("guess_server.ts names the same range for every secret that is none", async () => {
  for (const secret of ["0", "100", "99999", "abc"]) {
    const { stderr } = await runScript("guess_server.ts", [`--secret=${secret}`]);
    const told = `error: --secret must be a whole number from 1 to 99, not ${secret}`;
    assertEquals(stderr.split("\n")[0], told);
  }
});
