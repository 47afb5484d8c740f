/** Wrong command lines, and the help of every script. */
import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { type Flags, parseFlags, UsageError } from "../../scripts/cli.ts";
import { labs } from "../../scripts/lab/catalog/labs.ts";
import { DENO_RUN, Program } from "../../scripts/lab/process/program.ts";
import { resultOf, runScript, SCRIPTS } from "../helpers.ts";

const NOT_NUMBERS = [
  ..."x,-1,1.5,1e3,0x10,+1,1_000,NaN,Infinity,-0,99999999999999999999".split(","),
  ...["1,000", "٣", "５", "\x1b[2J", "1\n2"], // with Arabic and with full-width digits
];

const OUT_OF_RANGE = {
  port: ["65536"],
  "buffer-size": ["0", "1073741825"],
  timeout: ["0", "0.0", "86401", ".", "1.", "-0.5", "1s"],
  tries: ["0", "1001", "2.5"],
};

/** Arguments that no script accepts. */
const NONSENSE = [
  ..."--nonsense=1,--PORT=1,---port=1,--no-port,--port.x=1,--__proto__=1,--constructor,--=1".split(
    ",",
  ),
  ..."-x,-port=1,-,9900,\x1b[2J,two\nlines,--_=1,--_".split(","),
  ...["--port", "--port=", "--host=", "--timeout", "--secret=1", "--port=0", "x".repeat(1000)],
].map((word) => [word]);

const REASON =
  /^(unknown flag |unexpected argument |--[\w-]+ (must be |needs a value|takes no value)|--port=0 is for servers)/;

async function flagsOf(script: string): Promise<Flags> {
  const { FLAGS } = await import(`../../scripts/${script}`);
  return FLAGS;
}

function assertRefused(flags: Flags, args: string[]) {
  const { message } = assertThrows(() => parseFlags(args, flags), UsageError);
  assertMatch(message, REASON, JSON.stringify(args));
}

for (const script of labs.flatMap(({ server, client }) => [server.name, client.name])) {
  Deno.test(`${script} refuses flags that it does not have`, async () => {
    const flags = await flagsOf(script);
    const all = ["secret", "message", "bufferSize", "backlog", "tries", "timeout", "quiet"];
    const unknown = all.filter((name) => !(name in flags));
    for (const name of unknown) assertRefused(flags, [`--${name.replace("S", "-s")}=1`]);
    assertRefused(flags, ["--port=70000"]);
    assertRefused(flags, ["extra"]);
    if ("quiet" in flags) assertRefused(flags, ["--quiet=1"]);
  });
}

Deno.test("parseFlags() refuses wrong values and flags, each with its reason", async () => {
  const client = await flagsOf("practical12_client_udp.ts");
  for (const [flag, values] of Object.entries(OUT_OF_RANGE)) {
    const wrong = flag === "timeout" ? NOT_NUMBERS.filter((word) => word !== "1.5") : NOT_NUMBERS;
    for (const value of [...wrong, ...values]) assertRefused(client, [`--${flag}=${value}`]);
  }
  for (const args of NONSENSE) assertRefused(client, args);
  // Also when a correct flag or an argument comes first.
  assertRefused(client, ["--port=9900", "--nonsense"]);
  assertRefused(client, ["--host", "127.0.0.1", "--port=x"]);
  for (const args of [["--", "extra"], ["localhost", "9900"], ["--tries", ""], ["--message"]]) {
    assertRefused(client, args);
  }
  const server = await flagsOf("guess_server.ts");
  for (const arg of ["--no-quiet", "--secret=0", "--secret=100", "--secret=x"]) {
    assertRefused(server, [arg]);
  }
  assertRefused(server, ["--secret=42", "--secret=x"]);
});

Deno.test("parseFlags() accepts a value after = or as the next word, and keeps the defaults", async () => {
  const flags = await flagsOf("echo_client_udp.ts");
  for (const args of [["--port=7", "--timeout=.5"], ["--port", "7", "--timeout", ".5"]]) {
    assertEquals(parseFlags(args, flags), { ...flags, port: 7, timeout: 0.5 });
  }
  assertEquals(parseFlags(["--message="], flags).message, "");
});

Deno.test("a wrong command line gives the error, the usage, and exit status 2", async () => {
  const { status, stdout, stderr } = await runScript("guess_server.ts", ["--secret=\x1b[2J"]);
  assertEquals([status, stdout], [2, ""]);
  assertEquals(stderr.split("\n"), [
    "error: --secret must be a whole number from 1 to 99, not \\x1b[2J",
    "usage: guess_server.ts [--host=localhost] [--port=9900] [--secret=N] [--quiet] [--help]",
    "",
  ]);
});

Deno.test("--help shows the usage, every flag with its comment, and the manual, without a permission", async () => {
  for (const script of ["guess_server.ts", "echo_client_v2.ts"]) {
    await using program = new Program([...DENO_RUN, "--no-prompt", SCRIPTS + script, "--help"]);
    const { status, stdout, stderr } = await resultOf(program);
    assertEquals([status, stderr], [0, ""]);
    assert(stdout.startsWith(`usage: ${script} [--host=`), stdout);
    const [, list] = stdout.split("\n\n");
    const flags = list.split("\n").map((line) => line.match(/^ {2}--([\w-]+)\S* .*[a-z]{3}/)?.[1]);
    const names = Object.keys(await flagsOf(script));
    assertEquals(flags, names.map((name) => name.replace("S", "-s")));
    assertStringIncludes(stdout, "Mirrors ");
    assertStringIncludes(stdout, `\n$ deno run -A scripts/${script}`);
  }
});

Deno.test("every flag of every script has a comment", async () => {
  for (const { server, client } of labs) {
    for (const { name } of [server, client]) {
      const source = Deno.readTextFileSync(SCRIPTS + name);
      const commented = [...source.matchAll(/^ {2}(\w+):.*, \/\/ \w/gm)].map(([, flag]) => flag);
      assertEquals(commented, Object.keys(await flagsOf(name)), name);
    }
  }
});
