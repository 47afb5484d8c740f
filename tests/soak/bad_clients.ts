/**
 * Clients that misbehave, and clients without any sense.
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
import { PATIENCE, type Watched } from "./watched.ts";

const STALLED = 300; // milliseconds in which a server takes nothing more
const MEGABYTE = "x".repeat(1_000_000);

/** What a client does to a server; others must be served meanwhile, when it is at its worst. */
type Misdeed = (server: Watched, meanwhile: () => Promise<void>) => Promise<void>;

/** Sends the beginning of a message or nothing, ends its half, and reads to the end. */
async function halfClose(server: Watched, length: number, meanwhile: () => Promise<void>) {
  using client = await connect(server.port);
  await writeAll(client, server.talk().question.subarray(0, length));
  await client.closeWrite();
  await meanwhile();
  await deadline(readToEnd(client), PATIENCE);
}

/** What clients do wrong, or at least unusually, by the transport. */
export const MISDEEDS: Record<"tcp" | "udp", Record<string, Misdeed>> = {
  tcp: {
    "resets before its message": ({ port }, meanwhile) => reset(port, "", meanwhile),
    "resets inside its message": (server, meanwhile) =>
      reset(server.port, server.talk().question.subarray(0, 5), meanwhile),
    "resets after its message": async (server, meanwhile) => {
      await reset(server.port, server.talk().question);
      await meanwhile();
    },
    "resets when its answer comes": async (server, meanwhile) => {
      const { question, answer } = server.talk();
      await reset(server.port, question, async (client) => {
        const comes = new Promise((resolve) => client.on("data", resolve));
        if (answer !== "") await deadline(comes, PATIENCE);
      });
      await meanwhile();
    },
    "ends without a word": (server, meanwhile) => halfClose(server, 0, meanwhile),
    "ends inside its message": (server, meanwhile) => halfClose(server, 5, meanwhile),
    "says nothing": async ({ port }, meanwhile) => {
      using _client = await connect(port);
      await meanwhile();
    },
    "sends one byte at a time": async (watched, meanwhile) => {
      using client = await connect(watched.port);
      client.setNoDelay();
      const { question, answer } = watched.talk();
      const { readsOnce } = watched.server;
      try {
        for (const byte of question) {
          await writeAll(client, Uint8Array.of(byte));
          await delay(0); // lets the server read it alone
        }
        await meanwhile();
        await client.closeWrite();
      } catch (error) {
        if (!readsOnce) throw error; // it answers the first byte, and closes
      }
      const came = await deadline(readToEnd(client), PATIENCE);
      const isPart = came.length > 0 && came.every((byte, i) => byte === question[i]);
      if (readsOnce ? !isPart : decode(came) !== answer) {
        watched.problems.push(`byte by byte: ${JSON.stringify(decode(came))}`);
      }
    },
  },
  udp: {
    "sends an empty datagram": async ({ port }, meanwhile) => {
      using socket = udpSocket();
      await sendTo(socket, port, "");
      await meanwhile();
    },
    "sends the longest datagram": async ({ port }, meanwhile) => {
      using socket = udpSocket();
      await sendTo(socket, port, new Uint8Array(LONGEST_DATAGRAM).fill(255));
      await meanwhile();
    },
    "leaves before its answer comes": async (server, meanwhile) => {
      const socket = udpSocket();
      await sendTo(socket, server.port, server.talk().question);
      socket.close();
      await meanwhile();
    },
    "sends one byte at a time": async (server, meanwhile) => {
      using socket = udpSocket();
      for (const byte of server.talk().question) {
        await sendTo(socket, server.port, Uint8Array.of(byte));
      }
      await meanwhile();
    },
  },
};

/** The same, but what takes longer: once is enough. */
export const FLOODS: typeof MISDEEDS = {
  tcp: {
    "sends 10 MB and never reads": async ({ port, server }, meanwhile) => {
      using client = await connect(port);
      const data = encode((server.wire?.(MEGABYTE) ?? MEGABYTE).replace(/ +4exit$/, "").repeat(10));
      for (let sent = 0; sent < data.length;) {
        const write = client.write(data.subarray(sent, sent + 65536));
        const length = await deadline(write, STALLED).catch(() => 0);
        if (length === 0) break;
        sent += length;
      }
      await meanwhile();
    },
    "comes 1,000 times and leaves without a word": async ({ port }, meanwhile) => {
      for (let i = 0; i < 10; i++) {
        const clients = await Promise.all(Array.from({ length: 100 }, () => connect(port)));
        if (i === 5) await meanwhile();
        for (const client of clients) client.close();
      }
    },
  },
  udp: {
    "sends 10 MB and never reads": async ({ port }, meanwhile) => {
      using socket = udpSocket();
      for (let i = 0; i < 10_000; i++) {
        await sendTo(socket, port, MEGABYTE.slice(0, 1000));
        // Who is answered now knows that the server has got all before.
        if (i % 50 === 49) await meanwhile();
      }
    },
  },
};

/** What one client without sense does. */
export interface Rubbish {
  pieces: Uint8Array[];
  /** Milliseconds before each piece. */
  pauses: number[];
  end: "close" | "half-close" | "reset";
}

/** Makes up what a client without sense does; the same numbers make the same. */
export function makeRubbish(watched: Watched, random: () => number): Rubbish {
  const below = (limit: number) => Math.floor(random() * limit);
  const pick = <T>(values: T[]) => values[below(values.length)];
  const bytes = (length: number) => Uint8Array.from({ length }, () => below(256));
  const lineEnd = pick(["\n", "\r\n", "\r", "\x1b[2J\n", "\0\n", "\u0085"]);
  // Never at the start: a client may say what it wants in its own line.
  const forgery = `x${lineEnd}${watched.forgery}${lineEnd}`;
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
      const damaged = watched.talk().question.slice();
      damaged[below(damaged.length)] ^= 0x80; // a digit would make another question of it
      return damaged;
    },
  ])();
  const whole = typeof data === "string" ? encode(data) : data;
  const cuts = below(watched.transport === "udp" ? 2 : 6);
  const places = Array.from({ length: cuts }, () => below(whole.length + 1)).sort((a, b) => a - b);
  const pieces = [0, ...places].map((start, i) => whole.subarray(start, places[i]));
  const pauses = pieces.map(() => random() < 0.2 ? below(4) : 0);
  return { pieces, pauses, end: pick(["close", "half-close", "reset"]) };
}

/** Sends rubbish. The server may break off at any time. */
export async function dump({ transport, port }: Watched, { pieces, pauses, end }: Rubbish) {
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
          new Promise((sent) => client.destroyed ? sent(null) : client.write(piece, sent))
        ),
    );
  }
  using client = await connect(port);
  client.setNoDelay();
  try {
    await sendAll((piece) => writeAll(client, piece));
    if (end === "close") return;
    await client.closeWrite();
    await deadline(readToEnd(client), PATIENCE);
  } catch (error) {
    if ((error as Error).name === "TimeoutError") throw error; // it hangs
  }
}

/** So many honest clients, who all ask when all have come. */
export async function crowd(server: Watched, count: number) {
  const allAreThere = Promise.withResolvers<void>();
  let there = 0;
  const isReady = () => {
    if (++there === count) allAreThere.resolve();
    return allAreThere.promise;
  };
  await inParallel(Array(count).fill(() => server.serve(isReady)), count);
}
