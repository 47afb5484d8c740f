/** The command `lab compare`: what it observes and prints, and files that are unusual. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { hasPython } from "../../scripts/lab/process/program.ts";
import { compared, prints, verdicts } from "./compared.ts";
import { writeCourse } from "./course.ts";
import { lab, SCRIPTS, temporary, THOROUGH } from "../helpers.ts";
import { labHere } from "./in_process.ts";

const withPython = { ignore: !await hasPython() };
const withPythonAndTime = { ignore: withPython.ignore || !THOROUGH };
const ECHO_V1 = ["codl/echoserver.py", "codl/echoclient.py"];

// The README's tests compare the same pair.
Deno.test(
  "lab compare finds our counterparts the same in all pairings",
  withPythonAndTime,
  async () => {
    const result = await labHere(["compare", "echo"]);
    assertEquals([result.status, result.stderr], [0, ""], result.stdout);
    assertEquals(prints(result).filter((line) => line.endsWith(" prints the same")).length, 6);
    const traffic = /^ {2}it sends 33 bytes and reads (33|16, 16, 1) bytes: the same$/gm;
    assertEquals(result.stdout.match(traffic)?.length, 6, result.stdout);
  },
);

Deno.test(
  "Python may print \\r\\n, as on Windows, in lab compare and lab check",
  withPythonAndTime,
  async () => {
    await using folder = await temporary();
    Deno.writeTextFileSync(
      `${folder.path}/sitecustomize.py`,
      "import sys\nfor stream in (sys.stdout, sys.stderr): stream.reconfigure(newline='\\r\\n')\n",
    );
    const options = { env: { PYTHONPATH: folder.path } };
    const { status, stdout } = await lab(["compare", "echo_v1"], "", options);
    assertEquals([status, stdout.match(/ ≠(?= |\n)/g)], [0, null], stdout);
    const checked = await lab(
      ["check", `${SCRIPTS}lab/counterparts/echo_server_v1.py`],
      "",
      options,
    );
    assertEquals(checked.status, 0, checked.stdout);
  },
);

Deno.test(
  "lab compare observes buffers and a port in use, and marks only an added line",
  withPythonAndTime,
  async () => {
    let listener: Deno.Listener | undefined;
    const { status, stdout } = await compared(
      "tcp",
      ["simple/server.py", "simple/client.py"],
      (source) => {
        const [, port] = source.match(/'localhost',\s+(\d+)/)!;
        listener ??= Deno.listen({ hostname: "127.0.0.1", port: Number(port) });
        return source.replace("recv(32)", "recv(2 * SIZE)").replace(port, "sum([P])")
          .replace("\n", `\nSIZE, P = 10, ${port}\n`)
          .replace("sock.listen(1)", "sock.listen(1)\nprint('Hello there')");
      },
    );
    listener?.close();
    assertEquals(status, 0, stdout);
    assertStringIncludes(stdout, "tcp_server.ts --buffer-size=20 with ");
    assertStringIncludes(stdout, "  tcp_server.ts differs in 1 line:\n");
    assertEquals(stdout.match(/ ≠(?= |\n)/g)?.length, 1, stdout);
    assert(/^Hello there +≠$/m.test(stdout), stdout);
    assert(/^Waiting for connection +│ Waiting for connection$/m.test(stdout), stdout);
  },
);

Deno.test(
  "lab compare has status 1 when a pairing does not work, and prints the error",
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
    const error = /^ {2}echo_client_v2.ts ended with status 1: error: /m;
    assert(error.test(result.stdout), result.stdout);
  },
);

Deno.test("lab compare says when the data does not come back", withPythonAndTime, async () => {
  const result = await compared(
    "echo_v1",
    ECHO_V1,
    (source, path) =>
      path.endsWith("server.py")
        ? source.replace("con.send(data)", "con.send(b'echo of ' + data)")
        : source + "\nimport time\ntime.sleep(3600)\n", // which does not matter
  );
  assertEquals([result.status, result.stderr], [1, "error: 1 of 4 pairings do not work\n"]);
  assertStringIncludes(
    result.stdout,
    "  the data did not come back: echoclient.py does not print echo of Hello!\n",
  );
  assertStringIncludes(result.stdout, ": not the same data\n");
});

Deno.test(
  "lab compare copes with a client that asks without end, and a server that ignores Ctrl-C",
  withPythonAndTime,
  async () => {
    const result = await compared(
      "echo_v1",
      ECHO_V1,
      (source, path) =>
        path.endsWith("client.py")
          ? source + "\nwhile True:\n    print(input('More? '))\n"
          : `import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n${source}\ntime.sleep(60)\n`,
    );
    assertEquals([result.status, result.stderr], [0, ""], result.stdout);
    assertEquals(verdicts(result).filter((line) => line.endsWith(": works")).length, 4);
  },
);

/** Originals that do not work together, and what `lab compare` says. */
const BROKEN: [
  what: string,
  lab: string,
  files: string[],
  change: (source: string, path: string) => string,
  ...says: string[],
][] = [
  [
    "print without end",
    "echo_v1",
    ECHO_V1,
    (source) => source.replace("k.close()", "while True: print('no end')"),
    "  echoclient.py was ended: it prints without end\n",
    " more lines\n",
  ],
  [
    "exchange nothing",
    "echo_v1",
    ECHO_V1,
    (source, path) => path.endsWith("client.py") ? "print('Hello!')\n" : source,
    "  echoserver.py received nothing\n",
  ],
  [
    "have different ports",
    "echo_v1",
    ECHO_V1,
    (source, path) =>
      path.endsWith("client.py") ? source.replace(/T_PORT = \d+/, "T_PORT = 9") : source,
    "echoclient.py has 9\n",
  ],
  [
    "never end their game",
    "guess",
    ["guess_server.py", "guess_client.py"],
    (source) => source.replace(/reply = "CORRECT" if .*/, 'reply = "TRY AGAIN"'),
    "│ Your guess? 50\n",
    "│ TRY AGAIN\n",
  ],
];

