/**
 * The exercise of the lab echo_udp: datagrams.
 *
 * @module
 */
import type { Exercise } from "../exercise.ts";

/** Datagrams instead of a connection. */
export const ECHO_UDP: Exercise = {
  script: "echo_server_udp",
  title: "datagrams instead of a connection",
  task: [
    "UDP has no connections, so there is no `accept`. One socket receives the datagrams of all " +
    "clients. Write the loop of the server: receive a datagram, and send it back to the address " +
    "that it came from.",
    "Print the lines that the session in the file shows. Their numbers are numbers of bytes. A datagram " +
    "can be empty. Print it like the others, but do not send it back.",
  ],
  done:
    "It is done when the client gets its message back, and the server shows the session in the file.",
  first: "receive one datagram, and print how many bytes it has",
  gaps: [{
    from: "const [data, peer] = await socket.receive(buffer);",
    stub: `
      // TODO: Receive a datagram, and send it back to its sender. An empty one is not sent back.
      // log("received", ..., "bytes from", ...)
      // log("Data:", ...)
      // log("sent", ..., "bytes back to", ...)
      break; // delete this line: the server must not end`,
  }],
  hints: [
    "`await socket.receive(buffer)` waits for a datagram. It returns two things: the bytes, and " +
    "the address of the sender. `const [data, peer] = ...` gives both a name.",
    "`await socket.send(data, peer)` sends bytes to an address. It returns how many bytes it sent.",
    "`data` holds the bytes of this datagram. Send `data`, not `buffer`, which always has 2048 bytes.",
    "`continue` goes back to the start of the loop. Use it for an empty datagram, after its lines " +
    "are printed.",
  ],
};
