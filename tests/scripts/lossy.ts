/** A network that drops, duplicates, delays and so reorders datagrams, in both directions. */
import { udpSocket } from "../helpers.ts";

/** Returns a function that returns the same numbers from 0 up to 1 for the same seed (mulberry32). */
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
  /** Percent of the datagrams that are lost. */
  loss: number;
  /** Percent of the other datagrams that arrive twice. */
  duplicate: number;
  /** The longest delay of a datagram, in milliseconds. Each has a random delay. */
  delay: number;
  /** The seed of the random numbers. */
  seed: number;
}

/**
 * Relays datagrams between UDP clients and the server on a port.
 *
 * @returns The port for the clients, and how many datagrams were lost, duplicated, and reordered.
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
      send().catch(() => {}); // the other side may have closed its socket
    }, wait * delay);
    timers.add(timer);
  };
  const deliver = (send: () => Promise<number>) => {
    // The same number of random numbers for each datagram: one fate does not change the next.
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
