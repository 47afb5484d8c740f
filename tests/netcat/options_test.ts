/** netcat.ts: its flags, wrong flags, hosts, `-z`, `-i` and `-C`. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { parseFlags, UsageError } from "../../scripts/cli.ts";
import { lookUp } from "../../scripts/netcat/connect.ts";
import { FLAGS, parseOptions, splitFlags } from "../../scripts/netcat/options.ts";
import { toText } from "../../scripts/netcat/output.ts";
import { decode, encode, quietListener, quietPort } from "../helpers.ts";
import { netcat, readAllText, readText, withServer } from "./helpers.ts";

/** Returns what a command line means. */
function options(line: string) {
  const { args, refused } = splitFlags(line.split(" "));
  return parseOptions(parseFlags(args, FLAGS), refused);
}

Deno.test("netcat understands flags as nc does", () => {
  const cases: [line: string, expected: Partial<ReturnType<typeof options>>][] = [
    ["-l 8080", { listens: true, host: "127.0.0.1", ports: [8080] }],
    ["-lvp 8080", { listens: true, isVerbose: true, host: "127.0.0.1", ports: [8080] }],
    ["-l -p8080", { host: "127.0.0.1", ports: [8080] }],
    ["-lk 0.0.0.0 8080", { keepsListening: true, host: "0.0.0.0" }],
    ["-6l 8080", { host: "::1", family: 6 }],
    ["-ul 8080", { host: "localhost", isUdp: true }],
    ["-l -s 127.0.0.2 8080", { host: "127.0.0.2", localAddress: undefined }],
    ["-s ::1 localhost 80", { localAddress: "::1", family: 6 }],
    ["-w5 -i=2 localhost 80", { timeout: 5, interval: 2 }],
    ["-q1 localhost 80", { quitDelay: 1, halfClosesAtOnce: true }],
    ["-q -1 localhost 80", { quitDelay: undefined, halfClosesAtOnce: false }],
    ["-z localhost http,8080 20-22", { scans: true, ports: [80, 8080, 20, 21, 22] }],
    ["-z localhost 25005-25001", { ports: [25001, 25002, 25003, 25004, 25005] }],
    ["-uU -s own path", { path: "path", localAddress: "own" }],
  ];
  for (const [line, expected] of cases) {
    const given = options(line);
    for (const name of Object.keys(expected) as (keyof typeof expected)[]) {
      assertEquals(given[name], expected[name], `${line}: ${name}`);
    }
  }
});

Deno.test("netcat explains a wrong command line", () => {
  const cases = [
    ["80", "host and port are missing"],
    ["-l", "the port is missing"],
    ["localhost nosuch", "a port is a number up to 65535 or a service like http, not nosuch"],
    ["localhost 65536", "a port is a number up to 65535 or a service like http, not 65536"],
    ["localhost 20-25", "only -z takes several ports"],
    ["localhost 0", "port 0 can only be listened on, with -l"],
    ["localhost 80 81", "unexpected argument 81"],
    ["-k localhost 80", "-k needs -l"],
    ["-lz 80", "-z cannot be used with -l or -uU"],
    ["-46 localhost 80", "-4 and -6 cannot be used together"],
    ["-w 0 localhost 80", "-w must be from 1 to 86400, not 0"],
    ["-p 65536 localhost 80", "-p must be a port up to 65535, not 65536"],
    ["-e sh localhost 80", "-e (running programs) is not supported"],
    ["-e/bin/sh localhost 80", "-e (running programs) is not supported"],
    ["-I1000 localhost 80", "-I (the size of the receive buffer) is not supported"],
    ["-vX 5 localhost 80", "-X (proxies) is not supported"],
    ["-x10.2.3.4:8080 localhost 80", "-x (proxies) is not supported"],
    ["-j localhost 80", "unknown flag -j"],
    ["-w -1 localhost 80", "-w must be a whole number from 0 to 86400, not -1"],
    ["-i 100000 localhost 80", "-i must be a whole number from 0 to 86400, not 100000"],
    [" 80", "the host is empty"],
    ["-U", "-U needs one path, not 0"],
    ["-U -p 9 path", "-U takes a path, not a port or an address"],
    ["-luU -s here path", "-U takes a path, not a port or an address"],
    ["-6 -s 127.0.0.1 localhost 80", "-s 127.0.0.1 is not an IPv6 address"],
    ["-s here localhost 80", "-s must be an address, not here"],
    ["-d -q1 localhost 80", "-d and -q cannot be used together: -q waits for the input's end"],
  ];
  for (const [line, message] of cases) {
    assertThrows(() => options(line), UsageError, message, line);
  }
});

Deno.test("netcat shows the usage when the command line is wrong", async () => {
  const { status, stdout, stderr } = await netcat("-e/bin/sh localhost 80");
  const [line, usage] = stderr.split("\n");
  assertEquals([status, stdout, line], [2, "", "error: -e (running programs) is not supported"]);
  assertMatch(usage, /^usage: netcat.ts .*PORT/);
});

