/**
 * The exercise of the lab upper_tcp: the half-close.
 *
 * @module
 */
import type { Exercise } from "../exercise.ts";

/** The end of a message. */
export const UPPER_TCP: Exercise = {
  script: "upper_client_tcp",
  title: "the end of a message",
  task: [
    "The user types a sentence, and the server sends it back in upper case. A sentence can have " +
    "any length. How does the server know where it ends, and how does the client know that the " +
    "reply is complete?",
    "Write this client: it sends the sentence and closes its half of the connection. It can still " +
    "read. The server then sees the end of the sentence, sends the rest of its reply, and closes " +
    "the other half. The client reads until that end, and prints the whole reply in one line.",
  ],
  done: "It is done when the client prints what you type in upper case, a long sentence too.",
  first: "send the sentence, read once, and print what came",
  gaps: [{
    from: "await writeAll(clientSocket, new TextEncoder().encode(sentence));",
    stub: `
      // TODO: Send the sentence, and close your half of the connection.
      // TODO: Read until the server closes the other half, then print: print("From Server:", ...)`,
  }],
  hints: [
    "`writeAll(clientSocket, bytes)` sends bytes. The loop around `read` is the same as in exercise " +
    "1: `read` returns `null` at the end. Collect the pieces in one text.",
    "`clientSocket.close()` would close both halves: nothing can be read after it. " +
    "`clientSocket.closeWrite()` closes only the half in which you send.",
    "`closeWrite` must come after everything is sent, and before you read. Otherwise the server " +
    "waits for the end of the sentence, and you wait for the end of the reply.",
    "A read can end in the middle of a character, as in exercise 3: use one `TextDecoder` with " +
    "`{ stream: true }`.",
  ],
  required: [
    "it ends its half after the sentence: a server that waits for this answers, too",
    "an answer in pieces, cut inside a character: it reads to the end",
    "a sentence of 20,000 characters",
  ],
};
