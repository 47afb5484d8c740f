/** netcat.ts: Unix sockets, names with several addresses, IPv6, and the address on its own side. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { writeAll } from "../../scripts/lib.ts";
import { Program } from "../../scripts/lab/program.ts";
import {
  encode,
  has,
  LINUX_ONLY,
  NOT_ON_WINDOWS,
  quietPort,
  resultOf,
  start,
  temporary,
  udpSocket,
  WITH_IPV6,
} from "../helpers.ts";
import {
  listen,
  NETCAT,
  netcat,
  ownListener,
  readAllText,
  WITH_FILES,
  withServer,
} from "./helpers.ts";

/** A test with the path of a Unix socket, in a folder that must be empty at the end. */
function testUnix(name: string, body: (path: string) => Promise<void>) {
  Deno.test(`netcat ${name}`, NOT_ON_WINDOWS, async () => {
    await using folder = await temporary();
    await body(`${folder.path}/socket`);
    assertEquals([...Deno.readDirSync(folder.path)], []);
  });
}

async function listenOn(path: string, flags: string): Promise<Program> {
  const server = new Program([...WITH_FILES, flags, path]);
  assert(await server.until(() => server.errors !== ""), "it does not listen");
  assertEquals(server.errors, `note: listening on ${path}\n`);
  return server;
}

testUnix("-U passes bytes both ways, and leaves no file", async (path) => {
  await using server = await listenOn(path, "-lUv");
  await using client = new Program([...WITH_FILES, "-U", path]);
  await client.send(encode("to the server"));
  assert(await server.until(() => server.screen === "to the server"), server.errors);
  await server.send(encode("to the client"));
  await server.endInput();
  await client.endInput();
  assertEquals(await resultOf(client), { status: 0, stdout: "to the client", stderr: "" });
  assertEquals((await resultOf(server)).status, 0);
});

testUnix("-lkU serves one client after the other until Ctrl-C", async (path) => {
  await using server = await listenOn(path, "-lkUv");
  for (const name of ["one", "two"]) {
    using client = await Deno.connect({ transport: "unix", path });
    await client.write(encode(name));
    await client.closeWrite();
    assertEquals(await readAllText(client), "");
    assert(await server.until(() => server.screen.endsWith(name)));
  }
  const test = new Program([...WITH_FILES, "-zU", path]);
  assertEquals(await resultOf(test), { status: 0, stdout: "", stderr: "" });
  assertEquals(await server.end("SIGINT"), 130);
});

testUnix("-U says what is wrong with its path, and leaves the file alone", async (path) => {
  const errors = async (command: string[], flags: string) => {
    const { status, stderr } = await resultOf(new Program([...command, flags, path]));
    assertEquals(status, 1);
    return stderr;
  };
  assertEquals(await errors(WITH_FILES, "-U"), `error: there is no ${path}\n`);
  const allow = "--allow-net --allow-read --allow-write";
  assertStringIncludes(await errors(NETCAT, "-U"), `\nallow it: deno run ${allow} `);
  await Deno.writeTextFile(path, "a file");
  assertEquals(await errors(WITH_FILES, "-U"), `error: nothing is listening on ${path}\n`);
  const taken = `error: ${path} is there already\nremove it, or take another\n`;
  assertEquals(await errors(WITH_FILES, "-lU"), taken);
  assertEquals(await Deno.readTextFile(path), "a file");
  await Deno.remove(path);
});

// Another /etc/hosts, which nobody else sees.
const WITH_OTHER_HOSTS = {
  ignore: LINUX_ONLY.ignore || WITH_IPV6.ignore ||
    !has("unshare", { args: ["-m", "mount", "--bind", "/etc/hosts", "/etc/hosts"] }),
};

async function withHosts(lines: string, args: string): Promise<Program> {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, lines);
  const mount = `mount --bind ${file} /etc/hosts && rm ${file} && exec "$@"`;
  return new Program(["unshare", "-m", "sh", "-c", mount, "sh", ...NETCAT, ...args.split(" ")]);
}

const SEVERAL = "::1 several.test\n127.0.0.1 several.test\n";

