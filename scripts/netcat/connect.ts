/**
 * How netcat finds hosts and connects to them.
 *
 * @module
 */
import { explainError, note, UserError } from "../cli.ts";
import { resolveHost } from "../lib.ts";
import type { Options } from "./options.ts";

/** What bytes pass through: a TCP connection, or what looks like one. */
export type Connection = Pick<Deno.Conn, "read" | "write" | "close"> & {
  /** Ends our half. */
  closeWrite(): Promise<void>;
};

/**
 * Finds the addresses of a host, of the kind that is asked for, IPv4 first. `localhost` is
 * 127.0.0.1 and ::1, whatever the system says.
 *
 * @param options The host, and which of its addresses are wanted.
 * @returns The addresses, looked up when the ones before are used up.
 */
export async function* addresses(options: Options): AsyncGenerator<string> {
  const { host, family, takesNoNames } = options;
  if (/^[\d.]+$|:/.test(host)) {
    const isOther = family !== undefined && family !== (host.includes(":") ? 6 : 4);
    if (isOther) throw new UserError(`${host} is no IPv${family} address`);
    return yield await resolveHost(host);
  }
  if (takesNoNames) throw new UserError(`${host} is a name, and -n looks up none`);
  if (host.toLowerCase() === "localhost") {
    if (family !== 6) yield "127.0.0.1";
    if (family !== 4) yield "::1";
    return;
  }
  const { lookup } = await import("node:dns/promises"); // takes 25 ms, so only when needed
  const found = await lookup(host, { all: true, family: family ?? 0 });
  found.sort((a, b) => a.family - b.family);
  yield* new Set(found.map(({ address }) => address));
}

/**
 * Connects to the first address where somebody answers.
 *
 * @param addresses The addresses to try.
 * @param port The port there.
 * @param options How to connect.
 * @returns The connection.
 * @throws {Error} Why the first address did not answer.
 */
export async function connect(
  addresses: AsyncIterable<string> | Iterable<string>,
  port: number,
  options: Options,
): Promise<Connection> {
  const failures: unknown[] = [];
  let last = "";
  for await (const address of addresses) {
    if (last && options.isVerbose) note(explainError(failures.at(-1), last, port)[0]);
    last = address;
    try {
      return await connectTo(address, port, options);
    } catch (error) {
      if (error instanceof Deno.errors.AddrInUse) throw error; // the port on this side
      failures.push(error);
    }
  }
  throw failures[0] ?? new UserError(`${options.host} has no IPv${options.family} address`);
}

async function connectTo(hostname: string, port: number, options: Options): Promise<Connection> {
  const { localAddress, localPort, patience } = options;
  const signal = patience === undefined ? undefined : AbortSignal.timeout(patience * 1000);
  try {
    if (localAddress === undefined && localPort === undefined) {
      return await Deno.connect({ hostname, port, signal });
    }
    return await connectFrom({ localAddress, localPort }, hostname, port, signal);
  } catch (error) {
    if (!signal?.aborted) throw error;
    throw new UserError(`no answer from ${hostname} port ${port} within ${patience} s`);
  }
}

/** Connects with Node's function: Deno's own cannot choose address and port on this side. */
async function connectFrom(
  own: { localAddress?: string; localPort?: number },
  host: string,
  port: number,
  signal?: AbortSignal,
): Promise<Connection> {
  const net = await import("node:net"); // takes 15 ms, so only when needed
  const socket = net.connect({ host, port, ...own, allowHalfOpen: true });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", (error: Error & { code?: string }) => {
      const { ConnectionRefused, AddrInUse, AddrNotAvailable } = Deno.errors;
      const { code, message } = error;
      if (code === "ECONNREFUSED") reject(new ConnectionRefused(message));
      else if (code === "EADDRINUSE") reject(new AddrInUse(message));
      else if (message.startsWith("bind ")) reject(new AddrNotAvailable(message));
      else reject(error);
    });
    signal?.addEventListener("abort", () => {
      if (socket.connecting) socket.destroy(signal.reason);
    });
  });
  socket.on("error", () => {}); // whoever reads or writes is told, too
  const pieces = socket[Symbol.asyncIterator]();
  let piece = new Uint8Array(0);
  return {
    async read(buffer) {
      if (piece.length === 0) {
        const { value, done } = await pieces.next();
        if (done) return null;
        piece = value;
      }
      const length = Math.min(piece.length, buffer.length);
      buffer.set(piece.subarray(0, length));
      piece = piece.subarray(length);
      return length;
    },
    write: (data) =>
      new Promise((resolve, reject) => {
        socket.write(data, (error) => error ? reject(error) : resolve(data.length));
      }),
    closeWrite: () => new Promise((resolve) => socket.end(() => resolve())),
    close: () => socket.destroy(),
  };
}

/** Says in words where a socket is. */
export function placeOf(address: Deno.Addr): string {
  if ("path" in address) return address.path ?? "a socket without a path";
  const { hostname, port } = address as Deno.NetAddr;
  return `${hostname} port ${port}`;
}
