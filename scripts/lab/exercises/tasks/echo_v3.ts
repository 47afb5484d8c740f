/**
 * The exercise of the lab echo_v3: a connection that is kept.
 *
 * @module
 */
import { framed } from "../../check/probe.ts";
import type { Exercise } from "../exercise.ts";

/** Many messages on one connection. */
export const ECHO_V3: Exercise = {
  script: "echo_server_v3",
  title: "many messages on one connection",
  task: [
    "Version 3 keeps the connection: the client sends message after message. The functions that " +
    "receive and send a message are those of exercise 10. Write what the server does with one " +
    "client.",
    "Echo each message. The message `exit` is echoed too, and then the server closes the " +
    "connection. A client can also leave without `exit`: then `receiveMessage` returns null.",
  ],
  done: "It is done when you can send several messages from one client, and leave with `exit`.",
  first: "receive one message, print it, and send it back",
  gaps: [{
    from: "const buffer = new Uint8Array(bufferSize);",
    stub: `
      const buffer = new Uint8Array(bufferSize);
      // TODO: Receive messages and send them back in turn until \`exit\`.
      // log("full message received");
      // log(message);`,
  }],
  hints: [
    "Put a loop around what the server of exercise 10 does: receive a message, print it, send it " +
    "back.",
    "Each message has two lines: `full message received`, and the message.",
    "The loop has two exits. If the message is `null`, the client has left: leave the loop before " +
    "you print or send. If it is `exit`: leave the loop after you have sent it back.",
    '`if (message === null) break;` comes first in the loop, and `if (message === "exit") break;` ' +
    "comes last.",
  ],
  session: { open: "the connection is still open after `exit`" },
  probes: [{
    what: "a client that leaves without `exit`: nothing is printed for a message that did not come",
    steps: [
      { send: framed("bye") },
      { gets: framed("bye") },
      { end: true },
      { ends: true },
      { prints: "Finished serving client:  {client}" },
    ],
    hides: "bye\nfull message received",
  }],
  required: [
    "two messages in one segment",
    "a message and a part of the next in one segment",
    "a client that leaves inside a message",
    "it prints that it has finished serving a client that leaves without `exit`",
  ],
};
