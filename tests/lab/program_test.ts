/** Running programs: their screens, and that none of them outlives the tool. */
import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async/delay";
import { Activity } from "../../scripts/lab/process/activity.ts";
import { freePort, isFree, isInTimeWait } from "../../scripts/lab/process/ports.ts";
import {
  DENO_RUN,
  hasPython,
  Program,
  pythonCommand,
  withUnixLineEnds,
} from "../../scripts/lab/process/program.ts";
import { writeCourse } from "./course.ts";
import { connect, LINUX_ONLY, SCRIPTS, temporary, WITH_SHELL, WITH_SIGNALS } from "../helpers.ts";

/** Runs a line of JavaScript. */
function evaluate(code: string, most?: number): Program {
  return new Program([Deno.execPath(), "eval", code], undefined, {}, undefined, most);
}

/** Returns whether a process runs. A zombie does not. */
function runs(pid: number): boolean {
  const { stdout } = new Deno.Command("ps", { args: ["-o", "stat=", "-p", `${pid}`] }).outputSync();
  return /^[^Z\s]/.test(new TextDecoder().decode(stdout));
}

Deno.test("Program ends a program that prints more than the limit, and keeps the beginning", async () => {
  await using program = evaluate("for (;;) console.log('no end')", 1000);
  assert(await program.ended(20));
  assertEquals(program.excess, "it prints without end");
  assertEquals(program.screen.length, 1000);
  assert(program.screen.startsWith("no end\nno end\n"));
});

Deno.test("a program that prints is not idle, also where the system does not show its work", () => {
  const never = () => Promise.resolve(false);
  const program = { pid: 0, printed: 0, until: never, ended: never }; // no system shows process 0
  const activity = new Activity([program]);
  assertEquals([activity.isIdle(), activity.isIdle()], [false, true]);
  program.printed++;
  assertEquals([activity.isIdle(), activity.isIdle()], [false, true]);
});

Deno.test("Program does not show a line that is typed after its end", async () => {
  await using program = evaluate("console.log('first')");
  assert(await program.ended(20));
  await program.type("second");
  assertEquals(program.screen, "first\n");
});

Deno.test(
  "Program shows each \\r\\n of Python as \\n, also when its bytes come one by one, and others as they are",
  { ignore: !await hasPython() },
  async () => {
    const output = "one\r\ntwo\r\r\n\r\n20 %\r30 %\r\nthe end\r";
    const shown = "one\ntwo\n\n20 %\r30 %\nthe end\r";
    for (const stream of ["stdout", "stderr"]) {
      let seen = "";
      const add = (output: string) => seen += output;
      const code = `import sys, time
for byte in ${JSON.stringify(output)}:
    sys.${stream}.buffer.write(byte.encode())
    sys.${stream}.flush()
    time.sleep(0.005)
`;
      await using program = new Program([...await pythonCommand(), "-c", code], add, {}, add);
      assert(await program.ended(20));
      assertEquals([seen, program.screen + program.errors], [shown, shown]);
    }
    await using other = evaluate("console.log('one\\r')");
    assert(await other.ended(20));
    assertEquals(other.screen, "one\r\n");
  },
);

Deno.test("withUnixLineEnds() takes linear time on many carriage returns", () => {
  const start = performance.now();
  assertEquals(withUnixLineEnds("\r".repeat(1_000_000)).length, 1_000_000);
  assert(performance.now() - start < 2000); // a quadratic search takes minutes
});

Deno.test("Program.jobsAtOnce() leaves room for the programs of each job", () => {
  const { limit } = Program;
  Program.limit = 7;
  try {
    const jobs = [Program.jobsAtOnce(5), Program.jobsAtOnce(5, 2), Program.jobsAtOnce(5, 8)];
    assertEquals(jobs, [5, 3, 1]);
  } finally {
    Program.limit = limit;
  }
});

Deno.test("Program keeps all output up to the limit", async () => {
  await using program = evaluate("console.log('x'.repeat(300_000))", 300_001);
  assert(await program.ended(20));
  assertEquals([program.screen.length, program.excess], [300_001, undefined]);
});

Deno.test(
  "Program has ended when a program that it started still holds its stdout",
  WITH_SHELL,
  async () => {
    await using program = new Program(["sh", "-c", "sleep 600 & echo $!"]);
    const hasEnded = await program.ended(20);
    Deno.kill(Number(program.screen), "SIGKILL");
    assert(hasEnded);
    assertEquals(await program.status, 0);
  },
);

