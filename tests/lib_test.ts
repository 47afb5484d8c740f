/** The functions of lib.ts, one by one. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { delay } from "@std/async/delay";
import {
  address,
  ask,
  Decoder,
  Failure,
  parseFlags,
  receiveFrom,
  repr,
  resolve,
  serve,
  text,
  UsageError,
  writeAll,
} from "../scripts/lib.ts";
import { DENO_RUN, Program } from "../scripts/lab/program.ts";
import { connect, decode, encode, readToEnd, SCRIPTS } from "./helpers.ts";

const LIB = import.meta.resolve("../scripts/lib.ts");
const DEFAULTS = {
  host: "localhost",
  port: 9900,
  message: "hi",
  bufferSize: 16,
  timeout: 2,
  secret: Number,
  quiet: false,
};

Deno.test("parseFlags() gives the defaults when nothing is given", () => {
  assertEquals(parseFlags([], DEFAULTS), {
    _: [],
    ...DEFAULTS,
    secret: undefined,
  } as unknown as ReturnType<typeof parseFlags<typeof DEFAULTS>>);
});

Deno.test("parseFlags() reads values with = and as the next word", () => {
  const args = ["--port", "0", "--host=::1", "--buffer-size=1", "--quiet"];
  const flags = parseFlags(
    [...args, "--timeout", ".5", "--secret=7"],
    DEFAULTS,
  );
  assertEquals([flags.port, flags.host, flags.bufferSize], [0, "::1", 1]);
  assertEquals([flags.timeout, flags.secret, flags.quiet], [0.5, 7, true]);
});

Deno.test("parseFlags() takes an empty message, and one like a number or a flag", () => {
  const message = (...args: string[]) => parseFlags(args, DEFAULTS).message;
  assertEquals(message("--message="), "");
  assertEquals(message("--message", ""), "");
  assertEquals(message("--message=007"), "007");
  assertEquals(message("--message=--port=1"), "--port=1");
  assertEquals(message("--message=a\nb"), "a\nb");
});

Deno.test("parseFlags() reads flags of one letter, and words", () => {
  const letters = { _: ["WORD"], l: false, v: false, w: Number, p: String };
  const read = (...args: string[]) => parseFlags(args, letters);
  assertEquals(read("-l", "-w", "5", "a", "-p=80", "81"), {
    _: ["a", "81"],
    l: true,
    v: false,
    w: 5,
    p: "80",
  });
  assertThrows(() => read("-x"), UsageError, "unknown flag -x");
  assertThrows(() => read("-w"), UsageError, "-w needs a value");
  assertThrows(() => read("-w=x"), UsageError, "-w must be a whole number");
  assertEquals(read("-l", "--", "-v")._, ["-v"]);
});

for (
  const [args, complaint] of [
    [["--prot=1"], "unknown flag --prot=1"],
    [["-p", "1"], "unknown flag -p"],
    [["-port=1"], "unknown flag -port=1"],
    [["--constructor"], "unknown flag --constructor"],
    [["--__proto__=1"], "unknown flag --__proto__=1"],
    [["--port.x=1"], "unknown flag --port.x=1"],
    [["--no-quiet"], "unknown flag --no-quiet"],
    [["9900"], "unexpected argument 9900"],
    [["--", "x"], "unexpected argument x"],
    [["--port"], "--port needs a value"],
    [["--port="], "--port needs a value"],
    [["--port", "--quiet"], "--port needs a value"],
    [["--host="], "--host needs a value"],
    [["--message"], "--message needs a value"],
    [["--message", "--quiet"], "--message needs a value"],
    [["--port=70000"], "--port must be a whole number from 0 to 65535"],
    [["--port=-1"], "--port must be a whole number"],
    [["--port=80x"], "--port must be a whole number"],
    [["--port=0x50"], "--port must be a whole number"],
    [["--port=8e1"], "--port must be a whole number"],
    [["--port= 80"], "--port must be a whole number"],
    [["--port=80.0"], "--port must be a whole number"],
    [["--port=99999999999999999999"], "--port must be a whole number"],
    [["--buffer-size=0"], "--buffer-size must be a whole number from 1"],
    [["--bufferSize=5"], "unknown flag --bufferSize=5"],
    [["--timeout=0"], "--timeout must be a number of seconds above 0"],
    [["--timeout=1e9"], "--timeout must be a number of seconds"],
    [["--timeout=Infinity"], "--timeout must be a number of seconds"],
    [["--secret=1.5"], "--secret must be a whole number, not 1.5"],
    [["--quiet=maybe"], "--quiet takes no value"],
  ] as const
) {
  Deno.test(`parseFlags() refuses ${args.join(" ")}`, () => {
    assertThrows(
      () => parseFlags([...args], DEFAULTS),
      UsageError,
      complaint,
    );
  });
}

Deno.test("parseFlags() refuses port 0 for a client", () => {
  assertThrows(
    () => parseFlags(["--port=0"], { port: 9900 }),
    UsageError,
    "--port=0 is for servers",
  );
});

Deno.test("text() shows UTF-8 as it is, and control characters as escapes", () => {
  assertEquals(text(encode("héllo 😀 සිං 👩‍👩‍👧")), "héllo 😀 සිං 👩‍👩‍👧");
  assertEquals(
    text(encode("a\n\r\t\0\x1b[2J\x7f")),
    "a\\n\\r\\t\\x00\\x1b[2J\\x7f",
  );
  assertEquals(text(encode("\u0085\u009b")), "\\x85\\x9b");
  assertEquals(text(encode("\ufeffa")), "\ufeffa");
  assertEquals(text(encode("a\\n")), "a\\n");
});

Deno.test("text() shows bytes that are no UTF-8 as escapes", () => {
  const shown = (...bytes: number[]) => text(new Uint8Array(bytes));
  assertEquals(shown(0x61, 0xff, 0x62), "a\\xffb");
  assertEquals(shown(0x80, 0xc0, 0xc1, 0xf5), "\\x80\\xc0\\xc1\\xf5");
  assertEquals(shown(0xe2, 0x82), "\\xe2\\x82");
  assertEquals(shown(0xe2, 0x82, 0x41), "\\xe2\\x82A");
  assertEquals(shown(0xe0, 0x80, 0x80), "\\xe0\\x80\\x80"); // too long a form
  assertEquals(shown(0xed, 0xa0, 0x80), "\\xed\\xa0\\x80"); // a surrogate
  assertEquals(shown(0xf0, 0x8f, 0xbf, 0xbf), "\\xf0\\x8f\\xbf\\xbf");
  assertEquals(shown(0xf4, 0x90, 0x80, 0x80), "\\xf4\\x90\\x80\\x80");
});

Deno.test("text() leaves U+FFFD alone where it was sent", () => {
  const data = new Uint8Array([0xef, 0xbf, 0xbd, 0xff]);
  assertEquals(text(data), "\ufffd\\xff");
});

Deno.test("text() agrees with TextDecoder on every sequence of two bytes, and a third", () => {
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  for (let a = 0x80; a < 0x100; a++) {
    for (let b = 0x7f; b < 0x100; b++) {
      for (const rest of [[], [0x80], [0xbf, 0xbf]]) {
        const data = new Uint8Array([a, b, ...rest]);
        let valid = true;
        try {
          // Control characters show as escapes although they are valid.
          if (/\p{Cc}/u.test(strict.decode(data))) continue;
        } catch {
          valid = false;
        }
        assertEquals(!text(data).includes("\\x"), valid, `${data}`);
      }
    }
  }
});

Deno.test("Decoder puts a character together that is cut anywhere", () => {
  const data = encode("aé€😀b");
  for (let first = 0; first <= data.length; first++) {
    for (let second = first; second <= data.length; second++) {
      const decoder = new Decoder();
      const result = decoder.decode(data.subarray(0, first), { stream: true }) +
        decoder.decode(data.subarray(first, second), { stream: true }) +
        decoder.decode(data.subarray(second));
      assertEquals(result, "aé€😀b", `cut at ${first} and ${second}`);
    }
  }
});

Deno.test("Decoder shows at the end what was only begun", () => {
  const decoder = new Decoder();
  const begun = encode("a€").subarray(0, 3);
  assertEquals(decoder.decode(begun, { stream: true }), "a");
  assertEquals(decoder.decode(), "\\xe2\\x82");
  assertEquals(decoder.decode(encode("b")), "b");
});

Deno.test("repr() is Python's", () => {
  // Each right side is what python3 prints for repr() of the left side.
  assertEquals(repr(encode("Hello, world")), "b'Hello, world'");
  assertEquals(repr(encode("")), "b''");
  assertEquals(repr(encode("it's")), `b"it's"`);
  assertEquals(repr(encode('"')), `b'"'`);
  assertEquals(repr(encode(`'"`)), `b'\\'"'`);
  assertEquals(
    repr(encode("a\\b\t\n\r\0\x1b\x7f")),
    "b'a\\\\b\\t\\n\\r\\x00\\x1b\\x7f'",
  );
  assertEquals(repr(encode("é")), "b'\\xc3\\xa9'");
});

Deno.test("address() prints as a Python tuple", () => {
  const peer = {
    transport: "tcp",
    hostname: "127.0.0.1",
    port: 42961,
  } as const;
  assertEquals(address(peer), "('127.0.0.1', 42961)");
});

Deno.test("resolve() takes localhost for 127.0.0.1 and leaves addresses alone", async () => {
  assertEquals(await resolve("localhost"), "127.0.0.1");
  assertEquals(await resolve("LOCALHOST"), "127.0.0.1");
  assertEquals(await resolve("0.0.0.0"), "0.0.0.0");
  assertEquals(await resolve("::1"), "::1");
  assertEquals(await resolve("0:0:0:0:0:0:0:1"), "::1");
  await assertRejects(() => resolve("nosuch.invalid"), Error);
});

Deno.test("writeAll() writes what the first write leaves over", async () => {
  const written: number[] = [];
  const slow = {
    write(data: Uint8Array) {
      const part = data.subarray(0, 3);
      written.push(...part);
      return Promise.resolve(part.length);
    },
  } as unknown as Deno.Conn;
  await writeAll(slow, encode("never lose a byte"));
  assertEquals(decode(new Uint8Array(written)), "never lose a byte");
});

/** Runs a program of its own to its end. */
async function runSource(source: string, ...args: string[]): Promise<Program> {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(file, source);
  const config = `--config=${SCRIPTS}../deno.json`;
  await using program = new Program([...DENO_RUN, config, file, ...args]);
  assert(await program.ended());
  await Deno.remove(file);
  return program;
}

