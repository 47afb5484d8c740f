/**
 * UDP as netcat has it: a conversation with one peer.
 *
 * @module
 */
import { note } from "../lib.ts";
import type { Connection } from "./connect.ts";
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
  tell(from as Deno.NetAddr, options);
  return udpConnection(socket, options, from as Deno.NetAddr, data);
}

/**
 * Makes a UDP socket look like a connection to one peer.
 *
 * @param socket The socket.
 * @param options With `-k` everybody is heard, and who was heard last is the peer.
 * @param peer Who the peer is.
 * @param first A datagram that has come from the peer.
 * @returns What looks like a connection.
 */
export function udpConnection(
  socket: Deno.DatagramConn,
  options: Options,
  peer: Deno.NetAddr,
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
        const [data, address] = await socket.receive(buffer);
        const from = address as Deno.NetAddr;
        if (from.hostname !== peer.hostname || from.port !== peer.port) {
          if (!options.keepsListening) continue;
          tell(peer = from, options);
        }
        return data.length;
      }
    },
    write: (data) => socket.send(data.subarray(0, DATAGRAM_SIZE), peer),
    closeWrite: () => Promise.resolve(), // UDP has no such thing
    close: () => socket.close(),
  };
}

function tell({ hostname, port }: Deno.NetAddr, { isVerbose }: Options) {
  if (isVerbose) note(`datagram from ${hostname} port ${port}`);
}
