#!/usr/bin/env -S deno run --allow-net
/**
 * TCP echo client: sends one message and reads until all of it has come back.
 *
 * Mirrors `1_13b_echo_client.py` (CMPU4021 Distributed Systems, week 2). The
 * original is also public, in chapter 1 of Packt's Python Network Programming
 * Cookbook. Run it together with `echo_server.ts`.
 *
 * ```console
 * $ deno run -A scripts/echo_client.ts --port=9900
 * Connecting to localhost port 9900
 * Sending Test message. This will be echoed
 * Received: Test message. Th
 * Received: is will be echoe
 * Received: d
 * Closing connection to the server
 * ```
 *
 * Differences from the original:
 * - A character of several bytes that is split by a read is printed whole.
 * - If the server closes the connection too early or stays silent, the client
 *   ends with an error. The original reads without end.
 * - Errors go to stderr, and the exit status is 1. The original prints
 *   `Socket error: ...` on stdout and exits with 0.
 *
 * @module
 */
import { print, resolveHost, run, UserError, withTimeout, writeAll } from "./lib.ts";

export const FLAGS = {
  host: "localhost", // the server's host
  port: 9900, // the server's port
  message: "Test message. This will be echoed", // what to send
  bufferSize: 16, // the most bytes per read
  timeout: 10, // seconds to wait while the server is silent
};

async function echoClient({ host, port, message, bufferSize, timeout }: typeof FLAGS) {
  print(`Connecting to ${host} port ${port}`);
  const hostname = await resolveHost(host);
  using server = withTimeout(await Deno.connect({ hostname, port }), timeout);
  try {
    print("Sending", message);
    const data = new TextEncoder().encode(message);
    await writeAll(server, data);
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    const buffer = new Uint8Array(bufferSize);
    let received = 0;
    while (received < data.length) {
      const length = await server.read(buffer);
      if (length === null) {
        throw new UserError(`the server closed after ${received} of ${data.length} bytes`);
      }
      received += length;
      // A read can end in the middle of a character: `stream` keeps its bytes for the next read.
      const isLast = received >= data.length;
      print("Received:", decoder.decode(buffer.subarray(0, length), { stream: !isLast }));
    }
  } finally {
    print("Closing connection to the server");
  }
}

if (import.meta.main) await run(FLAGS, echoClient);
