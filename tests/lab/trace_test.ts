/** The tracers report what a program does, and do not change its behavior. */
import { assert, assertEquals } from "@std/assert";
import { hasPython, pythonCommand } from "../../scripts/lab/process/program.ts";
import { parseEvent, readEvents, type TraceEvent } from "../../scripts/lab/trace/event.ts";
import { runTraced, type TraceOptions } from "../../scripts/lab/trace/run_traced.ts";
import { encode, quietPort, temporary, THOROUGH, WITH_POSIX_FILES } from "../helpers.ts";

const PROGRAMS = `${import.meta.dirname}/traced`;
const [PYTHON] = await pythonCommand();
const WITH_PYTHON = { ignore: !await hasPython() };
const DENO_FLAGS = ["--allow-net", "--no-prompt", "--unstable-net"];
const TYPED = "Ann\nsecond\nthird\n";

interface Outcome {
  stdout: string;
  stderr: string;
  status: number;
}

async function outcomeOf(child: Deno.ChildProcess): Promise<Outcome> {
  const stdin = child.stdin.getWriter();
  const typing = stdin.write(encode(TYPED)).then(() => stdin.close()).catch(() => {});
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  await typing;
  return { stdout, stderr, status: (await child.status).code };
}

const ENV = { NO_COLOR: "1" };

