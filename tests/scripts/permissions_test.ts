/** The least permissions of the scripts, and what they print when one is missing. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { type Script } from "../../scripts/lab/catalog/header.ts";
import { labs } from "../../scripts/lab/catalog/labs.ts";
import { runChecked } from "../../scripts/lab/session/checks.ts";
import { commandParticipant } from "../../scripts/lab/session/participant.ts";
import { DENO_RUN, Program } from "../../scripts/lab/process/program.ts";
import { encode, quietPort, SCRIPTS, sendTo, temporary, THOROUGH, udpSocket } from "../helpers.ts";

const scripts = labs.flatMap(({ transport, server, client }) => [
  { transport, script: server, isClient: false },
  { transport, script: client, isClient: true },
]);

/**
 * Returns the least permission of a script: its server's address. A UDP client also needs its own
 * address, which the system chooses. A UDP server needs the addresses of its clients, whose ports
 * are not known in advance.
 */
function leastPermission(transport: "tcp" | "udp", isClient: boolean, port: number): string {
  if (transport === "tcp") return `--allow-net=127.0.0.1:${port}`;
  return isClient ? `--allow-net=127.0.0.1:${port},0.0.0.0:0` : "--allow-net=127.0.0.1";
}

/** Starts a script with these permissions. */
function startWith(permissions: string[], script: string, ...args: string[]): Program {
  const options = { env: { NO_COLOR: "1" } };
  return new Program([...DENO_RUN, ...permissions, SCRIPTS + script, ...args], undefined, options);
}

// sessions_test.ts runs all labs with --allow-net, which is granted in the same way.
const QUICK_LABS = ["echo_v2", "guess"]; // one for each transport

for (const lab of labs) {
  const ignore = !THOROUGH && !QUICK_LABS.includes(lab.name);
  Deno.test(`lab ${lab.name} runs with the least permission`, { ignore }, async () => {
    const { transport } = lab;
    // The permission names the port, so the port must be known first: it is not 0.
    const participant = ({ name, args }: Script, isClient: boolean) =>
      commandParticipant(name, (port) => {
        const others = args.filter((arg) => !arg.startsWith("--port="));
        const run = [...DENO_RUN, "--no-prompt", leastPermission(transport, isClient, port)];
        return [...run, SCRIPTS + name, ...others, `--port=${port}`];
      }, { transport });
    const { checks } = await runChecked(lab, {
      server: participant(lab.server, false),
      client: participant(lab.client, true),
    });
    assertEquals(checks.filter(({ problem, isNotation }) => problem || isNotation), []);
    assert(checks.length >= 6);
  });
}

/** Runs a script that must fail because a permission is missing. */
async function assertDenied(
  script: Script,
  permissions: string[],
  port: number,
  missing: string,
  more: string[] = [],
) {
  await using program = startWith(permissions, script.name, `--port=${port}`, ...more);
  // stdin stays open, so that a prompt would wait.
  await program.send(encode(script.typed.map((line) => `${line}\n`).join("")));
  const line = `${script.name} ${permissions.join(" ")}`;
  assert(await program.ended(), `${line} hangs: ${program.errors}`);
  assertEquals(await program.status, 1, line);
  const [message, hint, ...others] = program.errors.split("\n");
  assertEquals(message, `error: permission missing: net access to "${missing}"`);
  assertMatch(hint, new RegExp(`^allow it: deno run --allow-net .*${script.name}$`));
  assertEquals(others, [""]);
  // Only lines of the session that need no network are printed.
  const session = script.screen.replace(/\bport \d+/g, `port ${port}`);
  const lines = program.screen.split("\n");
  assert(lines.every((line) => session.includes(line)), `${line}: ${program.screen}`);
}

