/** The command `lab compare`: originals and scripts in all four pairings. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { hasPython } from "../scripts/lab/program.ts";
import { lab, SCRIPTS, temporary } from "./helpers.ts";

const withPython = { ignore: !await hasPython() };

Deno.test(
  "lab compare finds the counterparts the same in all pairings",
  withPython,
  async () => {
    const { status, stdout, stderr } = await lab(["compare", "echo"]);
    assertEquals([status, stderr], [0, ""], stdout);
    assertEquals(stdout.match(/: same$/gm)?.length, 4, stdout);
    assert(!/ [≠~] /.test(stdout.replace(/^≠ differs.*/m, "")), stdout);
  },
);

Deno.test(
  "lab compare: an original that prints b'...' is the same but for bytes notation",
  withPython,
  async () => {
    await using folder = await temporary();
    const python = `${SCRIPTS}../tests/python/`;
    const client = Deno.readTextFileSync(`${python}echo_client.py`);
    const printing = client.replace(
      /print\(.*Received.*\)/,
      'print("Received: %s" % repr(piece))',
    );
    assert(printing !== client);
    Deno.writeTextFileSync(`${folder.path}/1_13b_echo_client.py`, printing);
    Deno.copyFileSync(
      `${python}echo_server.py`,
      `${folder.path}/1_13a_echo_server.py`,
    );
    const { status, stdout } = await lab([
      "compare",
      "echo",
      `--originals=${folder.path}`,
    ]);
    assertEquals(status, 0, stdout);
    assertStringIncludes(stdout, "Received: b'Test message. Th'");
    assertEquals(stdout.match(/ ~ Received: /g)?.length, 3, stdout);
    assertStringIncludes(
      stdout,
      "1_13a_echo_server.py with 1_13b_echo_client.py: same but for bytes notation\n",
    );
    assertStringIncludes(
      stdout,
      "echo_server.ts with 1_13b_echo_client.py: same but for bytes notation\n",
    );
    assertStringIncludes(
      stdout,
      "1_13a_echo_server.py with echo_client.ts: same\n",
    );
  },
);

Deno.test(
  "lab compare fails where an original differs, and marks it",
  withPython,
  async () => {
    await using folder = await temporary();
    const python = `${SCRIPTS}../tests/python/`;
    const server = Deno.readTextFileSync(`${python}echo_server_udp.py`);
    Deno.writeTextFileSync(
      `${folder.path}/echo_server_udp.py`,
      server.replace("Data:", "Date:"),
    );
    Deno.copyFileSync(
      `${python}echo_client_udp.py`,
      `${folder.path}/echo_client_udp.py`,
    );
    const { status, stdout, stderr } = await lab([
      "compare",
      "echo_udp",
      `--originals=${folder.path}`,
    ]);
    assertEquals([status, stderr], [1, "error: 2 of 4 pairings failed\n"]);
    assert(/^Date: Test.* ≠ Data: Test/m.test(stdout), stdout);
    assertStringIncludes(
      stdout,
      "echo_server_udp.py with echo_client.ts".replace("client", "client_udp") +
        ": differs: ",
    );
  },
);

Deno.test(
  "lab compare says when the fixed port of an original is taken",
  withPython,
  async () => {
    await using folder = await temporary();
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    for (const half of ["server", "client"]) {
      const source = Deno.readTextFileSync(
        `${SCRIPTS}../tests/python/echo_${half}_v1.py`,
      );
      Deno.writeTextFileSync(
        `${folder.path}/echo${half}.py`,
        source.replace(/^PORT = \d+/m, `PORT = ${port}`),
      );
    }
    const { status, stderr } = await lab([
      "compare",
      "echo_v1",
      `--originals=${folder.path}`,
    ]);
    assertEquals([status, stderr], [
      1,
      `error: port ${port}, which echoserver.py uses, is already in use\n`,
    ]);
  },
);
