/** The command `lab check` with hostile submissions: what they cannot reach, and what they leave behind. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { delay } from "@std/async/delay";
import { pathToFileURL } from "node:url";
import { DENO_RUN, hasPython, Program } from "../../scripts/lab/process/program.ts";
import {
  lab,
  LINUX_ONLY,
  type Result,
  resultOf,
  SCRIPTS,
  temporary,
  THOROUGH,
  THOROUGH_ONLY,
  WITH_POSIX_FILES,
} from "../helpers.ts";
import { labHere } from "./in_process.ts";

const python = await hasPython();
const RIGHT = Deno.readTextFileSync(`${import.meta.dirname}/right/echo_server.ts`);

function writeFiles(folder: string, files: Record<string, string>) {
  for (const [name, text] of Object.entries(files)) {
    const path = `${folder}/${name}`;
    Deno.mkdirSync(path.replace(/\/[^/]*$/, ""), { recursive: true });
    Deno.writeTextFileSync(path, text);
  }
}

/** Checks a submission that consists of some files, the first of them or those that are named. */
async function checkFiles(
  folder: string,
  files: Record<string, string>,
  names = [Object.keys(files)[0]],
): Promise<Result> {
  writeFiles(folder, files);
  const options = { env: { TMPDIR: `${folder}/tmp` } };
  Deno.mkdirSync(`${folder}/tmp`, { recursive: true });
  const result = await lab(["check", ...names.map((name) => `${folder}/${name}`)], "", options);
  const left = [...Deno.readDirSync(`${folder}/tmp`)].map(({ name }) => name);
  assertEquals(left.filter((name) => !name.endsWith(".lock")), [], "nothing is left behind");
  return result;
}

/** A server that tries something first, and reports it in its error when it was allowed to. */
const attempting = (code: string) => `
const tried: string[] = [];
const attempt = async (name: string, action: () => unknown) => {
  try {
    await action();
    tried.push(name);
  } catch { /* refused */ }
};
${code}
throw new Error("ALLOWED: [" + tried.join() + "]");
`;

Deno.test("check runs modules, texts and @std of a student's folder, but no command of its configuration", async () => {
  await using folder = await temporary();
  const script = `echo > ${folder.path}/PWNED`;
  const { imports } = JSON.parse(Deno.readTextFileSync(`${SCRIPTS}../deno.json`));
  const { stdout } = await checkFiles(folder.path, {
    "echo_server.ts":
      `import { a } from "./my lib/a.ts";\nimport { assert } from "@std/assert";\nassert(a);\n${RIGHT}`,
    "my lib/a.ts":
      `import text from "../a.txt" with { type: "text" };\nexport const a = text === "a";`,
    "a.txt": "a",
    "deno.json": JSON.stringify({
      nodeModulesDir: "auto",
      allowScripts: true,
      workspace: ["./evil"],
      lock: `${folder.path}/lock-made`,
      unstable: ["net"],
      imports: { "@std/assert": imports["@std/assert"] },
    }),
    "package.json": JSON.stringify({ dependencies: { evil: "workspace:*" } }),
    "evil/package.json": JSON.stringify({
      name: "evil",
      version: "1.0.0",
      exports: "./evil.js",
      scripts: { preinstall: script, install: script, postinstall: script },
    }),
    "evil/evil.js": "export default 1;",
    ".env": "NODE_OPTIONS=--require=./evil.js\n",
  });
  assertStringIncludes(stdout, "\nok 1 - it starts and listens");
  for (const name of ["PWNED", "lock-made", "node_modules", "deno.lock"]) {
    assertEquals([name, await exists(`${folder.path}/${name}`)], [name, false]);
  }
});

Deno.test(
  "check refuses a link whose name says another kind of program",
  WITH_POSIX_FILES,
  async () => {
    await using folder = await temporary();
    Deno.symlinkSync(`${folder.path}/evil.py`, `${folder.path}/echo_server.ts`);
    const files = { "evil.py": `open("${folder.path}/PWNED", "w")` };
    const { status, stderr } = await checkFiles(folder.path, files, ["echo_server.ts"]);
    assertEquals(status, 1);
    assertStringIncludes(stderr, "a link to a file of another kind: evil.py");
    assertEquals(await exists(`${folder.path}/PWNED`), false);
  },
);

