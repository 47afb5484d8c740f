/** netcat.ts -U, and names with several addresses. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { DENO_RUN, Program } from "../../scripts/lab/program.ts";
import {
  closedPort,
  connect,
  decode,
  encode,
  has,
  LINUX_ONLY,
  NOT_ON_WINDOWS,
  readToEnd,
  resultOf,
  SCRIPTS,
  WITH_IPV6,
} from "../helpers.ts";
import { NETCAT, ownListener } from "./helpers.ts";

const WITH_FILES = [
  ...[...DENO_RUN, "--no-prompt", "--allow-net", "--allow-read", "--allow-write"],
  `${SCRIPTS}netcat.ts`,
];

/** Gives a test the path of a Unix socket that is not there yet. */
async function withPath(body: (path: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    await body(`${folder}/socket`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function listenOn(path: string, flags: string): Promise<Program> {
  const server = new Program([...WITH_FILES, flags, path]);
  assert(await server.until(() => server.errors !== ""), "it does not listen");
  assertEquals(server.errors, `note: listening on ${path}\n`);
  return server;
}

Deno.test("netcat -U passes bytes both ways, and leaves no file", NOT_ON_WINDOWS, async () => {
  await withPath(async (path) => {
    await using server = await listenOn(path, "-lUv");
    await using client = new Program([...WITH_FILES, "-U", path]);
    await client.send(encode("to the server"));
    assert(await server.until(() => server.screen === "to the server"), server.errors);
    await server.send(encode("to the client"));
    await server.endInput();
    await client.endInput();
    assertEquals(await resultOf(client), { status: 0, stdout: "to the client", stderr: "" });
    assertEquals((await resultOf(server)).status, 0);
    assertEquals([...Deno.readDirSync(path.replace(/[^/]*$/, ""))], []);
  });
});

Deno.test(
  "netcat -lkU serves one client after the other until Ctrl-C",
  NOT_ON_WINDOWS,
  async () => {
    await withPath(async (path) => {
      await using server = await listenOn(path, "-lkUv");
      for (const name of ["one", "two"]) {
        using client = await Deno.connect({ transport: "unix", path });
        await client.write(encode(name));
        await client.closeWrite();
        assertEquals(decode(await readToEnd(client)), "");
        assert(await server.until(() => server.screen.endsWith(name)));
      }
      const test = new Program([...WITH_FILES, "-zU", path]);
      assertEquals(await resultOf(test), { status: 0, stdout: "", stderr: "" });
      assertEquals(await server.end("SIGINT"), 130);
      assertEquals([...Deno.readDirSync(path.replace(/[^/]*$/, ""))], []);
    });
  },
);

Deno.test("netcat -U says what is wrong with its path", NOT_ON_WINDOWS, async () => {
  await withPath(async (path) => {
    const errors = async (command: string[], ...args: string[]) => {
      const { status, stderr } = await resultOf(new Program([...command, ...args, path]));
      assertEquals(status, 1);
      return stderr;
    };
    assertEquals(await errors(WITH_FILES, "-U"), `error: there is no ${path}\n`);
    const allow = "--allow-net --allow-read --allow-write";
    assertStringIncludes(await errors(NETCAT, "-U"), `\nallow it: deno run ${allow} `);
    await Deno.writeTextFile(path, "a file");
    assertEquals(await errors(WITH_FILES, "-U"), `error: nothing is listening on ${path}\n`);
    const taken = await errors(WITH_FILES, "-lU");
    assertEquals(taken, `error: ${path} is there already\nremove it, or take another\n`);
    assertEquals(await Deno.readTextFile(path), "a file");
  });
});

// Another /etc/hosts, which nobody else sees.
const WITH_OTHER_HOSTS = {
  ignore: LINUX_ONLY.ignore || WITH_IPV6.ignore ||
    !has("unshare", { args: ["-m", "mount", "--bind", "/etc/hosts", "/etc/hosts"] }),
};

async function withHosts(lines: string, args: string[]): Promise<Program> {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, lines);
  const mount = `mount --bind ${file} /etc/hosts && rm ${file} && exec "$@"`;
  return new Program(["unshare", "-m", "sh", "-c", mount, "sh", ...NETCAT, ...args]);
}

for (
  const [name, lines] of [
    ["localhost", "::1 localhost\n"],
    ["localhost", "::1 localhost\n127.0.0.1 localhost\n"],
    ["several.test", "::1 several.test\n127.0.0.1 several.test\n"],
  ]
) {
  Deno.test(
    `netcat finds a server on any address of ${name}, IPv4 first: ${lines.replaceAll("\n", ", ")}`,
    WITH_OTHER_HOSTS,
    async () => {
      using six = ownListener("::1");
      const { port } = six.addr;
      await using scan = await withHosts(lines, ["-zv", name, `${port}`]);
      assertEquals((await resultOf(scan)).stderr, `note: ${name} port ${port} is open\n`);
      await using first = await withHosts(lines, ["-v", name, `${port}`]);
      using _scanned = await six.accept();
      using _server = await six.accept();
      assert(await first.until(() => first.errors.includes("connected to")), first.errors);
      assertStringIncludes(first.errors, `nothing is listening on 127.0.0.1 port ${port}\n`);

      using four = Deno.listen({ hostname: "127.0.0.1", port });
      await using second = await withHosts(lines, [name, `${port}`]);
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
    const lines = "::1 several.test\n127.0.0.1 several.test\n";
    using four = ownListener("127.0.0.1");
    const { port } = four.addr;
    await using with6 = await withHosts(lines, ["-6z", "several.test", `${port}`]);
    assertEquals((await resultOf(with6)).status, 1);
    await using with4 = await withHosts(lines, ["-4z", "several.test", `${port}`]);
    assertEquals((await resultOf(with4)).status, 0);
    (await connect(port)).close();
  },
);

Deno.test(
  "netcat finds localhost also where the system knows no such name",
  WITH_OTHER_HOSTS,
  async () => {
    const port = closedPort();
    await using client = await withHosts("", ["localhost", `${port}`]);
    const { status, stderr } = await resultOf(client);
    assertEquals(status, 1);
    assertStringIncludes(stderr, `error: nothing is listening on localhost port ${port}\n`);
  },
);
