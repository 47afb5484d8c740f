/** What stands between a client and its server: it passes on all that happens, and tells it. */
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { deadline } from "@std/async/deadline";
import net from "node:net";
import { UsageError } from "../../scripts/lib.ts";
import { widthOf } from "../../scripts/lab/columns.ts";
import { readPlaces } from "../../scripts/lab/faults.ts";
import { labs } from "../../scripts/lab/names.ts";
import { inOrder } from "../../scripts/lab/order.ts";
import { Wire, type WireEvent, type WireOptions } from "../../scripts/lab/wire.ts";
import {
  closedPort,
  connect,
  decode,
  encode,
  readToEnd,
  reset,
  SCRIPTS,
  sendTo,
  udpSocket,
  WITH_IPV6,
} from "../helpers.ts";

/** Events as a reader would write them down. */
function told(events: WireEvent[]): string[] {
  return events.map(({ kind, from, connection, data }) =>
    `${connection} ${from} ${kind}${data ? ` ${decode(data)}` : ""}`
  );
}

/** A wire whose events can be waited for. */
async function openWire(transport: "tcp" | "udp", options: WireOptions = {}) {
  let onChange = () => {};
  const wire = await Wire.open(transport, { ...options, onEvent: () => onChange() });
  /** Waits until there are so many events. */
  const count = async (number: number) => {
    while (wire.events.length < number) {
      const change = new Promise<void>((resolve) => onChange = resolve);
      await deadline(change, 5000).catch(() => {
        throw new Error(`only these events came: ${told(wire.events).join(", ")}`);
      });
    }
    return told(wire.events);
  };
  return { wire, count, [Symbol.dispose]: () => wire[Symbol.dispose]() };
}

/** A TCP server for one client. */
function listen(hostname = "127.0.0.1") {
  const listener = Deno.listen({ hostname, port: 0 });
  return {
    port: listener.addr.port,
    accept: () => listener.accept(),
    [Symbol.dispose]: () => listener.close(),
  };
}

Deno.test("a wire passes on bytes both ways, and each half-close as a half-close", async () => {
  using server = listen();
  using opened = await openWire("tcp");
  opened.wire.connectTo(server.port);
  using client = await connect(opened.wire.port);
  using connection = await server.accept();
  await client.write(encode("question"));
  await client.closeWrite();
  assertEquals(decode(await readToEnd(connection)), "question");
  assertEquals(await opened.count(3), [
    "1 client connect",
    "1 client data question",
    "1 client end",
  ]);
  assert(!await deadline(opened.wire.isClosed(), 10).catch(() => false));
  await connection.write(encode("answer"));
  await connection.closeWrite();
  assertEquals(decode(await readToEnd(client)), "answer");
  assertEquals((await opened.count(5)).slice(3), ["1 server data answer", "1 server end"]);
  assert(await opened.wire.isClosed());
});

Deno.test("a wire passes on megabytes to a reader that is slow to begin", async () => {
  using server = listen();
  using opened = await openWire("tcp");
  opened.wire.connectTo(server.port);
  using client = await connect(opened.wire.port);
  using connection = await server.accept();
  const data = crypto.getRandomValues(new Uint8Array(65536));
  const sending = (async () => {
    for (let i = 0; i < 64; i++) {
      for (let sent = 0; sent < data.length;) sent += await client.write(data.subarray(sent));
    }
    await client.closeWrite();
  })();
  await opened.count(3);
  const received = await readToEnd(connection);
  await sending;
  assertEquals(received.length, 64 * data.length);
  for (let i = 0; i < 64; i++) {
    const part = received.subarray(i * data.length, (i + 1) * data.length);
    assert(part.every((byte, j) => byte === data[j]), `block ${i} is not what was sent`);
  }
});

Deno.test("a client's reset reaches the server as a reset", async () => {
  using server = listen();
  using opened = await openWire("tcp");
  opened.wire.connectTo(server.port);
  await reset(opened.wire.port, "bye", () => opened.count(2));
  using connection = await server.accept();
  await assertRejects(() => readToEnd(connection), Deno.errors.ConnectionReset);
  assertEquals((await opened.count(3)).at(-1), "1 client reset");
  assert(await opened.wire.isClosed());
});

