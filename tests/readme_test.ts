/** Every command and every output of the README, as somebody new meets them. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { cpSync } from "node:fs";
import { dirname, join } from "node:path";
import { SCRIPTS } from "../scripts/lab/header.ts";
import { hasPython, isListening, Program } from "../scripts/lab/program.ts";
import { quietPort } from "./helpers.ts";

const ROOT = `${SCRIPTS}..`;
const readme = Deno.readTextFileSync(`${ROOT}/README.md`).replaceAll("\r", "");
const onUnix = {
  ignore: Deno.build.os === "windows" || !await hasPython(),
};

const isCheckout = Deno.readDirSync(ROOT).some(({ name }) => name === ".git");

// Commands that take minutes, or would run this test in itself.
const ELSEWHERE = ["npx -y deno@2 task test", "deno task bench", "deno task soak"];

/** A block of the README and what it shows. */
interface Block {
  language: string;
  /** The commands, each with what it prints. */
  steps: { command: string; output: string }[];
}

/** A folder like the one that a user has cloned, where `deno` and `npx` are. */
async function clone(): Promise<
  { folder: string; env: Record<string, string> }
> {
  const folder = await Deno.makeTempDir();
  const project = `${folder}/project`;
  for (
    const name of ["scripts", "tests", "deno.json", "deno.lock", "README.md"]
  ) {
    cpSync(`${ROOT}/${name}`, `${project}/${name}`, { recursive: true });
  }
  await Deno.mkdir(`${folder}/bin`);
  await Deno.symlink(Deno.execPath(), `${folder}/bin/deno`);
  await Deno.writeTextFile(
    `${folder}/bin/npx`,
    '#!/bin/sh\n[ "$1 $2" = "-y deno@2" ] && shift 2 && exec deno "$@"\n',
    { mode: 0o755 },
  );
  const PATH = `${folder}/bin:${Deno.env.get("PATH")}`;
  return { folder, env: { PATH, NO_COLOR: "1" } };
}

/** The blocks of a section, with ports that are free. */
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

/** What may differ from run to run taken out: ports, and which column printed first. */
function steady(output: string): string {
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

/** Whether a command waits for others: a server that can start. */
function waits(command: string, output: string): boolean {
  return /_server|netcat\.ts -l/.test(command) &&
    !/^error: /m.test(output) && !command.includes("task");
}

const teachers = Deno.readTextFileSync(`${SCRIPTS}TEACHERS.md`).replaceAll("\r", "");
const sections = [readme, teachers].flatMap((page) => page.split(/^## /m));

for (
  const section of sections.filter((text) => /^```(console|sh)/m.test(text))
) {
  const [heading] = section.split("\n");
  Deno.test(
    `README, ${heading.replace(/^# /, "")}: what stands there happens`,
    onUnix,
    async () => {
      const { folder, env } = await clone();
      const cwd = `${folder}/project`;
      const start = (command: string) => {
        const script = command.replace("192.0.2.7", ownAddress()).replace("ADDRESS", ROOT);
        return new Program(["sh", "-c", script], undefined, { cwd, env });
      };
      await using stack = new AsyncDisposableStack();
      let server: Program | undefined;
      let shown = "";
      for (const { language, steps } of blocksOf(section)) {
        for (const { command, output } of steps) {
          if (ELSEWHERE.some((start) => command.startsWith(start))) continue;
          if (/ADDRESS|^cd/.test(command) && !isCheckout) continue; // it came as a ZIP
          const port = Number(command.match(/(?:--port=| -l )(\d+)/)?.[1]);
          if (waits(command, output)) {
            server = stack.use(start(`exec ${command} 2>&1`));
            shown = output;
            assert(await isListening(server, port, "tcp", 10), server.screen);
            continue;
          }
          using _taken = output.includes("is already in use")
            ? Deno.listen({ hostname: "127.0.0.1", port })
            : undefined;
          const simple = command.replace(/ #.*/, "");
          await using program = start(
            /[|]|^cd/.test(simple) ? `{ ${simple}; } 2>&1` : `exec ${simple} 2>&1`,
          );
          await program.endInput();
          assert(
            await program.ended(60),
            `${command} hangs: ${program.screen}`,
          );
          if (language === "console") {
            assertEquals(steady(program.screen), steady(output), command);
          } else {
            assertEquals(
              await program.status,
              0,
              `${command}: ${program.screen}`,
            );
          }
          if (server && language === "console") {
            const { screen } = server;
            const isSame = () => steady(server!.screen) === steady(shown);
            assert(await server.until(isSame, 5), `${screen}\nnot\n${shown}`);
          }
        }
      }
      await server?.end();
      await Deno.remove(folder, { recursive: true });
    },
  );
}

Deno.test("the README's permissions are enough", async () => {
  const page = Deno.readTextFileSync(`${SCRIPTS}README.md`);
  const rows = [...page.matchAll(/^\| (.+?) +\| `(--allow-net.+?)` /gm)];
  const permission = (program: string, port: number) =>
    rows.find(([, name]) => name === program)![2].replace("9900", `${port}`);
  for (const transport of ["tcp", "udp"] as const) {
    const port = quietPort();
    const name = (half: string) => `echo_${half}${transport === "udp" ? "_udp" : ""}.ts`;
    const run = (half: "server" | "client") => {
      const program = transport === "tcp" ? "TCP" : `UDP ${half}`;
      const flags = ["--no-prompt", ...permission(program, port).split(" ")];
      const script = SCRIPTS + name(half);
      return new Program([
        Deno.execPath(),
        "run",
        ...flags,
        script,
        `--port=${port}`,
      ]);
    };
    await using server = run("server");
    assert(await isListening(server, port, transport, 10), server.errors);
    await using client = run("client");
    assert(await client.ended());
    assertEquals([await client.status, client.errors], [0, ""]);
  }
});

for (const file of ["README.md", "scripts/README.md", "scripts/TEACHERS.md", "tests/README.md"]) {
  Deno.test(`the links of ${file} lead somewhere`, () => {
    const text = Deno.readTextFileSync(`${ROOT}/${file}`);
    for (const [, path] of text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
      assert(Deno.statSync(`${ROOT}/${dirname(file)}/${path}`), path);
    }
  });
}

Deno.test("tests/README.md says of each file of tests what it says of itself", () => {
  const text = Deno.readTextFileSync(`${ROOT}/tests/README.md`).replaceAll(/\s+/g, " ");
  const files = [".", "bench", "kill_port", "lab", "netcat", "scripts", "soak"].flatMap((folder) =>
    [...Deno.readDirSync(`${ROOT}/tests/${folder}`)].map(({ name }) => join(folder, name))
  ).filter((name) => name.endsWith("_test.ts"));
  for (const name of files.map((name) => name.replaceAll("\\", "/"))) {
    const [, comment] = Deno.readTextFileSync(`${ROOT}/tests/${name}`)
      .match(/^\/\*\*\s+(?:\* )?([^]*?)\s*\*\//)!;
    const [sentence] = comment.replaceAll(/\s+(\* )?/g, " ").match(/^.*?\.(?= [A-Z`]|$)/)!;
    assert(text.includes(`[${name}](${name}): ${sentence}`), `${name}: ${sentence}`);
  }
});

Deno.test("left_out.ts names what this machine has not", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `${ROOT}/tests/left_out.ts`],
    env: { PATH: "" },
  }).output();
  const lines = new TextDecoder().decode(stdout);
  for (const need of ["Python 3", "nc.openbsd", "ncat", "socat"]) {
    assertMatch(lines, new RegExp(`^left out for want of ${need}: `, "m"));
  }
});
