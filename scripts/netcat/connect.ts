/**
 * How netcat looks up hosts and connects to them.
 *
 * @module
 */
import { explainError, note, UserError } from "../cli.ts";
import { resolveHost } from "../lib.ts";
import type { Options } from "./options.ts";

/** A TCP connection, or an object with the same methods. */
export type Connection = Pick<Deno.Conn, "read" | "write" | "close"> & {
  /** Ends our half. */
  closeWrite(): Promise<void>;
};

/**
 * Looks up the addresses of a host in the wanted family, IPv4 first. `localhost` is
 * 127.0.0.1 and ::1 on every machine.
 *
 * @param options The host, and the family of its addresses.
 * @returns The addresses.
 * @throws {UserError} The host is invalid, or an address of the other family.
 */
export async function lookUp(options: Options): Promise<string[]> {
  const { host, family, isNumeric } = options;
  if (/^[\d.]+$|:/.test(host)) {
    if (host.includes(":") && !isIpv6(host)) {
      const [, name, port = options.ports[0]] = host.match(/^(?:\w+:\/\/)?([\w.-]+)(?::(\d+))?/) ??
        [];
      const hint = name && `give the host and the port as two words: ${name} ${port}`;
      throw new UserError(`invalid host: ${host}`, hint);
    }
    const isOther = family !== undefined && family !== (host.includes(":") ? 6 : 4);
    if (isOther) throw new UserError(`${host} is not an IPv${family} address`);
    return [await resolveHost(host)];
  }
  if (isNumeric) throw new UserError(`${host} is a name, and -n looks up no names`);
  if (host.toLowerCase() === "localhost") {
    return ["127.0.0.1", "::1"].slice(family === 6 ? 1 : 0, family === 4 ? 1 : 2);
  }
  const { lookup } = await import("node:dns/promises"); // takes 25 ms, so only when needed
  const found = await lookup(host, { all: true, family: family ?? 0 });
  found.sort((a, b) => a.family - b.family);
  return [...new Set(found.map(({ address }) => address))];
}

/** Returns whether a host is an IPv6 address, perhaps with the name of a network interface: `fe80::1%eth0`. */
const isIpv6 = (host: string) => URL.canParse(`http://[${host.replace(/%\w+$/, "")}]`);

/**
 * Connects to the first address that answers.
 *
 * @param addresses The addresses to try.
 * @param port The port there.
 * @param options How to connect.
 * @returns The connection.
 * @throws {Error} Why the first address did not answer.
 */
export async function connect(
  addresses: string[],
  port: number,
  options: Options,
): Promise<Connection> {
  const failures: unknown[] = [];
  for (const address of addresses) {
    try {
      return await connectTo(address, port, options);
    } catch (error) {
      if (error instanceof Deno.errors.AddrInUse) throw error; // the port on this side
      failures.push(error);
      const isLast = failures.length === addresses.length;
      if (options.isVerbose && !isLast) note(explainError(error, address, port)[0]);
    }
  }
  throw failures[0];
}

async function connectTo(hostname: string, port: number, options: Options): Promise<Connection> {
  const { localAddress, localPort, timeout } = options;
  const signal = timeout === undefined ? undefined : AbortSignal.timeout(timeout * 1000);
  try {
    if (localAddress !== undefined || localPort !== undefined) {
      return await connectFrom({ localAddress, localPort }, hostname, port, signal);
    }
    const connection = await Deno.connect({ hostname, port, signal });
    const { localAddr, remoteAddr } = connection;
    if (formatAddress(localAddr) === formatAddress(remoteAddr)) refuseItself(connection);
    return connection;
  } catch (error) {
    if (!signal?.aborted) throw error;
    throw new UserError(`no answer from ${hostname} port ${port} within ${timeout} s`);
  }
}

/**
 * Refuses a connection of a port to itself, which TCP makes if the port on this side, chosen by the
 * system or with `-p`, is the one to connect to.
 */
function refuseItself(connection: Pick<Connection, "close">): never {
  connection.close();
  throw new Deno.errors.ConnectionRefused();
}

/** Connects with Node's function: Deno's own cannot choose the address and the port on this side. */
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
  socket.on("error", () => {}); // reading and writing throw it, too
  // The end of the other half must not destroy the socket: the rest of the input is still sent.
  const pieces = socket.iterator({ destroyOnReturn: false });
  let piece = new Uint8Array(0);
  const connection: Connection = {
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
  const { localAddress, localPort, remoteAddress } = socket;
  if (localPort === port && localAddress === remoteAddress) refuseItself(connection);
  return connection;
}

/** Formats an address for a message: `127.0.0.1 port 8080`. */
export function formatAddress(address: Deno.Addr): string {
  if ("path" in address) return address.path ?? "a socket without a path";
  const { hostname, port } = address as Deno.NetAddr;
  return `${hostname} port ${port}`;
}
