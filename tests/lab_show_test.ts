/** The command `lab show`: original and script next to each other. */
import { assert, assertEquals } from "@std/assert";
import { lab, temporary } from "./helpers.ts";

Deno.test("lab show puts original and script next to each other", async () => {
  const { status, stdout } = await lab(["show", "echo_server_v1"]);
  assertEquals(status, 0);
  assert(/^echo_server_v1\.py +│ echo_server_v1\.ts$/m.test(stdout), stdout);
  assert(/import socket/.test(stdout) && /Deno\.listen/.test(stdout));
  const both = await lab(["show", "echo_v1.ts"]);
  assert(/echo_server_v1\.py[^]*echo_client_v1\.py/.test(both.stdout));
});

Deno.test("lab show takes originals under their course's name, and says which are missing", async () => {
  await using folder = await temporary();
  Deno.writeTextFileSync(
    `${folder.path}/echoserver.py`,
    "# the course's own\n",
  );
  const { stdout } = await lab([
    "show",
    "echo_server_v1",
    `--originals=${folder.path}`,
  ]);
  assert(
    /^echoserver\.py +│/m.test(stdout) && stdout.includes("# the course's own"),
    stdout,
  );
  const { status, stderr } = await lab([
    "show",
    "echo_client_v1",
    `--originals=${folder.path}`,
  ]);
  assertEquals([status, stderr], [
    1,
    `error: no echoclient.py or echo_client_v1.py in ${folder.path}\n`,
  ]);
});
