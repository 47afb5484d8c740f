/** kill_port.ts: whom it ends, and what becomes of the port. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Program } from "../../scripts/lab/program.ts";
import { connect, LINUX_ONLY, SCRIPTS } from "../helpers.ts";
import {
  killPort,
  quietPort,
  result,
  startDeno,
  startPython,
  startTool,
  WITH_PYTHON,
} from "./helpers.ts";

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

Deno.test("who takes the port over at once is named, and who starts it", WITH_PYTHON, async () => {
  const port = quietPort();
  const server = `import os, socket, time
s = socket.create_server(("127.0.0.1", ${port}))
print(os.getpid(), flush=True)
time.sleep(100)`;
  const loop = `while true; do python3 -c '${server}'; done`;
  await using supervisor = new Program(["sh", "-c", `trap 'kill $!; exit' TERM; ${loop}`]);
  assert(await supervisor.until(() => supervisor.screen.endsWith("\n")), supervisor.errors);
  const { status, stdout, stderr } = await killPort(port, "--yes");
  const [first, second] = supervisor.screen.trim().split("\n");
  assertEquals(status, 1);
  assert(
    stdout.endsWith(
      `${first} (python3) has ended\nand ${second} (python3) holds port ${port} now\n`,
    ),
    stdout,
  );
  assertEquals(
    stderr,
    `error: port ${port} could not be freed\n` +
      `${supervisor.pid} (sh) starts it again: end that first\n`,
  );
  await supervisor.end("SIGKILL");
  assertEquals((await killPort(port, "--yes")).status, 0);
});

Deno.test("a stopped process is named as stopped, and ends all the same", WITH_PYTHON, async () => {
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
});

/** A Python program with a UDP socket that is connected to its peer. */
function startTalker(port: number) {
  return startPython(`
s = udp("127.0.0.1", ${port})
s.connect(("127.0.0.1", 9))
print(s.getsockname()[1], end=" ")
wait(os.getpid())`);
}

Deno.test(
  "a connected UDP socket on a chosen port is listed with its peer, and ended",
  WITH_PYTHON,
  async () => {
    const port = quietPort();
    await using holder = await startTalker(port);
    const [, pid] = holder.pids;
    const { status, stdout, stderr } = await killPort(port, "--yes");
    assertEquals([status, stderr], [0, ""]);
    assertStringIncludes(stdout, `UDP      ('127.0.0.1', ${port}) with ('127.0.0.1', 9)\n`);
    assertStringIncludes(stdout, `\n${pid} (python3) has ended\n`);
  },
);

Deno.test(
  "a UDP client on a port that the system gave it is spared, unless you say y",
  WITH_PYTHON,
  async () => {
    await using holder = await startTalker(0);
    const [port, pid] = holder.pids;
    const spared = await killPort(port, "--yes");
    assertEquals(spared.status, 1);
    assertMatch(
      spared.stderr,
      RegExp(
        `^error: ${pid} \\(python3\\) may be a client that was given port ${port}, and is left`,
      ),
    );
    const tool = startTool(port);
    await tool.type("y");
    const { status, stdout, stderr } = await result(tool);
    assertEquals(
      [status, stderr],
      [0, `note: ${pid} (python3) may be a client that was given port ${port} by the system\n`],
    );
    assertStringIncludes(stdout, `${pid} (python3) has ended\n`);
  },
);
