/**
 * UDP proxy that loses, repeats, delays and so reorders what passes through it,
 * in both directions. Percentages, milliseconds, and a seed by which the same
 * datagrams in the same order meet the same fate:
 *
 * ```console
 * $ deno run --allow-net tests/scripts/lossy.ts --port=9901 --to=9900 --loss=30 --duplicate=20 --delay=50
 * note: passing on from 127.0.0.1 port 9901 to port 9900
 * ```
 *
 * @module
 */
import { note, run, UsageError } from "../../scripts/lib.ts";

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
  /** Percent of the datagrams that get lost. */
  loss: number;
  /** Percent of the others that arrive twice. */
  duplicate: number;
  /** Milliseconds that one is held back at most, each for a time of its own. */
  delay: number;
  /** Where the random numbers begin. */
  seed: number;
}

const HOSTNAME = "127.0.0.1";
const MOST_CLIENTS = 1000; // each takes a socket

/** Stands between UDP clients and their server. */
export class LossyProxy {
  /** How many datagrams were lost, came twice, and overtook an earlier one. */
  readonly counts = { passed: 0, lost: 0, repeated: 0, overtook: 0 };
  #front: Deno.DatagramConn;
  #server: Deno.NetAddr;
  #faults: Faults;
  #random: () => number;
  #backs = new Map<number, Deno.DatagramConn>(); // by the client's port
  #timers = new Set<ReturnType<typeof setTimeout>>();
  #sent = 0;
  #lastArrived = 0;

  /**
   * @param port The server's port.
   * @param faults What happens to datagrams.
   * @param ownPort Where clients send to; 0 for any free port.
   */
  constructor(port: number, faults: Faults, ownPort = 0) {
    this.#server = { transport: "udp", hostname: HOSTNAME, port };
    this.#faults = faults;
    this.#random = seededRandom(faults.seed);
    this.#front = listen(ownPort);
    this.#passOn(this.#front, (data, client) => {
      const back = this.#backOf(client);
      if (back) this.#deliver(() => back.send(data, this.#server));
    });
  }

  /** Where clients send to. */
  get port(): number {
    return (this.#front.addr as Deno.NetAddr).port;
  }

  /** A socket for each client, so that the server sees different addresses. */
  #backOf(client: Deno.NetAddr): Deno.DatagramConn | undefined {
    const known = this.#backs.get(client.port);
    if (known || this.#backs.size >= MOST_CLIENTS) return known;
    const back = listen(0);
    this.#backs.set(client.port, back);
    this.#passOn(back, (data) => this.#deliver(() => this.#front.send(data, client)));
    return back;
  }

  async #passOn(from: Deno.DatagramConn, pass: (data: Uint8Array, peer: Deno.NetAddr) => void) {
    while (true) {
      try {
        const [data, peer] = await from.receive();
        pass(data, peer as Deno.NetAddr);
      } catch (error) {
        if (
          error instanceof Deno.errors.BadResource ||
          error instanceof Deno.errors.Interrupted
        ) return;
        throw error;
      }
    }
  }

  /** Loses a datagram, or lets it arrive once or twice, each time later or at once. */
  #deliver(send: () => Promise<number>) {
    // Always as many random numbers a datagram: one fate shifts no other.
    const [loss, duplicate, first, second] = [1, 2, 3, 4].map(this.#random);
    if (100 * loss < this.#faults.loss) {
      this.counts.lost++;
      return;
    }
    this.#later(send, first);
    if (100 * duplicate < this.#faults.duplicate) {
      this.counts.repeated++;
      this.#later(send, second);
    }
  }

  #later(send: () => Promise<number>, wait: number) {
    const number = ++this.#sent;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.counts.passed++;
      if (number < this.#lastArrived) this.counts.overtook++;
      this.#lastArrived = number;
      send().catch(() => {}); // lost, when the other side has gone
    }, wait * this.#faults.delay);
    this.#timers.add(timer);
  }

  [Symbol.dispose]() {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const back of this.#backs.values()) back.close();
    this.#front.close();
  }
}

function listen(port: number): Deno.DatagramConn {
  return Deno.listenDatagram({ transport: "udp", hostname: HOSTNAME, port });
}

if (import.meta.main) {
  await run(
    {
      port: 9901,
      to: 9900,
      loss: 30,
      duplicate: 20,
      delay: 50,
      seed: 1,
      quiet: false,
    },
    async ({ port, to, ...faults }) => {
      for (const name of ["loss", "duplicate"] as const) {
        if (faults[name] > 100) {
          throw new UsageError(`--${name} is a percentage, not ${faults[name]}`);
        }
      }
      using proxy = new LossyProxy(to, faults, port);
      note(`passing on from ${HOSTNAME} port ${proxy.port} to port ${to}`);
      await new Promise(() => {}); // until Ctrl-C
    },
  );
}
