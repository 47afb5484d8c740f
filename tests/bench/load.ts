/**
 * The load of the benchmark where load.c can't be used: takes the same words and
 * prints the same line, but is slower.
 *
 * @module
 */
import { cpuUsage } from "node:process";
import { note } from "../../scripts/cli.ts";
import { writeAll } from "../../scripts/lib.ts";

const WARM_UP = 300; // milliseconds before anything counts
const FEWEST = 3; // answers that must count
const PIECE = 1 << 18; // bytes of a read, and of a write of a source
const PATIENCE = 200; // milliseconds until a datagram is given up
const HOSTNAME = "127.0.0.1";

const [kind, where, many, seconds, length, ...words] = Deno.args;
const port = Number(where);
const isOnce = words.includes("once");
const isUpper = words.includes("upper");
const letters = Array.from(
  { length: Number(length) },
  (_, i) => String.fromCharCode(97 + i % 26),
).join("");
const text = words.includes("framed") ? length.padStart(10) + letters : letters;
const message = new TextEncoder().encode(text);
const answer = isUpper ? new TextEncoder().encode(text.toUpperCase()) : message;

const countsFrom = performance.now() + WARM_UP;
const end = countsFrom + Number(seconds) * 1000;
const took: number[] = []; // milliseconds that each answer took
let failures = 0;
let usedBefore = cpuUsage();
setTimeout(() => usedBefore = cpuUsage(), WARM_UP);

function noteAnswer(start: number) {
  const now = performance.now();
  if (now >= countsFrom) took.push(now - start);
}

function isAnswer(data: Uint8Array, at: number): boolean {
  for (let i = 0; i < data.length; i++) {
    if (data[i] !== answer[at + i]) return false;
  }
  return true;
}

/** Sends the message; the answer is read at the same time. */
async function exchange(client: Deno.TcpConn, buffer: Uint8Array) {
  const sending = writeAll(client, message).then(() => {
    if (isOnce && isUpper) return client.closeWrite();
  });
  for (let received = 0; isOnce || received < answer.length;) {
    const read = await client.read(buffer);
    if (read === null && received === answer.length) break;
    if (read === null || !isAnswer(buffer.subarray(0, read), received)) {
      throw new Error("a wrong answer");
    }
    received += read;
  }
  await sending;
}

async function loadTcp(connections: Deno.TcpConn[]) {
  const buffer = new Uint8Array(Math.min(PIECE, message.length + 1));
  let client: Deno.TcpConn | undefined;
  while (performance.now() < end || (took.length < FEWEST && failures === 0)) {
    const start = performance.now();
    try {
      client ??= await Deno.connect({ hostname: HOSTNAME, port });
      await exchange(client, buffer);
      noteAnswer(start);
    } catch {
      if (start >= countsFrom) failures++;
      client?.close();
      client = undefined;
    }
    if (isOnce) {
      client?.close();
      client = undefined;
    }
  }
  if (client) connections.push(client);
}

async function loadUdp(inFlight: number) {
  const transport = "udp" as const;
  const peer = { transport, hostname: HOSTNAME, port };
  const socket = Deno.listenDatagram({
    transport,
    hostname: HOSTNAME,
    port: 0,
  });
  const buffer = new Uint8Array(65536);
  let last = performance.now();
  const sendAll = async () => {
    last = performance.now();
    for (let i = 0; i < inFlight; i++) await socket.send(message, peer);
  };
  const timer = setInterval(() => {
    if (performance.now() - last < PATIENCE) return;
    failures++;
    sendAll(); // all of them got lost
  }, PATIENCE);
  await sendAll();
  while (last < end) {
    const [data] = await socket.receive(buffer);
    if (data.length !== answer.length || !isAnswer(data, 0)) failures++;
    else noteAnswer(inFlight === 1 ? last : performance.now());
    last = performance.now();
    await socket.send(message, peer);
  }
  clearInterval(timer);
}

async function acceptOne(): Promise<Deno.TcpConn> {
  using listener = Deno.listen({ hostname: HOSTNAME, port: 0 });
  note(`listening on ${HOSTNAME} port ${listener.addr.port}`);
  return await listener.accept();
}

if (kind === "sink" || kind === "source") {
  const client = await acceptOne();
  const piece = new Uint8Array(PIECE);
  if (kind === "source") {
    for (let left = port; left > 0; left -= PIECE) {
      await writeAll(client, piece.subarray(0, left));
    }
    await client.closeWrite();
  }
  let total = 0;
  for (let read; (read = await client.read(piece)) !== null; total += read);
  console.log(total);
} else {
  const connections: Deno.TcpConn[] = [];
  if (kind === "udp") {
    await loadUdp(Number(many));
  } else {
    await Promise.all(
      Array.from({ length: Number(many) }, () => loadTcp(connections)),
    );
  }
  const elapsed = performance.now() - countsFrom;
  const { user, system } = cpuUsage(usedBefore); // microseconds
  took.sort((a, b) => a - b);
  const percentile = (share: number) =>
    Math.round(1000 * (took[Math.floor(share * took.length)] ?? 0));
  console.log(
    (1000 * took.length / elapsed).toFixed(1),
    percentile(0.5),
    percentile(0.99),
    failures,
    Math.round((user + system) / 10 / elapsed),
  );
  await Deno.stdin.read(new Uint8Array(1)); // the bench has looked at the server
  for (const connection of connections) connection.close();
  Deno.exit(failures > 0 ? 1 : 0);
}
