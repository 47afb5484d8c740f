/** The program lab.ts: list, run, show, compare, check and new. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { DENO_RUN, hasPython, Program } from "../scripts/lab/program.ts";
import { encode, NOT_ON_WINDOWS, type Result, resultOf, SCRIPTS } from "./helpers.ts";

const withPython = { ignore: !await hasPython() };

/** Runs lab.ts to its end. */
async function lab(args: string[], stdin = "", cwd?: string): Promise<Result> {
  const command = [...DENO_RUN, "-A", `${SCRIPTS}lab.ts`, ...args];
  await using program = new Program(command, undefined, { cwd });
  await program.send(encode(stdin));
  await program.endInput();
  return await resultOf(program, 30);
}

/** A folder of its own for a test. */
async function temporary(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir();
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** Puts an exercise into a folder: one of our scripts with something changed. */
async function exercise(
  folder: string,
  script: string,
  change: (source: string) => string,
): Promise<string> {
  await lab(["new", script, folder]);
  const file = `${folder}/scripts/${script}.ts`;
  const source = Deno.readTextFileSync(file);
  const changed = change(source);
  assert(changed !== source, "the exercise is not broken");
  Deno.writeTextFileSync(file, changed);
  return file;
}

Deno.test("lab lists all labs, with and without the word list", async () => {
  const { status, stdout, stderr } = await lab([]);
  assertEquals([status, stderr], [0, ""]);
  assertEquals(await lab(["list"]), { status, stdout, stderr });
  assertEquals(stdout.match(/mirrors/g)?.length, 22);
  assertStringIncludes(
    stdout,
    "echo_udp  UDP  CMPU4021 Distributed Systems, week 2\n  echo_server_udp.ts  mirrors 1_14a_echo_server_udp.py\n",
  );
});

Deno.test("lab refuses wrong words, and suggests the nearest right one", async () => {
  for (
    const [args, complaint] of [
      [["lst"], "there is no lst: did you mean list?"],
      [["run", "ecko"], "there is no ecko: did you mean echo?"],
      [
        ["new", "echo_sever_v1", "x"],
        "there is no echo_sever_v1: did you mean echo_server_v1?",
      ],
      [
        ["show", "guess_clint"],
        "there is no guess_clint: did you mean guess_client?",
      ],
      [
        ["check", "x.ts", "--as=upper_servr_udp.ts"],
        "there is no upper_servr_udp.ts: did you mean upper_server_udp?",
      ],
      [["check", "x.ts"], "--as=SCRIPT is missing"],
      [["check"], "--as=SCRIPT is missing"],
      [["new", "echo"], "the folder is missing"],
      [["compare"], "the name of a lab is missing"],
      [["list", "x"], "unexpected argument x"],
      [["compare", "echo", "--orginals=x"], "unknown flag --orginals=x"],
    ] as const
  ) {
    const { status, stdout, stderr } = await lab([...args]);
    assertEquals([status, stdout], [2, ""]);
    assert(stderr.startsWith(`error: ${complaint}\nusage: lab.ts `), stderr);
  }
});

Deno.test("lab demo shows every lab side by side, in plain text where stdout is no terminal", async () => {
  const { status, stdout, stderr } = await lab(["demo"]);
  assertEquals([status, stderr], [0, ""]);
  assertEquals(stdout.match(/^ok$/gm)?.length, 11);
  assert(!stdout.includes("\x1b"));
  assertStringIncludes(stdout, "│ Enter a message: Hello, world\n");
});

Deno.test("lab demo shows events in their order", async () => {
  const { stdout } = await lab(["demo", "echo_client_udp.ts"]);
  const order = ["Waiting", "Sending", "received 33", "received Test"];
  const places = order.map((text) => stdout.indexOf(text));
  assertEquals(places, places.toSorted((a, b) => a - b), stdout);
});

Deno.test("lab run gives the client more flags and what is typed", async () => {
  const { status, stdout } = await lab([
    "run",
    "echo_v2",
    "--",
    "--message=héllo",
  ]);
  assertEquals(status, 0, stdout);
  assertStringIncludes(stdout, "│ héllo\n");
  const game = await lab(["run", "guess", "--", "--tries=1"], "7\n42\n");
  assertEquals(game.status, 0, game.stdout);
  assertStringIncludes(game.stdout, "guessed 7: HIGHER");
});

Deno.test("lab run fails when a half fails", async () => {
  const { status, stdout, stderr } = await lab(["run", "guess"], "7\n");
  assertEquals([status, stderr], [1, "error: 1 of 1 labs failed\n"]);
  assertStringIncludes(stdout, "error: the number was not found\n");
});

Deno.test("lab show puts original and script next to each other", async () => {
  const { status, stdout } = await lab(["show", "echo_server_v1"]);
  assertEquals(status, 0);
  assert(/^echo_server_v1\.py +│ echo_server_v1\.ts$/m.test(stdout), stdout);
  assert(/import socket/.test(stdout) && /Deno\.listen/.test(stdout));
  const both = await lab(["show", "echo_v1.ts"]);
  assert(/echo_server_v1\.py[^]*echo_client_v1\.py/.test(both.stdout));
});

Deno.test("lab show takes originals under their course's name, and says which are missing", async () => {
  await using folder = await temporary();
  Deno.writeTextFileSync(
    `${folder.path}/echoserver.py`,
    "# the course's own\n",
  );
  const { stdout } = await lab([
    "show",
    "echo_server_v1",
    `--originals=${folder.path}`,
  ]);
  assert(
    /^echoserver\.py +│/m.test(stdout) && stdout.includes("# the course's own"),
    stdout,
  );
  const { status, stderr } = await lab([
    "show",
    "echo_client_v1",
    `--originals=${folder.path}`,
  ]);
  assertEquals([status, stderr], [
    1,
    `error: no echoclient.py or echo_client_v1.py in ${folder.path}\n`,
  ]);
});

Deno.test(
  "lab compare finds the counterparts the same in all pairings",
  withPython,
  async () => {
    const { status, stdout, stderr } = await lab(["compare", "echo"]);
    assertEquals([status, stderr], [0, ""], stdout);
    assertEquals(stdout.match(/: same$/gm)?.length, 4, stdout);
    assert(!/ [≠~] /.test(stdout.replace(/^≠ differs.*/m, "")), stdout);
  },
);

Deno.test(
  "lab compare: an original that prints b'...' is the same but for bytes notation",
  withPython,
  async () => {
    await using folder = await temporary();
    const python = `${SCRIPTS}../tests/python/`;
    const client = Deno.readTextFileSync(`${python}echo_client.py`);
    const printing = client.replace(
      /print\(.*Received.*\)/,
      'print("Received: %s" % repr(piece))',
    );
    assert(printing !== client);
    Deno.writeTextFileSync(`${folder.path}/1_13b_echo_client.py`, printing);
    Deno.copyFileSync(
      `${python}echo_server.py`,
      `${folder.path}/1_13a_echo_server.py`,
    );
    const { status, stdout } = await lab([
      "compare",
      "echo",
      `--originals=${folder.path}`,
    ]);
    assertEquals(status, 0, stdout);
    assertStringIncludes(stdout, "Received: b'Test message. Th'");
    assertEquals(stdout.match(/ ~ Received: /g)?.length, 3, stdout);
    assertStringIncludes(
      stdout,
      "1_13a_echo_server.py with 1_13b_echo_client.py: same but for bytes notation\n",
    );
    assertStringIncludes(
      stdout,
      "echo_server.ts with 1_13b_echo_client.py: same but for bytes notation\n",
    );
    assertStringIncludes(
      stdout,
      "1_13a_echo_server.py with echo_client.ts: same\n",
    );
  },
);

Deno.test(
  "lab compare fails where an original differs, and marks it",
  withPython,
  async () => {
    await using folder = await temporary();
    const python = `${SCRIPTS}../tests/python/`;
    const server = Deno.readTextFileSync(`${python}echo_server_udp.py`);
    Deno.writeTextFileSync(
      `${folder.path}/echo_server_udp.py`,
      server.replace("Data:", "Date:"),
    );
    Deno.copyFileSync(
      `${python}echo_client_udp.py`,
      `${folder.path}/echo_client_udp.py`,
    );
    const { status, stdout, stderr } = await lab([
      "compare",
      "echo_udp",
      `--originals=${folder.path}`,
    ]);
    assertEquals([status, stderr], [1, "error: 2 of 4 pairings failed\n"]);
    assert(/^Date: Test.* ≠ Data: Test/m.test(stdout), stdout);
    assertStringIncludes(
      stdout,
      "echo_server_udp.py with echo_client.ts".replace("client", "client_udp") +
        ": differs: ",
    );
  },
);

Deno.test(
  "lab compare says when the fixed port of an original is taken",
  withPython,
  async () => {
    await using folder = await temporary();
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    for (const half of ["server", "client"]) {
      const source = Deno.readTextFileSync(
        `${SCRIPTS}../tests/python/echo_${half}_v1.py`,
      );
      Deno.writeTextFileSync(
        `${folder.path}/echo${half}.py`,
        source.replace(/^PORT = \d+/m, `PORT = ${port}`),
      );
    }
    const { status, stderr } = await lab([
      "compare",
      "echo_v1",
      `--originals=${folder.path}`,
    ]);
    assertEquals([status, stderr], [
      1,
      `error: port ${port}, which echoserver.py uses, is already in use\n`,
    ]);
  },
);

Deno.test("lab check passes our own scripts", async () => {
  for (
    const script of [
      "echo_server_v3",
      "upper_client_tcp",
      "guess_server",
      "tcp_server",
    ]
  ) {
    const { status, stdout } = await lab([
      "check",
      `${SCRIPTS}${script}.ts`,
      `--as=${script}.ts`,
    ]);
    assertEquals(status, 0, stdout);
    assert(stdout.startsWith("TAP version 14\n"), stdout);
    const count = stdout.match(/^ok \d+ - /gm)!.length;
    assert(stdout.endsWith(`\n1..${count}\n`), stdout);
    assert(count >= 7, stdout);
  }
});

/** Exercises that are wrong, and what a student is told. */
const BROKEN: [
  name: string,
  script: string,
  change: (source: string) => string,
  told: RegExp,
][] = [
  [
    "prints a wrong port",
    "echo_server",
    (source) => source.replace("${listener.addr.port}", "${listener.addr.port + 1}"),
    /not ok \d+ - echo_server.ts prints the transcript\n {2}---\n {2}message: \|\n {4}line 1 is: Starting up echo server on localhost port \d+\n {4}and should be: Starting up echo server on localhost port \d+\n/,
  ],
  [
    "echoes half of the message",
    "echo_server",
    (source) =>
      source.replace(
        "writeAll(client, data)",
        "writeAll(client, data.subarray(0, length / 2))",
      ),
    /not ok \d+ - echo_client.ts ends with status 0\n[^]*the server closed after 16 of 33 bytes/,
  ],
  [
    "closes too early",
    "echo_server_v1",
    (source) =>
      source.replace(
        "await writeAll(client, data);",
        "client.close();\n      await writeAll(client, data);",
      ),
    /not ok \d+ - echo_client_v1.ts ends with status 0\n[^]*the server sent 0 of 6 bytes back/,
  ],
  [
    "never closes",
    "echo_server",
    (source) =>
      source.replace(
        "    } finally {\n",
        "      await new Promise(() => {});\n    } finally {\n",
      ),
    /not ok \d+ - echo_server.ts closes the connection\n[^]*still open after the client has ended/,
  ],
  [
    "prints to stderr",
    "echo_client_v1",
    (source) => source.replace("print(received", "console.error(received"),
    /not ok \d+ - echo_client_v1.ts prints the transcript\n[^]*line 1 is missing: Hello!\n[^]*not ok \d+ - echo_client_v1.ts prints no errors\n/,
  ],
  [
    "hangs before it listens",
    "echo_server_v2",
    (source) =>
      source.replace(
        "  using listener",
        "  await new Promise(() => setInterval(() => {}, 1000));\n  using listener",
      ),
    /not ok 1 - echo_server_v2.ts starts and listens on its port\n[^]*it does not listen on port \d+\n/,
  ],
  [
    "listens on another port than it was told",
    "practical12_server_udp",
    (source) =>
      source.replace(
        /hostname: await resolve\(host\),\n\s+port,/,
        'hostname: "127.0.0.1", port: 0,',
      ),
    /not ok 1 - practical12_server_udp.ts starts and listens on its port\n/,
  ],
  [
    "hangs as a client",
    "echo_client",
    (source) =>
      source.replace(
        '    print("Sending"',
        '    await server.read(new Uint8Array(1));\n    print("Sending"',
      ),
    /not ok \d+ - echo_client.ts ends with status 0\n[^]*it still ran after 1.5 s/,
  ],
  [
    "prints nothing",
    "upper_server_tcp",
    (source) => source.replace(/ {2}print\(.*\n/, ""),
    /not ok \d+ - upper_server_tcp.ts prints the transcript\n[^]*line 1 is missing: The server is ready/,
  ],
  [
    "crashes",
    "echo_client_v2",
    (source) => source.replace("  print(reply)", "  print(reply.nonsense.more)"),
    /not ok \d+ - echo_client_v2.ts ends with status 0\n[^]*TypeError: /,
  ],
  [
    "does not compile",
    "guess_server",
    (source) => source.replace("async function", "async func tion"),
    /not ok 1 - guess_server.ts starts and listens on its port\n[^]*SyntaxError/,
  ],
  [
    "does not ask",
    "echo_client_v3",
    (source) =>
      source.replace(
        /await input\(.*\) \?\? "exit"/,
        'message === "hello" ? "exit" : "hello"',
      ),
    /not ok \d+ - echo_client_v3.ts prints the transcript\n/,
  ],
];

for (const [name, script, change, told] of BROKEN) {
  Deno.test(`lab check tells about an exercise that ${name}`, async () => {
    await using folder = await temporary();
    const file = await exercise(folder.path, script, change);
    const before = Date.now();
    const { status, stdout, stderr } = await lab([
      "check",
      file,
      `--as=${script}`,
    ]);
    assert(Date.now() - before < 10_000);
    assertEquals(status, 1, stdout);
    assert(told.test(stdout), stdout);
    assert(/^error: \d+ of \d+ checks failed\n$/.test(stderr), stderr);
    assert(/^1\.\.\d+$/m.test(stdout), stdout);
  });
}

Deno.test(
  "lab check takes an exercise in Python as well",
  withPython,
  async () => {
    await using folder = await temporary();
    const source = Deno.readTextFileSync(
      `${SCRIPTS}../tests/python/echo_server.py`,
    );
    const file = `${folder.path}/mine.py`;
    Deno.writeTextFileSync(file, source);
    const right = await lab(["check", file, "--as=echo_server"]);
    Deno.writeTextFileSync(file, source.replace("Data:", "Date:"));
    const wrong = await lab(["check", file, "--as=echo_server"]);
    assertEquals([right.status, wrong.status], [0, 1], right.stdout);
    assertStringIncludes(wrong.stdout, "and should be: Data: Test message");
  },
);

Deno.test("lab check says that there is no such file", async () => {
  const { status, stderr } = await lab([
    "check",
    "/no/such.ts",
    "--as=echo_server",
  ]);
  assertEquals([status, stderr], [1, "error: /no/such.ts: no such file\n"]);
});

Deno.test(
  "lab new makes a copy whose printed commands work, and never overwrites",
  NOT_ON_WINDOWS,
  async () => {
    await using folder = await temporary();
    const target = `${folder.path}/my exercise`;
    const { status, stdout } = await lab(["new", "echo_v1", target]);
    assertEquals(status, 0);
    const commands = stdout.match(/^ {2}deno .*$/gm)!.map((line) => line.trim());
    assertEquals(commands.length, 4, stdout);
    const root = `${SCRIPTS}..`;
    for (
      const command of commands.filter((command) => command.includes("task"))
    ) {
      await using shell = new Program(
        ["sh", "-c", command.replace("deno", `"${Deno.execPath()}"`)],
        undefined,
        { cwd: root },
      );
      assert(await shell.ended(20));
      assertEquals(await shell.status, 0, shell.screen + shell.errors);
    }
    const file = `${target}/scripts/echo_server_v1.ts`;
    Deno.writeTextFileSync(file, "// my work");
    const again = await lab(["new", "echo_server_v1", target]);
    assertEquals(again.status, 1);
    assertStringIncludes(again.stderr, "is there already: nothing was copied");
    assertEquals(Deno.readTextFileSync(file), "// my work");
  },
);
