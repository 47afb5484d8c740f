/** The commands in the README and in the page for teachers print what is shown there. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { cpSync } from "node:fs";
import { delimiter, dirname } from "node:path";
import { SCRIPTS } from "../scripts/lab/catalog/header.ts";
import { DENO_RUN, hasPython, isListening, Program } from "../scripts/lab/process/program.ts";
import { has, quietPort, temporary, THOROUGH } from "./helpers.ts";

const ROOT = `${SCRIPTS}..`;
const readme = Deno.readTextFileSync(`${ROOT}/README.md`).replaceAll("\r", "");
const isWindows = Deno.build.os === "windows";
const python = await hasPython();

const isCheckout = Deno.readDirSync(ROOT).some(({ name }) => name === ".git") &&
  has("git", { args: ["--version"] });

// These commands take minutes, or would run this test inside itself.
const SKIPPED = ["npx -y deno@2 task test", "deno task bench", "deno task soak"];
// This one waits for a browser: tests/lab/live_test.ts runs it.
SKIPPED.push("deno task lab live");
// These commands take long. Tests of the same commands are in this file or in tests/lab.
if (!THOROUGH) {
  SKIPPED.push("npx -y deno@2 task demo", "deno task lab book", "deno task lab check");
  SKIPPED.push("deno task --cwd ../my-copy check");
}

/** A code block of the README. */
interface Block {
  language: string;
  /** The commands and their output. */
  steps: { command: string; output: string }[];
}

/** Copies the project to a folder. Returns an environment in which `deno` and `npx` are installed. */
async function clone(folder: string): Promise<Record<string, string>> {
  const project = `${folder}/project`;
  for (const name of ["scripts", "tests", "deno.json", "deno.lock", "README.md"]) {
    cpSync(`${ROOT}/${name}`, `${project}/${name}`, { recursive: true });
  }
  const bin = `${folder}/bin`;
  await Deno.mkdir(bin);
  if (isWindows) {
    await Deno.writeTextFile(`${bin}/npx.cmd`, "@deno %3 %4 %5 %6 %7 %8 %9\r\n");
  } else {
    await Deno.symlink(Deno.execPath(), `${bin}/deno`);
    await Deno.writeTextFile(
      `${bin}/npx`,
      '#!/bin/sh\n[ "$1 $2" = "-y deno@2" ] && shift 2 && exec deno "$@"\n',
      { mode: 0o755 },
    );
  }
  const PATH = [bin, dirname(Deno.execPath()), Deno.env.get("PATH")].join(delimiter);
  return { PATH, NO_COLOR: "1" };
}

/** Returns the code blocks of a section, with free ports in place of 9900 and 8080. */
function blocksOf(section: string): Block[] {
  const ports = new Map([["9900", quietPort()], ["8080", quietPort()]]);
  const text = section.replace(
    /\b(9900|8080)\b/g,
    (port) => `${ports.get(port)}`,
  );
  return [...text.matchAll(/^```(console|sh)\n([^]*?)^```/gm)].map(
    ([, language, content]) => {
      const parts = language === "sh"
        ? content.split("\n").filter((line) => line !== "").map((line) => line + "\n")
        : content.split(/^\$ /m).slice(1);
      const steps = parts.map((part) => {
        const end = part.indexOf("\n");
        return { command: part.slice(0, end), output: part.slice(end + 1) };
      });
      return { language, steps };
    },
  );
}

/** Removes the parts of an output that differ between runs: ports, and which column printed first. */
function normalize(output: string): string {
  const lines = output.replace(/\bport[ =]\d+/g, "port N")
    .replace(/', \d+\)/g, "', N)").split("\n");
  const rows = lines.filter((line) => line.includes(" │ ") || / │$/.test(line));
  const column = (i: number) =>
    rows.map((row) => row.split("│")[i].trim()).filter((cell) => cell !== "");
  const others = lines.filter((line) => line !== "" && !rows.includes(line) && !/^─/.test(line));
  return [...others, ...column(0), ...column(1)].join("\n");
}

function ownAddress(): string {
  const own = Deno.networkInterfaces().find(({ family, address }) =>
    family === "IPv4" && address !== "127.0.0.1"
  );
  return own?.address ?? "127.0.0.1";
}

/** Returns whether a command starts a server, and the server can start. */
function isServer(command: string, output: string): boolean {
  return /_server|netcat\.ts -l/.test(command) &&
    !/^error: /m.test(output) && !command.includes("task");
}

