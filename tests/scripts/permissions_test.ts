/** What permissions the scripts need, to the port, and what they say without. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { findLabs, type Script } from "../../scripts/lab/header.ts";
import { type Player, runPair } from "../../scripts/lab/pair.ts";
import { freePort } from "../../scripts/lab/ports.ts";
import { DENO_RUN, Program } from "../../scripts/lab/program.ts";
import { encode, SCRIPTS, sendTo, udpSocket } from "../helpers.ts";

const labs = findLabs();
const scripts = labs.flatMap(({ transport, server, client }) => [
  { transport, script: server, isClient: false },
  { transport, script: client, isClient: true },
]);

/**
 * The least permission of a script: its server's address. Over UDP a client has
 * an address of its own as well, which the system chooses, and a server needs
 * the addresses of its clients, whose ports nobody knows before.
 */
function leastPermission(transport: "tcp" | "udp", isClient: boolean, port: number): string {
  if (transport === "tcp") return `--allow-net=127.0.0.1:${port}`;
  if (isClient) return `--allow-net=127.0.0.1:${port},0.0.0.0:0`;
  return "--allow-net=127.0.0.1";
}

/** A script with its least permission, which takes part in its header's session. */
function poorPlayer({ name, args }: Script, permission: (port: number) => string): Player {
  const others = args.filter((arg) => !arg.startsWith("--port="));
  return {
    name,
    tellsPort: false, // the port must be known before its permission is
    isStrict: true,
    command: (port) => [
      ...DENO_RUN,
      "--no-prompt",
      permission(port),
      SCRIPTS + name,
      ...others,
      `--port=${port}`,
    ],
  };
}

for (const lab of labs) {
  const { transport } = lab;
  const permission = (isClient: boolean) => (port: number) =>
    leastPermission(transport, isClient, port);

  Deno.test(`lab ${lab.name} runs with the least permission`, async () => {
    const { checks } = await runPair(lab, {
      server: poorPlayer(lab.server, permission(false)),
      client: poorPlayer(lab.client, permission(true)),
    });
    assertEquals(checks.filter(({ problem }) => problem), []);
    assertEquals(checks.filter(({ isNotation }) => isNotation), []);
    assert(checks.length >= 6);
  });
}

/** Runs a script that must fail for want of a permission, and gives what it said. */
async function assertDenied(
  script: Script,
  permissions: string[],
  port: number,
  missing: string,
  more: string[] = [],
) {
  await using program = new Program(
    [...DENO_RUN, ...permissions, SCRIPTS + script.name, `--port=${port}`, ...more],
    undefined,
    { env: { NO_COLOR: "1" } },
  );
  const typed = script.typed.map((line) => `${line}\n`).join("");
  await program.send(encode(typed)); // and the keyboard stays: a prompt would wait
  const line = `${script.name} ${permissions.join(" ")}`;
  assert(await program.ended(), `${line} hangs: ${program.errors}`);
  assertEquals(await program.status, 1, line);
  const [message, hint, ...others] = program.errors.split("\n");
  assertEquals(message, `error: permission missing: net access to "${missing}"`);
  assertMatch(hint, new RegExp(`^allow it: deno run --allow-net .*${script.name}$`));
  assertEquals(others, [""]);
  // The session as far as it comes without the network.
  const session = script.screen.replace(/\bport \d+/g, `port ${port}`);
  assert(session.startsWith(program.screen), `${line}: ${program.screen}`);
}

for (const { transport, script, isClient } of scripts) {
  Deno.test(`${script.name} tells which permission is missing, and asks nobody`, async () => {
    const port = freePort(transport);
    const place = `127.0.0.1:${port}`;
    const own = transport === "udp" && isClient ? "0.0.0.0:0" : place;
    // stdin is no terminal here, so that Deno itself asks nobody either.
    for (const asking of [[], ["--no-prompt"]]) {
      for (
        const permission of [
          [],
          ["--deny-net"],
          ["--allow-net", `--deny-net=${own}`],
          [`--allow-net=127.0.0.1:${port ^ 1}`],
          [`--allow-net=127.0.0.2:${port}`],
        ]
      ) {
        await assertDenied(script, [...asking, ...permission], port, own);
      }
    }
  });

  Deno.test(`${script.name} shows its manual without any permission`, async () => {
    await using program = new Program([
      ...DENO_RUN,
      "--no-prompt",
      SCRIPTS + script.name,
      "--help",
    ]);
    assert(await program.ended());
    assertEquals([await program.status, program.errors], [0, ""]);
    assertMatch(program.screen, /\nusage: /);
  });
}