Deno.test("a server's reset reaches the client as a reset", async () => {
  using opened = await openWire("tcp");
  const server = net.createServer((connection) => {
    connection.on("error", () => {});
    connection.once("data", () => connection.resetAndDestroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  opened.wire.connectTo((server.address() as net.AddressInfo).port);
  using client = await connect(opened.wire.port);
  await client.write(encode("bye"));
  await assertRejects(() => readToEnd(client), Deno.errors.ConnectionReset);
  assertEquals((await opened.count(3)).at(-1), "1 server reset");
  assert(await opened.wire.isClosed());
  await new Promise((resolve) => server.close(resolve));
});

Deno.test("a client that comes before the server is served when that is there", async () => {
  using opened = await openWire("tcp");
  using client = await connect(opened.wire.port);
  await client.write(encode("early"));
  await client.closeWrite();
  assertEquals(await opened.count(1), ["1 client connect"]);
  using server = listen();
  opened.wire.connectTo(server.port);
  using connection = await server.accept();
  assertEquals(decode(await readToEnd(connection)), "early");
});

Deno.test("a client whose server refuses it is reset, and the next one too", async () => {
  using opened = await openWire("tcp");
  opened.wire.connectTo(closedPort());
  for (let i = 1; i <= 2; i++) {
    using client = await connect(opened.wire.port);
    await assertRejects(() => readToEnd(client), Deno.errors.ConnectionReset);
    assertEquals((await opened.count(2 * i)).at(-1), `${i} server reset`);
  }
});

Deno.test({
  name: "a server that listens on ::1 is found",
  ...WITH_IPV6,
  async fn() {
    using server = listen("::1");
    using opened = await openWire("tcp");
    opened.wire.connectTo(server.port);
    using client = await connect(opened.wire.port);
    using connection = await server.accept();
    await connection.write(encode("six"));
    await connection.closeWrite();
    assertEquals(decode(await readToEnd(client)), "six");
  },
});

Deno.test("a wire that is closed breaks off what is open", async () => {
  using server = listen();
  const opened = await openWire("tcp");
  opened.wire.connectTo(server.port);
  using client = await connect(opened.wire.port);
  using connection = await server.accept();
  opened.wire[Symbol.dispose]();
  await readToEnd(client).catch(() => {});
  await readToEnd(connection).catch(() => {});
  await assertRejects(() => connect(opened.wire.port), Deno.errors.ConnectionRefused);
});

/** What a server gets of pieces that a client sends one after the other, and what is told. */
async function sent(options: WireOptions, ...pieces: string[]) {
  using server = listen();
  using opened = await openWire("tcp", options);
  opened.wire.connectTo(server.port);
  using client = await connect(opened.wire.port);
  using connection = await server.accept();
  for (const [i, piece] of pieces.entries()) {
    await client.write(encode(piece));
    await opened.count(i + 2);
  }
  await client.closeWrite();
  const received = decode(await readToEnd(connection));
  return { received, told: told(opened.wire.events).slice(1, -1) };
}

Deno.test("a piece is lost, doubled or cut where the faults say so, and no other", async () => {
  const second = [{ from: "client" as const, number: 2 }, { from: "server" as const, number: 1 }];
  assertEquals(await sent({ lose: second }, "one", "two", "three"), {
    received: "onethree",
    told: ["1 client data one", "1 client lost two", "1 client data three"],
  });
  assertEquals(await sent({ double: second }, "one", "two"), {
    received: "onetwotwo",
    told: ["1 client data one", "1 client data two", "1 client data two"],
  });
  assertEquals(await sent({ cut: [{ from: "client", number: 1, amount: 3 }] }, "longer"), {
    received: "longer",
    told: ["1 client data lon", "1 client data ger"],
  });
});

Deno.test("a piece is delayed, and what follows it over TCP waits", async () => {
  const before = Date.now();
  const delay = [{ from: "client" as const, number: 1, amount: 200 }];
  const { received } = await sent({ delay }, "one", "two");
  assertEquals(received, "onetwo");
  assert(Date.now() - before >= 190);
});

Deno.test("datagrams pass both ways, and each client has an address of its own", async () => {
  using server = udpSocket();
  using opened = await openWire("udp");
  opened.wire.connectTo(server.port);
  using first = udpSocket();
  using second = udpSocket();
  await sendTo(first, opened.wire.port, "a");
  const [, firstPeer] = await server.receive();
  await sendTo(second, opened.wire.port, "b");
  const [, secondPeer] = await server.receive();
  await server.send(encode("B"), secondPeer);
  await server.send(encode("A"), firstPeer);
  assertEquals(decode((await first.receive())[0]), "A");
  const [data, peer] = await second.receive();
  assertEquals(decode(data), "B");
  assertEquals((peer as Deno.NetAddr).port, opened.wire.port);
  assertEquals(await opened.count(4), [
    "1 client datagram a",
    "2 client datagram b",
    "2 server datagram B",
    "1 server datagram A",
  ]);
});

Deno.test("a datagram is lost, doubled, cut or overtaken where the faults say so", async () => {
  using server = udpSocket();
  using client = udpSocket();
  using opened = await openWire("udp", {
    lose: [{ from: "client", number: 1 }],
    double: [{ from: "client", number: 2 }],
    cut: [{ from: "client", number: 3, amount: 2 }],
    delay: [{ from: "client", number: 4, amount: 300 }],
  });
  opened.wire.connectTo(server.port);
  for (const text of ["one", "two", "three", "four", "five"]) {
    await sendTo(client, opened.wire.port, text);
  }
  const got: string[] = [];
  while (got.length < 5) got.push(decode((await server.receive())[0]));
  assertEquals(got, ["two", "two", "th", "five", "four"]);
  assertEquals(await opened.count(7), [
    "1 client lost one",
    "1 client datagram two",
    "1 client datagram two",
    "1 client datagram th",
    "1 client lost ree",
    "1 client datagram five",
    "1 client datagram four",
  ]);
});

Deno.test("readPlaces() reads numbers, senders and amounts", () => {
  assertEquals(readPlaces("lose", ""), []);
  assertEquals(readPlaces("cut", "2,client:1:15,server:3"), [
    { from: "server", number: 2, amount: undefined },
    { from: "client", number: 1, amount: 15 },
    { from: "server", number: 3, amount: undefined },
  ]);
  for (const wrong of ["0", "x", "client", "client:0", "1:2:3", "1,,2", "-1"]) {
    assertThrows(() => readPlaces("lose", wrong), UsageError, "--lose takes for instance 2");
  }
});

// `lab wire`

/** What `lab wire` prints. */
async function draw(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `${SCRIPTS}lab.ts`, "wire", ...args],
    env: { NO_COLOR: "1" },
  }).output();
  assert(success, decode(stderr));
  return decode(stdout);
}

