/** The relay between a client and its server: it passes on everything, and reports it. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { deadline } from "@std/async/deadline";
import net from "node:net";
import { UsageError } from "../../scripts/cli.ts";
import { readPlaces, unmet } from "../../scripts/lab/trace/faults.ts";
import { Wire, type WireEvent, type WireOptions } from "../../scripts/lab/trace/relay.ts";
import {
  connect,
  decode,
  encode,
  quietListener,
  quietPort,
  readToEnd,
  reset,
  sendTo,
  udpSocket,
  WITH_IPV6,
} from "../helpers.ts";

/** Events as a reader would write them down. */
function described(events: WireEvent[]): string[] {
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
        throw new Error(`only these events came: ${described(wire.events).join(", ")}`);
      });
    }
    return described(wire.events);
  };
  return { wire, count, [Symbol.dispose]: () => wire[Symbol.dispose]() };
}

/** What comes until the end, which must come soon. */
const toEnd = (connection: Deno.Conn) => deadline(readToEnd(connection), 5000);

/** A TCP server for one client, on a port that is free on all addresses. */
function listen(hostname = "127.0.0.1") {
  const listener = quietListener(hostname);
  return {
    port: listener.addr.port,
    accept: () => listener.accept(),
    [Symbol.dispose]: () => listener.close(),
  };
}

Deno.test("the relay passes on bytes in both directions, and each half-close as a half-close", async () => {
  using server = listen();
  using opened = await openWire("tcp");
  opened.wire.connectTo(server.port);
  using client = await connect(opened.wire.port);
  using connection = await server.accept();
  await client.write(encode("question"));
  await client.closeWrite();
  assertEquals(decode(await toEnd(connection)), "question");
  assertEquals(await opened.count(3), [
    "1 client connect",
    "1 client data question",
    "1 client end",
  ]);
  assert(!await deadline(opened.wire.isClosed(), 10).catch(() => false));
  await connection.write(encode("answer"));
  await connection.closeWrite();
  assertEquals(decode(await toEnd(client)), "answer");
  assertEquals((await opened.count(5)).slice(3), ["1 server data answer", "1 server end"]);
  assert(await opened.wire.isClosed());
});

Deno.test("the relay passes on megabytes to a reader that starts late", async () => {
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
  const received = await toEnd(connection);
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
  await assertRejects(() => toEnd(connection), Deno.errors.ConnectionReset);
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
  await assertRejects(() => toEnd(client), Deno.errors.ConnectionReset);
  assertEquals((await opened.count(3)).at(-1), "1 server reset");
  assert(await opened.wire.isClosed());
  await new Promise((resolve) => server.close(resolve));
});

Deno.test("a client that connects before the server listens is served later", async () => {
  using opened = await openWire("tcp");
  using client = await connect(opened.wire.port);
  await client.write(encode("early"));
  await client.closeWrite();
  assertEquals(await opened.count(1), ["1 client connect"]);
  using server = listen();
  opened.wire.connectTo(server.port);
  using connection = await server.accept();
  assertEquals(decode(await toEnd(connection)), "early");
});

Deno.test("the relay resets a client, and the next one, when the server refuses the connection", async () => {
  using opened = await openWire("tcp");
  opened.wire.connectTo(quietPort());
  for (let i = 1; i <= 2; i++) {
    using client = await connect(opened.wire.port);
    await assertRejects(() => toEnd(client), Deno.errors.ConnectionReset);
    assertEquals((await opened.count(2 * i)).at(-1), `${i} server reset`);
  }
});

Deno.test({
  name: "the relay finds a server that listens on ::1",
  ...WITH_IPV6,
  async fn() {
    using server = listen("::1");
    using opened = await openWire("tcp");
    opened.wire.connectTo(server.port);
    using client = await connect(opened.wire.port);
    using connection = await server.accept();
    await connection.write(encode("six"));
    await connection.closeWrite();
    assertEquals(decode(await toEnd(client)), "six");
  },
});

Deno.test("closing the relay resets open connections", async () => {
  using server = listen();
  const opened = await openWire("tcp");
  opened.wire.connectTo(server.port);
  using client = await connect(opened.wire.port);
  using connection = await server.accept();
  opened.wire[Symbol.dispose]();
  await toEnd(client).catch(() => {});
  await toEnd(connection).catch(() => {});
  await assertRejects(() => connect(opened.wire.port), Deno.errors.ConnectionRefused);
});

