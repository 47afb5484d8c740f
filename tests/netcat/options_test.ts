/** netcat.ts: what its flags do, and what it says about wrong ones. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { encode, quietPort, start } from "../helpers.ts";
import { netcat, ownListener, readAllText, readText, withServer } from "./helpers.ts";

for (const args of ["-l 127.0.0.1 PORT", "-l PORT", "-l -p PORT", "-lvp PORT"]) {
  Deno.test(`netcat ${args} listens on 127.0.0.1`, async () => {
    const port = quietPort();
    await using server = start("netcat.ts", ["-v", ...args.replace("PORT", `${port}`).split(" ")]);
    await server.until(() => server.errors !== "");
    assertEquals(server.errors, `note: listening on 127.0.0.1 port ${port}\n`);
  });
}

for (
  const [args, message] of [
    ["-4 ::1 80", "::1 is no IPv4 address"],
    ["-6 127.0.0.1 80", "127.0.0.1 is no IPv6 address"],
    ["-n localhost 80", "localhost is a name, and -n looks up none"],
    ["nobody.invalid 80", "unknown host nobody.invalid"],
    ["-6 nobody.invalid 80", "unknown host nobody.invalid"],
    ["-l 192.0.2.1 8080", "192.0.2.1 is no address of this machine"],
  ]
) {
  Deno.test(`netcat ${args} says that ${message}`, async () => {
    const { status, stderr } = await netcat(args);
    assertEquals([status, stderr], [1, `error: ${message}\n`]);
  });
}

for (
  const [args, message] of [
    ["80", "host and port are missing"],
    ["-l", "a port is missing"],
    ["localhost nosuch", "a port is a number up to 65535 or a service like http, not nosuch"],
    ["localhost 65536", "a port is a number up to 65535 or a service like http, not 65536"],
    ["-z localhost 9-8", "a port is a number up to 65535 or a service like http, not 9-8"],
    ["localhost 20-25", "several ports need -z"],
    ["localhost 0", "nobody listens on port 0"],
    ["localhost 80 81", "unexpected argument 81"],
    ["-k localhost 80", "-k needs -l"],
    ["-lz 80", "-z is for clients, and not for -uU"],
    ["-46 localhost 80", "-4 excludes -6"],
    ["-w 0 localhost 80", "-w must be from 1 to 86400, not 0"],
    ["-p 65536 localhost 80", "-p must be a port up to 65535, not 65536"],
    ["-e sh localhost 80", "-e (running programs) is not there"],
    ["-vX 5 localhost 80", "-X (proxies) is not there"],
    ["-j localhost 80", "unknown flag -j"],
    [" 80", "the host is empty"],
    ["-U", "-U needs one path, not 0"],
    ["-U -p 9 path", "-U takes no ports and addresses"],
    ["-luU -s here path", "-U takes no ports and addresses"],
    ["-6 -s 127.0.0.1 localhost 80", "-s 127.0.0.1 is no IPv6 address"],
    ["-s here localhost 80", "-s must be an address, not here"],
    ["-d -q1 localhost 80", "-q needs an end of the input, and -d reads none"],
    ["-i 100000 localhost 80", "-i must be a whole number from 0 to 86400, not 100000"],
  ]
) {
  Deno.test(`netcat ${args} is wrong usage: ${message}`, async () => {
    const { status, stdout, stderr } = await netcat(args);
    const [line, usage, ...rest] = stderr.split("\n");
    assertEquals([status, stdout, line], [2, "", `error: ${message}`]);
    assertMatch(usage, /^usage: netcat.ts .*PORT/);
    assertEquals(rest, [""]);
  });
}

Deno.test("netcat says that nothing is listening, where nothing is, and what would", async () => {
  const port = quietPort();
  const hint = /\nstart the server first: deno run -A \S+netcat.ts (.*)\n$/;
  for (const [flags, host, command] of [["", "localhost", "-l"], ["-uz", "::1", "-ul ::1"]]) {
    const { status, stderr } = await netcat(`${flags} ${host} ${port}`.trim());
    assertEquals(status, 1);
    assertStringIncludes(stderr, `error: nothing is listening on ${host} port ${port}\n`);
    assertEquals(stderr.match(hint)?.[1], `${command} ${port}`);
  }
});

Deno.test("netcat -l says that a port is taken", async () => {
  using listener = ownListener();
  const { port } = listener.addr;
  const { status, stderr } = await netcat(`-l ${port}`);
  assertEquals(status, 1);
  assertStringIncludes(stderr, `port ${port} on 127.0.0.1 is already in use`);
  assertMatch(stderr, /-l 0\n$/); // and how to take another one
});

Deno.test("netcat -z tells whether a port is open", async () => {
  using listener = ownListener();
  const { port } = listener.addr;
  const open = { status: 0, stdout: "", stderr: "" };
  assertEquals(await netcat(`-z 127.0.0.1 ${port}`), open);
  assertEquals(await netcat(`-zv localhost ${port}`), {
    ...open,
    stderr: `note: localhost port ${port} is open\n`,
  });
  assertEquals((await netcat(`-z 127.0.0.1 ${quietPort()}`)).status, 1);
});

Deno.test("netcat -z fails when no port of a range is open", async () => {
  const { status, stderr } = await netcat("-z 127.0.0.1 1-3");
  assertEquals(status, 1);
  assertEquals(stderr, "error: none of these ports of 127.0.0.1 is open\n");
});

Deno.test("netcat -z takes lists of ports and names of services", async () => {
  using listener = ownListener();
  const { port } = listener.addr;
  const lists = `http,${port},${quietPort()} ${port - 1}-${port}`;
  const { status, stderr } = await netcat(`-zv 127.0.0.1 ${lists}`);
  assertEquals(status, 0);
  assertEquals(stderr.split(`note: 127.0.0.1 port ${port} is open\n`).length, 3);
  assertStringIncludes(stderr, "127.0.0.1 port 80");
  assertEquals(stderr.match(/^note/gm)?.length, 5);
});

Deno.test("netcat -zi pauses between two ports", async () => {
  const begin = Date.now();
  assertEquals((await netcat("-zi1 127.0.0.1 1,2")).status, 1);
  assert(Date.now() - begin > 900);
});

Deno.test("netcat -i pauses between two lines", () =>
  withServer("-i1", async (client, server) => {
    const begin = Date.now();
    await client.send(encode("one\ntwo\nthr"));
    await client.endInput();
    const pieces: string[] = [];
    for (let piece; (piece = await readText(server)) !== "";) pieces.push(piece);
    assertEquals(pieces, ["one\n", "two\n", "thr"]);
    assert(Date.now() - begin > 1900, "no pauses");
  }));

Deno.test("netcat -C sends CR and LF at the end of each line, and no CR twice", () =>
  withServer("-C", async (client, server) => {
    await client.send(encode("a\nb\r\n\nc\r"));
    assertEquals(await readText(server), "a\r\nb\r\n\r\nc\r");
    await client.send(encode("\n\r"));
    await client.endInput();
    assertEquals(await readAllText(server), "\n\r");
  }));

Deno.test("netcat -h shows the manual", async () => {
  const { status, stdout } = await netcat("-h");
  assertEquals(status, 0);
  assertStringIncludes(stdout, "--allow-write");
});
