/** kill_port.ts: whom it finds on a port, and what it says about wrong usage. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { LINUX_ONLY, quietPort, WITH_IPV6 } from "../helpers.ts";
import {
  assertListed,
  assertNobody,
  KILL_PORT,
  killPort,
  PortHolder,
  type Row,
  startDeno,
  startPython,
  table,
  WITH_NODE,
  WITH_PYTHON,
} from "./helpers.ts";

/** A test with a Python program on a port. */
function testPython(
  name: string,
  { ignore }: { ignore?: boolean },
  body: (port: number) => Promise<void>,
) {
  Deno.test(name, { ignore: WITH_PYTHON.ignore || ignore }, () => body(quietPort()));
}

for (
  const [what, code, protocol, host, ignore] of [
    ["listens on IPv4", "tcp('127.0.0.1', PORT)", "TCP", "127.0.0.1"],
    ["listens everywhere", "tcp('0.0.0.0', PORT)", "TCP", "0.0.0.0"],
    ["receives on UDP", "udp('127.0.0.1', PORT)", "UDP", "127.0.0.1"],
    ["listens on IPv6", "tcp('::1', PORT, AF_INET6)", "TCP", "::1", WITH_IPV6.ignore],
    ["receives on IPv6", "udp('::', PORT, AF_INET6)", "UDP", "::", WITH_IPV6.ignore],
  ] as const
) {
  testPython(`a program that ${what} is found`, { ignore }, async (port) => {
    const line = `s = ${code.replace("PORT", `${port}`)}; wait(os.getpid())`;
    await using holder = await startPython(line);
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

Deno.test("two Deno programs on one port are both found and ended", LINUX_ONLY, async () => {
  const port = quietPort();
  await using first = await startDeno(port);
  await using second = await startDeno(port);
  const pids = [...first.pids, ...second.pids].sort((a, b) => a - b);
  const name = Deno.execPath().split("/").at(-1)!;
  const rows = pids.map((pid): Row => [pid, name, "TCP", "127.0.0.1"]);
  const ends = pids.map((pid) => `${pid} (${name}) has ended\n`);
  const stdout = table(port, ...rows) + ends.join("");
  assertEquals(await killPort(port, "--yes"), { status: 0, stdout, stderr: "" });
  assertEquals(await Promise.all([first.status, second.status]), [143, 143]);
});

testPython("a process with several sockets is asked for once", WITH_IPV6, async (port) => {
  await using holder = await startPython(`
a = tcp("127.0.0.1", ${port})
b = tcp("::1", ${port}, AF_INET6)
c = udp("127.0.0.1", ${port})
d = a.dup()
wait(os.getpid())`);
  const [pid] = holder.pids;
  const stdout = table(
    port,
    [pid, "python3", "TCP", "127.0.0.1"],
    [pid, "python3", "TCP", "::1"],
    [pid, "python3", "UDP", "127.0.0.1"],
  ) + `Kill ${pid} (python3)? [y/N] `;
  assertEquals(await killPort(port), { status: 0, stdout, stderr: "" });
});

testPython("a forked child that has the socket too is listed", {}, async (port) => {
  await using holder = await startPython(`
s = tcp("127.0.0.1", ${port})
child = os.fork()
if child == 0:
    sys.stdin.read()
else:
    wait(os.getpid(), child)`);
  const pids = holder.pids.sort((a, b) => a - b);
  await assertListed(port, ...pids.map((pid): Row => [pid, "python3", "TCP", "127.0.0.1"]));
  await holder.endInput(); // ends both
});

testPython("one that talks to the port over UDP is not listed", {}, async (port) => {
  await using _ = await startPython(`
a = socket.socket(AF_INET, SOCK_DGRAM)
a.connect(("127.0.0.1", ${port}))
wait()`);
  await assertNobody(port);
});

testPython("an open connection of a server that is gone is told", {}, async (port) => {
  await using holder = await startPython(`
server = tcp("127.0.0.1", ${port})
a = socket.create_connection(("127.0.0.1", ${port}))
b, _ = server.accept()
server.close()
print(a.getsockname()[1], end=" ")
wait(os.getpid())`);
  const [client, pid] = holder.pids;
  const stderr = `error: nothing is listening on port ${port}\n` +
    `${pid} (python3) has a connection open there, with ('127.0.0.1', ${client}): ` +
    `bind may fail until it ends (kill ${pid})\n`;
  assertEquals(await killPort(port, "--yes"), { status: 1, stdout: "", stderr });
});

testPython("connections in TIME-WAIT are told, and for how long", {}, async (port) => {
  await using _ = await startPython(`
server = tcp("127.0.0.1", ${port})
a = socket.create_connection(("127.0.0.1", ${port}))
b, _ = server.accept()
server.close()
b.close() # first, so that it is the server's end which waits
a.recv(1)
a.close()
wait()`);
  const { status, stderr } = await killPort(port);
  assertEquals(status, 1);
  const [error, hint, another] = stderr.split("\n");
  assertEquals(error, `error: nothing is listening on port ${port}`);
  const rest = "a closed connection is still there (TIME-WAIT): bind may fail until that is over";
  const [, seconds] = hint.match(/, in (\d+) s$/)!;
  assertEquals(hint, `${rest}, in ${seconds} s`);
  assert(Number(seconds) > 0 && Number(seconds) <= 60);
  assertEquals(another, "a server that sets SO_REUSEADDR, as Deno does, need not wait");
});

testPython("it does not list itself where it has inherited the socket", {}, async (port) => {
  const command = [...KILL_PORT, `${port}`, "--list"];
  await using holder = await startPython(`
import subprocess
s = tcp("127.0.0.1", ${port})
print(os.getpid(), flush=True)
subprocess.run(${JSON.stringify(command)}, pass_fds=[s.fileno()])
wait("done")`);
  assert(await holder.until(() => holder.screen.endsWith("done\n")));
  const [pid] = holder.pids;
  const listed = table(port, [pid, "python3", "TCP", "127.0.0.1"]);
  assertEquals(holder.screen, `${pid}\n${listed}done\n`);
});

Deno.test("nothing is listening on a free port", LINUX_ONLY, async () => {
  await assertNobody(quietPort());
});

for (
  const [title, name] of [
    ["/bin/\\x1b[31mred\\n", "\\x1b[31mred\\n"], // cannot drive the terminal
    ["sshd: /usr/sbin/sshd -D [listener]", "sshd"],
  ]
) {
  testPython(`a program that calls itself ${title} is named ${name}`, {}, async (port) => {
    await using holder = await startPython(`
s = tcp("127.0.0.1", ${port})
s.set_inheritable(True)
code = "import os, sys; print(os.getpid(), flush=True); sys.stdin.read()"
os.execv(sys.executable, ["${title}", "-c", code])`);
    await assertListed(port, [holder.pids[0], name, "TCP", "127.0.0.1"]);
  });
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
