/** kill_port.ts in the situations of everyday use: which programs it lists, and which it ends. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  connect,
  has,
  quietPort,
  resultOf,
  SCRIPTS,
  startServer,
  testAtOnce,
  THOROUGH,
  WITH_IPV6,
} from "../helpers.ts";
import {
  KILL_PORT,
  killPort,
  linesOf,
  result,
  startPython,
  startTool,
  WITH_PYTHON,
} from "./helpers.ts";

const LISTEN = `s = tcp("127.0.0.1", PORT)`;
const NODE =
  `require("net").createServer().listen(PORT, "127.0.0.1", () => console.log(process.pid));
  process.stdin.resume().on("end", () => process.exit());`;
/** Python code that replaces its program by one with this title. It keeps the socket \`s\`. */
const retitled = (title: string) =>
  `${LISTEN}
s.set_inheritable(True)
code = "import os, sys; print(os.getpid(), flush=True); sys.stdin.read()"
os.execv(sys.executable, ["${title}", "-c", code])`;

/** What a program does, its code, and its rows in the table. */
const listed: [situation: string, code: string, ...rows: string[]][] = [
  ["listens on one IPv4 address", LISTEN, "A python3 TCP ('127.0.0.1', PORT)"],
  ["listens on all IPv4 addresses", "s = tcp('0.0.0.0', PORT)", "A python3 TCP ('0.0.0.0', PORT)"],
  ["receives over UDP", "s = udp('127.0.0.1', PORT)", "A python3 UDP ('127.0.0.1', PORT)"],
  [
    "receives over UDP from one peer",
    "s = udp('127.0.0.1', PORT); s.connect(('127.0.0.1', 9))",
    "A python3 UDP ('127.0.0.1', PORT) with ('127.0.0.1', 9)",
  ],
  [
    "shares its socket with a forked child",
    `${LISTEN}\nchild = os.fork()\nif child: wait(os.getpid(), child)\nelse: sys.stdin.read()`,
    "A python3 TCP ('127.0.0.1', PORT)",
    "B python3 TCP ('127.0.0.1', PORT)",
  ],
  [
    "is a UDP client of the port, or a TCP client on it",
    `
server = tcp("127.0.0.1", 0)
a = socket.create_connection(server.getsockname(), source_address=("127.0.0.1", PORT))
b = socket.socket(AF_INET, SOCK_DGRAM)
b.connect(("127.0.0.1", PORT))`,
  ],
  [
    "changed its title",
    retitled("sshd: /usr/sbin/sshd -D [listener]"),
    "A sshd TCP ('127.0.0.1', PORT)",
  ],
  [
    "has a question in its title",
    retitled("/bin/nginx\\nKill 1 (a/b)? [y/N] \\x1b[31m"),
    "A nginx\\nKill 1 (a/b)? [y/N] \\x1b[31m TCP ('127.0.0.1', PORT)",
  ],
  ["has a long title", retitled("x".repeat(999)), `A ${"x".repeat(50)}… TCP ('127.0.0.1', PORT)`],
  ...has("node")
    ? [[
      "is written for Node.js",
      `
os.dup2(os.open("/dev/stdin", os.O_RDONLY), 0) # Node.js makes its stdin non-blocking
os.execvp("node", ["node", "-e", ${JSON.stringify(NODE)}])`,
      "A node TCP ('127.0.0.1', PORT)",
    ] as [string, string, string]]
    : [],
  ...WITH_IPV6.ignore ? [] : [
    ["listens on IPv6", "s = tcp('::1', PORT, AF_INET6)", "A python3 TCP ('::1', PORT)"],
    ["receives on IPv6", "s = udp('::', PORT, AF_INET6)", "A python3 UDP ('::', PORT)"],
    [
      "has several sockets",
      `${LISTEN}; b = tcp("::1", PORT, AF_INET6); c = udp("127.0.0.1", PORT); d = s.dup()`,
      "A python3 TCP ('127.0.0.1', PORT)",
      "A python3 TCP ('::1', PORT)",
      "A python3 UDP ('127.0.0.1', PORT)",
    ],
  ] as [string, string, ...string[]][],
];

