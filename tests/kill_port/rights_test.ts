/** kill_port.ts: what it says where it may not do all. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { DENO_RUN, Program } from "../../scripts/lab/process/program.ts";
import { connect, LINUX_ONLY, quietPort, SCRIPTS } from "../helpers.ts";
import {
  AS_ROOT,
  AS_ROOT_WITHOUT_RIGHTS,
  KILL_PORT,
  NOBODY,
  result,
  startDeno,
} from "./helpers.ts";

/** Copies the script and what it needs to where nobody may read and run it. */
async function copyForNobody(): Promise<string> {
  const folder = await Deno.makeTempDir();
  const run = (program: string, ...args: string[]) => new Deno.Command(program, { args }).output();
  const { stdout } = await run(Deno.execPath(), "info", "--json");
  const { denoDir } = JSON.parse(new TextDecoder().decode(stdout));
  await Deno.mkdir(`${folder}/scripts`);
  await Deno.mkdir(`${folder}/cache`);
  await Deno.copyFile(`${SCRIPTS}../deno.json`, `${folder}/deno.json`);
  for (const name of ["lib.ts", "cli.ts", "kill_port.ts"]) {
    await Deno.copyFile(SCRIPTS + name, `${folder}/scripts/${name}`);
  }
  await run("cp", "-r", `${SCRIPTS}kill_port`, `${folder}/scripts/`);
  await run("cp", "-r", `${denoDir}/npm`, `${folder}/cache/npm`);
  await run("chown", "-R", `${NOBODY.uid}:${NOBODY.gid}`, folder);
  return folder;
}

Deno.test("who may not see the process is told how to get the right", AS_ROOT, async () => {
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
    assertEquals(await result(startAsNobody("--list")), { status: 0, stdout, stderr });
    const failed = `${stderr}error: port ${port} could not be freed\n`;
    assertEquals(await result(startAsNobody("--yes")), { status: 1, stdout, stderr: failed });
    (await connect(port)).close();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

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

for (const permissions of ["--allow-net", "--allow-read --allow-run", "-A --deny-net"]) {
  Deno.test(`${permissions} is too little, and it says what is needed`, LINUX_ONLY, async () => {
    const script = `${SCRIPTS}kill_port.ts`;
    const command = [...DENO_RUN, ...permissions.split(" "), script, "81", "--list"];
    await using tool = new Program(command); // with a keyboard that stays silent
    assert(await tool.ended(), "it hangs");
    assertEquals([await tool.status, tool.screen], [1, ""]);
    const allow = `allow them: deno run -A ${script} 81`;
    assertEquals(tool.errors, `error: permission missing: all of them are needed\n${allow}\n`);
  });
}