/** Returns what a server receives when a client sends segments in turn, and what the relay reports. */
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
  const received = decode(await toEnd(connection));
  return { received, described: described(opened.wire.events).slice(1, -1) };
}

Deno.test("the relay drops, duplicates or splits exactly the segments that the faults name", async () => {
  const second = [{ from: "client" as const, number: 2 }, { from: "server" as const, number: 1 }];
  assertEquals(await sent({ drop: second }, "one", "two", "three"), {
    received: "onethree",
    described: ["1 client data one", "1 client lost two", "1 client data three"],
  });
  assertEquals(await sent({ duplicate: second }, "one", "two"), {
    received: "onetwotwo",
    described: ["1 client data one", "1 client data two", "1 client data two"],
  });
  assertEquals(await sent({ split: [{ from: "client", number: 1, amount: 3 }] }, "longer"), {
    received: "longer",
    described: ["1 client data lon", "1 client data ger"],
  });
});

Deno.test("a delayed segment delays the following ones over TCP", async () => {
  const before = Date.now();
  const delay = [{ from: "client" as const, number: 1, amount: 200 }];
  const { received } = await sent({ delay }, "one", "two");
  assertEquals(received, "onetwo");
  assert(Date.now() - before >= 190);
});

Deno.test("the relay passes on datagrams in both directions, from its own address for each client", async () => {
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

Deno.test("the relay drops, duplicates, splits or reorders exactly the datagrams that the faults name", async () => {
  using server = udpSocket();
  using client = udpSocket();
  using opened = await openWire("udp", {
    drop: [{ from: "client", number: 1 }],
    duplicate: [{ from: "client", number: 2 }],
    split: [{ from: "client", number: 3, amount: 2 }],
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

Deno.test("the relay reports faults that had no effect, and why", async () => {
  const faults = {
    drop: readPlaces("drop", "client:1"),
    duplicate: readPlaces("duplicate", "client:1,client:2"),
    delay: readPlaces("delay", "client:1:5,3"),
    split: readPlaces("split", "client:2:3,client:2:9,client:3:50,client:4"),
  };
  using server = listen();
  using opened = await openWire("tcp", faults);
  opened.wire.connectTo(server.port);
  using client = await connect(opened.wire.port);
  using connection = await server.accept();
  for (const [i, text] of ["one", "second", "three"].entries()) {
    await client.write(encode(text));
    await opened.count([2, 5, 6][i]);
  }
  await client.closeWrite();
  assertEquals(decode(await toEnd(connection)), "secondsecondthree");
  const dropped = "it is dropped, or named twice";
  assertEquals(unmet(faults, opened.wire.counts, opened.wire.met), [
    `--duplicate=client:1 matches nothing: ${dropped}`,
    `--delay=client:1:5 matches nothing: ${dropped}`,
    "--delay=server:3 matches nothing: the server sent nothing",
    "--split=client:2:9 matches nothing: it is too short to be split there",
    "--split=client:3:50 matches nothing: it is too short to be split there",
    "--split=client:4 matches nothing: the client sent 3",
  ]);
});

Deno.test("readPlaces() reads numbers, senders and amounts", () => {
  assertEquals(readPlaces("drop", ""), []);
  assertEquals(readPlaces("split", "2,client:1:15,server:3"), [
    { from: "server", number: 2, amount: undefined },
    { from: "client", number: 1, amount: 15 },
    { from: "server", number: 3, amount: undefined },
  ]);
  const wrong = ["0", "x", "client", "client:0", "1:2:3", "1,,2", "-1"];
  for (const flag of ["drop", "split"]) {
    for (const place of wrong) {
      assertThrows(() => readPlaces(flag, place), UsageError, `--${flag} takes for instance 2`);
    }
  }
  assertThrows(() => readPlaces("duplicate", "2:5"), UsageError, "not 2:5"); // it takes no amount
  assertThrows(() => readPlaces("delay", "1:10001"), UsageError, "10000 milliseconds at most");
});
