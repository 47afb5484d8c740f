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
import { anyAddress, ask, print, receiveFrom, resolve, run } from "./lib.ts";

const DATA_PAYLOAD = 2048; // bytes taken from the reply at most

async function echoClient(
  host: string,
  port: number,
  message: string,
  dataPayload: number,
  waiting: { timeout: number; tries: number },
) {
  print(`Connecting to ${host} port ${port}`);
  const hostname = await resolve(host);
  const server: Deno.NetAddr = { transport: "udp", hostname, port };
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: anyAddress(hostname),
    port: 0,
  });
  try {
    print("Sending", message);
    const data = new TextEncoder().encode(message);
    const reply = await ask(
      () => socket.send(data, server),
      receiveFrom(socket, server, dataPayload),
      waiting,
    );
    print("received", reply);
  } finally {
    print("Closing connection to the server");
    socket.close();
  }
}

if (import.meta.main) {
  await run(
    {
      host: "localhost",
      port: 9900,
      message: "Test message. This will be echoed",
      bufferSize: DATA_PAYLOAD,
      timeout: 2,
      tries: 3,
    },
    ({ host, port, message, bufferSize, timeout, tries }) =>
      echoClient(host, port, message, bufferSize, { timeout, tries }),
  );
}
