/**
 * The exercise of the lab upper_udp: text and bytes.
 *
 * @module
 */
import type { Exercise } from "../exercise.ts";

/** Text is not bytes. */
export const UPPER_UDP: Exercise = {
  script: "upper_server_udp",
  title: "text is not bytes",
  task: [
    "Datagrams carry bytes. To change text, a server must decode the bytes, change the text, and " +
    "encode it again. Write the loop of this server: it sends the text of each datagram back in " +
    "upper case.",
    "It must work for all letters: `straße` becomes `STRASSE`, which is longer, and `привет` " +
    "becomes `ПРИВЕТ`. A datagram that is longer than the buffer is cut off, perhaps in the middle " +
    "of a character. Leave out what is left of that character.",
  ],
  done: "It is done when the client prints what you type in upper case.",
  first: "receive a datagram, and send it back as it is",
  gaps: [{
    from: "const [message, clientAddress] = await serverSocket.receive(buffer);",
    stub: `
      // TODO: Receive a datagram, make text of it, and send the text back in upper case.
      break; // delete this line: the server must not end`,
  }],
  hints: [
    "Exercise 4 has the same loop: `receive` gives the bytes and the sender's address, and `send` " +
    "sends bytes to an address.",
    '`new TextDecoder().decode(bytes)` makes text of bytes. `"abc".toUpperCase()` returns the text ' +
    "in upper case. `new TextEncoder().encode(text)` makes bytes of text.",
    "Changing the bytes one by one works only for the letters from a to z. All others have more " +
    "than one byte.",
    "With `{ stream: true }`, `decode` leaves out an incomplete character at the end. Make a new " +
    "`TextDecoder` for each datagram: otherwise the rest of one appears in the next.",
  ],
  probes: [
    {
      what: "`straße`, which becomes STRASSE",
      steps: [{ send: "straße" }, { gets: "STRASSE" }],
    },
    {
      what: "a datagram that is cut off in the middle of a character",
      steps: [{ send: "a".repeat(2047) + "é" }, { gets: "A".repeat(2047) }],
      cause: "the buffer holds only the first half of `é`: leave it out",
    },
    {
      what: "the next datagram after one that was cut off",
      steps: [
        { send: "a".repeat(2047) + "é" },
        { answered: true },
        { send: "hello" },
        { gets: "HELLO" },
      ],
      cause: "the rest of one datagram came with the reply to the next one",
    },
  ],
};
