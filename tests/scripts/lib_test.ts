/** The parts of lib.ts that no script shows by itself. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { escapeText, explainError } from "../../scripts/cli.ts";
import {
  isClientGone,
  repr,
  reserve,
  resolveHost,
  showText,
  UserError,
  writeAll,
} from "../../scripts/lib.ts";
import { DENO_RUN, Program } from "../../scripts/lab/process/program.ts";
import { decode, encode, SCRIPTS } from "../helpers.ts";

const LIB = import.meta.resolve("../../scripts/lib.ts");

Deno.test("showText() shows UTF-8 as it is, and other bytes as U+FFFD", () => {
  assertEquals(showText(encode("héllo 😀 සිං 👩‍👩‍👧 ❤️")), "héllo 😀 සිං 👩‍👩‍👧 ❤️");
  assertEquals(showText(Uint8Array.of(0x61, 0xff, 0x62, 0xe2, 0x82)), "a\ufffdb\ufffd");
});

Deno.test("escapeText() shows control and invisible characters as escapes", () => {
  for (
    const [value, shown] of [
      ["a\n\r\t\0\x1b[2J\x7f", "a\\n\\r\\t\\x00\\x1b[2J\\x7f"],
      ["\u0085\u009b\u00ad", "\\x85\\x9b\\xad"],
      ["\u200e\u200f\u202a\u202e\u2066\u2069", "\\u200e\\u200f\\u202a\\u202e\\u2066\\u2069"],
      ["a\u2028b\u2029", "a\\u2028b\\u2029"],
      ["\ufeffa\u200b\u2060", "\\ufeffa\\u200b\\u2060"],
      ["\u{e0001}\u{e007f}", "\\U000e0001\\U000e007f"],
      ["a\\n", "a\\n"],
    ]
  ) {
    assertEquals(escapeText(value), shown);
  }
});

Deno.test("repr() is Python's", () => {
  // Each right side is what python3 prints for repr() of the left side.
  assertEquals(repr(encode("Hello, world")), "b'Hello, world'");
  assertEquals(repr(encode("")), "b''");
  assertEquals(repr(encode("it's")), `b"it's"`);
  assertEquals(repr(encode('"')), `b'"'`);
  assertEquals(repr(encode(`'"`)), `b'\\'"'`);
  assertEquals(repr(encode("a\\b\t\n\r\0\x1b\x7f")), "b'a\\\\b\\t\\n\\r\\x00\\x1b\\x7f'");
  assertEquals(repr(encode("é")), "b'\\xc3\\xa9'");
  assertEquals(repr(encode("[]^~ ")), "b'[]^~ '");
});

Deno.test("resolveHost() resolves localhost to 127.0.0.1, and normalizes addresses", async () => {
  for (
    const [host, address] of [
      ["localhost", "127.0.0.1"],
      ["LOCALHOST", "127.0.0.1"],
      ["0.0.0.0", "0.0.0.0"],
      ["127.000.000.001", "127.0.0.1"],
      ["::ffff:127.0.0.1", "127.0.0.1"],
      ["::1", "::1"],
      ["0:0:0:0:0:0:0:1", "::1"],
    ]
  ) {
    assertEquals(await resolveHost(host), address);
  }
  await assertRejects(() => resolveHost("nosuch.invalid"), Error);
});

Deno.test("explainError() knows that a connection can be reset while it is being made", () => {
  const error = new Deno.errors.NotConnected("Transport endpoint is not connected (os error 107)");
  assertEquals(explainError(error, "localhost", 81), ["localhost port 81 reset the connection"]);
});

Deno.test("explainError() mentions a port only if there is one", () => {
  const denied = new Deno.errors.PermissionDenied("Permission denied (os error 13)");
  assertEquals(explainError(denied), ["Permission denied"]);
  assertEquals(explainError(denied, "localhost", 81), [
    "no permission to listen on port 81: ports below 1024 need administrator rights",
    "take another port, for instance --port=8081",
  ]);
});

Deno.test("writeAll() writes the part that the first write leaves", async () => {
  const written: number[] = [];
  await writeAll({
    write(data) {
      const part = data.subarray(0, 3);
      written.push(...part);
      return Promise.resolve(part.length);
    },
  }, encode("never lose a byte"));
  assertEquals(decode(new Uint8Array(written)), "never lose a byte");
});

/** Runs the source of a program until it ends. */
async function runSource(source: string, ...args: string[]): Promise<Program> {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(file, source);
  const config = `--config=${SCRIPTS}../deno.json`;
  await using program = new Program([...DENO_RUN, config, file, ...args]);
  assert(await program.ended());
  await Deno.remove(file);
  return program;
}