for (const [i, { transport, script, isClient }] of scripts.entries()) {
  Deno.test(`${script.name} reports which permission is missing, and does not ask for it`, async () => {
    const port = quietPort();
    const place = `127.0.0.1:${port}`;
    const hasOwnAddress = transport === "udp" && isClient;
    const own = hasOwnAddress ? "0.0.0.0:0" : place;
    const local = hasOwnAddress ? own : `localhost:${port}`;
    const insufficient: [permissions: string[], missing: string, args: string[]][] = [
      [[], own, []], // stdin is not a terminal, so Deno does not ask
      [["--allow-net", `--deny-net=${own}`], own, []],
      [[`--allow-net=127.0.0.1:${port ^ 1}`], own, []],
      [[`--allow-net=127.0.0.2:${port}`], own, []],
      // Also when only localhost is permitted, and given as the host.
      [[`--allow-net=${local}`], place, ["--host=localhost"]],
    ];
    // The scripts share the code for this, so in a quick run each script has one of these cases.
    const cases = THOROUGH ? insufficient : [insufficient[i % insufficient.length]];
    for (const [permissions, missing, args] of cases) {
      const all = permissions.length === 0 ? [] : ["--no-prompt", ...permissions];
      await assertDenied(script, all, port, missing, args);
    }
  });
}

for (const { transport, server: { name } } of labs) {
  if (transport === "tcp") continue;
  Deno.test(`${name} reports once which client it may not reply to, and replies to the next one`, async () => {
    const port = quietPort();
    using socket = udpSocket();
    using permitted = udpSocket();
    const permission = `--allow-net=127.0.0.1:${port},127.0.0.1:${permitted.port}`;
    await using program = startWith(["--no-prompt", permission], name, `--port=${port}`);
    assert(await program.until(() => program.errors.includes("note: listening")));
    for (let i = 0; i < 100; i++) await sendTo(socket, port, "50");
    const message = `net access to "127.0.0.1:${socket.port}"`;
    assert(await program.until(() => program.errors.includes(message)), program.errors);
    await sendTo(permitted, port, "50");
    // A pause of 0.1 s after each error would take 10 s.
    await deadline(permitted.receive(), 8000);
    assertEquals(program.errors.split("\n").length, 3); // once, after the note
  });
}

Deno.test("echo_client.ts and echo_server.ts report that the permission to look up a host is missing", async () => {
  for (const script of ["echo_client.ts", "echo_server.ts"]) {
    const permissions = ["--no-prompt", "--allow-net=127.0.0.1:9"];
    await using program = startWith(permissions, script, "--port=9", "--host=nosuch.invalid");
    assert(await program.ended());
    assertEquals(await program.status, 1);
    assertMatch(
      program.errors,
      /^error: permission missing: net access to "nosuch\.invalid(:9)?"\nallow it: deno run --allow-net .*\n$/,
    );
  }
});

Deno.test("a copy of a script without a permission prints how to run the copy", async () => {
  await using folder = await temporary();
  await Deno.mkdir(`${folder.path}/scripts`);
  await Deno.copyFile(`${SCRIPTS}../deno.json`, `${folder.path}/deno.json`);
  for (const name of ["lib.ts", "cli.ts"]) {
    await Deno.copyFile(`${SCRIPTS}${name}`, `${folder.path}/scripts/${name}`);
  }
  const run = async (name: string) => {
    await Deno.copyFile(`${SCRIPTS}echo_server.ts`, `${folder.path}/scripts/${name}`);
    const command = [...DENO_RUN, "--no-prompt", `scripts/${name}`, "--port=9901"];
    await using program = new Program(command, undefined, { cwd: folder.path });
    assert(await program.ended());
    return program.errors.split("\n");
  };
  const [message, hint] = await run("my server.ts");
  assertMatch(message, /^error: permission missing: net access to /);
  assertMatch(hint, /^allow it: deno run --allow-net .*my server\.ts["']?$/);
  const [, hintInQuotes] = await run("server(1).ts"); // a shell needs the quotes
  assertMatch(hintInQuotes, /^allow it: deno run --allow-net ["'].*server\(1\)\.ts["']$/);
});