for (const [i, [what, name, files, change, ...says]] of BROKEN.entries()) {
  const options = i < 1 ? withPython : withPythonAndTime;
  Deno.test(`lab compare says when the originals ${what}`, options, async () => {
    const result = await compared(name, files, change);
    assertEquals([result.status, result.stderr], [
      1,
      "error: the originals do not work together: nothing can be compared with them\n",
    ], result.stdout);
    for (const text of says) assertStringIncludes(result.stdout, text);
    assert(result.stdout.length < 10_000, `${result.stdout.length}`);
  });
}

Deno.test(
  "lab compare names files that fit both, and takes those that it is given",
  withPython,
  async () => {
    await using folder = await temporary();
    const { path } = folder;
    await writeCourse(
      `${path}/a`,
      "practical12/tcp/echo-server.py",
      "practical12/tcp/echo-client.py",
    );
    await writeCourse(
      `${path}/b`,
      "practical12/tcp/echo-server.py",
      "practical12/tcp/echo-client.py",
    );
    const [first, second] = ["a", "b"].map((name) => `${path}/${name}/practical12/tcp/echo-`);
    const both = await labHere(["compare", "practical12_tcp", `--originals=${path}`]);
    assertEquals([both.status, both.stdout], [1, ""]);
    assertEquals(
      both.stderr,
      `error: ${first}server.py and ${second}server.py both fit\nsay which: --server=${first}server.py\n`,
    );
    Deno.writeTextFileSync(`${second}server.py`, "import nosuch_module\n");
    const { status, stdout } = await lab(
      ["compare", "practical12_tcp", `--server=${second}server.py`, "--client=echo-client.py"],
      "",
      { cwd: `${path}/b/practical12/tcp` },
    );
    assertEquals(status, 1);
    assertStringIncludes(
      stdout,
      "  echo-server.py does not listen on port 12345: " +
        "ModuleNotFoundError: No module named 'nosuch_module'\n",
    );
  },
);

Deno.test("lab compare says which file is missing", withPython, async () => {
  await using folder = await temporary();
  await writeCourse(folder.path, "practical12/udp/echo-server.py");
  const { path } = folder;
  const { status, stderr } = await labHere(["compare", "practical12_tcp", `--originals=${path}`]);
  assertEquals([status, stderr], [
    1,
    `error: no echo-server.py or practical12_server_tcp.py in ${path}: ` +
    `${path}/practical12/udp/echo-server.py is not tcp\n`,
  ]);
  const file = await labHere(["compare", "tcp", `--server=${SCRIPTS}no.py`]);
  assertEquals(file.stderr, `error: ${SCRIPTS}no.py: no such file\n`);
  const unnamed = await labHere(["compare", `--originals=${path}`, "--server=server.py"]);
  const message = "error: --server, --client and --port are for one lab: name it\n";
  assertEquals([unnamed.status, unnamed.stderr.startsWith(message)], [2, true], unnamed.stderr);
  await using empty = await temporary();
  const none = await labHere(["compare", `--originals=${empty.path}`]);
  assertEquals([none.status, none.stderr], [1, `error: no originals in ${empty.path}\n`]);
});
