/**
 * The exercise of the lab tcp: bytes become text.
 *
 * @module
 */
import type { Exercise } from "../exercise.ts";

/** A character that a read cuts in two. */
export const TCP: Exercise = {
  script: "tcp_server",
  title: "a character that a read cuts in two",
  task: [
    "This server prints what its clients send. It sends nothing back. Write the part that reads " +
    "and prints. Print each piece at once, when it has come. When the client has ended, print one " +
    "more line, with an empty piece.",
    "A character can have several bytes: `é` has two. A read can end between them. The server must " +
    "print such a character whole, with the next piece.",
  ],
  done:
    "It is done when the server shows the session in the file, and prints `é` whole, wherever a " +
    "read ends.",
  flags: {
    server: "--port=8081 --buffer-size=8",
    client: '--port=8081 --message="Two cafés and a déjà vu"',
  },
  first: "read once, and print what came after `Received data:`",
  gaps: [{
    from: "const decoder = new TextDecoder(",
    stub: `
      // TODO: Read until the client ends, at most bufferSize bytes at a time.
      // Print each piece: log("Received data:", ...)
      // A read can end in the middle of a character. Print no half characters.
      // Print the end as an empty piece.`,
  }],
  hints: [
    "Exercise 1 has the same loop: read, stop if the length is `null`, use " +
    "`buffer.subarray(0, length)`. Here the loop prints, and sends nothing.",
    "After the loop comes one more line: `Received data: ` with nothing after it.",
    "A `TextDecoder` makes text of bytes. If you make one for each piece, it cannot know the first " +
    "half of a character, and prints `\ufffd`. Make one for each client, before the loop.",
    "`decoder.decode(bytes, { stream: true })` keeps an incomplete character for the next call. " +
    "`decoder.decode()` without bytes gives what is left at the end, mostly nothing.",
  ],
  required: ["a character that the buffer cuts in two"],
};