Deno.test("print() loses no line when the program ends in the middle of many", async () => {
  const { screen } = await runSource(`import { print } from "${LIB}";
    for (let i = 0; i < 10_000; i++) print("line", i);
    Deno.exit(0);`);
  assertEquals(screen.split("\n").length, 10_001);
  assert(screen.endsWith("\nline 9999\n"));
});

Deno.test("log() does not even format what --quiet leaves out", async () => {
  const program = await runSource(
    `import { log, run } from "${LIB}";
    await run({ quiet: false }, async () => {
      log("Received", () => { throw new Error("formatted"); });
    });`,
    "--quiet",
  );
  assertEquals(program.errors, "");
});

Deno.test("serve() sends everything before it closes, also when the client's bytes are unread", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const answer = encode("x".repeat(100_000));
  const serving = serve(listener, (client) => writeAll(client, answer));
  using client = await connect(listener.addr.port);
  await writeAll(client, encode("never read by the server".repeat(1000)));
  assertEquals((await readToEnd(client)).length, 100_000);
  listener.close();
  await serving;
});

Deno.test("serve() ends a connection whose client does not end it", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections: Deno.TcpConn[] = [];
  const serving = serve(listener, (client) => {
    connections.push(client);
    return Promise.resolve();
  });
  using client = await connect(listener.addr.port);
  const before = Date.now();
  assertEquals(await client.read(new Uint8Array(1)), null);
  assert(Date.now() - before < 1000, "its half is closed late");
  let isClosed = false;
  for (let i = 0; i < 100 && !isClosed; i++) {
    await delay(50);
    await connections[0].write(encode("x")).catch((error) => {
      isClosed = error instanceof Deno.errors.BadResource;
    });
  }
  assert(isClosed);
  listener.close();
  await serving;
});

