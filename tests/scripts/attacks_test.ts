/** Servers that are attacked. */
import { assert, assertEquals } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { resilient, serveClient, withRetries, writeAll } from "../../scripts/lib.ts";
import { DENO_RUN } from "../../scripts/lab/process/program.ts";
import {
  connect,
  decode,
  encode,
  readToEnd,
  SCRIPTS,
  sendTo,
  startServer,
  udpSocket,
  WITH_SIGNALS,
  withHeader,
} from "../helpers.ts";
import { isUdp, SERVERS } from "../load/servers.ts";
import { Watched } from "../load/watched.ts";

const NOTHING_LEFT = { sanitizeOps: true, sanitizeResources: true }; // no timer, no connection

for (const script of Object.keys(SERVERS).filter(isUdp)) {
  Deno.test(`${script} answers at once after 50 datagrams that are not text`, async () => {
    await using server = await Watched.start(script);
    using stranger = udpSocket();
    do { // a busy machine can delay any of them
      for (let i = 0; i < 50; i++) await sendTo(stranger, server.port, Uint8Array.of(0xff));
      await server.serve();
    } while (server.waits.at(-1)! > 2000 && server.waits.length < 3);
    assert(server.waits.at(-1)! < 2000, `${server.waits}`); // a pause for each took 4.8 s
    await server.program.end(); // then its output is complete
    assertEquals(server.program.errors.split("\n").length, 2); // the note alone
  });
}

Deno.test("guess_server.ts does not reply to a verdict", async () => {
  const { server, port } = await startServer("guess_server.ts", ["--secret=42"]);
  await using _ = server;
  using client = udpSocket();
  for (const verdict of ["HIGHER", "LOWER\n", "CORRECT", "INVALID", "42"]) {
    await sendTo(client, port, verdict);
  }
  assertEquals(decode((await client.receive())[0]), "CORRECT");
  await server.end();
  assert(!server.screen.includes("INVALID"), server.screen);
});

const at = (hostname: string, port: number) => ({ transport: "udp", hostname, port }) as const;

/** Makes a UDP socket that receives what the test gives it, or throws. */
function receiving(hostname: string, results: (string | Error)[], from: Deno.NetAddr) {
  const peers = [from];
  return {
    addr: at(hostname, 9900),
    receive() {
      const next = results.shift() ?? new Deno.errors.BadResource("closed");
      if (next instanceof Error) return Promise.reject(next);
      return Promise.resolve([encode(next), peers[0]]);
    },
    send: () => Promise.reject(new Deno.errors.PermissionDenied("no")),
  } as unknown as Deno.DatagramConn;
}

for (
  const [hostname, sender, isIgnored] of [
    ["127.0.0.1", "127.0.0.1", true],
    ["0.0.0.0", "127.0.0.1", true],
    ["0.0.0.0", "192.0.2.1", false], // another computer, whose port happens to be the same
  ] as const
) {
  Deno.test(`resilient() ${isIgnored ? "ignores" : "accepts"} ${sender} port 9900 when it listens on ${hostname} port 9900`, async () => {
    const socket = resilient(receiving(hostname, ["hello"], at(sender, 9900)));
    const received = socket.receive().then(() => false, () => true);
    assertEquals(await received, isIgnored);
  });
}

Deno.test("resilient() goes on after errors, with a pause only when nothing can be received", async () => {
  const { Busy, ConnectionReset } = Deno.errors;
  const results = [...Array(50).fill(new ConnectionReset("gone")), new Busy("no room"), "hello"];
  const socket = resilient(receiving("127.0.0.1", results, at("127.0.0.1", 9901)));
  const [data] = await deadline(socket.receive(new Uint8Array(4)), 4000);
  assertEquals(decode(data), "hell"); // a longer datagram is truncated, on every system
  assertEquals(await socket.send(data, at("127.0.0.1", 9901)), 0);
});

Deno.test("disconnects a client that reads nothing of its reply for 10 s, and only this one", async () => {
  const { server, port } = await startServer("echo_server_v3.ts", ["--buffer-size=65536"]);
  await using _ = server;
  using greedy = await connect(port);
  // On Windows the system takes a whole reply, and the server waits when it writes the next one.
  const messages = encode(withHeader("😀".repeat(1_048_576)).repeat(3));
  const writing = writeAll(greedy, messages).catch(() => {}); // the server reads no more
  const { port: ownPort } = greedy.localAddr as Deno.NetAddr;
  const reported = `error: client ('127.0.0.1', ${ownPort}): the client read nothing for 10 s\n`;
  const isDisconnected = server.until(() => server.errors.includes(reported), 20);
  using other = await connect(port);
  const message = withHeader("hi");
  const ask = async () => {
    await writeAll(other, encode(message));
    assertEquals(decode(await readToEnd(other, message.length)), message);
  };
  await ask(); // while the server waits
  assert(await isDisconnected, server.errors);
  await ask(); // this client read all of its replies
  await writing;
});

for (const [signal, status] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  Deno.test(`${signal} ends a server whose output is not read`, WITH_SIGNALS, async () => {
    const args = [...DENO_RUN.slice(1), "--allow-net", `${SCRIPTS}practical12_server_tcp.ts`];
    const server = new Deno.Command(DENO_RUN[0], {
      args: [...args, "--port=0"],
      stdin: "null",
      stdout: "piped", // a pipe that is never read
      stderr: "piped",
    }).spawn();
    const stderr = server.stderr.getReader();
    const note = decode((await stderr.read()).value!);
    using client = await connect(Number(note.match(/port (\d+)/)![1]));
    // The server replies until the pipe of its output is full. Then it waits.
    const buffer = new Uint8Array(65536);
    const sending = writeAll(client, new Uint8Array(40_000_000).fill(97)).catch(() => {});
    let back = 0;
    for (let isStill = false; !isStill;) {
      const reading = client.read(buffer).then((length) => back += length ?? 0);
      isStill = await deadline(reading, 500).then(() => false, () => true);
      if (isStill) reading.catch(() => {});
    }
    assert(back < 20_000_000, `the server keeps a transcript of ${back} bytes in memory`);
    server.kill(signal);
    const ended = deadline(server.status, 20_000).catch(() => server.kill("SIGKILL"));
    assertEquals((await ended)?.code, status);
    await server.stdout.cancel();
    await stderr.cancel();
    await sending;
  });
}

Deno.test(
  "serveClient() delivers a reply although the client's bytes are unread",
  async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const answer = encode("x".repeat(1_000_000));
    using client = await connect(listener.addr.port);
    const served = await listener.accept();
    const done = serveClient(served, () => writeAll(served, answer));
    await writeAll(client, encode("never read by the server".repeat(1000)));
    assertEquals((await readToEnd(client)).length, answer.length);
    await client.closeWrite();
    await done;
  },
);

Deno.test("serveClient() stops waiting for the end of a client after some seconds", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using _client = await connect(listener.addr.port); // it neither sends nor ends
  const done = serveClient(await listener.accept(), () => Promise.resolve());
  await deadline(done, 20_000);
});

Deno.test("withRetries() stops sending when it has its reply", NOTHING_LEFT, async () => {
  using server = udpSocket();
  using client = udpSocket();
  const socket = withRetries(client, { timeout: 1, tries: 3 });
  await socket.send(encode("hello"), at("127.0.0.1", server.port));
  const [question, peer] = await server.receive();
  await server.send(question, peer);
  assertEquals(decode((await socket.receive(new Uint8Array(100)))[0]), "hello");
});