const teachers = Deno.readTextFileSync(`${SCRIPTS}TEACHERS.md`).replaceAll("\r", "");
const sections = [readme, teachers].flatMap((page) => page.split(/^## /m));

// One copy of the project for all sections: a reader has one too, and Deno compiles it once.
let folder: Awaited<ReturnType<typeof temporary>>;
let env: Record<string, string>;
Deno.test.beforeAll(async () => {
  folder = await temporary();
  env = await clone(folder.path);
});
Deno.test.afterAll(async () => await folder[Symbol.asyncDispose]());

for (const section of sections.filter((text) => /^```(console|sh)/m.test(text))) {
  const [heading] = section.split("\n");
  Deno.test(
    `README, ${heading.replace(/^# /, "")}: the commands print what it shows`,
    { ignore: !python && /\.py\b|counterparts/.test(section) },
    async () => {
      const cwd = `${folder.path}/project`;
      await using stack = new AsyncDisposableStack();
      const fill = (command: string) =>
        command.replace("192.0.2.7", ownAddress()).replace("ADDRESS", ROOT);
      const start = (command: string) => {
        const isList = !isWindows && /[|]|^cd/.test(command);
        const script = fill(isList ? `{ ${command}; }` : isWindows ? command : `exec ${command}`);
        const shell = [...isWindows ? ["cmd", "/d", "/c"] : ["sh", "-c"], `${script} 2>&1`];
        return new Program(shell, undefined, { cwd, env });
      };
      /** Starts a server without a shell. On Windows, it would not end with the shell. */
      const startServer = (command: string) => {
        const [, ...args] = fill(command).split(" ");
        return new Program([Deno.execPath(), ...args], undefined, { cwd, env });
      };
      let server: Program | undefined;
      let serverOutput = "";
      for (const { language, steps } of blocksOf(section)) {
        for (const { command, output } of steps) {
          if (SKIPPED.some((start) => command.startsWith(start))) continue;
          if (/ADDRESS|^cd/.test(command) && !isCheckout) continue; // without Git
          const port = Number(command.match(/(?:--port=| -l )(\d+)/)?.[1]);
          if (isServer(command, output)) {
            server = stack.use(startServer(command));
            serverOutput = output;
            assert(await isListening(server, port, "tcp", 30), server.errors);
            continue;
          }
          using _taken = output.includes("is already in use")
            ? Deno.listen({ hostname: "127.0.0.1", port })
            : undefined;
          const line = command.replace(/ #.*/, "");
          await using program = start(line);
          await program.endInput();
          assert(await program.ended(60), `${command} hangs: ${program.screen}`);
          if (language === "console") {
            assertEquals(normalize(program.screen), normalize(output), command);
          } else {
            assertEquals(await program.status, 0, `${command}: ${program.screen}`);
          }
          if (server && language === "console") {
            // A server prints its note on stderr before all else.
            const printed = () => normalize(server!.errors + server!.screen);
            const isSame = () => printed() === normalize(serverOutput);
            assert(await server.until(isSame), `${printed()}\ninstead of\n${serverOutput}`);
          }
        }
      }
    },
  );
}

Deno.test("the permissions in scripts/README.md are sufficient", async () => {
  const page = Deno.readTextFileSync(`${SCRIPTS}README.md`);
  const rows = [...page.matchAll(/^\| (.+?) +\| `(--allow-net.+?)` /gm)];
  const permission = (program: string, port: number) =>
    rows.find(([, name]) => name === program)![2].replace("9900", `${port}`);
  for (const transport of ["tcp", "udp"] as const) {
    const port = quietPort();
    const name = (role: string) => `echo_${role}${transport === "udp" ? "_udp" : ""}.ts`;
    const run = (role: "server" | "client") => {
      const program = transport === "tcp" ? "TCP" : `UDP ${role}`;
      const flags = ["--no-prompt", ...permission(program, port).split(" ")];
      const script = SCRIPTS + name(role);
      return new Program([...DENO_RUN, ...flags, script, `--port=${port}`]);
    };
    await using server = run("server");
    assert(await isListening(server, port, transport, 30), server.errors);
    await using client = run("client");
    assert(await client.ended());
    assertEquals([await client.status, client.errors], [0, ""]);
  }
});

for (const file of ["README.md", "scripts/README.md", "scripts/TEACHERS.md", "tests/README.md"]) {
  Deno.test(`the links in ${file} have targets`, () => {
    const text = Deno.readTextFileSync(`${ROOT}/${file}`);
    for (const [, path] of text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
      assert(Deno.statSync(`${ROOT}/${dirname(file)}/${path}`), path);
    }
  });
}

Deno.test("left_out.ts names what this machine lacks, and counts it", async () => {
  // Windows has none of these, and finds its own tools in PATH.
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `${ROOT}/tests/left_out.ts`],
    env: { TEST_ALL: "1", ...isWindows ? {} : { PATH: "" } },
  }).output();
  const lines = new TextDecoder().decode(stdout);
  for (const need of [...isWindows ? [] : ["Python 3"], "nc.openbsd", "ncat", "socat"]) {
    assertMatch(lines, new RegExp(`^skipped without ${need}: `, "m"));
  }
  const [, count] = lines.match(/^(\d+) groups? of tests skipped\b/m)!;
  assertEquals(Number(count), lines.match(/^skipped without /gm)!.length);
});
