/**
 * The exercise of the lab practical12_udp: datagrams that get lost.
 *
 * @module
 */
import type { Exercise } from "../exercise.ts";

/** A reply that is lost. */
export const PRACTICAL12_UDP: Exercise = {
  script: "practical12_client_udp",
  title: "a reply that is lost",
  task: [
    "UDP does not say when a datagram is lost. A client that waits for its reply would wait " +
    "without end. Write this client: it sends the text, waits for the reply, and prints it in " +
    "Python's notation for bytes.",
    "If no reply comes within `timeout` seconds, it must send the text again, up to `tries` times " +
    "in all. Then it must end with a status other than 0. Only the server's datagrams are replies: " +
    "ignore those from other addresses.",
  ],
  done: "It is done when the client prints the reply, and also ends if there is no server.",
  first: "send the text with `socket.send`, and receive the reply with `socket.receive`",
  gaps: [
    {
      from: "const socket = withRetries(",
      to: "const text = ",
      stub: `
        // TODO: Let this socket send again if no reply comes within \`timeout\` seconds.
        const socket = Deno.listenDatagram({
          transport: "udp",
          hostname: anyAddress(hostname),
          port: 0,
        });`,
    },
    {
      from: "const sent = new TextEncoder().encode(text);",
      stub: `
        // TODO: Send the text to the server, and wait for the reply.
        // Print it in Python's notation for bytes: print("Received", repr(...))
        socket.close();`,
    },
  ],
  hints: [
    "`await socket.send(bytes, server)` sends a datagram. `await socket.receive(buffer)` returns " +
    "two things, the reply and its sender: `const [received] = ...` takes the first. `new TextEncoder().encode(text)` makes bytes of text.",
    "`repr(bytes)` shows bytes as Python does: `b'Hello, world'`. Print the bytes that came back, " +
    "not those that you sent.",
    "To wait with a timeout, and to send again, lib.ts has `withRetries`. Put it around the " +
    "socket: `withRetries(Deno.listenDatagram(...), { timeout, tries })`.",
    "After that, `send` and `receive` are used as before. `receive` sends again, ignores other " +
    "senders, and throws an error in the end.",
  ],
  required: [
    "it prints what the server sends, whatever that is",
    "a reply that is dropped: it asks again",
    "a datagram from another address is not the answer",
    "no reply at all: it does not wait without end, and its status is not 0",
  ],
};
