/** kill_port.ts: whom it finds on a port, whom it ends, and what it says. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parseLsof, parseNetstat, parseProcNet, parseTasklist } from "../scripts/kill_port.ts";
import { DENO_RUN, Program } from "../scripts/lab/program.ts";
import {
  connect,
  has,
  LINUX_ONLY,
  type Result,
  resultOf,
  SCRIPTS,
  udpSocket,
  WITH_IPV6,
} from "./helpers.ts";

// Elsewhere than on Linux only the parsers are tested.
const WITH_PYTHON = { ignore: LINUX_ONLY.ignore || !has("python3") };
const WITH_NODE = { ignore: LINUX_ONLY.ignore || !has("node") };
const NOBODY = { uid: 65534, gid: 65534 }; // a user who has no rights
const AS_ROOT = {
  ignore: LINUX_ONLY.ignore || Deno.uid() !== 0 ||
    !has(Deno.execPath(), { args: ["--version"], ...NOBODY }),
};
const AS_ROOT_WITHOUT_RIGHTS = {
  ignore: AS_ROOT.ignore ||
    !has("setpriv", { args: ["--bounding-set=-kill", "true"] }),
};

/**
 * A port that nobody has, and that the system gives to nobody who asks for any:
 * `--yes` ends all who hold it, whoever they are.
 */
function quietPort(): number {
  while (true) {
    const port = 20000 + Math.floor(Math.random() * 12000);
    try {
      Deno.listen({ hostname: "0.0.0.0", port }).close();
      udpSocket("0.0.0.0", port).close();
      return port;
    } catch { /* somebody has it */ }
  }
}

/** A program that prints the PIDs of those who hold a port, and then waits. */
class PortHolder extends Program {
  get pids(): number[] {
    return this.screen.match(/\d+/g)!.map(Number);
  }

  static async start(
    command: string[],
    options?: Deno.CommandOptions,
  ): Promise<PortHolder> {
    const holder = new PortHolder(command, undefined, options);
    const isReady = await holder.until(() => holder.screen.endsWith("\n"));
    if (!isReady) await holder.end();
    assert(isReady, holder.errors);
    return holder;
  }
}

function startPython(code: string): Promise<PortHolder> {
  const start = `
import os, socket, sys
from socket import AF_INET, AF_INET6, SOCK_DGRAM
def tcp(host, port, family=AF_INET, **options):
    return socket.create_server((host, port), family=family, **options)
def udp(host, port, family=AF_INET):
    s = socket.socket(family, SOCK_DGRAM)
    s.bind((host, port))
    return s
def wait(*pids):
    print(*pids, flush=True)
    sys.stdin.read()
`;
  return PortHolder.start(["python3", "-c", start + code]);
}

/** Starts a Deno program that listens on 127.0.0.1. */
function startDeno(
  port: number,
  code = "",
  options?: Deno.CommandOptions,
): Promise<PortHolder> {
  const program = `
    Deno.listen({ hostname: "127.0.0.1", port: ${port}, reusePort: true });
    ${code}
    console.log(Deno.pid);
    await Deno.stdin.read(new Uint8Array(1));`;
  const command = [Deno.execPath(), "eval", "--quiet", program];
  return PortHolder.start(command, options);
}

const KILL_PORT = [...DENO_RUN, "-A", `${SCRIPTS}kill_port.ts`];

function startTool(...args: (string | number)[]): Program {
  return new Program([...KILL_PORT, ...args.map(String)]);
}

/** The program's result, its keyboard at an end. */
async function result(program: Program): Promise<Result> {
  await using tool = program;
  await tool.endInput();
  return await resultOf(tool);
}

function killPort(...args: (string | number)[]): Promise<Result> {
  return result(startTool(...args));
}

type Row = [pid: number, program: string, protocol: string, host: string];

function table(port: number, ...rows: Row[]): string {
  const lines = rows.map(([pid, program, protocol, host]) =>
    `${`${pid}`.padEnd(7)} ${program.padEnd(15)} ${protocol}      ` +
    `('${host}', ${port})\n`
  );
  return "PID     program         protocol address\n" + lines.join("");
}

/** Checks what `--list` prints. */
async function assertListed(port: number, ...rows: Row[]) {
  assertEquals(await killPort(port, "--list"), {
    status: 0,
    stdout: table(port, ...rows),
    stderr: "",
  });
}

