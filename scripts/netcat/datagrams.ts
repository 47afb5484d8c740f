/**
 * Datagrams as netcat has them: a conversation with one peer.
 *
 * @module
 */
import { note } from "../cli.ts";
import { type Connection, placeOf } from "./connect.ts";
import type { Options } from "./options.ts";

// Bytes sent in one datagram at most: as by OpenBSD's, and what macOS lets pass.
const DATAGRAM_SIZE = Deno.build.os === "darwin" ? 9216 : 16384;
const LONGEST = 65535; // bytes that a datagram can have

/**
 * Waits for the first datagram, and makes the socket look like a connection to its sender.
 *
 * @param socket The socket.
 * @param options With `-k` everybody is heard, and who was heard last is the peer.
 * @returns What looks like a connection; the first datagram is still to be read.
 */
export async function firstHeard(
  socket: Deno.DatagramConn,
  options: Options,
): Promise<Connection> {
  const [data, from] = await socket.receive(new Uint8Array(LONGEST));
  tell(from, options);
  return connectionOf(socket, options, from, data);
}

/**
 * Makes a UDP socket look like a connection to a host.
 *
 * @param options Which address and port to take on this side.
 * @param addresses The host's addresses. Nobody answers a datagram, so that the first is taken,
 * but for one of this machine where nobody has the port.
 * @param port The port there.
 * @returns What looks like a connection.
 */
export function udpConnection(options: Options, addresses: string[], port: number): Connection {
  const transport = "udp" as const;
  const hostname = addresses.find((address) => !isFree(address, port)) ?? addresses[0];
  const any = hostname.includes(":") ? "::" : "0.0.0.0";
  const { localAddress = any, localPort = 0 } = options;
  const socket = Deno.listenDatagram({ transport, hostname: localAddress, port: localPort });
  return connectionOf(socket, options, { transport, hostname, port });
}

/** Whether nobody has a UDP port. Of another machine's ports the system does not know that. */
function isFree(hostname: string, port: number): boolean {
  try {
    Deno.listenDatagram({ transport: "udp", hostname, port }).close();
    return true;
  } catch {
    return false;
  }
}

/**
 * Sends a byte 0 to a UDP port, as ncat does to see whether it is open.
 *
 * @param options Which address and port to take on this side.
 * @param addresses The host's addresses.
 * @param port The port there.
 * @throws {Deno.errors.ConnectionRefused} Nobody has the port.
 */
export async function probe(options: Options, addresses: string[], port: number) {
  if (addresses.every((address) => isFree(address, port))) {
    throw new Deno.errors.ConnectionRefused();
  }
  const connection = udpConnection(options, addresses, port);
  await connection.write(new Uint8Array(1));
  connection.close();
}

/** Makes a Unix socket for datagrams. Its file goes when the program ends. */
export function unixSocket(path: string): Deno.DatagramConn {
  const socket = Deno.listenDatagram({ transport: "unixpacket", path });
  globalThis.addEventListener("unload", () => Deno.removeSync(path));
  return socket;
}

/**
 * Makes a Unix socket look like a connection to another, through which nothing comes back: Deno
 * lets nobody send while it waits for what comes.
 *
 * @param options Which path to take on this side.
 * @param path The other socket.
 * @returns What looks like a connection.
 */
export function unixSender(options: Options, path: string): Connection {
  const socket = unixSocket(options.localAddress ?? `${path}.${Deno.pid}`);
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
  socket: Deno.DatagramConn,
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
        if (placeOf(from) !== placeOf(peer)) {
          if (!options.keepsListening) continue;
          tell(peer = from, options);
        }
        return data.length;
      }
    },
    write: (data) => socket.send(data.subarray(0, DATAGRAM_SIZE), peer),
    closeWrite: () => Promise.resolve(), // there is no such thing
    close: () => socket.close(),
  };
}

function tell(from: Deno.Addr, { isVerbose }: Options) {
  if (isVerbose) note(`datagram from ${placeOf(from)}`);
}
