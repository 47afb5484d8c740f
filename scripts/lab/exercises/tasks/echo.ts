/**
 * The exercise of the lab echo: a client that reads until everything has come back.
 *
 * @module
 */
import { cut } from "../../check/probe.ts";
import type { Exercise } from "../exercise.ts";

/** A reply that comes in pieces. */
export const ECHO: Exercise = {
  script: "echo_client",
  title: "a reply that comes in pieces",
  task: [
    "This client sends a message to an echo server. Write the part that reads the echo. The " +
    "buffer has 16 bytes, so the echo comes in several pieces. Print each piece, as the session " +
    "in the file shows.",
    "The client must stop when as many bytes have come back as it sent. The server keeps the " +
    "connection open until then, so do not wait for its end. If the server closes too early, that " +
    "is an error: the client must end with a status other than 0.",
  ],
  done: "It is done when the client prints the whole message in pieces of 16 bytes, and ends.",
  first: "read once into a buffer of `bufferSize` bytes, and print what came",
  gaps: [{
    from: "const decoder = new TextDecoder(",
    stub: `
      // TODO: Read until data.length bytes have come back, at most bufferSize bytes at a time.
      // Print each piece: print("Received:", ...)
      // If the server closes earlier: throw new UserError("...")`,
  }],
  hints: [
    "Make a buffer: `new Uint8Array(bufferSize)`. `await server.read(buffer)` puts bytes into it, " +
    "and returns how many. The rest of the buffer is old or empty: print only " +
    "`buffer.subarray(0, length)`.",
    "Count what has come: `received += length`. The loop runs while `received < data.length`. A " +
    "read can give fewer bytes than the buffer holds, so do not count the reads.",
    "`read` returns `null` when the server has closed. If that happens inside the loop, something " +
    "is missing: throw a `UserError` that says how much came.",
    "Pieces are bytes, and `print` makes text of them. A character such as `é` has two bytes, and " +
    "can be cut in two. A `TextDecoder` with `{ stream: true }` keeps the first half for the next " +
    "piece.",
  ],
  session: {
    open: "everything has come back, and the client still waits: it must stop reading when as " +
      "many bytes have come as it sent",
  },
  required: [
    "an answer in pieces: it reads until all has come back",
    "a server that closes early: it does not wait without end, and its status is not 0",
    "--buffer-size=5: no line shows more than 5 bytes",
  ],
  probes: [{
    what: "`héllo` has 5 characters and 6 bytes: all of it comes back",
    args: ["--message=héllo"],
    steps: [{ gets: "héllo" }, { send: cut("hállo", 5) }, { ends: true }],
    joined: ["Received: ", "hállo"],
    status: "well",
  }],
};
