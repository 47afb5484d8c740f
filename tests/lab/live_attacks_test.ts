/** What `lab live` does with requests that are not from its own page. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { connect, decode, encode, readToEnd, temporary, WITH_SIGNALS } from "../helpers.ts";
import { type Live, startLive } from "./live_page.ts";

/** Sends a request byte by byte as given, and returns the reply. */
async function raw(live: Live, path: string, headers: Record<string, string>, method = "GET") {
  using connection = await connect(Number(live.address.port));
  const lines = Object.entries({ ...headers, connection: headers.connection ?? "close" })
    .map(([name, value]) => `${name}: ${value}\r\n`);
  await connection.write(encode(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`));
  // A reply that accepts a WebSocket does not end.
  return decode(await readToEnd(connection, 20));
}

const statusOf = (reply: string) => Number(reply.match(/^HTTP\/1\.1 (\d+)/)?.[1]);

/** The headers of a request for a WebSocket. */
const UPGRADE = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

Deno.test("lab live refuses what does not come from its own page", async (t) => {
  await using live = await startLive(["echo"]);
  const { host, port, pathname } = live.address;
  const own = { host, origin: `http://${host}` };
  const wrong = pathname.replace(/[0-9a-f]/, (digit) => digit === "0" ? "1" : "0");
  const cases: [what: string, path: string, headers: Record<string, string>, status: number][] = [
    ["serves the page", pathname, { host }, 200],
    ["serves the page as localhost", pathname, { host: `localhost:${port}` }, 200],
    ["accepts the page's WebSocket", `${pathname}socket`, { ...UPGRADE, ...own }, 101],
    ["refuses a request without the token", "/", { host }, 403],
    ["refuses a request with another token", wrong, { host }, 403],
    ["refuses a token that is cut off", pathname.slice(0, -3) + "/", { host }, 403],
    ["refuses another host name (DNS rebinding)", pathname, { host: `evil.example:${port}` }, 403],
    ["refuses another port in the host name", pathname, { host: "127.0.0.1:1" }, 403],
    ["refuses an empty host name", pathname, { host: "" }, 403],
    ["refuses another origin", pathname, { host, origin: "http://evil.example" }, 403],
    ["refuses the origin null", pathname, { host, origin: "null" }, 403],
    ["refuses another path", `${pathname}../../etc/passwd`, { host }, 403],
    ["refuses an encoded path", `${pathname}..%2f..%2fetc%2fpasswd`, { host }, 404],
    ["refuses a path below the page", `${pathname}scripts/lab.ts`, { host }, 404],
    ["refuses a plain request to the socket", `${pathname}socket`, own, 426],
    ["refuses a WebSocket without the token", "/socket", { ...UPGRADE, ...own }, 403],
    [
      "refuses a WebSocket of another page",
      `${pathname}socket`,
      { ...UPGRADE, host, origin: "http://evil.example" },
      403,
    ],
    [
      "refuses a WebSocket of another port of this machine",
      `${pathname}socket`,
      { ...UPGRADE, host, origin: "http://127.0.0.1:1" },
      403,
    ],
    ["refuses a WebSocket without an origin", `${pathname}socket`, { ...UPGRADE, host }, 403],
    [
      "refuses a WebSocket with another host name",
      `${pathname}socket`,
      { ...UPGRADE, host: `evil.example:${port}`, origin: `http://evil.example:${port}` },
      403,
    ],
  ];
  for (const [what, path, headers, status] of cases) {
    await t.step(what, async () => assertEquals(statusOf(await raw(live, path, headers)), status));
  }
  for (const method of ["POST", "PUT", "OPTIONS", "HEAD"]) {
    await t.step(`refuses the method ${method}`, async () => {
      assertEquals(statusOf(await raw(live, pathname, own, method)), 403);
    });
  }
  await t.step("allows no other origin to read, to frame or to add to the page", async () => {
    const { headers } = await fetch(live.address);
    assertEquals(headers.get("access-control-allow-origin"), null);
    assertMatch(headers.get("content-security-policy")!, /^default-src 'none'; script-src 'nonce-/);
    assertMatch(headers.get("content-security-policy")!, /frame-ancestors 'none'/);
    assertEquals(headers.get("referrer-policy"), "no-referrer");
  });
  await t.step("listens on the loopback interface only", async () => {
    const others = Deno.networkInterfaces()
      .filter(({ address, family }) => family === "IPv4" && !address.startsWith("127."));
    for (const { address: hostname } of others) {
      const connected = await Deno.connect({ hostname, port: Number(port) }).catch(() => null);
      connected?.close();
      assertEquals(connected, null);
    }
  });
});

/** Opens a WebSocket as the page does, and collects its messages. */
async function openSocket(live: Live) {
  const url = new URL("socket", live.address.href.replace("http", "ws"));
  // Deno takes headers; the types of the browser do not have them.
  const options = { headers: { origin: live.address.origin } } as unknown as string;
  const socket = new WebSocket(url, options);
  // deno-lint-ignore no-explicit-any -- any message
  const messages: any[] = [];
  let change = Promise.withResolvers<void>();
  socket.onmessage = ({ data }) => {
    messages.push(JSON.parse(data));
    if (messages.at(-1).type === "events") socket.send('{"type":"shown"}');
    change.resolve();
    change = Promise.withResolvers();
  };
  const until = async (condition: () => boolean) => {
    while (!condition()) await change.promise;
  };
  await until(() => messages.some(({ type }) => type === "programs"));
  /** Sends something, and returns the text of the message that refuses it, or the type of one that accepts it. */
  const refusal = async (data: string): Promise<string> => {
    const before = messages.length;
    socket.send(data);
    const isNew = ({ type }: { type: string }, i: number) =>
      i >= before && ["message", "half", "lab"].includes(type);
    await until(() => messages.some(isNew));
    const { type, text = type } = messages.find(isNew);
    return text;
  };
  /** Waits until a terminal shows a text. */
  const shows = (text: string) =>
    until(() =>
      messages.some(({ events = [] }) =>
        events.some((event: { text: string }) => event.text.includes(text))
      )
    );
  const closed = new Promise((resolve) => socket.onclose = resolve);
  const close = async () => {
    socket.close();
    await closed;
  };
  return { socket, messages, shows, refusal, [Symbol.asyncDispose]: close };
}

Deno.test("lab live refuses messages that the page does not send", async (t) => {
  await using folder = await temporary();
  await Deno.writeTextFile(`${folder.path}/notes.txt`, "secret");
  await Deno.mkdir(`${folder.path}/below`);
  await Deno.writeTextFile(`${folder.path}/outside.ts`, "");
  await using live = await startLive(["echo"], { cwd: `${folder.path}/below` });
  await using page = await openSocket(live);
  const choose = (file: unknown) =>
    JSON.stringify({ type: "choose", role: "server", choice: { kind: "file", file } });
  const cases: [what: string, message: string, why: RegExp][] = [
    ["text that is not JSON", "start", /does not know/],
    ["JSON that is not an object", "null", /does not know/],
    ["an unknown message", '{"type":"run","command":"ls"}', /does not know/],
    ["an unknown lab", '{"type":"lab","name":"../../etc"}', /unknown name/],
    ["a role that does not exist", '{"type":"start","role":"root","id":1}', /unknown program/],
    ["a client that does not exist", '{"type":"start","role":"client","id":9}', /unknown program/],
    ["a long message", `{"type":"type","line":"${"x".repeat(60_000)}"}`, /too long/],
    ["a path with ..", choose("../outside.ts"), /\.\. is refused/],
    ["a path with .. in the middle", choose(`${folder.path}/below/../outside.ts`), /refused/],
    ["a path with .. and backslashes", choose("..\\outside.ts"), /refused/],
    ["a path with a NUL character", choose("a\0.ts"), /invalid path/],
    ["a file that does not exist", choose("no.ts"), /no such file/],
    ["a file of another kind", choose(`${folder.path}/notes.txt`), /is not a \.py/],
    ["a folder", choose(folder.path), /folder/],
    ["an empty path", choose(" "), /missing/],
    ["a path that is not text", choose(7), /invalid path/],
    ["an unknown fault", '{"type":"next","from":"server","fault":{"action":"__proto__"}}', /fault/],
    [
      "an amount that is not a number",
      '{"type":"next","from":"server","fault":{"action":"delay","amount":"1e9"}}',
      /whole number/,
    ],
  ];
  if (Deno.build.os !== "windows") {
    cases.push(["an endless device", choose("/dev/zero"), /device or a pipe/]);
  }
  for (const [what, message, why] of cases) {
    await t.step(`refuses ${what}`, async () => assertMatch(await page.refusal(message), why));
  }
  await t.step("never sends the text of a refused file", () => {
    assert(!JSON.stringify(page.messages).includes("secret"));
  });
  await t.step("still runs the lab", async () => {
    page.socket.send('{"type":"startAll"}');
    await page.shows("ended with status 0");
  });
});

for (const how of ["SIGINT", "SIGTERM", "the page's end"] as const) {
  Deno.test({
    name: `lab live leaves no process and no file after ${how}`,
    ignore: how !== "the page's end" && WITH_SIGNALS.ignore,
    async fn() {
      await using folder = await temporary();
      const env = { TMPDIR: folder.path, TMP: folder.path }; // the latter on Windows
      await using live = await startLive(["echo_v3"], { env });
      const page = await openSocket(live);
      page.socket.send('{"type":"startAll"}');
      await page.shows("abort:");
      assert([...Deno.readDirSync(folder.path)].length > 0);
      const [expected, ended] = how === "the page's end"
        ? [0, page[Symbol.asyncDispose]()]
        : [how === "SIGINT" ? 130 : 143, live.program.end(how)];
      await ended;
      assertEquals(await live.program.status, expected);
      if (how !== "the page's end") await page[Symbol.asyncDispose]();
      assertEquals([...Deno.readDirSync(folder.path)], []);
      if (Deno.build.os === "linux") assertEquals(childrenIn(folder.path), []);
    },
  });
}

/** Returns the processes that have a folder in their environment, on Linux. */
function childrenIn(folder: string): string[] {
  return [...Deno.readDirSync("/proc")].filter(({ name }) => {
    try {
      return Deno.readTextFileSync(`/proc/${name}/environ`).includes(`TMPDIR=${folder}`);
    } catch {
      return false; // not a process, or it has ended
    }
  }).map(({ name }) => name);
}