async function assertNobody(port: number) {
  assertEquals(await killPort(port, "--list"), {
    status: 1,
    stdout: "",
    stderr: `error: nothing is listening on port ${port}\n`,
  });
}

Deno.test("parseProcNet() finds who listens, and no connection", () => {
  const tcp =
    `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0051 00000000:0000 0A 00000000:00000001 00:00000000 00000000  1000        0 300372 2 0000000099e37a3d 100 0 0 10 0
   1: 0100007F:0051 0100007F:B894 01 00000000:00000000 00:00000000 00000000  1000        0 300380 1 000000008cd70738 20 0 0 10 -1
   2: 0100007F:B894 0100007F:0051 01 00000000:00000000 00:00000000 00000000  1000        0 300376 2 00000000d4646ee1 20 0 0 10 -1
   3: 0100007F:0051 0100007F:B896 06 00000000:00000000 03:00000056 00000000     0        0 0 3 000000003c84d734
   4: 0100007F:5100 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 300390 1 0000000099e37a3e 100 0 0 10 0
`;
  assertEquals(parseProcNet(tcp, 81), [
    { hostname: "127.0.0.1", uid: "1000", inode: "300372" },
  ]);
});

Deno.test("parseProcNet() reads IPv6 addresses", () => {
  const tcp6 =
    `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:0051 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 000000007902e388 100 0 0 10 0
   1: 00000000000000000000000001000000:0051 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 000000007902e389 100 0 0 10 0
   2: B80D0120000000000000000034120000:0051 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 3 1 000000007902e390 100 0 0 10 0
`;
  assertEquals(
    parseProcNet(tcp6, 81).map(({ hostname }) => hostname),
    ["::", "::1", "2001:db8::1234"],
  );
});

Deno.test("parseProcNet() finds bound UDP sockets, and no connected ones", () => {
  const udp =
    `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
 1867: 00000000:0051 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 300374 2 000000003e853133 0
 5386: 0100007F:0051 0100007F:13D9 01 00000000:00000000 00:00000000 00000000     0        0 300375 2 000000007fc48c21 0
`;
  assertEquals(parseProcNet(udp, 81), [
    { hostname: "0.0.0.0", uid: "0", inode: "300374" },
  ]);
});

Deno.test("parseLsof() finds who listens and who receives, and no connection", () => {
  const output = `p501
cPython
f3
tIPv4
PTCP
n127.0.0.1:81
TST=LISTEN
TQR=0
TQS=0
f4
tIPv6
PTCP
n*:81
TST=LISTEN
TQR=0
TQS=0
f5
tIPv4
PTCP
n127.0.0.1:81->127.0.0.1:50644
TST=ESTABLISHED
TQR=0
TQS=0
p502
cGoogle\\x20Chrome\\x20Helper
f20
tIPv4
PUDP
n*:81
f21
tIPv6
PUDP
n[fe80::1]:81
f22
tIPv4
PUDP
n127.0.0.1:55555->127.0.0.1:81
p503
ccurl
f7
tIPv4
PTCP
n127.0.0.1:50644->127.0.0.1:81
TST=ESTABLISHED
TQR=0
TQS=0
`;
  const python = { pid: 501, program: "Python", protocol: "TCP" };
  const chrome = { pid: 502, program: "Google Chrome Helper", protocol: "UDP" };
  assertEquals(parseLsof(output), [
    { ...python, hostname: "127.0.0.1" },
    { ...python, hostname: "::" },
    { ...chrome, hostname: "0.0.0.0" },
    { ...chrome, hostname: "fe80::1" },
  ]);
  assertEquals(parseLsof(""), []);
});

for (const listening of ["LISTENING", "ABHÖREN"]) {
  Deno.test(`parseNetstat() finds who is ${listening}, and no connection`, () => {
    const output = `
Active Connections

  Proto  Local Address          Foreign Address        State           PID
  TCP    0.0.0.0:81             0.0.0.0:0              ${listening}       1234
  TCP    0.0.0.0:8081           0.0.0.0:0              ${listening}       4
  TCP    127.0.0.1:81           127.0.0.1:50101        ESTABLISHED     1234
  TCP    127.0.0.1:50101        127.0.0.1:81           ESTABLISHED     777
  TCP    127.0.0.1:81           127.0.0.1:50102        TIME_WAIT       0
  TCP    [::]:81                [::]:0                 ${listening}       1234
  TCP    [::1]:81               [::1]:50103            CLOSE_WAIT      1234
  UDP    0.0.0.0:81             *:*                                    5678
  UDP    0.0.0.0:500            *:*                                    900
  UDP    [fe80::9c1:1%12]:81    *:*                                    5678
`.replaceAll("\n", "\r\n");
    const programs = new Map([[1234, "python.exe"], [4, "System"]]);
    const python = { pid: 1234, program: "python.exe", protocol: "TCP" };
    const unknown = { pid: 5678, program: "?", protocol: "UDP" };
    assertEquals(parseNetstat(output, programs, 81), [
      { ...python, hostname: "0.0.0.0" },
      { ...python, hostname: "::" },
      { ...unknown, hostname: "0.0.0.0" },
      { ...unknown, hostname: "fe80::9c1:1%12" },
    ]);
  });
}

