/** A network that loses, repeats, delays and so reorders datagrams, in both directions. */
import { udpSocket } from "../helpers.ts";

/** Gives the same numbers from 0 up to 1 for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What happens to datagrams. */
export interface Faults {
  /** Percent of the datagrams that get lost, and of the others that arrive twice. */
  loss: number;
  duplicate: number;
  /** Milliseconds that one is held back at most, each for a time of its own. */
  delay: number;
  /** Where the random numbers begin. */
  seed: number;
}

/**
 * Relays datagrams between UDP clients and the server on a port.
 *
 * @returns Where clients send to, and how many datagrams were lost, came twice, and overtook others.
 */
export function lossyNetwork(port: number, { loss, duplicate, delay, seed }: Faults) {
  const server = { transport: "udp", hostname: "127.0.0.1", port } as const;
  const random = seededRandom(seed);
  const counts = { lost: 0, repeated: 0, overtook: 0 };
  const front = udpSocket();
  const backs = new Map<number, ReturnType<typeof udpSocket>>(); // by the client's port
  const timers = new Set<ReturnType<typeof setTimeout>>();
  let sent = 0;
  let lastArrived = 0;

  const later = (send: () => Promise<number>, wait: number) => {
    const number = ++sent;
    const timer = setTimeout(() => {
      timers.delete(timer);
      if (number < lastArrived) counts.overtook++;
      lastArrived = number;
      send().catch(() => {}); // lost, when the other side has gone
    }, wait * delay);
    timers.add(timer);
  };
  const deliver = (send: () => Promise<number>) => {
    // Always as many random numbers a datagram: one fate shifts no other.
    const [lost, twice, first, second] = [random(), random(), random(), random()];
    if (100 * lost < loss) return counts.lost++;
    later(send, first);
    if (100 * twice >= duplicate) return;
    counts.repeated++;
    later(send, second);
  };
  const passOn = async (
    from: Deno.DatagramConn,
    pass: (data: Uint8Array, peer: Deno.NetAddr) => void,
  ) => {
    try {
      while (true) pass(...await from.receive() as [Uint8Array, Deno.NetAddr]);
    } catch { /* it was closed */ }
  };
  passOn(front, (data, client) => {
    const back = backs.get(client.port) ?? udpSocket(); // the server sees different addresses
    if (!backs.has(client.port)) passOn(back, (data) => deliver(() => front.send(data, client)));
    backs.set(client.port, back);
    deliver(() => back.send(data, server));
  });
  return {
    port: front.port,
    counts,
    [Symbol.dispose]() {
      for (const timer of timers) clearTimeout(timer);
      for (const socket of [front, ...backs.values()]) socket.close();
    },
  };
}
