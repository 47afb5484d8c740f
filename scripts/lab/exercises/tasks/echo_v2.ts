/**
 * The exercise of the lab echo_v2: a header with the length.
 *
 * @module
 */
import type { Exercise } from "../exercise.ts";

/** A header that says how long the message is. */
export const ECHO_V2: Exercise = {
  script: "echo_server_v2",
  title: "a header that says how long the message is",
  task: [
    "In version 2, a header comes before each message: 10 characters with the length of the " +
    "message, with spaces before the number. So a server knows when a message is complete, and " +
    "need not wait for the end of the connection. Sending is done already: look at sendMessage.",
    "Write the two functions that receive. `receive` returns exactly `count` characters, in as " +
    "many reads as it takes. `receiveMessage` calls it twice: for the header, and for the text.",
    "The length counts characters, not bytes: `héllo` has 5 characters and 6 bytes. Read nothing " +
    "that belongs to what comes after the message.",
  ],
  done: "It is done when the client gets its message back, whatever characters are in it.",
  flags: { client: '--message="héllo 😀"' },
  first: "write `receive` for text in which each character is one byte",
  gaps: [
    {
      from: "const header = await receive(client, HEADER_SIZE, buffer);",
      stub: `
        // TODO: Receive the header. If the client has left, return null.
        // TODO: If the header is not a number, or too large: throw new UserError("...")
        // TODO: Receive as many characters as the header says, and return them.
        throw new UserError("TODO: receive a message");`,
    },
    {
      from: 'const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });',
      stub: `
        // TODO: Read until there are \`count\` characters, at most as many bytes as the buffer holds.
        // TODO: If the connection ends before the first character, return null. If it ends later:
        // throw new UserError(CLOSED_EARLY)
        throw new UserError("TODO: receive characters");`,
    },
  ],
  hints: [
    "Begin with `receive`: count what is missing. `missing` begins at `count`, and each read makes " +
    "it smaller. The loop runs while `missing > 0`.",
    "A read may give more than you need: the start of the next part. " +
    "`client.read(buffer.subarray(0, missing))` gives at most `missing` bytes. A character has at " +
    "least one byte, so this never reads too much.",
    "Count characters, not bytes: `missing -= len(piece)`. A character can be cut in two: use one " +
    "`TextDecoder` for the whole text, with `{ stream: true }`.",
    "`receiveMessage` calls `receive(client, HEADER_SIZE, buffer)`, makes a number of the header " +
    "with `Number`, and calls `receive` again with this number.",
  ],
  session: {
    silence:
      "the server waits for more than the client sent: it may have read the header and the " +
      "start of the text in one read, and lost that start",
  },
  required: [
    "`héllo`, of 5 characters and 6 bytes",
    "an emoji, which is one character",
    "a character that a buffer of 15 bytes cuts in two",
    "a header that is not a number, and the next client",
    "what follows a message in the same segment belongs to the next",
  ],
};