Deno.test("parseTasklist() reads names and PIDs", () => {
  const output =
    `"System Idle Process","0","Services","0","8 K"\r\n"python.exe","1234","Console","1","10,520 K"\r\n`;
  assertEquals(
    [...parseTasklist(output)],
    [[0, "System Idle Process"], [1234, "python.exe"]],
  );
  const nothing = "INFO: No tasks are running which match the criteria.\r\n";
  assertEquals([...parseTasklist(nothing)], []);
});

for (
  const [what, code, protocol, host, options] of [
    ["listens on IPv4", "tcp('127.0.0.1', PORT)", "TCP", "127.0.0.1"],
    ["listens everywhere", "tcp('0.0.0.0', PORT)", "TCP", "0.0.0.0"],
    ["receives on UDP", "udp('127.0.0.1', PORT)", "UDP", "127.0.0.1"],
    ["listens on IPv6", "tcp('::1', PORT, AF_INET6)", "TCP", "::1", WITH_IPV6],
    ["receives on IPv6", "udp('::', PORT, AF_INET6)", "UDP", "::", WITH_IPV6],
  ] as const
) {
  const ignore = WITH_PYTHON.ignore || options?.ignore;
  Deno.test(`a Python program that ${what} is found`, { ignore }, async () => {
    const port = quietPort();
    await using holder = await startPython(
      `s = ${code.replace("PORT", `${port}`)}; wait(os.getpid())`,
    );
    await assertListed(port, [holder.pids[0], "python3", protocol, host]);
  });
}

Deno.test("a Node program is found", WITH_NODE, async () => {
  const port = quietPort();
  const code = `
    const server = require("net").createServer();
    server.listen(${port}, "127.0.0.1", () => console.log(process.pid));
    process.stdin.on("end", () => process.exit()).resume();`;
  await using holder = await PortHolder.start(["node", "-e", code]);
  await assertListed(port, [holder.pids[0], "node", "TCP", "127.0.0.1"]);
});

Deno.test(
  "two Deno programs on one port are both found and ended",
  LINUX_ONLY,
  async () => {
    const port = quietPort();
    await using first = await startDeno(port);
    await using second = await startDeno(port);
    const pids = [...first.pids, ...second.pids].sort((a, b) => a - b);
    const name = Deno.execPath().split("/").at(-1)!;
    assertEquals(await killPort(port, "--yes"), {
      status: 0,
      stdout: table(
        port,
        [pids[0], name, "TCP", "127.0.0.1"],
        [pids[1], name, "TCP", "127.0.0.1"],
      ) + pids.map((pid) => `${pid} (${name}) has ended\n`).join(""),
      stderr: "",
    });
    assertEquals(await Promise.all([first.status, second.status]), [143, 143]);
  },
);

Deno.test(
  "a process with several sockets is listed with each, and asked for once",
  { ignore: WITH_PYTHON.ignore || WITH_IPV6.ignore },
  async () => {
    const port = quietPort();
    await using holder = await startPython(`
a = tcp("127.0.0.1", ${port})
b = tcp("::1", ${port}, AF_INET6)
c = udp("127.0.0.1", ${port})
d = a.dup()
wait(os.getpid())`);
    const [pid] = holder.pids;
    assertEquals(await killPort(port), {
      status: 0,
      stdout: table(
        port,
        [pid, "python3", "TCP", "127.0.0.1"],
        [pid, "python3", "TCP", "::1"],
        [pid, "python3", "UDP", "127.0.0.1"],
      ) + `Kill ${pid} (python3)? [y/N] `,
      stderr: "",
    });
  },
);

