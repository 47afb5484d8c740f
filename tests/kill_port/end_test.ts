/** kill_port.ts: whom it ends, and what becomes of the port. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { connect, LINUX_ONLY, quietPort, SCRIPTS, testAtOnce } from "../helpers.ts";
import {
  answered,
  killPort,
  result,
  startDeno,
  startPython,
  startTool,
  WITH_PYTHON,
} from "./helpers.ts";

for (const answer of ["n", "", "yeah, no"]) {
  Deno.test(`typing "${answer}" leaves the process alone`, LINUX_ONLY, async () => {
    const port = quietPort();
    await using _ = await startDeno(port);
    const { status, stdout, stderr } = await answered(port, answer);
    assertEquals([status, stderr], [0, ""]);
    assert(stdout.endsWith("? [y/N] "), stdout);
    (await connect(port)).close();
  });
}

Deno.test("the end of input leaves all processes alone", LINUX_ONLY, async () => {
  const port = quietPort();
  await using _first = await startDeno(port);
  await using _second = await startDeno(port);
  const { status, stdout, stderr } = await killPort(port);
  assertEquals([status, stderr], [0, ""]);
  assertEquals(stdout.match(/Kill/g)?.length, 1);
  const listed = await killPort(port, "--list", "--yes"); // where --list wins
  assertEquals(listed.status, 0);
  assertEquals(listed.stdout.match(/ TCP /g)?.length, 2);
  (await connect(port)).close(); // they still listen
});

Deno.test("a process that ends before the answer is no failure", LINUX_ONLY, async () => {
  const port = quietPort();
  await using holder = await startDeno(port);
  await using tool = startTool(port);
  assert(await tool.until(() => tool.screen.endsWith("[y/N] ")), tool.errors);
  await holder.end("SIGKILL");
  await using _successor = await startDeno(port);
  await tool.type("y");
  const { status, stdout, stderr } = await result(tool);
  assertEquals([status, stderr], [0, ""]);
  assertMatch(stdout, RegExp(`${holder.pids[0]} \\(\\S+\\) no longer holds port ${port}\n$`));
  (await connect(port)).close(); // the successor is left alone
});

const answers = ["y", "Y", "yes"].map((answer) => [`typed ${answer}`, async () => {
  const port = quietPort();
  await using holder = await startDeno(port);
  const { status, stdout, stderr } = await answered(port, answer);
  assertEquals([status, stderr], [0, ""]);
  assertMatch(stdout, RegExp(`${holder.pids[0]} \\(\\S+\\) has ended\n$`));
  assertEquals(await holder.status, 143);
}]);

testAtOnce("a process ends", LINUX_ONLY, {
  ...Object.fromEntries(answers),

  "by the signal that --signal names": async () => {
    const port = quietPort();
    const code = "Deno.addSignalListener('SIGHUP', () => Deno.exit(7));";
    await using holder = await startDeno(port, code);
    assertEquals((await killPort(port, "--yes", "--signal=SIGHUP")).status, 0);
    assertEquals(await holder.status, 7);
  },

  "by SIGKILL, which is told where it ignores SIGTERM": async () => {
    const port = quietPort();
    await using holder = await startDeno(port, "Deno.addSignalListener('SIGTERM', () => {});");
    const refused = await killPort(port, "--yes");
    assertEquals(refused.status, 1);
    assert(!refused.stdout.includes("has ended"));
    assertMatch(refused.stderr, RegExp(`^error: ${holder.pids[0]} \\(\\S+\\) is still there\n`));
    const insist = `insist: deno run -A ${SCRIPTS}kill_port.ts ${port} --signal=SIGKILL\n`;
    assertStringIncludes(refused.stderr, insist);

    const insisted = await killPort(port, "--yes", "--signal=SIGKILL");
    assertEquals([insisted.status, insisted.stderr], [0, ""]);
    assertStringIncludes(insisted.stdout, "has ended\n");
    assertEquals(await holder.status, 137);
  },
});

Deno.test("who takes the port over at once is named, and who starts it", WITH_PYTHON, async () => {
  const port = quietPort();
  await using supervisor = await startPython(`
while True:
    if os.fork() == 0:
        s = tcp("127.0.0.1", ${port})
        wait(os.getpid())
    os.wait()`);
  const { status, stdout, stderr } = await killPort(port, "--yes");
  assert(await supervisor.until(() => /\n.+\n/.test(supervisor.screen)), stdout);
  const [first, second] = supervisor.pids;
  const told = `${first} (python3) has ended\nand ${second} (python3) holds port ${port} now\n`;
  assert(stdout.endsWith(told), stdout);
  const hint = `${supervisor.pid} (python3) starts it again: end that first\n`;
  assertEquals([status, stderr], [1, `error: port ${port} could not be freed\n${hint}`]);
});

/** A Python program with a UDP socket that is connected to its peer. */
function startTalker(port: number) {
  return startPython(`
while True:
    s = udp("127.0.0.1", ${port})
    other = socket.socket() # has the port too, so that no server of another test is given it
    try:
        other.bind(("", s.getsockname()[1]))
        break
    except OSError:
        s.close()
s.connect(("127.0.0.1", 9))
print(s.getsockname()[1], end=" ")
wait(os.getpid())`);
}

testAtOnce("a Python program", WITH_PYTHON, {
  "that is a zombie has ended": async () => {
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
  },

  "that is stopped is named as stopped, and ends all the same": async () => {
    const port = quietPort();
    await using holder = await startPython(`s = tcp("127.0.0.1", ${port}); wait(os.getpid())`);
    const [pid] = holder.pids;
    Deno.kill(pid, "SIGSTOP");
    const note = `note: ${pid} (python3) is stopped (Ctrl-Z) and answers nobody: ` +
      `go on with fg in its terminal, or with kill -CONT ${pid}\n`;
    const listed = await killPort(port, "--list");
    assertEquals([listed.status, listed.stderr], [0, note]);
    const killed = await killPort(port, "--yes");
    assertEquals([killed.status, killed.stderr], [0, note]);
    assertStringIncludes(killed.stdout, `\n${pid} (python3) has ended\n`);
  },

  "that talks over UDP from a port it chose is listed with its peer, and ended": async () => {
    const port = quietPort();
    await using holder = await startTalker(port);
    const [, pid] = holder.pids;
    const { status, stdout, stderr } = await killPort(port, "--yes");
    assertEquals([status, stderr], [0, ""]);
    assertStringIncludes(stdout, `UDP      ('127.0.0.1', ${port}) with ('127.0.0.1', 9)\n`);
    assertStringIncludes(stdout, `\n${pid} (python3) has ended\n`);
  },

  "that talks over UDP from a port the system gave it is spared, unless you say y": async () => {
    await using holder = await startTalker(0);
    const [port, pid] = holder.pids;
    const spared = await killPort(port, "--yes");
    assertEquals(spared.status, 1);
    const may = `${pid} (python3) may be a client that was given port ${port}`;
    assert(spared.stderr.startsWith(`error: ${may}, and is left alone\n`), spared.stderr);
    const { status, stdout, stderr } = await answered(port, "y");
    assertEquals([status, stderr], [0, `note: ${may} by the system\n`]);
    assertStringIncludes(stdout, `${pid} (python3) has ended\n`);
  },
});