for (const end of ["Deno.exit(0)", "throw new Error('a mistake')"]) {
  Deno.test(`print() loses no line before ${end}`, async () => {
    const { screen } = await runSource(`import { print } from "${LIB}";
      for (let i = 0; i < 10_000; i++) print("line", i);
      ${end};`);
    assertEquals(screen.split("\n").length, 10_001);
    assert(screen.endsWith("\nline 9999\n"));
  });
}

Deno.test("print() sets no timer for a few lines: they come at once, and timers take 4 ms to load", async () => {
  const { screen, errors } = await runSource(`import { print, run } from "${LIB}";
    globalThis.setTimeout = globalThis.setInterval = () => { throw new Error("a timer"); };
    await run({}, async () => {
      for (let i = 0; i < 10; i++) {
        print("line", i);
        await Deno.stdout.write(new Uint8Array());
      }
    });`);
  assertEquals([screen.split("\n").length, errors], [11, ""]);
});

Deno.test("resilient() reports a flood of clients that leave before they are accepted once", async () => {
  const { screen, errors } = await runSource(`import { print, resilient } from "${LIB}";
    let calls = 0;
    const listener = resilient({
      addr: { transport: "tcp", hostname: "127.0.0.1", port: 9900 },
      accept() {
        if (++calls <= 1000) return Promise.reject(new Deno.errors.NotConnected("gone"));
        return Promise.resolve({ read() {}, write() {} });
      },
    });
    await listener.accept();
    print("accepted after", calls);`);
  assertEquals(screen, "accepted after 1001\n");
  assertEquals(errors.match(/closed its connection before it was accepted/g)?.length, 1, errors);
});

Deno.test("isClientGone() knows what each system reports for a client that has left", () => {
  const invalid = Object.assign(new Error("Invalid argument (os error 22)"), { code: "EINVAL" });
  assertEquals([isClientGone(invalid, "darwin"), isClientGone(invalid, "linux")], [true, false]);
  assertEquals(isClientGone(new Deno.errors.NotConnected(), "linux"), true);
  assertEquals(isClientGone(new Deno.errors.ConnectionReset(), "windows"), true);
});

Deno.test("withRetries() needs no memory for a flood of spoofed datagrams", async () => {
  const { screen } = await runSource(`import { print, withRetries } from "${LIB}";
    const at = (port) => ({ transport: "udp", hostname: "127.0.0.1", port });
    let count = 0;
    const socket = withRetries({
      addr: at(1),
      send: () => Promise.resolve(1),
      receive: (buffer) => Promise.resolve([buffer.subarray(0, 9), at(++count < 500_000 ? 2 : 3)]),
    }, { timeout: 60, tries: 1 });
    await socket.send(new Uint8Array(1), at(3));
    const before = Deno.memoryUsage().heapUsed;
    let most = 0;
    const receive = socket.receive();
    await receive;
    most = Deno.memoryUsage().heapUsed;
    print(count, most - before < 40e6 ? "small" : "grew by " + (most - before));`);
  assertEquals(screen, "500000 small\n");
});

Deno.test("reserve() limits the total length of all messages, but not of short ones", () => {
  const client = () => ({}) as Deno.Conn;
  const clients = Array.from({ length: 16 }, client);
  for (const one of clients) reserve(one, 1_048_576);
  assertThrows(() => reserve(client(), 1_048_576), UserError, "too many long messages");
  reserve(client(), 4096);
  reserve(clients[0], 1_048_576); // its next message replaces the previous one
});
