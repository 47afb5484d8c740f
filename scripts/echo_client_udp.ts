#!/usr/bin/env -S deno run --allow-net
/**
 * UDP echo client: sends one datagram and waits for it to come back.
 *
 * Mirrors `1_14b_echo_client_udp.py` (CMPU4021 Distributed Systems, week 2).
 * Its other half is `echo_server_udp.ts`.
 *
 * On purpose other than the original: without a reply it asks again and then
 * gives up, where the original waits for ever.
 *
 * ```console
 * $ deno run -A scripts/echo_client_udp.ts --port=9900
 * Connecting to localhost port 9900
 * Sending Test message. This will be echoed
 * received Test message. This will be echoed
 * Closing connection to the server
 * ```
 *
 * @module
 */
import { asking, print, resolve, run } from "./lib.ts";

const FLAGS = {
  host: "localhost",
  port: 9900,
  message: "Test message. This will be echoed",
  bufferSize: 2048, // bytes taken from the reply at most
  timeout: 2, // seconds to wait for the reply
  tries: 3,
};

async function echoClient({ host, port, message, bufferSize, ...waiting }: typeof FLAGS) {
  print(`Connecting to ${host} port ${port}`);
  const server = { transport: "udp", hostname: await resolve(host), port } as const;
  const any = server.hostname.includes(":") ? "::" : "0.0.0.0"; // of our own addresses
  const socket = asking(Deno.listenDatagram({ ...server, hostname: any, port: 0 }), waiting);
  try {
    print("Sending", message);
    await socket.send(new TextEncoder().encode(message), server);
    const [reply] = await socket.receive(new Uint8Array(bufferSize));
    print("received", reply);
  } finally {
    print("Closing connection to the server");
    socket.close();
  }
}

if (import.meta.main) await run(FLAGS, echoClient);
