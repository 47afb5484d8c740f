/**
 * Datagrams: makes a socket look like a connection to one peer.
 *
 * @module
 */
import { note } from "../cli.ts";
import { type Connection, formatAddress } from "./connect.ts";
import type { Options } from "./options.ts";

// Bytes in one datagram: as many as OpenBSD's sends, or as macOS allows.
const DATAGRAM_SIZE = Deno.build.os === "darwin" ? 9216 : 16384;
const MAX_SIZE = 65535; // bytes that can be received in one datagram

/** A socket for datagrams, or several that look like one. */
export type DatagramSocket = Pick<Deno.DatagramConn, "send" | "close"> & {
  receive(buffer: Uint8Array): Promise<[Uint8Array, Deno.Addr]>;
};

/**
 * Listens for datagrams on several addresses of this machine.
 *
 * @param addresses The addresses. The first must be available; the others may be missing or taken.
 * @param port The port, or 0 for any that is free.
 * @returns The socket, and where it listens.
 */
export function listenUdp(
  addresses: string[],
  port: number,
): { socket: DatagramSocket; listensOn: Deno.Addr[] } {
  const transport = "udp" as const;
  const [hostname, ...others] = addresses;
  const sockets = [Deno.listenDatagram({ transport, hostname, port })];
  for (const hostname of others) {
    const { port } = sockets[0].addr as Deno.NetAddr;
    try {
      sockets.push(Deno.listenDatagram({ transport, hostname, port }));
    } catch { /* without IPv6, for instance */ }
  }
  return { socket: merge(sockets), listensOn: sockets.map(({ addr }) => addr) };
}

/** Makes several sockets look like one. */
function merge(sockets: Deno.DatagramConn[]): DatagramSocket {
  const slots = sockets.map((socket) => ({
    socket,
    buffer: new Uint8Array(MAX_SIZE),
    next: undefined as Promise<[Uint8Array, Deno.Addr]> | undefined,
  }));
  return {
    async receive(buffer) {
      const receiving = slots.map(async (slot) => {
        const received = await (slot.next ??= slot.socket.receive(slot.buffer));
        return { slot, received };
      });
      const { slot, received: [data, from] } = await Promise.race(receiving);
      slot.next = undefined;
      buffer.set(data);
      return [buffer.subarray(0, data.length), from];
    },
    send(data, to) {
      const isIpv6 = (address: Deno.Addr) => (address as Deno.NetAddr).hostname.includes(":");
      const socket = sockets.find(({ addr }) => isIpv6(addr) === isIpv6(to)) ?? sockets[0];
      return socket.send(data, to);
    },
    close: () => sockets.forEach((socket) => socket.close()),
  };
}

/**
 * Waits for the first datagram, and makes the socket look like a connection to its sender.
 *
 * @param socket The socket.
 * @param options With `-k` the peer is always the last sender; otherwise it stays the first one.
 * @returns What looks like a connection. The first datagram is still to be read.
 */
export async function acceptPeer(socket: DatagramSocket, options: Options): Promise<Connection> {
  const [data, from] = await socket.receive(new Uint8Array(MAX_SIZE));
  reportSender(from, options);
  return connectionOf(socket, options, from, data);
}

/**
 * Makes a UDP socket look like a connection to a host.
 *
 * @param options The address and port on this side.
 * @param addresses The host's addresses. As UDP does not report whether a datagram arrived, the first
 * one is used. If it is on this machine and its port is free, the next one is.
 * @param port The port there.
 * @returns What looks like a connection.
 */
export function connectUdp(options: Options, addresses: string[], port: number): Connection {
  const transport = "udp" as const;
  const hostname = addresses.find((address) => !isFree(address, port)) ?? addresses[0];
  const any = hostname.includes(":") ? "::" : "0.0.0.0";
  const { localAddress = any, localPort = 0 } = options;
  const socket = Deno.listenDatagram({ transport, hostname: localAddress, port: localPort });
  return connectionOf(socket, options, { transport, hostname, port });
}

/** Returns whether a UDP port of this machine is free; `false` for other machines. */
function isFree(hostname: string, port: number): boolean {
  try {
    Deno.listenDatagram({ transport: "udp", hostname, port }).close();
    return true;
  } catch {
    return false;
  }
}

/**
 * Sends a byte 0 to a UDP port, as ncat does for `-z`.
 *
 * @param options The address and port on this side.
 * @param addresses The host's addresses.
 * @param port The port there.
 * @throws {Deno.errors.ConnectionRefused} The port is on this machine, and free.
 */
export async function probe(options: Options, addresses: string[], port: number) {
  if (addresses.every((address) => isFree(address, port))) {
    throw new Deno.errors.ConnectionRefused();
  }
  const connection = connectUdp(options, addresses, port);
  await connection.write(new Uint8Array(1));
  connection.close();
}

/**
 * Makes a Unix socket look like a connection to another one. Nothing comes back through it: Deno
 * cannot send while it waits to receive.
 *
 * @param socket The socket on this side.
 * @param path The other socket.
 * @returns What looks like a connection.
 */
export function sendOnly(socket: Deno.DatagramConn, path: string): Connection {
  const end = Promise.withResolvers<null>();
  return {
    read: () => end.promise,
    write: (data) =>
      socket.send(data.subarray(0, DATAGRAM_SIZE), { transport: "unixpacket", path }),
    closeWrite: () => Promise.resolve(end.resolve(null)),
    close: () => socket.close(),
  };
}

function connectionOf(
  socket: DatagramSocket,
  options: Options,
  peer: Deno.Addr,
  first?: Uint8Array,
): Connection {
  return {
    async read(buffer) {
      if (first) {
        const { length } = first;
        buffer.set(first);
        first = undefined;
        return length;
      }
      while (true) {
        const [data, from] = await socket.receive(buffer);
        if (formatAddress(from) !== formatAddress(peer)) {
          if (!options.keepsListening) continue;
          reportSender(peer = from, options);
        }
        return data.length;
      }
    },
    write: (data) => socket.send(data.subarray(0, DATAGRAM_SIZE), peer),
    closeWrite: () => Promise.resolve(), // UDP has no half-close
    close: () => socket.close(),
  };
}

function reportSender(from: Deno.Addr, { isVerbose }: Options) {
  if (isVerbose) note(`datagram from ${formatAddress(from)}`);
}
