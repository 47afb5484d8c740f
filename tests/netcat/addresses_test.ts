/** netcat.ts: Unix sockets, names with several addresses, IPv6, and the address on its side. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { writeAll } from "../../scripts/lib.ts";
import { Program } from "../../scripts/lab/process/program.ts";
import {
  encode,
  has,
  LINUX_ONLY,
  quietListener,
  quietPort,
  resultOf,
  start,
  temporary,
  udpSocket,
  WITH_IPV6,
  WITH_UNIX_SOCKETS,
} from "../helpers.ts";
import { endBy, listen, NETCAT, netcat, readAllText, WITH_FILES, withServer } from "./helpers.ts";

/** Defines a test with the path of a Unix socket, in a folder that must be empty at the end. */
function testUnix(name: string, body: (path: string) => Promise<void>) {
  Deno.test(`netcat ${name}`, WITH_UNIX_SOCKETS, async () => {
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
  await using client = new Program([...WITH_FILES, "-NU", path]);
  await client.send(encode("to the server"));
  assert(await server.until(() => server.screen === "to the server"), server.errors);
  await server.send(encode("to the client"));
  await server.endInput();
  await client.endInput();
  assertEquals(await resultOf(client), { status: 0, stdout: "to the client", stderr: "" });
  assertEquals((await resultOf(server)).status, 0);
});

testUnix("-lkU serves clients in turn until Ctrl-C", async (path) => {
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
  assertEquals(await endBy(server, "SIGINT"), 130);
});

for (const flags of ["-lUv", "-luUv"]) {
  testUnix(`${flags} removes its socket when a signal ends it`, async (path) => {
    for (const [signal, status] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
      await using server = await listenOn(path, flags);
      assertEquals(await endBy(server, signal), status);
      await assertRejects(() => Deno.lstat(path), Deno.errors.NotFound);
    }
  });
}

testUnix("-U explains what is wrong with its path, and leaves the file alone", async (path) => {
  const errors = async (command: string[], ...args: string[]) => {
    const { status, stderr } = await resultOf(new Program([...command, ...args, path]));
    assertEquals(status, 1);
    return stderr;
  };
  const missing = `error: ${path} does not exist\nstart the server first\n`;
  assertEquals(await errors(WITH_FILES, "-U"), missing);
  const allow = "--allow-net --allow-read --allow-write";
  assertStringIncludes(await errors(NETCAT, "-U"), `\nallow it: deno run ${allow} `);
  await Deno.writeTextFile(path, "a file");
  assertEquals(await errors(WITH_FILES, "-U"), `error: nothing is listening on ${path}\n`);
  const exists = (path: string) =>
    `error: ${path} already exists\nremove it if no program uses it, or choose another path\n`;
  assertEquals(await errors(WITH_FILES, "-lU"), exists(path));
  const own = `${path}.own`; // the server's socket is not the one to remove
  await Deno.writeTextFile(own, "another file");
  assertEquals(await errors(WITH_FILES, "-uU", "-s", own), exists(own));
  assertEquals(await Deno.readTextFile(path), "a file");
  await Deno.remove(path);
  await Deno.remove(own);
});

// Only the program under test gets another /etc/hosts.
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
    ["localhost", "::1 localhost\n127.0.0.1 localhost\n"],
    ["several.test", SEVERAL],
  ]
) {
  Deno.test(
    `netcat tries all addresses of ${name}, IPv4 first, when /etc/hosts has "${
      lines.replaceAll("\n", "; ")
    }"`,
    WITH_OTHER_HOSTS,
    async () => {
      using six = quietListener("::1");
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
  "netcat -6 uses only a name's IPv6 address, and -4 only the other",
  WITH_OTHER_HOSTS,
  async () => {
    using four = quietListener();
    for (const [flags, expected] of [["-6z", 1], ["-4z", 0]]) {
      await using client = await withHosts(SEVERAL, `${flags} several.test ${four.addr.port}`);
      assertEquals((await resultOf(client)).status, expected);
    }
  },
);

Deno.test("netcat -6 uses IPv6 in both roles, also for localhost", WITH_IPV6, async () => {
  await using server = await listen("-6lv");
  assertStringIncludes(server.errors, `listening on ::1 port ${server.port}\n`);
  await using client = start("netcat.ts", ["-N6", "localhost", `${server.port}`]);
  await client.send(encode("hello"));
  assert(await server.until(() => server.screen === "hello"));
  await client.endInput();
  assertEquals((await resultOf(client)).status, 0);
});

Deno.test("netcat connects to ::1 without -6", WITH_IPV6, async () => {
  using listener = quietListener("::1");
  assertEquals((await netcat(`-z ::1 ${listener.addr.port}`)).status, 0);
});

Deno.test("netcat -p and -s choose the port and address on its side", LINUX_ONLY, async () => {
  const own = quietPort();
  await withServer(`-N -p ${own} -s 127.0.0.2`, async (client, server) => {
    assertEquals(server.remoteAddr, { transport: "tcp", hostname: "127.0.0.2", port: own });
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
  await using server = await listen("-l -s 127.0.0.2");
  assertStringIncludes(server.errors, `listening on 127.0.0.2 port ${server.port}\n`);
});

Deno.test("netcat names the port or address of its side when that is what failed", async () => {
  using listener = quietListener();
  const { port } = listener.addr;
  using socket = udpSocket("0.0.0.0");
  const closed = quietPort();
  for (
    const [args, message] of [
      [`-p ${port} 127.0.0.1 9`, `port ${port} on this machine is already in use`],
      [`-u -p ${socket.port} 127.0.0.1 9`, `port ${socket.port} on this machine is already in use`],
      [`-p ${quietPort()} 127.0.0.1 ${closed}`, `nothing is listening on 127.0.0.1 port ${closed}`],
      ["-s 192.0.2.1 127.0.0.1 9", "192.0.2.1 is not an address of this machine"],
    ]
  ) {
    const { status, stderr } = await netcat(args);
    assertEquals(status, 1);
    assertStringIncludes(stderr, message);
  }
});