/** What stands in one of the three columns, its lines joined as they were before. */
function column(diagram: string, index: number): string {
  const cells = diagram.split("\n").map((row) => row.split(" │ ")[index]?.trim() ?? "");
  return cells.join(" ").replaceAll(/\s+/g, " ");
}

for (const lab of labs) {
  Deno.test(`lab wire ${lab.name} shows both transcripts, fits 80 columns, and is always the same`, async () => {
    const [diagram, again] = await Promise.all([draw(lab.name), draw(lab.name)]);
    assertEquals(again, diagram);
    for (const line of diagram.split("\n")) assert(widthOf(line) <= 80, line);
    for (const [script, index] of [[lab.server, 0], [lab.client, 2]] as const) {
      const screen = script.screen.replaceAll(/\s+/g, " ").trim();
      assert(column(diagram, index).includes(screen), diagram);
    }
    assertEquals(/connect/.test(column(diagram, 1)), lab.transport === "tcp");
  });
}

Deno.test("lab wire draws who sends what, and who ends its half first", async () => {
  const diagram = await draw("upper_tcp", "--mermaid");
  assertEquals(diagram.split("\n").filter((line) => /->>/.test(line)).map((line) => line.trim()), [
    "C->>S: connect",
    "C->>S: 5 bytes: hello",
    "C->>S: FIN",
    "S->>C: 5 bytes: HELLO",
    "S->>C: FIN",
  ]);
});

Deno.test("lab wire --lose draws what is lost, and the client asks again", async () => {
  const diagram = await draw("guess", "--lose=1", "--mermaid");
  const start = diagram.slice(diagram.indexOf("C->>S"));
  assertEquals(start.split("\n").slice(0, 7).map((line) => line.trim()), [
    "C->>S: 2 bytes: 50",
    "Note over S: ('127.0.0.1', 40000) guessed 50: LOWER",
    "S--xC: 5 bytes lost: LOWER",
    "Note over C: note: no reply within 2 s: try 2 of 3",
    "C->>S: 2 bytes: 50",
    "Note over S: ('127.0.0.1', 40000) guessed 50: LOWER",
    "S->>C: 5 bytes: LOWER",
  ]);
  assert((await draw("guess", "--lose=1")).includes("─── 5 bytes lost ───"));
});

