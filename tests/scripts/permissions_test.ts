/** What permissions the scripts need, to the port, and what they say without. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { findLabs, type Script } from "../../scripts/lab/catalog/header.ts";
import { runChecked } from "../../scripts/lab/session/checks.ts";
import type { Participant } from "../../scripts/lab/session/session.ts";
import { DENO_RUN, Program } from "../../scripts/lab/process/program.ts";
import { encode, quietPort, SCRIPTS, sendTo, temporary, udpSocket } from "../helpers.ts";

const labs = findLabs();
const scripts = labs.flatMap(({ transport, server, client }) => [
  { transport, script: server, isClient: false },
  { transport, script: client, isClient: true },
]);

/**
 * The least permission of a script: its server's address. Over UDP a client has an address of its
 * own as well, which the system chooses, and a server needs the addresses of its clients, whose
 * ports nobody knows before.
 */
function leastPermission(transport: "tcp" | "udp", isClient: boolean, port: number): string {
  if (transport === "tcp") return `--allow-net=127.0.0.1:${port}`;
  return isClient ? `--allow-net=127.0.0.1:${port},0.0.0.0:0` : "--allow-net=127.0.0.1";
}

/** Starts a script with these permissions, and asks for no more. */
function startWith(permissions: string[], script: string, ...args: string[]): Program {
  const options = { env: { NO_COLOR: "1" } };
  return new Program([...DENO_RUN, ...permissions, SCRIPTS + script, ...args], undefined, options);
}

for (const lab of labs) {
  Deno.test(`lab ${lab.name} runs with the least permission`, async () => {
    const participant = ({ name, args }: Script, isClient: boolean): Participant => ({
      name,
      reportsPort: false, // the permission names the port, so the port must be known first
      command: (port) => {
        const others = args.filter((arg) => !arg.startsWith("--port="));
        const run = [...DENO_RUN, "--no-prompt", leastPermission(lab.transport, isClient, port)];
        return [...run, SCRIPTS + name, ...others, `--port=${port}`];
      },
    });
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
  // The keyboard stays, so that a prompt would wait.
  await program.send(encode(script.typed.map((line) => `${line}\n`).join("")));
  const line = `${script.name} ${permissions.join(" ")}`;
  assert(await program.ended(), `${line} hangs: ${program.errors}`);
  assertEquals(await program.status, 1, line);
  const [message, hint, ...others] = program.errors.split("\n");
  assertEquals(message, `error: permission missing: net access to "${missing}"`);
  assertMatch(hint, new RegExp(`^allow it: deno run --allow-net .*${script.name}$`));
  assertEquals(others, [""]);
  // Lines of the session that come without the network.
  const session = script.screen.replace(/\bport \d+/g, `port ${port}`);
  const lines = program.screen.split("\n");
  assert(lines.every((line) => session.includes(line)), `${line}: ${program.screen}`);
}

for (const { transport, script, isClient } of scripts) {
  Deno.test(`${script.name} says which permission is missing, and does not ask for it`, async () => {
    const port = quietPort();
    const place = `127.0.0.1:${port}`;
    const isAsker = transport === "udp" && isClient;
    const own = isAsker ? "0.0.0.0:0" : place;
    await assertDenied(script, [], port, own); // stdin is not a terminal, so Deno does not ask either
    for (
      const permissions of [
        ["--allow-net", `--deny-net=${own}`],
        [`--allow-net=127.0.0.1:${port ^ 1}`],
        [`--allow-net=127.0.0.2:${port}`],
      ]
    ) {
      await assertDenied(script, ["--no-prompt", ...permissions], port, own);
    }
    // Also when only localhost is permitted, and given as the host.
    const other = isAsker ? "0.0.0.0:0" : `localhost:${port}`;
    const permissions = ["--no-prompt", `--allow-net=${other}`];
    await assertDenied(script, permissions, port, place, ["--host=localhost"]);
  });
}

for (const { transport, server: { name } } of labs) {
  if (transport === "tcp") continue;
  Deno.test(`${name} reports once which client it may not answer, and answers the next one at once`, async () => {
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
    await deadline(permitted.receive(), 2000);
    assertEquals(program.errors.split("\n").length, 3); // once, after the note
  });
}

Deno.test("says that the permission is missing when a host may not be looked up", async () => {
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

Deno.test("a copy of a script without a permission says how to run the copy", async () => {
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
  const [, hintInQuotes] = await run("server(1).ts"); // which no shell takes without
  assertMatch(hintInQuotes, /^allow it: deno run --allow-net ["'].*server\(1\)\.ts["']$/);
});