Deno.test("a permission for localhost is none for 127.0.0.1, and the message names the address", async () => {
  for (const { transport, script, isClient } of scripts) {
    if (transport === "udp" && isClient) continue; // it fails at its own address
    const port = freePort(transport);
    await assertDenied(
      script,
      ["--no-prompt", `--allow-net=localhost:${port}`],
      port,
      `127.0.0.1:${port}`,
      ["--host=localhost"],
    );
  }
});

for (const { transport, server } of labs) {
  if (transport === "tcp") continue;
  Deno.test(`${server.name} tells which client it is not permitted to answer, and goes on`, async () => {
    const port = freePort("udp");
    const place = `127.0.0.1:${port}`;
    await using program = new Program(
      poorPlayer(server, () => `--allow-net=${place}`).command(port),
    );
    assert(await program.until(() => program.errors.includes("note: listening")));
    using socket = udpSocket();
    for (let i = 0; i < 300; i++) await sendTo(socket, port, "50");
    const told = `net access to "127.0.0.1:${socket.port}"`;
    assert(await program.until(() => program.errors.includes(told)), program.errors);
    assertEquals(program.errors.split("\n").length, 3); // once, after the note
  });
}

Deno.test("a UDP client that may only use its own address names its server's", async () => {
  for (const { transport, script, isClient } of scripts) {
    if (transport === "tcp" || !isClient) continue;
    const port = freePort("udp");
    await using program = new Program([
      ...DENO_RUN,
      "--no-prompt",
      "--allow-net=0.0.0.0:0",
      SCRIPTS + script.name,
      `--port=${port}`,
    ]);
    await program.send(encode("50\n"));
    assert(await program.ended(), `${script.name} hangs: ${program.screen}`);
    assertEquals(await program.status, 1);
    const [message] = program.errors.split("\n");
    const place = `"127.0.0.1:${port}"`;
    assertEquals(message, `error: permission missing: net access to ${place}`);
  }
});

Deno.test("a host whose look-up is not permitted is told as a missing permission", async () => {
  for (const script of ["echo_client.ts", "echo_server.ts"]) {
    await using program = new Program([
      ...DENO_RUN,
      "--no-prompt",
      "--allow-net=127.0.0.1:9",
      SCRIPTS + script,
      "--port=9",
      "--host=nosuch.invalid",
    ]);
    assert(await program.ended());
    assertEquals(await program.status, 1);
    assertMatch(
      program.errors,
      /^error: permission missing: net access to "nosuch\.invalid(:9)?"\nallow it: deno run --allow-net .*\n$/,
    );
  }
});

Deno.test("a copy of a script without a permission tells how to run the copy", async () => {
  const folder = await Deno.makeTempDir();
  try {
    for (const name of ["lib.ts", "echo_server.ts"]) {
      await Deno.mkdir(`${folder}/scripts`, { recursive: true });
      await Deno.copyFile(SCRIPTS + name, `${folder}/scripts/${name}`);
    }
    await Deno.copyFile(`${SCRIPTS}../deno.json`, `${folder}/deno.json`);
    await Deno.rename(`${folder}/scripts/echo_server.ts`, `${folder}/scripts/my server.ts`);
    await using program = new Program(
      [...DENO_RUN, "--no-prompt", "scripts/my server.ts", "--port=9901"],
      undefined,
      { cwd: folder },
    );
    assert(await program.ended());
    const [message, hint] = program.errors.split("\n");
    assertMatch(message, /^error: permission missing: net access to /);
    assertMatch(hint, /^allow it: deno run --allow-net .*my server\.ts["']?$/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
