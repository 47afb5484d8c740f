/**
 * The exercise of the lab echo_v1: the loop around `read`.
 *
 * @module
 */
import { long } from "../../check/probe.ts";
import type { Step } from "../../check/steps.ts";
import type { Exercise } from "../exercise.ts";

/** Returns the steps of a client that sends everything, ends its half, and reads to the end. */
function untilEnd(text: string): Step[] {
  return [{ send: text }, { end: true }, { gets: text }, { ends: true }];
}

const SMALL_BUFFER = ["--buffer-size=4"];

/** A message of any length through a buffer of 4 bytes. */
export const ECHO_V1: Exercise = {
  script: "echo_server_v1",
  title: "a message that is longer than the buffer",
  task: [
    "This server reads once from each client, and sends back what it has read. Start it with a " +
    "buffer of 4 bytes. How much of `Hello!` comes back?",
    "Change the server. It must read and send back again and again, until the client ends its " +
    "half of the connection. Then a message of any length comes back whole.",
  ],
  done: "It is done when the client prints `Hello!`, although the server has a buffer of 4 bytes.",
  flags: { server: "--buffer-size=4" },
  first: "start the server with --buffer-size=4 and the client, and see what comes back",
  gaps: [{
    from: "const length = await client.read(buffer);",
    stub: `
      // TODO: One read gives at most as many bytes as the buffer holds. Read again, and send back
      // again, until \`read\` returns null: then the client has ended its half.
      const length = await client.read(buffer);
      if (length === null) return; // the client sent nothing
      const data = buffer.subarray(0, length);
      log(data);
      await writeAll(client, data);`,
    model: `
      while (true) {
        const length = await client.read(buffer);
        if (length === null) break; // the client has ended its half
        const data = buffer.subarray(0, length);
        log(data);
        await writeAll(client, data);
      }`,
  }],
  hints: [
    "With a buffer of 4 bytes, one read gives `Hell`. The bytes `o!` wait in the connection. " +
    "Another read would give them. How does the server know that nothing more will come?",
    "`read` returns the number of bytes, or `null` when the client has ended its half. So put a " +
    "loop around the steps: read, stop if the length is `null`, print, send back.",
    "Send back inside the loop, after each read. A server that collects everything first, and " +
    "answers after the loop, waits for a client that waits for the server.",
    "`while (true)` goes around all steps, and `break` leaves it.",
  ],
  replacesLab: true,
  probes: [
    {
      what: "a client that waits for its echo before it ends its half",
      steps: [{ send: "Hello!" }, { gets: "Hello!" }, { end: true }, { ends: true }],
      isSession: true,
      causes: {
        silence: "the server sends nothing back before the client ends its half, and the client " +
          "waits for its echo: both wait without end",
        open:
          "the client has ended its half, and a loop of the server goes on: `read` returns null " +
          "then",
      },
    },
    {
      what: "`Hello!` through a buffer of 4 bytes",
      args: SMALL_BUFFER,
      steps: untilEnd("Hello!"),
    },
    {
      what: "a message that fills the buffer twice",
      args: SMALL_BUFFER,
      steps: untilEnd("Hi there"),
    },
    { what: "a message of 5,000 bytes", args: SMALL_BUFFER, steps: untilEnd(long(5000)) },
    { what: "`héllo 😀`", args: SMALL_BUFFER, steps: untilEnd("héllo 😀") },
    {
      what: "a client that sends something, waits for its echo, and sends more",
      steps: [
        { send: "Hello!" },
        { gets: "Hello!" },
        { send: "Are you still there?" },
        { gets: "Are you still there?" },
        { end: true },
        { ends: true },
      ],
      next: true,
      cause: "what the client sends after its first echo does not come back",
    },
    { what: "a client that sends nothing", steps: [{ end: true }, { ends: true }], next: true },
  ],
};