Deno.test("check refuses a submission that imports from outside of its folder", async (test) => {
  await using folder = await temporary();
  Deno.writeTextFileSync(`${folder.path}/secret.txt`, "secret");
  Deno.writeTextFileSync(`${folder.path}/secret.json`, "{}");
  const secret = pathToFileURL(`${folder.path}/secret.txt`);
  const cases: Record<string, string> = {
    "by a path": `import s from "${secret.pathname}" with { type: "text" };`,
    "by a relative path": `import s from "../secret.txt" with { type: "text" };`,
    "as JSON": `import s from "../secret.json" with { type: "json" };`,
    "in a dynamic import": `await import("../secret.txt", { with: { type: "text" } });`,
    "in a data: module":
      `import "data:text/javascript,import s from '${secret}' with { type: 'text' };";`,
    "in another module": `import "./other.ts";`,
    "through a link": `import s from "./link.txt" with { type: "text" };`,
    "from npm": `import "npm:chalk@5";`,
    "from a server": `import "https://example.com/mod.ts";`,
  };
  for (const [name, code] of Object.entries(cases)) {
    await test.step({
      name,
      ignore: name === "through a link" && WITH_POSIX_FILES.ignore,
      async fn() {
        const at = `${folder.path}/${name.replaceAll(/\W/g, "_")}`;
        Deno.mkdirSync(at);
        if (name === "through a link") Deno.symlinkSync("../secret.txt", `${at}/link.txt`);
        writeFiles(at, {
          "echo_server.ts": `${code}\n${RIGHT}`,
          "other.ts": `export * as s from "../secret.json" with { type: "json" };`,
        });
        const { status, stdout, stderr } = await labHere(["check", `${at}/echo_server.ts`]);
        assertEquals(status, 1, stdout);
        assertMatch(stderr, /which is not in its folder|leads out of its folder/);
      },
    });
  }
});

Deno.test("check gives a submission its own port, no storage and nothing of the machine", async () => {
  await using folder = await temporary();
  const other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const to = JSON.stringify({ hostname: "127.0.0.1", port: other.addr.port });
  const { stdout } = await checkFiles(folder.path, {
    "echo_server.ts": attempting(`
      const at = (...parts: string[]) => parts.join("/");
      const text = { with: { type: "text" } };
      await attempt("connect", () => Deno.connect(${to}));
      await attempt("listen", () => Deno.listen({ port: 0 }));
      await attempt("udp", () => Deno.listenDatagram({ transport: "udp", port: 0 }));
      await attempt("caches", () => caches.open("a"));
      await attempt("localStorage", () => localStorage.setItem("a", "b"));
      await attempt("read", () => Deno.readTextFile("/etc/hosts"));
      await attempt("computed import", () => import(at("/etc", "hosts"), text));
      await attempt("eval", () => (0, eval)("import('/etc/hosts', { with: { type: 'text' } })"));
      await attempt("computed data: import", () =>
        import(at("data:text", "javascript,import 'file:///etc/hosts' with { type: 'text' }")));
      await attempt("kill parent", () => Deno.kill(Deno.ppid, "SIGCONT"));
      await attempt("kill group", () => Deno.kill(0, "SIGCONT"));
      await attempt("kill all", () => Deno.kill(-1, "SIGCONT"));
      await attempt("run", () => new Deno.Command("true").output());
      await attempt("env", () => Deno.env.toObject());
      await attempt("ffi", () => Deno.dlopen("libc.so.6", {}));
      await attempt("sqlite", async () => {
        const { DatabaseSync } = await import("node:sqlite");
        new DatabaseSync(":memory:").exec("VACUUM INTO '${
      folder.path.replaceAll("\\", "/")
    }/PWNED'");
      });
    `),
  });
  other.close();
  assertStringIncludes(stdout, "ALLOWED: []");
});

Deno.test(
  "check lists at most 20 permissions, and ends a flood of them",
  THOROUGH_ONLY,
  async () => {
    await using folder = await temporary();
    const { status, stdout } = await checkFiles(folder.path, {
      "echo_server.ts":
        `for (let i = 0;; i++) try { Deno.readFileSync("/" + i); } catch { /* refused */ }`,
    });
    assertEquals(status, 1);
    assertStringIncludes(stdout, "    it asks for permissions without end\n");
    assertEquals(stdout.match(/note: .*it asked for read access/g)?.length, 20);
    assert(stdout.length < 10_000);
  },
);

Deno.test("check limits the memory of a submission", async () => {
  await using folder = await temporary();
  // Three times the limit in one step, so that little memory is touched.
  const { stdout } = await checkFiles(folder.path, {
    "echo_server.ts": `
      import { getHeapStatistics } from "node:v8";
      throw new Error("LIMIT " + Math.round(getHeapStatistics().heap_size_limit / 2 ** 20));`,
  });
  const limit = Number(stdout.match(/LIMIT (\d+)/)?.[1]);
  assert(limit >= 512 && limit < 700, stdout);
});

Deno.test("check refuses a file of more than 1 MB", async () => {
  await using folder = await temporary();
  const { status, stderr } = await checkFiles(folder.path, {
    "echo_server.ts": RIGHT + "/".repeat(2 ** 20),
  });
  assertEquals(status, 1);
  assertStringIncludes(stderr, "larger than 1 MB");
});