Deno.test(
  "a forked child that has the socket too is listed",
  WITH_PYTHON,
  async () => {
    const port = quietPort();
    await using holder = await startPython(`
s = tcp("127.0.0.1", ${port})
child = os.fork()
if child == 0:
    sys.stdin.read()
else:
    wait(os.getpid(), child)`);
    const pids = holder.pids.sort((a, b) => a - b);
    await assertListed(
      port,
      [pids[0], "python3", "TCP", "127.0.0.1"],
      [pids[1], "python3", "TCP", "127.0.0.1"],
    );
    await holder.endInput(); // ends both
  },
);

Deno.test(
  "a client on the port is not listed, nor one that is connected to it",
  LINUX_ONLY,
  async () => {
    const port = quietPort();
    const listener = Deno.listen({ hostname: "127.0.0.1", port });
    using client = await connect(port);
    using _accepted = await listener.accept();
    listener.close();
    await assertNobody(port);
    await assertNobody((client.localAddr as Deno.NetAddr).port);
  },
);

Deno.test(
  "a UDP client that is connected to or from the port is not listed",
  WITH_PYTHON,
  async () => {
    const [port, other] = [quietPort(), quietPort()];
    await using _ = await startPython(`
s = udp("127.0.0.1", ${port})
s.connect(("127.0.0.1", ${other}))
wait(os.getpid())`);
    await assertNobody(port);
    await assertNobody(other);
  },
);

Deno.test(
  "it does not list itself where it has inherited the socket",
  WITH_PYTHON,
  async () => {
    const port = quietPort();
    const command = [...KILL_PORT, `${port}`, "--list"];
    await using holder = await startPython(`
import subprocess
s = tcp("127.0.0.1", ${port})
print(os.getpid(), flush=True)
subprocess.run(${JSON.stringify(command)}, pass_fds=[s.fileno()])
wait("done")`);
    assert(await holder.until(() => holder.screen.endsWith("done\n")));
    const [pid] = holder.pids;
    assertEquals(
      holder.screen,
      `${pid}\n${table(port, [pid, "python3", "TCP", "127.0.0.1"])}done\n`,
    );
  },
);

Deno.test("nothing is listening on a free port", LINUX_ONLY, async () => {
  await assertNobody(quietPort());
});

Deno.test("--list wins over --yes", LINUX_ONLY, async () => {
  const port = quietPort();
  await using holder = await startDeno(port);
  const { status, stdout } = await killPort(port, "--yes", "--list");
  assertEquals(status, 0);
  assertMatch(stdout, RegExp(`^${holder.pids[0]} +\\S+ +TCP .+\n$`, "m"));
  (await connect(port)).close(); // it still listens
});

for (const answer of ["y", "Y", "yes"]) {
  Deno.test(`typing ${answer} ends the process`, LINUX_ONLY, async () => {
    const port = quietPort();
    await using holder = await startDeno(port);
    const tool = startTool(port);
    await tool.type(answer);
    const { status, stdout, stderr } = await result(tool);
    assertEquals([status, stderr], [0, ""]);
    assertMatch(stdout, RegExp(`${holder.pids[0]} \\(\\S+\\) has ended\n$`));
    assertEquals(await holder.status, 143);
  });
}

for (const answer of ["n", "", "yeah, no"]) {
  Deno.test(
    `typing "${answer}" leaves the process alone`,
    LINUX_ONLY,
    async () => {
      const port = quietPort();
      await using _ = await startDeno(port);
      const tool = startTool(port);
      await tool.type(answer);
      const { status, stdout, stderr } = await result(tool);
      assertEquals([status, stderr], [0, ""]);
      assert(stdout.endsWith("? [y/N] "), stdout);
      (await connect(port)).close();
    },
  );
}

Deno.test(
  "the end of input leaves all processes alone",
  LINUX_ONLY,
  async () => {
    const port = quietPort();
    await using _first = await startDeno(port);
    await using _second = await startDeno(port);
    const { status, stdout, stderr } = await killPort(port);
    assertEquals([status, stderr], [0, ""]);
    assertEquals(stdout.match(/Kill/g)?.length, 1);
    await assertTwoListen(port);
  },
);

async function assertTwoListen(port: number) {
  const { stdout } = await killPort(port, "--list");
  assertEquals(stdout.match(/ TCP /g)?.length, 2);
}

