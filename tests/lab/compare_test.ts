/** The command `lab compare`: what it finds, what it says, and files that are odd. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { hasPython } from "../../scripts/lab/process/program.ts";
import { compared, prints, verdicts } from "./compared.ts";
import { writeCourse } from "./course.ts";
import { lab, LINUX_ONLY, SCRIPTS, temporary } from "../helpers.ts";

const withPython = { ignore: !await hasPython() };

Deno.test("lab compare finds our counterparts the same in all pairings", withPython, async () => {
  const result = await lab(["compare", "echo"]);
  assertEquals([result.status, result.stderr], [0, ""], result.stdout);
  assertEquals(prints(result).filter((line) => line.endsWith(" prints the same")).length, 6);
});

Deno.test("lab compare gives ours the buffer that the original has", withPython, async () => {
  const { stdout } = await compared("tcp", ["simple/server.py", "simple/client.py"]);
  assert(!stdout.includes("--buffer-size=16"), stdout); // as in our header, but not in theirs
  const other = await compared(
    "tcp",
    ["simple/server.py", "simple/client.py"],
    (source) => source.replace("recv(32)", "recv(SIZE)").replace("\n", "\nSIZE = 2 * 10\n"),
  );
  assertStringIncludes(other.stdout, "tcp_server.ts --buffer-size=20 with ");
  assertEquals(other.status, 0, other.stdout);
});

Deno.test(
  "lab compare marks an added line alone, and not those that follow",
  withPython,
  async () => {
    const result = await compared(
      "echo_v1",
      ["codl/echoserver.py", "codl/echoclient.py"],
      (s) => s.replace("print('Listening..')", "print('Hello there')\nprint('Listening..')"),
    );
    assertEquals(result.status, 0, result.stdout);
    assertStringIncludes(result.stdout, "  echo_server_v1.ts differs in 1 line:\n");
    assertEquals(result.stdout.match(/ ≠(?= |\n)/g)?.length, 1, result.stdout);
    assert(/^Hello there +≠$/m.test(result.stdout), result.stdout);
    assert(/^Listening\.\. +│ Listening\.\.$/m.test(result.stdout), result.stdout);
  },
);

Deno.test(
  "lab compare has status 1 where a pairing does not work, and says why",
  withPython,
  async () => {
    const result = await compared(
      "echo_v2",
      ["echoserverv2.py", "echoclientv2.py"],
      (source) => source.replace("HEADER_SIZE = 10", "HEADER_SIZE = 12"),
    );
    assertEquals(verdicts(result), [
      "echoserverv2.py with echoclientv2.py: works",
      "echo_server_v2.ts with echo_client_v2.ts: works",
      "echoserverv2.py with echo_client_v2.ts: does not work",
      "echo_server_v2.ts with echoclientv2.py: does not work",
    ], result.stdout);
    assertEquals([result.status, result.stderr], [1, "error: 2 of 4 pairings do not work\n"]);
    assert(/^ {2}(echoserverv2.py|echo_client_v2.ts) ended with status 1: /m.test(result.stdout));
  },
);

Deno.test("lab compare says where the data does not come back", withPython, async () => {
  const result = await compared(
    "echo_v1",
    ["codl/echoserver.py", "codl/echoclient.py"],
    (s) => s.replace("con.send(data)", "con.send(b'echo of ' + data)"),
  );
  assertEquals(result.status, 1);
  assertStringIncludes(
    result.stdout,
    "  the data did not come back: echoclient.py does not print echo of Hello!\n",
  );
});

for (
  const [what, file, change] of [
    ["a client that never ends", "client", (s: string) => s + "\nimport time\ntime.sleep(3600)\n"],
    [
      "a client that asks for ever",
      "client",
      (s: string) => s + "\nwhile True:\n    print(input('More? '))\n",
    ],
    ["a server that ends after a client", "server", (s: string) => s],
    [
      "a server that can't be interrupted",
      "server",
      (s: string) =>
        `import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n${s}\nwhile True: pass\n`,
    ],
  ] as const
) {
  Deno.test(`lab compare copes with ${what}`, withPython, async () => {
    const result = await compared(
      "echo_v1",
      ["codl/echoserver.py", "codl/echoclient.py"],
      (source, path) => path.endsWith(`echo${file}.py`) ? change(source) : source,
    );
    assertEquals([result.status, result.stderr], [0, ""], result.stdout);
    assertEquals(verdicts(result).filter((line) => line.endsWith(": works")).length, 4);
  });
}

Deno.test(
  "lab compare types nothing before a client asks that has much to do first",
  { ignore: LINUX_ONLY.ignore || withPython.ignore },
  async () => {
    const work = "import time\nwhile time.process_time() < 2.2: pass\n";
    const result = await compared(
      "practical12_udp",
      ["udp/echo-server.py", "udp/echo-client.py"],
      (source, path) => path.endsWith("client.py") ? work + source : source,
    );
    assertEquals([result.status, result.stderr], [0, ""], result.stdout);
    assertEquals(prints(result).filter((line) => line.endsWith(" prints the same")).length, 6);
  },
);

Deno.test(
  "lab compare ends what prints without end, and shows some of it",
  withPython,
  async () => {
    const result = await compared(
      "echo_v1",
      ["codl/echoserver.py", "codl/echoclient.py"],
      (source) => source.replace("k.close()", "while True: print('no end')"),
    );
    assertEquals([result.status, result.stderr], [
      1,
      "error: the originals do not work together: nothing can be compared with them\n",
    ]);
    assertStringIncludes(result.stdout, ": it printed without end, more than 100000 characters\n");
    assert(/^\.\.\. and \d+ more lines$/m.test(result.stdout), result.stdout);
    assert(result.stdout.length < 10_000, `${result.stdout.length}`);
  },
);

Deno.test(
  "lab compare names files that fit both, and takes those it is told",
  withPython,
  async () => {
    await using folder = await temporary();
    const { path } = folder;
    writeCourse(`${path}/a`, "practical12/tcp/echo-server.py", "practical12/tcp/echo-client.py");
    writeCourse(`${path}/b`, "practical12/tcp/echo-server.py", "practical12/tcp/echo-client.py");
    const [first, second] = ["a", "b"].map((name) => `${path}/${name}/practical12/tcp/echo-`);
    const both = await lab(["compare", "practical12_tcp", `--originals=${path}`]);
    assertEquals([both.status, both.stdout], [1, ""]);
    assertEquals(
      both.stderr,
      `error: ${first}server.py and ${second}server.py both fit\nsay which: --server=${first}server.py\n`,
    );
    const { status, stdout } = await lab(
      ["compare", "practical12_tcp", `--server=${second}server.py`, "--client=echo-client.py"],
      "",
      { cwd: `${path}/b/practical12/tcp` },
    );
    assertEquals(status, 0, stdout);
  },
);

Deno.test(
  "lab compare says when no port is found, and takes the one it is told",
  withPython,
  async () => {
    await using folder = await temporary();
    let port = "";
    for (const path of writeCourse(folder.path, "codl/echoserver.py", "codl/echoclient.py")) {
      const source = Deno.readTextFileSync(path);
      port = source.match(/T_PORT = (\d+)/)![1];
      const hidden = source.replace(/T_PORT = \d+/, `T_P = sum([${port}])`);
      Deno.writeTextFileSync(path, hidden.replaceAll("T_PORT", "T_P"));
    }
    const args = ["compare", "echo_v1", `--originals=${folder.path}`];
    const { status, stderr } = await lab(args);
    assertEquals([status, stderr], [
      1,
      `error: ${folder.path}/codl/echoserver.py: no port found in it\nsay which it has: --port=N\n`,
    ]);
    const told = await lab([...args, `--port=${port}`]);
    assertEquals(told.status, 0, told.stdout + told.stderr);
  },
);

Deno.test("lab compare says when the fixed port of an original is taken", withPython, async () => {
  await using folder = await temporary();
  const [path] = writeCourse(folder.path, "codl/echoserver.py", "codl/echoclient.py");
  const port = Number(Deno.readTextFileSync(path).match(/T_PORT = (\d+)/)![1]);
  using _listener = Deno.listen({ hostname: "127.0.0.1", port });
  const { status, stderr } = await lab(["compare", "echo_v1", `--originals=${folder.path}`]);
  assertEquals([status, stderr], [
    1,
    `error: port ${port}, which echoserver.py uses, is already in use\n`,
  ]);
});

Deno.test("lab compare says which file is missing", withPython, async () => {
  await using folder = await temporary();
  writeCourse(folder.path, "practical12/udp/echo-server.py");
  const { path } = folder;
  const { status, stderr } = await lab(["compare", "practical12_tcp", `--originals=${path}`]);
  assertEquals([status, stderr], [
    1,
    `error: no echo-server.py or practical12_server_tcp.py in ${path}: ` +
    `${path}/practical12/udp/echo-server.py is not tcp\n`,
  ]);
  const file = await lab(["compare", "tcp", `--server=${SCRIPTS}no.py`]);
  assertEquals(file.stderr, `error: ${SCRIPTS}no.py: no such file\n`);
});
