/**
 * Clients that misbehave, and clients that send garbage.
 *
 * @module
 */
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import { writeAll } from "../../scripts/lib.ts";
import {
  connect,
  decode,
  encode,
  inParallel,
  LONGEST_DATAGRAM,
  readToEnd,
  reset,
  sendTo,
  udpSocket,
  withHeader,
} from "../helpers.ts";
import { TIMEOUT, type Watched } from "./watched.ts";

const STALLED = 300; // milliseconds in which the server reads nothing more
const MEGABYTE = Array.from({ length: 100_000 }, (_, i) => `${i}`.padStart(10, "x")).join("");

/** A client that misbehaves. It awaits `serveOthers` when it is at its worst. */
export type BadClient = (server: Watched, serveOthers: () => Promise<void>) => Promise<void>;

/** Sends the first bytes of a message, half-closes, and reads until the end of file. */
async function halfClose(server: Watched, length: number, serveOthers: () => Promise<void>) {
  using client = await connect(server.port);
  await writeAll(client, server.newExchange().request.subarray(0, length));
  await client.closeWrite();
  await serveOthers();
  await deadline(readToEnd(client), TIMEOUT);
}

/** Clients that misbehave, each described by what it does. */
export const BAD_CLIENTS: Record<"tcp" | "udp", Record<string, BadClient>> = {
  tcp: {
    "resets before its message": ({ port }, serveOthers) => reset(port, "", serveOthers),
    "resets inside its message": (server, serveOthers) =>
      reset(server.port, server.newExchange().request.subarray(0, 5), serveOthers),
    "resets after its message": async (server, serveOthers) => {
      await reset(server.port, server.newExchange().request);
      await serveOthers();
    },
    "resets when its reply comes": async (server, serveOthers) => {
      const { request, reply } = server.newExchange();
      await reset(server.port, request, async (client) => {
        const receiving = new Promise((resolve) => client.on("data", resolve));
        if (reply !== "") await deadline(receiving, TIMEOUT);
      });
      await serveOthers();
    },
    "half-closes without a message": (server, serveOthers) => halfClose(server, 0, serveOthers),
    "half-closes inside its message": (server, serveOthers) => halfClose(server, 5, serveOthers),
    "sends nothing": async ({ port }, serveOthers) => {
      using _client = await connect(port);
      await serveOthers();
    },
    "sends one byte at a time": async (watched, serveOthers) => {
      using client = await connect(watched.port);
      client.setNoDelay();
      const { request, reply } = watched.newExchange();
      const { readsOnce } = watched.server;
      try {
        for (const byte of request) {
          await writeAll(client, Uint8Array.of(byte));
          await delay(0); // lets the server read this byte alone
        }
        await serveOthers();
        await client.closeWrite();
      } catch (error) {
        if (!readsOnce) throw error; // the others reply after the first byte, and close
      }
      const received = await deadline(readToEnd(client), TIMEOUT);
      const isPart = received.length > 0 && received.every((byte, i) => byte === request[i]);
      if (readsOnce ? !isPart : decode(received) !== reply) {
        watched.problems.push(`one byte at a time: ${JSON.stringify(decode(received))}`);
      }
    },
  },
  udp: {
    "sends an empty datagram": async ({ port }, serveOthers) => {
      using socket = udpSocket();
      await sendTo(socket, port, "");
      await serveOthers();
    },
    "sends the longest datagram": async ({ port }, serveOthers) => {
      using socket = udpSocket();
      await sendTo(socket, port, new Uint8Array(LONGEST_DATAGRAM).fill(255));
      await serveOthers();
    },
    "closes its socket before the reply": async (server, serveOthers) => {
      const socket = udpSocket();
      await sendTo(socket, server.port, server.newExchange().request);
      socket.close();
      await serveOthers();
    },
    "sends one byte at a time": async (server, serveOthers) => {
      using socket = udpSocket();
      for (const byte of server.newExchange().request) {
        await sendTo(socket, server.port, Uint8Array.of(byte));
      }
      await serveOthers();
    },
  },
};