Deno.test("--signal names the signal that is sent", LINUX_ONLY, async () => {
  const port = quietPort();
  await using holder = await startDeno(
    port,
    "Deno.addSignalListener('SIGHUP', () => Deno.exit(7));",
  );
  const { status } = await killPort(port, "--yes", "--signal=SIGHUP");
  assertEquals(status, 0);
  assertEquals(await holder.status, 7);
});

Deno.test(
  "a process that ignores SIGTERM is told of, and SIGKILL ends it",
  LINUX_ONLY,
  async () => {
    const port = quietPort();
    await using holder = await startDeno(
      port,
      "Deno.addSignalListener('SIGTERM', () => {});",
    );
    const insist = `run -A ${SCRIPTS}kill_port.ts ${port} --signal=SIGKILL`;
    const refused = await killPort(port, "--yes");
    assertEquals(refused.status, 1);
    assert(!refused.stdout.includes("has ended"));
    assertMatch(
      refused.stderr,
      RegExp(`^error: ${holder.pids[0]} \\(\\S+\\) is still there\n`),
    );
    assertStringIncludes(refused.stderr, `insist: deno ${insist}\n`);

    const insisted = await killPort(port, "--yes", "--signal=SIGKILL");
    assertEquals([insisted.status, insisted.stderr], [0, ""]);
    assertStringIncludes(insisted.stdout, "has ended\n");
    assertEquals(await holder.status, 137);
  },
);

Deno.test(
  "a process that ends before the answer is no failure",
  LINUX_ONLY,
  async () => {
    const port = quietPort();
    await using holder = await startDeno(port);
    await using tool = startTool(port);
    assert(await tool.until(() => tool.screen.endsWith("[y/N] ")), tool.errors);
    await holder.end("SIGKILL");
    await using _successor = await startDeno(port);
    await tool.type("y");
    const { status, stdout, stderr } = await result(tool);
    assertEquals([status, stderr], [0, ""]);
    assertMatch(
      stdout,
      RegExp(`${holder.pids[0]} \\(\\S+\\) no longer holds port ${port}\n$`),
    );
    (await connect(port)).close(); // the successor is left alone
  },
);

Deno.test("a zombie has ended", WITH_PYTHON, async () => {
  const port = quietPort();
  await using holder = await startPython(`
s = tcp("127.0.0.1", ${port})
child = os.fork()
if child == 0:
    sys.stdin.read()
else:
    s.close() # the child alone has the port
    wait(child)`);
  const [pid] = holder.pids;
  const { status, stdout } = await killPort(port, "--yes");
  assertEquals(status, 0);
  assertStringIncludes(stdout, `\n${pid} (python3) has ended\n`);
  // Its parent has not asked for it, so it is still there.
  assertMatch(Deno.readTextFileSync(`/proc/${pid}/stat`), /\) Z /);
});

for (
  const [title, name] of [
    ["/bin/\\x1b[31mred\\n", "\\x1b[31mred\\n"], // cannot drive the terminal
    ["sshd: /usr/sbin/sshd -D [listener]", "sshd"],
  ]
) {
  Deno.test(
    `a program that calls itself ${title} is named ${name}`,
    WITH_PYTHON,
    async () => {
      const port = quietPort();
      await using holder = await startPython(`
s = tcp("127.0.0.1", ${port})
s.set_inheritable(True)
code = "import os, sys; print(os.getpid(), flush=True); sys.stdin.read()"
os.execv(sys.executable, ["${title}", "-c", code])`);
      const [pid] = holder.pids;
      assertEquals(
        (await killPort(port)).stdout,
        table(port, [pid, name, "TCP", "127.0.0.1"]) +
          `Kill ${pid} (${name})? [y/N] `,
      );
    },
  );
}

/** Copies the script and what it needs to where nobody may read and run it. */
async function copyForNobody(): Promise<string> {
  const folder = await Deno.makeTempDir();
  const run = (program: string, ...args: string[]) => new Deno.Command(program, { args }).output();
  const { stdout } = await run(Deno.execPath(), "info", "--json");
  const { denoDir } = JSON.parse(new TextDecoder().decode(stdout));
  await Deno.mkdir(`${folder}/scripts`);
  await Deno.mkdir(`${folder}/cache`);
  await Deno.copyFile(`${SCRIPTS}../deno.json`, `${folder}/deno.json`);
  for (const name of ["lib.ts", "kill_port.ts"]) {
    await Deno.copyFile(SCRIPTS + name, `${folder}/scripts/${name}`);
  }
  await run("cp", "-r", `${denoDir}/npm`, `${folder}/cache/npm`);
  await run("chown", "-R", `${NOBODY.uid}:${NOBODY.gid}`, folder);
  return folder;
}