async function untraced(file: string): Promise<Outcome> {
  const isPython = file.endsWith(".py");
  const child = new Deno.Command(isPython ? PYTHON : Deno.execPath(), {
    args: isPython ? ["-u", file] : ["run", "--quiet", ...DENO_FLAGS, file],
    env: ENV,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  return await outcomeOf(child);
}

async function traced(file: string, options: TraceOptions = {}) {
  const events: TraceEvent[] = [];
  const onEvent = (event: TraceEvent) => events.push(event);
  await using program = await runTraced(file, {
    denoFlags: DENO_FLAGS,
    env: ENV,
    ...options,
    onEvent,
  });
  const outcome = await outcomeOf(program.child);
  await program.ended;
  return { outcome, events, observed: program.observed };
}

/**
 * What does not differ from run to run. Places in Deno's own code count without their column, as it calls two listeners from
 * another one than a single listener; those of a call that throws at once do not count.
 */
function steady({ stdout, stderr, status }: Outcome, name: string): Outcome {
  const steadied = stderr.replace(/(\(ext:\S+:)\d+:\d+\)/g, "$1)")
    .replace(/(request from \('127.0.0.1', )\d+/g, "$1")
    .replace(name === "in_use.ts" ? /^ +at .*\(ext:.*\n/gm : "", "");
  return { stdout, stderr: steadied, status };
}

/** Which events each line has, as the comments say: `#: receive 5, send 5`. */
function expectedEvents(source: string): string[] {
  return source.split("\n").flatMap((line, i) => {
    const [, list] = line.match(/(?:#|\/\/): (.*)/) ?? [];
    return list?.split(", ").map((event) => `${i + 1}: ${event}`) ?? [];
  }).sort();
}

/** The events of a run in the same form: those that ended well, with the lines of the program. */
function eventsByLine(events: TraceEvent[]): string[] {
  const lines = events.filter(({ kind, line, isWaiting, error }) =>
    !isWaiting && line !== undefined && kind !== "print" && error === undefined
  ).map(({ kind, line, length }) =>
    `${line}: ${kind}${length === undefined || kind === "input" ? "" : ` ${length}`}`
  );
  return [...new Set(lines)].sort();
}

const programs = [...Deno.readDirSync(PROGRAMS)].map(({ name }) => name).sort();

for (const [i, name] of programs.entries()) {
  const isLeftOut = !THOROUGH && i % 4 !== 0;
  const options = { ignore: isLeftOut || name.endsWith(".py") && WITH_PYTHON.ignore };
  Deno.test(`${name} prints the same and ends the same when it is traced`, options, async () => {
    await using folder = await temporary();
    const [port, other] = [quietPort(), quietPort()];
    const source = (await Deno.readTextFile(`${PROGRAMS}/${name}`))
      .replaceAll("7001", `${port}`).replaceAll("7002", `${other}`);
    const file = `${folder.path}/${name}`;
    await Deno.writeTextFile(file, source);
    const plain = await untraced(file);
    const { outcome, events, observed } = await traced(file, {
      ports: { [port]: quietPort(), [other]: quietPort() },
    });
    assertEquals(steady(outcome, name), steady(plain, name));
    // Before 3.10, Python left a `with` at its last line; now it leaves it at its first.
    const isOld = /^Python 3\.[0-9]\./.test(observed.runtime!);
    const comparable = (lines: string[]) =>
      lines.filter((line) => !isOld || !line.endsWith(": close"));
    assertEquals(comparable(eventsByLine(events)), comparable(expectedEvents(source)));
    assertEquals(printed(events, "stdout"), outcome.stdout);
  });
}

Deno.test(
  "names the lines of a program in a folder that is a link, as /tmp on macOS",
  WITH_POSIX_FILES,
  async () => {
    await using folder = await temporary();
    await Deno.mkdir(`${folder.path}/real`);
    await Deno.symlink("real", `${folder.path}/link`);
    for (const name of ["listen.ts", "listen.cjs"]) {
      const source = name.endsWith("ts")
        ? '\nDeno.listen({ hostname: "127.0.0.1", port: 0 }).close();'
        : '\nconst server = require("node:net").createServer().listen(0, () => server.close());';
      await Deno.writeTextFile(`${folder.path}/real/${name}`, source);
      const file = `${folder.path}/link/${name}`;
      for (const within of [file, undefined]) {
        const { events } = await traced(file, { within, denoFlags: ["-A"] });
        const listen = events.find(({ kind }) => kind === "listen");
        assertEquals([listen?.file, listen?.line], [name, 2]);
      }
    }
  },
);

function printed(events: TraceEvent[], stream: string): string {
  return events.filter((event) => event.kind === "print" && event.stream === stream)
    .map(({ text }) => text).join("");
}

/** Writes programs into a folder of their own, with free ports in place of 7001 and 7002. */
async function write(name: string, source: string) {
  const folder = await temporary();
  const port = quietPort();
  const file = `${folder.path}/${name}`;
  await Deno.writeTextFile(file, source.replaceAll("7001", `${port}`));
  return { file, port, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

const SERVERS = {
  "server.py": [
    "import socket",
    "sock = socket.create_server(('127.0.0.1', 7001))",
    "conn, address = sock.accept()",
    "while True:",
    "    conn.recv(16)",
    "    if input('Go on? ') == 'no': print('half a line', end='', flush=True)",
  ],
  "server.ts": [
    "const listener = Deno.listen({ hostname: '127.0.0.1', port: 7001 });",
    "const conn = await listener.accept();",
    "const buffer = new Uint8Array(16);",
    "await conn.read(buffer);",
    "prompt('Go on?');",
    "await conn.read(buffer);",
  ],
};
for (const [name, lines] of Object.entries(SERVERS)) {
  const isPython = name.endsWith(".py");
  Deno.test(`${name} says where it waits when it hangs`, isPython ? WITH_PYTHON : {}, async () => {
    await using program = await write(name, lines.join("\n"));
    const ports = { [program.port]: quietPort() };
    // Python waits at input(). Without a terminal, prompt() returns at once, and Deno waits at the next read.
    const asked = Promise.withResolvers<void>();
    let hasAsked = false;
    const onEvent = ({ kind, isWaiting }: TraceEvent) => {
      hasAsked ||= kind === "input";
      if (hasAsked && (isPython || kind === "receive" && isWaiting)) asked.resolve();
    };
    await using server = await runTraced(program.file, {
      ports,
      denoFlags: [`--allow-net=127.0.0.1:${ports[program.port]}`, "--no-prompt"],
      onEvent,
    });
    const outputs = [server.child.stdout, server.child.stderr].map((stream) =>
      new Response(stream).text()
    );
    const place = { transport: "tcp", host: "127.0.0.1", port: program.port } as const;
    assertEquals(await server.listening, place);
    const client = await Deno.connect({ hostname: "127.0.0.1", port: ports[program.port] });
    await client.write(encode("hello"));
    await asked.promise;
    server.child.kill("SIGKILL"); // it has not received the end of the connection
    await server.ended;
    client.close();
    await Promise.all(outputs);
    const { listens, bufferSizes, totals, asks, waiting } = server.observed;
    assertEquals(listens, [place]);
    assertEquals(bufferSizes, [16]);
    assertEquals(totals, { sent: 0, sentBytes: 0, received: 1, receivedBytes: 5 });
    assert(asks);
    const { kind, line } = [...waiting.values()].at(-1)!;
    assertEquals([kind, line], [isPython ? "input" : "receive", 6]);
  });
}

const CLIENTS = {
  "client.py": [
    "import socket",
    "message = 'never sent'",
    "class Client:",
    "    def __init__(self, host='10.0.0.8', port=7001):",
    "        self.sock = socket.create_connection((host, port))",
    "    def run(self):",
    "        self.sock.sendall('Hello, {}'.format('world').encode())",
    "        print(self.sock.recv(1024).decode(), self.sock.getpeername())",
    "Client().run()",
  ],
  "client.ts": [
    "const server = await Deno.connect({ hostname: '10.0.0.8', port: 7001 });",
    "await server.write(new TextEncoder().encode('Hello, world'));",
    "const buffer = new Uint8Array(1024);",
    "const text = new TextDecoder().decode(buffer.subarray(0, await server.read(buffer) ?? 0));",
    "const { hostname, port } = server.remoteAddr;",
    "console.log(`${text} ('${hostname}', ${port})`);",
  ],
  "client.mjs": [
    "import net from 'node:net';",
    "const client = net.connect(7001, '10.0.0.8', () => client.write('Hello, world'));",
    "client.on('data', (data) => {",
    "  console.log(`${data} ('${client.remoteAddress}', ${client.remotePort})`);",
    "  client.destroy();",
    "});",
  ],
};
for (const [name, lines] of Object.entries(CLIENTS)) {
  const options = name.endsWith(".py") ? WITH_PYTHON : {};
  Deno.test(
    `${name} is led to the loopback interface and sees the address that it names`,
    options,
    async () => {
      await using program = await write(name, lines.join("\n"));
      using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const { port } = listener.addr as Deno.NetAddr;
      const serving = listener.accept().then(async (client) => {
        const buffer = new Uint8Array(100);
        const length = await client.read(buffer);
        await client.write(buffer.subarray(0, length!));
        client.close();
      });
      const { outcome, observed } = await traced(program.file, {
        ports: { [program.port]: port },
        toLoopback: true,
        denoFlags: [`--allow-net=127.0.0.1:${port}`, "--no-prompt"],
      });
      await serving;
      assertEquals(outcome, {
        stdout: `Hello, world ('10.0.0.8', ${program.port})\n`,
        stderr: "",
        status: 0,
      });
      assertEquals(observed.connects, [{ transport: "tcp", host: "10.0.0.8", port: program.port }]);
      assertEquals(observed.sent.map(({ data }) => new TextDecoder().decode(data)), [
        "Hello, world",
      ]);
      assert(!observed.asks);
    },
  );
}

const FLOODS = {
  "flood.py": "import socket\nwhile True: print('flood')",
  "flood.ts": "while (true) console.log('flood');",
};
for (const [name, source] of Object.entries(FLOODS)) {
  const isPython = name.endsWith(".py");
  const options = { ignore: isPython && (WITH_PYTHON.ignore || !THOROUGH) };
  Deno.test(
    `${name} fills no more than a part of the file when it prints without end`,
    options,
    async () => {
      await using program = await write(name, source);
      let prints = 0;
      await using flood = await runTraced(program.file, {
        limit: 20_000,
        onEvent: ({ kind }) => prints += +(kind === "print"),
      });
      flood.child.stderr.cancel();
      let length = 0;
      for await (const chunk of flood.child.stdout) {
        length += chunk.length;
        if (length > 100_000) break;
      }
      flood.child.kill("SIGKILL");
      await flood.ended;
      assert(prints > 10 && prints < 100, `${prints} events`);
    },
  );
}

Deno.test(
  "a Python server listens again at once after it closed a connection",
  WITH_PYTHON,
  async () => {
    await using program = await write(
      "server.py",
      [
        "import socket",
        "sock = socket.socket()",
        "sock.bind(('127.0.0.1', 7001))",
        "sock.listen()",
        "client = socket.create_connection(('127.0.0.1', 7001))",
        "conn, _ = sock.accept()",
        "conn.close()",
        "print(client.recv(1))",
      ].join("\n"),
    );
    for (let i = 0; i < 2; i++) {
      assertEquals((await traced(program.file)).outcome, {
        stdout: "b''\n",
        stderr: "",
        status: 0,
      });
    }
  },
);

async function* streamOf(...chunks: string[]) {
  for (const chunk of chunks) yield encode(chunk);
}

async function kindsIn(...chunks: string[]): Promise<string[]> {
  const kinds = [];
  for await (const { kind } of readEvents(streamOf(...chunks))) kinds.push(kind);
  return kinds;
}

Deno.test("readEvents() skips lines that are not events", async () => {
  const event = (kind: string) => `{"kind":"${kind}","at":1}\n`;
  assertEquals(await kindsIn(event("start"), event("close").slice(0, 9), event("close").slice(9)), [
    "start",
    "close",
  ]);
  assertEquals(
    await kindsIn(event("start"), event("close").slice(0, 9)),
    ["start"],
    "killed in the middle of a line",
  );
  const lines = 'null\n[]\n1\n{}\n\n\u0000\n{"kind":"__proto__","at":1}\n{"kind":"send"}\n';
  assertEquals(await kindsIn(lines + event("close")), ["close"]);
  const long = "x".repeat(100_000);
  assertEquals(await kindsIn(`"`, ...Array(50).fill(long), "\n", event("close")), ["close"]);
});

Deno.test("reading an event drops fields that are not valid", () => {
  const parsed = parseEvent(JSON.stringify({
    kind: "send",
    at: 1,
    socket: -1,
    line: "7",
    length: 3,
    data: "YWJj",
    peer: { host: "\u001b[2J", port: 70000 },
    local: { host: "h", port: 1, more: {} },
    transport: "icmp",
    text: { toString: 1 },
    constructor: 1,
  }));
  assertEquals(parsed, {
    kind: "send",
    at: 1,
    length: 3,
    data: encode("abc"),
    local: { host: "h", port: 1 },
  });
});