/**
 * Starts a program for each code, each on a port of its own. One Python process forks them all, as
 * starting Python takes long.
 */
async function startAll(stack: AsyncDisposableStack, codes: string[]) {
  const programs = codes.map((code) => ({ port: quietPort(), code }));
  const sources = programs.map(({ port, code }) => code.replaceAll("PORT", `${port}`) + "\nwait()");
  const parent = stack.use(
    await startPython(
      `
for source in ${JSON.stringify(sources)}:
    r, w = os.pipe()
    if os.fork() == 0:
        os.dup2(w, 1)
        exec(source)
        os._exit(0)
    os.close(w)
    print(os.fdopen(r).readline().strip(), end=";", flush=True)
print(flush=True)`,
      0,
    ),
  );
  return parent.screen.split(";").slice(0, -1).map((numbers, i) => {
    const pids = numbers.split(" ").map(Number);
    assert(pids[0] > 0, parent.errors);
    return { port: programs[i].port, pids };
  });
}

Deno.test("lists a program that", WITH_PYTHON, async (test) => {
  await using stack = new AsyncDisposableStack();
  const holders = await startAll(stack, listed.map(([, code]) => code));
  const { status, stdout } = await killPort([...holders.map(({ port }) => `:${port}`), "--list"]);
  assertEquals(status, 0);
  for (const [i, [situation, , ...expected]] of listed.entries()) {
    const { port, pids } = holders[i];
    await test.step(situation, () => {
      const rows = stdout.split("\n").filter((line) => line.includes(`', ${port})`));
      assertEquals(linesOf(rows.join("\n"), port, pids).sort(), expected);
    });
  }
});

const HINT = `deno run -A ${SCRIPTS}kill_port.ts PORT`;
const STILL = "port PORT is still in use by A (python3)";
const ENDED = "A (python3) has ended";
const NOT_ENDED = "error: A (python3) is still running";
const STOPPED = "note: A (python3) is stopped (Ctrl-Z) and answers no client: " +
  "continue it with fg in its terminal, or with kill -CONT A";

/** What a program does, its code, and what the tool says about it with `--yes`. */
const ended: [situation: string, code: string, ...lines: string[]][] = [
  ["listens", LISTEN, ENDED],
  [
    "takes half a second to end",
    `${LISTEN}; import time
def end(*_): time.sleep(0.5); os._exit(0)
signal.signal(signal.SIGTERM, end)`,
    ENDED,
  ],
  ["has several sockets on the port", `${LISTEN}; t = udp("127.0.0.1", PORT)`, ENDED],
  [
    "is stopped",
    `${LISTEN}; print(os.getpid(), flush=True); os.kill(os.getpid(), signal.SIGSTOP)`,
    STOPPED,
    ENDED,
  ],
  [
    "stays a zombie", // because its parent does not wait for it
    `${LISTEN}\nchild = os.fork()\nif child:\n  s.close()\n  wait(child)\nelse: sys.stdin.read()`,
    ENDED,
  ],
  [
    "shares the port with another program",
    `
child = os.fork()
s = tcp("127.0.0.1", PORT, reuse_port=True)
if child: wait(os.getpid(), child)
else: sys.stdin.read()`,
    ENDED,
    "B (python3) has ended",
  ],
  [
    "receives from one UDP peer on a port of its choice",
    "s = udp('127.0.0.1', PORT); s.connect(('127.0.0.1', 9))",
    ENDED,
  ],
];
const IGNORES = `${LISTEN}; signal.signal(signal.SIGTERM, signal.SIG_IGN)`;