Deno.test(
  "check reports one bad file of several apart from the others",
  WITH_POSIX_FILES,
  async () => {
    await using folder = await temporary();
    Deno.mkdirSync(`${folder.path}/b`);
    Deno.symlinkSync("nowhere", `${folder.path}/b/echo_server.ts`);
    const names = ["a/echo_server.ts", "b/echo_server.ts", "c/hello.ts"];
    const files = { "a/echo_server.ts": RIGHT, "c/hello.ts": "" };
    const { status, stdout, stderr } = await checkFiles(folder.path, files, names);
    assertEquals([status, stderr], [
      1,
      `note: skipped, its name is not that of a script: ${folder.path}/c/hello.ts\n` +
      "error: 1 of 2 files failed\n",
    ]);
    assertMatch(stdout, /^ok 1 - a: .*a\/echo_server\.ts$/m);
    assertMatch(stdout, /^not ok 2 - b: .*b\/echo_server\.ts$/m);
    assertMatch(stdout, /^# .* b +.*no such file$/m);
  },
);

Deno.test("check reports in one line that file descriptors have run out", LINUX_ONLY, async () => {
  const command = `ulimit -n 32; exec "$@"`;
  const args = [...DENO_RUN, "-A", `${SCRIPTS}lab.ts`, "check", `${SCRIPTS}tcp_client.ts`];
  await using tool = new Program(["sh", "-c", command, "sh", ...args]);
  const { status, stderr } = await resultOf(tool);
  assertEquals(status, 1);
  assertMatch(stderr, /^error: .*Too many open files.*\n$/);
});

Deno.test(
  "check runs a file again alone if it failed while others ran",
  { ignore: !python || !THOROUGH },
  async () => {
    await using folder = await temporary();
    const right = Deno.readTextFileSync(`${SCRIPTS}lab/counterparts/tcp_server.py`);
    const once =
      `import os, sys\nif not os.path.exists("again"):\n    open("again", "w")\n    sys.exit(1)\n`;
    const files = { "tcp_server.py": once + right, "b/echo_server.ts": RIGHT };
    const { status, stdout } = await checkFiles(folder.path, files, Object.keys(files));
    assert(status !== 1, stdout); // 3 if the machine is too busy
    assertStringIncludes(stdout, " - the session of its header\n");
    assert(!stdout.includes("not ok"), stdout);
  },
);

/** Waits until a file holds the ids of processes. */
async function pidsIn(file: string, program: Program): Promise<number[]> {
  for (let i = 0; i < 400; i++) {
    const text = await exists(file) ? Deno.readTextFileSync(file) : "";
    if (text.endsWith("\n")) return text.trim().split(" ").map(Number);
    await program.ended(0.05);
  }
  throw new Error(`no ${file}: ${program.screen}${program.errors}`);
}

/** The processes that still run after a moment. */
async function survivors(pids: number[]): Promise<number[]> {
  const runs = (pid: number) => {
    try {
      return !/^State:\s*Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
    } catch {
      return false;
    }
  };
  for (let i = 0; i < 100 && pids.some(runs); i++) await delay(50);
  const left = pids.filter(runs);
  for (const pid of left) Deno.kill(pid, "SIGKILL");
  return left;
}

const STUBBORN = `
import os, signal, subprocess, sys, time
signal.signal(signal.SIGHUP, signal.SIG_IGN)
child = subprocess.Popen(["sleep", "600"], start_new_session=True)
orphan = subprocess.check_output(["sh", "-c", "setsid sleep 600 > /dev/null & echo $!"])
with open("pids", "w") as file:
    file.write(f"{os.getpid()} {child.pid} {int(orphan)}\\n")
`;

Deno.test(
  "lab check ends the processes that a Python submission started in other sessions",
  { ignore: !python || LINUX_ONLY.ignore },
  async () => {
    await using folder = await temporary();
    const { status } = await checkFiles(folder.path, {
      "echo_server.py": `${STUBBORN}sys.exit(1)`,
    });
    assertEquals(status, 1);
    const pids = Deno.readTextFileSync(`${folder.path}/pids`).trim().split(" ").map(Number);
    assertEquals(await survivors(pids), []);
  },
);

Deno.test(
  "check leaves no process and no folder when the terminal is closed",
  { ignore: !python || LINUX_ONLY.ignore },
  async () => {
    await using folder = await temporary();
    const file = `${folder.path}/echo_server.py`;
    const bare = `bare = subprocess.Popen(["env", "-i", "setsid", "sleep", "600"])\n`;
    const source = STUBBORN.replace("with open", `${bare}with open`)
      .replace("{os.getpid()}", "{os.getpid()} {bare.pid}");
    Deno.writeTextFileSync(file, `${source}time.sleep(600)`);
    Deno.mkdirSync(`${folder.path}/tmp`);
    const options = { env: { TMPDIR: `${folder.path}/tmp` } };
    const command = [...DENO_RUN, "-A", `${SCRIPTS}lab.ts`, "check", file];
    await using tool = new Program(command, undefined, options);
    const pids = await pidsIn(`${folder.path}/pids`, tool);
    assertEquals(await tool.end("SIGHUP"), 129);
    assertEquals(await survivors(pids), []);
    const left = [...Deno.readDirSync(`${folder.path}/tmp`)].map(({ name }) => name);
    assertEquals(left.filter((name) => !name.endsWith(".lock")), []);
  },
);

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch {
    return false;
  }
}