Deno.test(
  "who may not see the process is told how to get the right",
  AS_ROOT,
  async () => {
    const port = quietPort();
    const folder = await copyForNobody();
    try {
      await using _ = await startDeno(port);
      const script = `${folder}/scripts/kill_port.ts`;
      const startAsNobody = (flag: string) =>
        new Program([...DENO_RUN, "-A", script, `${port}`, flag], undefined, {
          ...NOBODY,
          env: { DENO_DIR: `${folder}/cache` },
        });
      const stdout = "PID     program         protocol address\n" +
        `-       ? (user 0)      TCP      ('127.0.0.1', ${port})\n`;
      const stderr = `error: a process that you may not see holds port ${port}\n` +
        `run it as root: sudo ${Deno.execPath()} run -A ${script} ${port}\n`;
      assertEquals(await result(startAsNobody("--list")), {
        status: 0,
        stdout,
        stderr,
      });
      assertEquals(await result(startAsNobody("--yes")), {
        status: 1,
        stdout,
        stderr: `${stderr}error: port ${port} could not be freed\n`,
      });
      (await connect(port)).close();
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

Deno.test(
  "who may see the process but not end it is told how to get the right",
  AS_ROOT_WITHOUT_RIGHTS,
  async () => {
    const port = quietPort();
    await using holder = await startDeno(port, "", NOBODY);
    const args = ["--bounding-set=-kill", ...KILL_PORT, `${port}`, "--yes"];
    const { status, stderr } = await result(new Program(["setpriv", ...args]));
    assertEquals(status, 1);
    const [error, hint, end] = stderr.split("\n");
    assertMatch(error, RegExp(`^error: no right to end ${holder.pids[0]} `));
    assertMatch(hint, /^run it as root: sudo /);
    assertEquals(end, `error: port ${port} could not be freed`);
    (await connect(port)).close();
  },
);

for (
  const permissions of [
    ["--allow-net"],
    ["--allow-read", "--allow-run"],
    ["-A", "--deny-net"],
  ]
) {
  Deno.test(
    `${permissions.join(" ")} is too little, and it says what is needed`,
    LINUX_ONLY,
    async () => {
      const script = `${SCRIPTS}kill_port.ts`;
      const command = [...DENO_RUN, ...permissions, script, "81", "--list"];
      await using tool = new Program(command); // with a keyboard that stays silent
      assert(await tool.ended(), "it hangs");
      assertEquals([await tool.status, tool.screen], [1, ""]);
      assertEquals(
        tool.errors,
        `error: permission missing: all of them are needed\n` +
          `allow them: deno run -A ${script} 81\n`,
      );
    },
  );
}

for (
  const [args, error] of [
    [[], "one port is needed, not 0"],
    [["81", "82"], "one port is needed, not 2"],
    [["0"], "the port must be a whole number from 1 to 65535, not 0"],
    [["70000"], "the port must be a whole number from 1 to 65535, not 70000"],
    [["http"], "the port must be a whole number from 1 to 65535, not http"],
    [["8e1"], "the port must be a whole number from 1 to 65535, not 8e1"],
    [["--port=81"], "unknown flag --port=81"],
    [["81", "--signal="], "--signal needs a value"],
    [["81", "--yes=no"], "--yes takes no value: --yes=no"],
    [["81", "--signal=SIGNAL"], /^--signal must be one of .+, not SIGNAL$/],
  ] as const
) {
  Deno.test(`"${args.join(" ")}" is wrong usage`, async () => {
    const { status, stdout, stderr } = await killPort(...args);
    assertEquals([status, stdout], [2, ""]);
    const [first, usage, ...others] = stderr.split("\n");
    const message = first.replace(/^error: /, "");
    if (typeof error === "string") assertEquals(message, error);
    else assertMatch(message, error);
    assertEquals(
      usage,
      "usage: kill_port.ts PORT [--yes] [--list] [--signal=SIGTERM] [--help]",
    );
    assertEquals(others, [""]);
  });
}

Deno.test("--help shows the header", async () => {
  const { status, stdout, stderr } = await killPort("--help");
  assertEquals([status, stderr], [0, ""]);
  assert(stdout.startsWith("Finds the programs that hold a port"), stdout);
});