/** Clients that send a lot. They take longer than the others. */
export const FLOODS: typeof BAD_CLIENTS = {
  tcp: {
    "sends 10 MB and reads late": async ({ port, server, problems }, serveOthers) => {
      using client = await connect(port);
      const { encodeText, readsOnce, reply } = server;
      const message = encodeText?.(MEGABYTE).replace(/ +4exit$/, "") ?? MEGABYTE;
      const data = encode(message.repeat(10));
      let sent = 0;
      const send = async () => {
        while (sent < data.length) sent += await client.write(data.subarray(sent, sent + 65536));
        await client.closeWrite();
      };
      const sending = send();
      sending.catch(() => {}); // some servers close the connection after one message
      for (let before = -1; sent !== before && sent < data.length;) {
        before = sent;
        await deadline(sending, STALLED).catch(() => {});
      }
      await serveOthers();
      if (encodeText || readsOnce) return;
      const received = decode(await deadline(readToEnd(client), TIMEOUT));
      const expected = reply?.(decode(data)) ?? decode(data);
      if (received !== expected) problems.push(`wrong reply of ${received.length} characters`);
      await sending;
    },
    "connects and disconnects 1,000 times": async ({ port }, serveOthers) => {
      for (let i = 0; i < 10; i++) {
        const clients = await Promise.all(Array.from({ length: 100 }, () => connect(port)));
        if (i === 5) await serveOthers();
        for (const client of clients) client.close();
      }
    },
  },
  udp: {
    "sends 10 MB and never reads": async ({ port }, serveOthers) => {
      using socket = udpSocket();
      for (let i = 0; i < 10_000; i++) {
        await sendTo(socket, port, MEGABYTE.slice(0, 1000));
        // A reply to another client shows that the server has received all datagrams so far.
        if (i % 50 === 49) await serveOthers();
      }
    },
  },
};

/** What a client does that sends garbage. */
export interface Garbage {
  pieces: Uint8Array[];
  /** Milliseconds before each piece. */
  pauses: number[];
  end: "close" | "half-close" | "reset";
}

/** Returns random garbage for a server. The same random numbers give the same garbage. */
export function makeGarbage(watched: Watched, random: () => number): Garbage {
  const below = (limit: number) => Math.floor(random() * limit);
  const pick = <T>(values: T[]) => values[below(values.length)];
  const bytes = (length: number) => Uint8Array.from({ length }, () => below(256));
  const lineEnd = pick(["\n", "\r\n", "\r", "\x1b[2J\n", "\0\n", "\u0085"]);
  // Not at the start: a line of the transcript may consist of the client's text alone.
  const forgery = `x${lineEnd}${watched.forgedLine}${lineEnd}`;
  const header = (length: unknown) => `${length}`.padStart(10).slice(-10);
  const data = pick<() => Uint8Array | string>([
    () => bytes(below(40)),
    () => bytes(below(4000)),
    () => forgery,
    () => withHeader(forgery) + forgery,
    () => "é😀\u2028\u202e".repeat(below(300)),
    () => encode("😀".repeat(below(100))).slice(0, -1 - below(3)),
    () => "9".repeat(below(400)),
    () => header(below(100)) + "x".repeat(below(200)),
    () => header(pick([-1, 1e9, "1e3", "0x10", "", "1 1", "\u0661"])),
    () => header(9_999_999_999) + forgery,
    () => {
      const damaged = watched.newExchange().request.slice();
      damaged[below(damaged.length)] ^= 0x80; // never another valid request
      return damaged;
    },
  ])();
  const all = typeof data === "string" ? encode(data) : data;
  const cuts = below(watched.transport === "udp" ? 2 : 6);
  const offsets = Array.from({ length: cuts }, () => below(all.length + 1)).sort((a, b) => a - b);
  const pieces = [0, ...offsets].map((start, i) => all.subarray(start, offsets[i]));
  const pauses = pieces.map(() => random() < 0.2 ? below(4) : 0);
  return { pieces, pauses, end: pick(["close", "half-close", "reset"]) };
}

/** Sends garbage. The server may close the connection at any time. Throws if it hangs. */
export async function sendGarbage(
  { transport, port }: Watched,
  { pieces, pauses, end }: Garbage,
): Promise<void> {
  const sendAll = async (send: (piece: Uint8Array) => Promise<unknown>) => {
    for (const [i, piece] of pieces.entries()) {
      if (pauses[i] > 0) await delay(pauses[i]);
      await send(piece);
    }
  };
  if (transport === "udp") {
    using socket = udpSocket();
    return await sendAll((piece) => sendTo(socket, port, piece));
  }
  if (end === "reset") {
    return await reset(
      port,
      "",
      (client) =>
        sendAll((piece) =>
          new Promise((resolve) => client.destroyed ? resolve(null) : client.write(piece, resolve))
        ),
    );
  }
  using client = await connect(port);
  client.setNoDelay();
  try {
    await sendAll((piece) => writeAll(client, piece));
    if (end === "close") return;
    await client.closeWrite();
    await deadline(readToEnd(client), TIMEOUT);
  } catch (error) {
    if ((error as Error).name === "TimeoutError") throw error; // the server hangs
  }
}

/** Runs well-behaved clients that send their requests when all of them have connected. */
export async function serveAtOnce(server: Watched, count: number) {
  const allConnected = Promise.withResolvers<void>();
  let connected = 0;
  const beforeRequest = () => {
    if (++connected === count) allConnected.resolve();
    return allConnected.promise;
  };
  await inParallel(Array(count).fill(() => server.serve(beforeRequest)), count);
}