Deno.test(
  "pythonCommand() names Python itself when python3 is a script that starts it",
  { ignore: WITH_SHELL.ignore || !await hasPython() },
  async () => {
    await using folder = await temporary();
    const [python] = await pythonCommand();
    const script = `#!/bin/sh\necho >> "${folder.path}/starts"\nexec "${python}" "$@"\n`;
    Deno.writeTextFileSync(`${folder.path}/python3`, script, { mode: 0o755 });
    const module = new URL("../../scripts/lab/process/program.ts", import.meta.url);
    const code = `import { hasPython, pythonCommand } from "${module}";
console.log(await hasPython(), ...await pythonCommand(), ...await pythonCommand());`;
    const env = { PATH: `${folder.path}:${Deno.env.get("PATH")}` };
    Deno.writeTextFileSync(`${folder.path}/sitecustomize.py`, "print('Welcome')\n");
    const options = { env: { ...env, PYTHONPATH: folder.path } };
    await using program = new Program([Deno.execPath(), "eval", code], undefined, options);
    assert(await program.ended(20));
    assertEquals(program.screen, `true ${python} -u ${python} -u\n`, program.errors);
    assertEquals(Deno.readTextFileSync(`${folder.path}/starts`), "\n");
  },
);

Deno.test("freePort() gives each caller another port", () => {
  const ports = Array.from({ length: 20 }, () => freePort("tcp"));
  assert(new Set(ports).size > 15, `${ports}`);
  for (const port of ports) assert(port >= 20000 && port < 32768, `${port}`);
});

Deno.test(
  "isInTimeWait() is true after a connection that the server has closed first",
  LINUX_ONLY,
  async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    const client = await connect(port);
    (await listener.accept()).close();
    listener.close();
    assertEquals(await client.read(new Uint8Array(1)), null);
    client.close();
    assertEquals([isInTimeWait(port), isFree(port, "tcp")], [true, false]);
  },
);

Deno.test(
  "Ctrl-C ends everything that lab compare has started, even what ignores it",
  { ignore: WITH_SIGNALS.ignore || !await hasPython() },
  async () => {
    await using folder = await temporary();
    const files = await writeCourse(folder.path, "codl/echoserver.py", "codl/echoclient.py");
    const stubborn = "import os, signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n" +
      "open(__file__ + '.pid', 'w').write(f'{os.getpid()}\\n')\n";
    for (const file of files) {
      const source = Deno.readTextFileSync(file);
      Deno.writeTextFileSync(file, stubborn + source + "\nwhile True: pass\n");
    }
    const pidOf = (file: string) => {
      try {
        return Number(Deno.readTextFileSync(`${file}.pid`).match(/^\d+\n/)?.[0]);
      } catch {
        return NaN;
      }
    };
    const args = ["compare", "echo_v1", `--originals=${folder.path}`];
    await using tool = new Program([...DENO_RUN, "-A", `${SCRIPTS}lab.ts`, ...args]);
    const isThere = () => files.every((file) => pidOf(file) > 0);
    for (let i = 0; i < 400 && !isThere(); i++) await tool.ended(0.05);
    assert(isThere(), tool.screen + tool.errors);
    const pids = files.map(pidOf);
    assert(pids.every(runs));
    const status = await tool.end("SIGINT");
    // The end of an orphan process causes no event.
    for (let i = 0; i < 100 && pids.some(runs); i++) await delay(50);
    const left = pids.filter(runs);
    for (const pid of left) Deno.kill(pid, "SIGKILL");
    assertEquals([status, left], [130, []]);
  },
);

Deno.test(
  "Ctrl-C ends a Python exercise and all that it has started, and the report says Bail out!",
  { ignore: WITH_SIGNALS.ignore || !await hasPython() },
  async () => {
    await using folder = await temporary();
    const file = `${folder.path}/echo_server_v1.py`;
    Deno.writeTextFileSync(
      file,
      "import signal, subprocess, time\n" +
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" +
        "child = subprocess.Popen(['sleep', '600'])\n" +
        "open(__file__ + '.pid', 'w').write(f'{child.pid}\\n')\n" +
        "time.sleep(600)\n",
    );
    const pidOf = () => {
      try {
        return Number(Deno.readTextFileSync(`${file}.pid`).match(/^\d+\n/)?.[0]);
      } catch {
        return NaN;
      }
    };
    await using tool = new Program([...DENO_RUN, "-A", `${SCRIPTS}lab.ts`, "check", file]);
    for (let i = 0; i < 400 && !pidOf(); i++) await tool.ended(0.05);
    const pid = pidOf();
    assert(pid > 0 && runs(pid), tool.screen + tool.errors);
    const status = await tool.end("SIGINT");
    for (let i = 0; i < 100 && runs(pid); i++) await delay(50);
    const isLeft = runs(pid);
    if (isLeft) Deno.kill(pid, "SIGKILL");
    assertEquals([status, isLeft], [130, false]);
    assert(tool.screen.endsWith("\nBail out! it was ended\n"), tool.screen);
  },
);
