/** The command `lab check`: right exercises pass it, and what is told about wrong ones. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { hasPython } from "../scripts/lab/program.ts";
import { lab, SCRIPTS, temporary } from "./helpers.ts";

const withPython = { ignore: !await hasPython() };

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
