/**
 * What stands between a client and its server, and sees what passes.
 *
 * @module
 */
import { deadline } from "@std/async/deadline";
import { writeAll } from "../lib.ts";

/** Stands between a client and its server, and sees whether the server closes. */
export class Relay {
  #listener: Deno.TcpListener;
  #port = 0;
  #open = new Set<Promise<void>>(); // servers' halves

  /** Listens on a port, on any free one where none is given. */
  constructor(port = 0) {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port });
  }

  /** Where clients connect. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /** Passes clients on to a server from now on. */
  async connectTo(port: number) {
    this.#port = port;
    try {
      for await (const client of this.#listener) this.#pass(client);
    } catch { /* closed */ }
  }

  async #pass(client: Deno.Conn) {
    const hostname = "127.0.0.1";
    const server = await Deno.connect({ hostname, port: this.#port });
    const serverEnds = pump(server, client);
    this.#open.add(serverEnds);
    await Promise.all([serverEnds, pump(client, server)]);
    server.close();
    client.close();
  }

  /** Waits a moment, and tells whether servers have ended all their halves. */
  async isClosed(): Promise<boolean> {
    const all = Promise.all(this.#open).then(() => true);
    return await deadline(all, 1500).catch(() => false);
  }

  /** Takes no more clients. */
  [Symbol.dispose]() {
    this.#listener.close();
  }
}

/** Passes on what one side sends, until its end. */
async function pump(from: Deno.Conn, to: Deno.Conn) {
  const buffer = new Uint8Array(65536);
  try {
    for (let length; (length = await from.read(buffer)) !== null;) {
      await writeAll(to, buffer.subarray(0, length));
    }
  } catch { /* a reset ends it as well */ }
  await to.closeWrite().catch(() => {});
}