Deno.test("netcat explains a host that it cannot look up", async () => {
  for (
    const [line, message] of [
      ["-4 ::1 80", "::1 is not an IPv4 address"],
      ["-6 127.0.0.1 80", "127.0.0.1 is not an IPv6 address"],
      ["-n localhost 80", "localhost is a name, and -n looks up no names"],
      ["localhost:80 80", "invalid host: localhost:80"],
      ["abc:80 80", "invalid host: abc:80"],
    ]
  ) {
    await assertRejects(() => lookUp(options(line)), Error, message);
  }
  assertEquals(await lookUp(options("fe80::1%eth0 80")), ["fe80::1%eth0"]);
  for (
    const [args, message] of [
      [
        "http://localhost/ 8000",
        "invalid host: http://localhost/\n" +
        "give the host and the port as two words: localhost 8000",
      ],
      ["-6 nobody.invalid 80", "unknown host nobody.invalid"],
    ]
  ) {
    const { status, stderr } = await netcat(args);
    assertEquals([status, stderr], [1, `error: ${message}\n`]);
  }
});

Deno.test("netcat -l explains an address that it cannot listen on", async () => {
  using listener = quietListener();
  const { port } = listener.addr;
  const taken = await netcat(`-l ${port}`);
  assertEquals(taken.status, 1);
  assertStringIncludes(taken.stderr, `port ${port} on 127.0.0.1 is already in use`);
  assertStringIncludes(taken.stderr, "-l 0"); // how to use another one
  const { status, stderr } = await netcat("-l 192.0.2.1 8080");
  assertEquals(status, 1);
  assertMatch(stderr, /^error: 192\.0\.2\.1 is not an address of this machine\n$/);
});

Deno.test("netcat shows the command of a server when nothing is listening", async () => {
  const port = quietPort();
  const hint = /\nstart the server first: deno run -A \S+netcat.ts (.*)\n$/;
  for (const [flags, host, command] of [["", "localhost", "-l"], ["-uz", "::1", "-ul ::1"]]) {
    const { status, stderr } = await netcat(`${flags} ${host} ${port}`.trim());
    assertEquals(status, 1);
    assertStringIncludes(stderr, `error: nothing is listening on ${host} port ${port}\n`);
    assertEquals(stderr.match(hint)?.[1], `${command} ${port}`);
  }
});

Deno.test("netcat -z reports which ports are open, and fails when none is", async () => {
  using listener = quietListener();
  const { port } = listener.addr;
  const closed = quietPort();
  const open = { status: 0, stdout: "", stderr: "" };
  assertEquals(await netcat(`-z 127.0.0.1 ${closed},${port}`), open);
  const { status, stderr } = await netcat(`-zv localhost ${port} ${closed}`);
  assertEquals(status, 0);
  assertEquals(
    stderr,
    `note: localhost port ${port} is open\nnote: nothing is listening on localhost port ${closed}\n`,
  );
  const none = await netcat("-zv 127.0.0.1 1-3");
  assertEquals(none.status, 1);
  assertEquals(none.stderr.match(/^note: nothing is listening/gm)?.length, 3);
  assertStringIncludes(
    none.stderr,
    "error: could not connect to any of these ports of 127.0.0.1\n",
  );
  assert(!/open/.test(none.stderr), "a script may search for that word");
});

Deno.test("netcat reports a port as closed when TCP would connect it to itself", async () => {
  const port = quietPort();
  const { status, stderr } = await netcat(`-zv -p ${port} 127.0.0.1 ${port}`);
  assertEquals(status, 1);
  assertStringIncludes(stderr, `error: nothing is listening on 127.0.0.1 port ${port}\n`);
});

Deno.test("netcat -i pauses between two lines, or two ports", async () => {
  const begin = Date.now();
  const scan = netcat("-zi1 127.0.0.1 1,2").then(() => Date.now() - begin);
  await withServer("-N -i1", async (client, server) => {
    await client.send(encode("one\ntwo\nthr"));
    await client.endInput();
    const pieces: string[] = [];
    for (let piece; (piece = await readText(server)) !== "";) pieces.push(piece);
    assertEquals(pieces, ["one\n", "two\n", "thr"]);
  });
  assert(Date.now() - begin > 1900, "no pauses between the lines");
  assert(await scan > 900, "no pause between the ports");
});

Deno.test("netcat -C sends CR and LF at the end of each line, and no CR twice", () =>
  withServer("-NC", async (client, server) => {
    await client.send(encode("a\nb\r\n\nc\r"));
    assertEquals(await readText(server), "a\r\nb\r\n\r\nc\r");
    await client.send(encode("\n\r"));
    await client.endInput();
    assertEquals(await readAllText(server), "\n\r");
  }));

Deno.test("netcat replaces bytes that are not UTF-8 when stdout is a Windows console", () => {
  const data = [...encode("zwölf \u{1f600}"), 0xff, 0xc3]; // and half a character
  const pieces = [data.slice(0, 4), data.slice(4, 9), data.slice(9)]
    .map((piece) => decode(toText(new Uint8Array(piece))));
  assertEquals(pieces, ["zwö", "lf ", "\u{1f600}\ufffd"]);
});

Deno.test("netcat -h shows the manual", async () => {
  const { status, stdout } = await netcat("-h");
  assertEquals(status, 0);
  assertStringIncludes(stdout, "--allow-write");
});
