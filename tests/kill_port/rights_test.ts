/** kill_port.ts without the permission to see a process or to end it. */
import { assertEquals, assertMatch } from "@std/assert";
import { basename } from "node:path";
import { DENO_RUN, Program } from "../../scripts/lab/process/program.ts";
import { has, LINUX_ONLY, quietPort, resultOf, SCRIPTS } from "../helpers.ts";
import { Holder, KILL_PORT, linesOf, result, startPython, WITH_PYTHON } from "./helpers.ts";

const NOBODY = { uid: 65534, gid: 65534 }; // a user who has no rights
const isRoot = !WITH_PYTHON.ignore && Deno.uid() === 0;
const AS_ROOT = { ignore: !isRoot || !has(Deno.execPath(), { args: ["--version"], ...NOBODY }) };
const WITHOUT_KILL = ["setpriv", "--bounding-set=-kill"];
const WITH_SETPRIV = {
  ignore: AS_ROOT.ignore || !has(WITHOUT_KILL[0], { args: [...WITHOUT_KILL.slice(1), "true"] }),
};

/** Copies the script into a folder with a space in its path, where other users may run it. */
async function copyForNobody(): Promise<string> {
  const folder = await Deno.makeTempDir({ suffix: " copy" });
  const run = (program: string, ...args: string[]) => new Deno.Command(program, { args }).output();
  const { stdout } = await run(Deno.execPath(), "info", "--json");
  const { denoDir } = JSON.parse(new TextDecoder().decode(stdout));
  await Deno.mkdir(`${folder}/cache`);
  await Deno.copyFile(`${SCRIPTS}../deno.json`, `${folder}/deno.json`);
  await run("cp", "-r", SCRIPTS, `${folder}/scripts`);
  await run("cp", "-r", `${denoDir}/npm`, `${folder}/cache/npm`);
  await run("chown", "-R", `${NOBODY.uid}:${NOBODY.gid}`, folder);
  return folder;
}

Deno.test(
  "names the root command when another user's process holds the port",
  AS_ROOT,
  async () => {
    const port = quietPort();
    const folder = await copyForNobody();
    try {
      await using _ = await startPython(`s = tcp("127.0.0.1", PORT); wait()`, port);
      const script = `${folder}/scripts/kill_port.ts`;
      const env = { DENO_DIR: `${folder}/cache` };
      const command = [...DENO_RUN, "-A", script, `${port}`, "--yes"];
      const run = await result(new Program(command, undefined, { ...NOBODY, env }));
      const who = "a process that you may not see";
      assertEquals(run.status, 1);
      assertEquals(linesOf(run.stdout, port, []), ["- ? (user 0) TCP ('127.0.0.1', PORT)"]);
      assertEquals(linesOf(run.stderr, port, []), [
        `error: ${who} holds port PORT`,
        `run it as root: sudo ${Deno.execPath()} run -A '${script}' PORT`, // quoted for its space
        `error: port PORT is still in use by ${who}`,
      ]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

Deno.test("names the root command when the process may not be ended", WITH_SETPRIV, async () => {
  const port = quietPort();
  const code = `
    Deno.listen({ hostname: "127.0.0.1", port: ${port} });
    console.log(Deno.pid);
    await Deno.stdin.read(new Uint8Array(1));`;
  await using holder = await Holder.start([Deno.execPath(), "eval", code], NOBODY);
  const { status, stderr } = await result(
    new Program([...WITHOUT_KILL, ...KILL_PORT, `${port}`, "--yes"]),
  );
  const [error, hint, end] = linesOf(stderr, port, holder.numbers);
  const name = basename(Deno.execPath());
  const reason = "it belongs to another user or the system";
  assertEquals([status, error], [1, `error: no permission to end A (${name}): ${reason}`]);
  assertMatch(hint, /^run it as root: sudo /);
  assertEquals(end, `error: port PORT is still in use by A (${name})`);
});

for (const permissions of ["--allow-net", "-A --deny-net"]) {
  Deno.test(
    `says which permissions are needed when it has ${permissions}`,
    LINUX_ONLY,
    async () => {
      const script = `${SCRIPTS}kill_port.ts`;
      const command = [...DENO_RUN, ...permissions.split(" "), script, "81", "--list"];
      await using tool = new Program(command); // its input stays open
      const { status, stdout, stderr } = await resultOf(tool);
      assertEquals([status, stdout], [1, ""]);
      const allow = `allow them: deno run -A ${script} 81`;
      assertEquals(stderr, `error: permission missing: all of them are needed\n${allow}\n`);
    },
  );
}