for (
  const [name, lines] of [
    ["localhost", ""],
    ["localhost", "::1 localhost\n"],
    ["localhost", "::1 localhost\n127.0.0.1 localhost\n"],
    ["several.test", SEVERAL],
  ]
) {
  Deno.test(
    `netcat finds a server on any address of ${name}, IPv4 first: ${lines.replaceAll("\n", ", ")}`,
    WITH_OTHER_HOSTS,
    async () => {
      using six = ownListener("::1");
      const { port } = six.addr;
      await using scan = await withHosts(lines, `-zv ${name} ${port}`);
      assertEquals((await resultOf(scan)).stderr, `note: ${name} port ${port} is open\n`);
      await using first = await withHosts(lines, `-v ${name} ${port}`);
      using _scanned = await six.accept();
      using _server = await six.accept();
      assert(await first.until(() => first.errors.includes("connected to")), first.errors);
      assertStringIncludes(first.errors, `nothing is listening on 127.0.0.1 port ${port}\n`);

      using four = Deno.listen({ hostname: "127.0.0.1", port });
      await using second = await withHosts(lines, `${name} ${port}`);
      using server = await four.accept();
      assertEquals(server.localAddr.transport, "tcp");
      await second.endInput();
    },
  );
}

Deno.test(
  "netcat -6 takes a name's IPv6 address alone, -4 the other",
  WITH_OTHER_HOSTS,
  async () => {
    using four = ownListener();
    for (const [flags, expected] of [["-6z", 1], ["-4z", 0]]) {
      await using client = await withHosts(SEVERAL, `${flags} several.test ${four.addr.port}`);
      assertEquals((await resultOf(client)).status, expected);
    }
  },
);

Deno.test("netcat -6 talks over IPv6, in both roles, also to localhost", WITH_IPV6, async () => {
  await using server = await listen("-6lv");
  assertStringIncludes(server.errors, `listening on ::1 port ${server.port}\n`);
  await using client = start("netcat.ts", ["-6", "localhost", `${server.port}`]);
  await client.send(encode("hello"));
  assert(await server.until(() => server.screen === "hello"));
  await client.endInput();
  await server.endInput();
  assertEquals((await resultOf(client)).status, 0);
});

Deno.test("netcat connects to ::1 without -6", WITH_IPV6, async () => {
  using listener = ownListener("::1");
  assertEquals((await netcat(`-z ::1 ${listener.addr.port}`)).status, 0);
});

Deno.test("netcat -p takes a port on its own side, and passes much data both ways", async () => {
  const own = quietPort();
  await withServer(`-p ${own}`, async (client, server) => {
    assertEquals(server.remoteAddr.port, own);
    const text = "0123456789".repeat(100_000);
    await client.send(encode(text));
    await client.endInput();
    assertEquals(await readAllText(server), text);
    await writeAll(server, encode(text));
    await server.closeWrite();
    const { status, stdout } = await resultOf(client);
    assertEquals(status, 0);
    assert(stdout === text);
  });
});

Deno.test("netcat -p says which of the two ports is the trouble", async () => {
  using listener = ownListener();
  const { port } = listener.addr;
  const taken = await netcat(`-p ${port} 127.0.0.1 9`);
  assertStringIncludes(taken.stderr, `port ${port} on this machine is already`);
  using socket = udpSocket("0.0.0.0");
  const udp = await netcat(`-u -p ${socket.port} 127.0.0.1 9`);
  assertStringIncludes(udp.stderr, `port ${socket.port} on this machine is`);
  const closed = quietPort();
  const refused = await netcat(`-p ${quietPort()} 127.0.0.1 ${closed}`);
  assertStringIncludes(refused.stderr, `listening on 127.0.0.1 port ${closed}`);
  assertEquals([taken.status, udp.status, refused.status], [1, 1, 1]);
});

Deno.test("netcat -s takes an address on its own side", LINUX_ONLY, async () => {
  await withServer("-s 127.0.0.2", async (client, server) => {
    assertEquals(server.remoteAddr.hostname, "127.0.0.2");
    await client.send(encode("hello"));
    await client.endInput();
    assertEquals(await readAllText(server), "hello");
  });
  const { status, stderr } = await netcat("-s 192.0.2.1 127.0.0.1 9");
  assertEquals([status, stderr], [1, "error: 192.0.2.1 is no address of this machine\n"]);
  await using server = await listen("-l -s 127.0.0.2");
  assertStringIncludes(server.errors, `listening on 127.0.0.2 port ${server.port}\n`);
});