Deno.test("ends, with --yes, a program that", WITH_PYTHON, async (test) => {
  await using stack = new AsyncDisposableStack();
  const codes = [...ended.map(([, code]) => code), IGNORES];
  const holders = await startAll(stack, codes);
  const { status, stdout, stderr } = await killPort([...holders.map(({ port }) => port), "--yes"]);
  const linesAbout = (i: number) => {
    const { port, pids } = holders[i];
    return linesOf(stderr + stdout, port, pids).filter((line) => /PORT|\b[AB] \(/.test(line))
      .filter((line) => !/ (TCP|UDP) /.test(line));
  };
  for (const [i, [situation, , ...expected]] of ended.entries()) {
    await test.step(situation, () => assertEquals(linesAbout(i).sort(), expected.toSorted()));
  }
  await test.step("ignores SIGTERM, with --signal=SIGKILL", async () => {
    const i = ended.length;
    const hint = `to force it: ${HINT} --signal=SIGKILL`;
    assertEquals([status, linesAbout(i)], [1, [NOT_ENDED, hint, `error: ${STILL}`]]);
    const { port, pids } = holders[i];
    const forced = await killPort([port, "--yes", "--signal=SIGKILL"]);
    assertEquals([forced.status, forced.stderr], [0, ""]);
    assertEquals(linesOf(forced.stdout, port, pids).at(-1), ENDED);
  });
});

Deno.test("ends a server only after the answer yes, on every system", async () => {
  const { server, port } = await startServer("echo_server.ts");
  await using _ = server;
  const { pid } = server;
  assertEquals((await killPort([port], "no\n")).status, 1);
  assertEquals(await server.ended(0), false);
  const { status, stdout, stderr } = await killPort([port], "y\n");
  assertEquals([status, stderr], [0, ""]);
  assertMatch(
    stdout,
    RegExp(`\nKill ${pid} \\(deno(.exe)?\\)\\? \\[y/N\\] ${pid} \\(deno(.exe)?\\) has ended\n$`),
  );
  assert(await server.ended());
});

Deno.test("ends a program only after the answer yes", WITH_PYTHON, async () => {
  await using stack = new AsyncDisposableStack();
  const holders = await startAll(stack, [LISTEN, LISTEN, LISTEN]);
  const [no, yes, silent] = holders.toSorted((a, b) => a.pids[0] - b.pids[0]);
  const args = holders.map(({ port }) => port);
  const { status, stdout, stderr } = await killPort(args, "yeah, no\n YES \n"); // and no third answer
  const name = ({ pids }: typeof no) => `${pids[0]} (python3)`;
  const ask = (holder: typeof no) => `Kill ${name(holder)}? [y/N] `;
  const dialog = `${ask(no)}${ask(yes)}${name(yes)} has ended\n${ask(silent)}`;
  assertEquals([status, stdout.slice(-dialog.length)], [1, dialog]);
  const still = (holder: typeof no) => `port ${holder.port} is still in use by ${name(holder)}`;
  assertEquals(stderr, `error: ${still(no)}; ${still(silent)}\n`);
});

Deno.test("ends nothing when Ctrl-C is pressed at the question", WITH_PYTHON, async () => {
  const port = quietPort();
  await using _ = await startPython(`${LISTEN}; wait()`, port);
  await using tool = startTool(port);
  assert(await tool.until(() => tool.screen.endsWith("[y/N] ")), tool.errors);
  Deno.kill(tool.pid, "SIGINT");
  assertEquals((await resultOf(tool)).status, 130);
  (await connect(port)).close();
});

Deno.test("ends the UDP program alone when the port has /udp", WITH_PYTHON, async () => {
  await using stack = new AsyncDisposableStack();
  const [tcp, udp] = await startAll(stack, [LISTEN, `s = udp("127.0.0.1", PORT)`]);
  const args = [`${tcp.port}/udp`, `${udp.port}/udp`, "--yes"];
  const { status, stdout, stderr } = await killPort(args);
  assertEquals([status, stderr], [0, `note: nothing is listening on UDP port ${tcp.port}\n`]);
  assertEquals(linesOf(stdout, udp.port, udp.pids), ["A python3 UDP ('127.0.0.1', PORT)", ENDED]);
});

const TIME_WAIT = `
server = tcp("127.0.0.1", PORT)
a = socket.create_connection(("127.0.0.1", PORT))
b, _ = server.accept()
server.close()
b.close() # first, so that the server's end is the one in TIME-WAIT
a.recv(1)
a.close()`;
const OPEN = `
server = tcp("127.0.0.1", PORT)
a = socket.create_connection(("127.0.0.1", PORT))
b, _ = server.accept()
server.close()
wait(os.getpid(), a.getsockname()[1])`;
const free: [situation: string, code: string, ...hints: string[]][] = [
  ["is free, and named twice", "pass"],
  [
    "has an open connection without a listener",
    OPEN,
    "A (python3) has a connection from port PORT to ('127.0.0.1', B): " +
    "bind may fail until it ends (kill A)",
  ],
  [
    "has a closed connection",
    TIME_WAIT,
    "a closed connection is in TIME-WAIT: bind may fail for N s",
    "a server that sets SO_REUSEADDR, as Deno does, need not wait",
  ],
];

testAtOnce(
  "says that nothing is listening when the port",
  WITH_PYTHON,
  Object.fromEntries(free.map(([situation, code, ...hints]) => [situation, async () => {
    const port = quietPort();
    await using holder = await startPython(code + "\nwait()", port);
    const { status, stdout, stderr } = await killPort([port, port, "--yes"]);
    const lines = linesOf(stderr.replace(/\d+ s$/m, "N s"), port, holder.numbers);
    assertEquals([status, stdout], [1, ""]);
    assertEquals(lines, ["error: nothing is listening on port PORT", ...hints]);
  }])),
);

/** Ends a program whose supervisor has a title, and starts it again. */
async function endUnderSupervisor(title: string, hint: string) {
  const port = quietPort();
  // The supervisor computes before it starts the program again, or a busy machine delays it. Then
  // the program takes its time to listen.
  const code = `
import time
if sys.orig_argv[0] != "${title}":
    os.execv(sys.executable, ["${title}", *sys.orig_argv[1:]])
delay = 0
while True:
    if os.fork() == 0:
        time.sleep(delay)
        s = tcp("127.0.0.1", PORT)
        wait()
    delay = 0.3
    os.wait()
    end = time.monotonic() + 0.2
    while time.monotonic() < end: pass`;
  await using supervisor = await startPython(code, port);
  const { status, stdout, stderr } = await killPort([port, "--yes"]);
  assert(await supervisor.until(() => /\n.+\n/.test(supervisor.screen)), stdout);
  const lines = (text: string) => linesOf(text, port, [...supervisor.numbers, supervisor.pid]);
  assertEquals(lines(stdout).at(-1), `A (${title}) has ended`);
  assertEquals([status, lines(stderr)], [1, [
    `error: port PORT is in use again, by B (${title})`,
    hint,
  ]]);
}

testAtOnce("notices that", WITH_PYTHON, {
  "the program, whose title holds a question, ended before the answer": async () => {
    const port = quietPort();
    await using holder = await startPython(retitled("nginx\\nKill 1 (a)? [y/N]"), port);
    await using tool = startTool(port);
    assert(await tool.until(() => tool.screen.endsWith(")? [y/N] ")), tool.errors);
    await holder.end("SIGKILL");
    await tool.type("y");
    const { status, stdout, stderr } = await result(tool);
    assertEquals([status, stderr], [0, ""]);
    const name = "A (nginx\\nKill 1 (a)? [y/N])";
    assertEquals(linesOf(stdout, port, holder.numbers).slice(1), [
      `Kill ${name}? [y/N] y`,
      `${name} no longer holds port PORT`,
    ]);
  },

  "another program took the port before the answer": async () => {
    const port = quietPort();
    await using holder = await startPython(`${LISTEN}; wait()`, port);
    await using tool = startTool(port);
    assert(await tool.until(() => tool.screen.endsWith("[y/N] ")), tool.errors);
    await holder.end("SIGKILL");
    await using successor = await startPython(`${LISTEN}; wait()`, port);
    await tool.type("y");
    const { status, stdout, stderr } = await result(tool);
    const lines = (text: string) => linesOf(text, port, [...holder.numbers, ...successor.numbers]);
    assertEquals(lines(stdout).at(-1), "A (python3) no longer holds port PORT");
    const error = "error: port PORT is in use again, by B (python3)";
    assertEquals([status, lines(stderr)], [1, [error]]);
    (await connect(port)).close(); // it was left alone
  },

  "a supervisor starts the program again": () =>
    endUnderSupervisor("python3", "C (python3) starts it again: end that first"),

  ...THOROUGH
    ? {
      "systemd starts a service of the user again": () =>
        endUnderSupervisor("systemd", "the system starts it again: stop its service"),
    }
    : {},

  "the system gave the port to a UDP client": async () => {
    const code = `
s = udp("127.0.0.1", 0)
s.connect(("127.0.0.1", 9))
wait(s.getsockname()[1], os.getpid())`;
    await using holder = await startPython(code, 0);
    const [port, pid] = holder.numbers;
    const lines = (text: string) => linesOf(text, port, [pid]);
    const who = "A (python3), which may be a client that the system gave this port";
    const spared = await killPort([port, "--yes"]);
    assertEquals([spared.status, lines(spared.stderr)], [1, [
      `error: ${who}, is left alone`,
      `answer y to end it: ${HINT}`,
      `error: ${STILL}`,
    ]]);
    const { status, stdout, stderr } = await killPort([port], "y\n");
    assertEquals([status, stderr], [0, ""]);
    assertEquals(lines(stdout).at(-1), `Kill ${who}? [y/N] A (python3) has ended`);
  },

  "it has inherited the socket itself": async () => {
    const port = quietPort();
    const command = JSON.stringify([...KILL_PORT, `${port}`, "--list"]);
    const code = `${LISTEN}
import subprocess
print(os.getpid(), flush=True)
subprocess.run(${command}, pass_fds=[s.fileno()])`;
    await using holder = await startPython(`${code}\nwait("done")`, port);
    assert(await holder.until(() => holder.screen.endsWith("done\n")), holder.errors);
    const [pid, ...lines] = linesOf(holder.screen, port, [holder.pid]);
    assertEquals([pid, lines.slice(1)], ["A", ["A python3 TCP ('127.0.0.1', PORT)", "done"]]);
  },

  "it runs in the program": async () => {
    const port = quietPort();
    // Its grandparent holds the port, as an editor or notebook may do.
    const code = `${LISTEN}
import subprocess
print(os.getpid(), flush=True)
for args, answer in [(["--yes"], ""), ([], "n\\n"), (["--yes", "--signal=SIGTERM"], "")]:
    command = ["sh", "-c", '"$@"; echo "status $?"', "sh", *${
      JSON.stringify(KILL_PORT)
    }, "PORT", *args]
    subprocess.run(command, input=answer, text=True, stderr=subprocess.STDOUT)`;
    await using holder = await startPython(code, port);
    assert(await holder.until(() => / has ended\n/.test(holder.screen)), holder.screen);
    const lines = linesOf(holder.screen, port, [holder.pid]).filter((line) =>
      !/ TCP |^PID /.test(line)
    );
    assertEquals(lines.slice(1), [
      "error: A (python3), which this program runs in, is left alone",
      `answer y to end it: ${HINT}`,
      `error: ${STILL}`,
      "status 1",
      `Kill A (python3), which this program runs in? [y/N] error: ${STILL}`,
      "status 1",
      "A (python3) has ended",
    ]);
    assertEquals(await holder.status, 143);
  },
});