function udpSocket(): [Deno.DatagramConn, Deno.NetAddr] {
  const hostname = "127.0.0.1";
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  return [socket, socket.addr as Deno.NetAddr];
}

Deno.test("receiveFrom() ignores what a stranger sends, and cuts what is too long", async () => {
  const [socket, ownAddress] = udpSocket();
  const [peer, peerAddress] = udpSocket();
  const [stranger] = udpSocket();
  await stranger.send(encode("wrong"), ownAddress);
  await peer.send(encode("right answer"), ownAddress);
  assertEquals(decode(await receiveFrom(socket, peerAddress, 5)), "right");
  for (const open of [socket, peer, stranger]) open.close();
});

Deno.test("receiveFrom() goes on where Windows tells that nobody listened", async () => {
  const peer = { transport: "udp", hostname: "127.0.0.1", port: 9 } as const;
  let calls = 0;
  const socket = {
    receive: () =>
      calls++ === 0
        ? Promise.reject(new Deno.errors.ConnectionReset("reset"))
        : Promise.resolve([encode("answer"), peer]),
  } as unknown as Deno.DatagramConn;
  assertEquals(await receiveFrom(socket, peer, 9), encode("answer"));
});

Deno.test("ask() sends again until there is an answer", async () => {
  const answer = Promise.withResolvers<string>();
  let sent = 0;
  const send = () => {
    if (++sent === 3) answer.resolve("at last");
    return Promise.resolve();
  };
  const waiting = { timeout: 0.01, tries: 5 };
  assertEquals(await ask(send, answer.promise, waiting), "at last");
  assertEquals(sent, 3);
});

Deno.test("ask() gives up after so many tries", async () => {
  let sent = 0;
  const send = () => Promise.resolve(sent++);
  const never = new Promise(() => {});
  await assertRejects(
    () => ask(send, never, { timeout: 0.01, tries: 3 }),
    Failure,
    "after 3 tries",
  );
  assertEquals(sent, 3);
});