Deno.test("lab wire --reads shows a character that a read has cut in two", async () => {
  const diagram = await draw("echo_v2", "--reads", "--mermaid", "--", "--message=grüße");
  assert(
    diagram.includes("Note over S: read 10: ␣␣␣␣␣␣␣␣␣5<br/>read 5: grü�<br/>read 2: �e<br/>grüße"),
    diagram,
  );
});

Deno.test("lab wire --cut lets one piece come in two", async () => {
  const args = ["--cut=client:1:4", "--mermaid", "--", "--message=Hi"];
  const diagram = await draw("echo_v2", ...args);
  assert(diagram.includes("C->>S: 4 bytes: ␣␣␣␣\n    C->>S: 8 bytes: ␣␣␣␣␣2Hi\n"), diagram);
});

Deno.test("lab wire escapes what would drive the terminal or be Mermaid's markup", async () => {
  const message = "--message=\x1b[31m<b>#1;\r\n";
  const diagram = await draw("echo_v1", "--", message);
  // deno-lint-ignore no-control-regex -- that there are none is what is tested
  assert(!/[\x00-\x09\x0b-\x1f\x7f-\x9f]/.test(diagram), diagram);
  assert(diagram.includes("\\x1b[31m"), diagram);
  const mermaid = await draw("echo_v1", "--mermaid", "--", message);
  assert(mermaid.includes("\\x1b[31m#60;b#62;#35;1#59;\\r\\n"), mermaid);
});

Deno.test("lab wire names what it can't read", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `${SCRIPTS}lab.ts`, "wire", "guess", "--lose=second"],
  }).output();
  assertEquals(code, 2);
  assertStringIncludes(decode(stderr), "--lose takes for instance 2, client:1 or 2:15, not second");
});

Deno.test("inOrder() gives one order, whatever was seen first", () => {
  const data = encode("hi");
  const orders = Array.from({ length: 50 }, () => {
    const at = () => 1000 + 400 * Math.random();
    const wire = (kind: WireEvent["kind"], from: "server" | "client", data?: Uint8Array) => (
      { at: at(), kind, from, connection: 1, data, fresh: data?.length }
    );
    const events = [
      wire("connect", "client"),
      wire("data", "client", data),
      wire("data", "server", data),
      ...Math.random() < 0.5
        ? [wire("end", "server"), wire("end", "client")]
        : [wire("end", "client"), wire("end", "server")],
    ];
    const steps = inOrder({
      server: [
        { at: at(), text: "ready\n" },
        { at: at(), call: "accept" },
        { at: at(), text: "connected\n" },
        { at: at(), call: "read", length: 2 },
        { at: at(), text: "Data: " },
        { at: at(), text: "hi\n" },
        { at: at(), call: "write", length: 2 },
        { at: at(), text: "sent\n" },
        { at: at(), call: "close" },
      ],
      client: [
        { at: at(), call: "connect" },
        { at: at(), text: "Sending\n" },
        { at: at(), call: "write", length: 2 },
        { at: at(), call: "read", length: 2 },
        { at: at(), text: "hi\n" },
        { at: at(), call: "close" },
      ],
    }, events);
    return steps.filter(({ kind }) => kind !== "call")
      .map(({ kind, from, text }) => `${from} ${text.trim() || kind}`);
  });
  for (const order of orders) {
    assertEquals(order, [
      "server ready",
      "client connect",
      "server connected",
      "client Sending",
      "client data",
      "server Data: hi",
      "server data",
      "server sent",
      "server end",
      "client hi",
      "client end",
    ]);
  }
});

const readme = Deno.readTextFileSync(`${SCRIPTS}../README.md`).replaceAll("\r", "");
const DIAGRAM = /^`deno task lab wire ([^`]+ --mermaid[^`]*)`\n\n```mermaid\n([^]*?)```/gm;
const diagrams = [...readme.matchAll(DIAGRAM)];

Deno.test("every diagram of the README stands behind the command that drew it", () => {
  assert(diagrams.length > 0);
  assertEquals(readme.match(/^```mermaid/gm)?.length, diagrams.length);
});

for (const [, args, diagram] of diagrams) {
  Deno.test(`lab wire ${args} draws what the README shows`, async () => {
    assertEquals(await draw(...args.split(" ")), diagram);
  });
}
