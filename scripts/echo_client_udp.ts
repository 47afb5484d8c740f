#!/usr/bin/env -S deno run --allow-net
/**
 * UDP echo client: sends one datagram and waits for it to come back.
 *
 * Mirrors `1_14b_echo_client_udp.py` (CMPU4021 Distributed Systems, week 2).
 * The original is also public, in chapter 1 of Packt's Python Network
 * Programming Cookbook. Run it together with `echo_server_udp.ts`.
 *
 * ```console
 * $ deno run -A scripts/echo_client_udp.ts --port=9900
 * Connecting to localhost port 9900
 * Sending Test message. This will be echoed
 * received Test message. This will be echoed
 * Closing connection to the server
 * ```
 *
 * Differences from the original:
 * - If no reply arrives, the client sends again, and ends with an error after 3
 *   tries. The original waits without end.
 * - Datagrams from other senders are ignored.
 *
 * @module
 */
import { anyAddress, print, resolveHost, run, withRetries } from "./lib.ts";

export const FLAGS = {
  host: "localhost", // the server's host
  port: 9900, // the server's port
  message: "Test message. This will be echoed", // what to send
  bufferSize: 2048, // the most bytes of the reply; the rest is cut off
  timeout: 2, // seconds to wait for a reply
  tries: 3, // how often a datagram is sent until a reply arrives
};
async function echoClient({ host, port, message, bufferSize, timeout, tries }: typeof FLAGS) {
  print(`Connecting to ${host} port ${port}`);
  const hostname = await resolveHost(host);
  const server = { transport: "udp", hostname, port } as const;
  const socket = withRetries(
    Deno.listenDatagram({ transport: "udp", hostname: anyAddress(hostname), port: 0 }),
    { timeout, tries },
  );
  try {
    print("Sending", message);
    await socket.send(new TextEncoder().encode(message), server);
    const [data] = await socket.receive(new Uint8Array(bufferSize));
    print("received", data);
  } finally {
    print("Closing connection to the server");
    socket.close();
  }
}

if (import.meta.main) await run(FLAGS, echoClient);
