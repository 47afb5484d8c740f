/**
 * The server that a client is checked with.
 *
 * @module
 */
import type { CheckRun } from "./check_run.ts";
import { type Channel, Connection, Datagrams } from "./endpoints.ts";
import type { Exchange } from "./exchange.ts";
import type { SubmissionProgram } from "./start.ts";
import { Mismatch } from "./steps.ts";

const HOSTNAME = "127.0.0.1";
const AFTER_END = 100; // milliseconds in which something may still come after a program's end
const MAX_TRIES = 10;

/** A server at two ports: one is given with `--port`, the other takes the place of the lab's port. */
export class TestServer implements Disposable {
  /** Which of the two ports the client uses. */
  usedPort?: number;
  readonly #listeners: Deno.TcpListener[] = [];
  readonly #sockets: Datagrams[] = [];

  private constructor(
    readonly port: number,
    readonly labPort: number,
    readonly exchange: Exchange,
    readonly isSame: CheckRun["isSame"],
  ) {}

  /** Takes two ports, and listens there unless the client is to find no server. */
  static take(run: CheckRun, exchange: Exchange, isAlone = false): TestServer {
    const { transport } = run.submission.script.lab;
    for (let tries = 1;; tries++) {
      const server = new TestServer(
        run.ports.take(transport),
        run.ports.take(transport),
        exchange,
        run.isSame,
      );
      try {
        if (!isAlone) server.#listen(transport);
        return server;
      } catch (error) { // another program was faster
        server[Symbol.dispose]();
        if (!(error instanceof Deno.errors.AddrInUse) || tries === MAX_TRIES) throw error;
      }
    }
  }

  #listen(transport: "tcp" | "udp") {
    for (const port of [this.port, this.labPort]) {
      const options = { hostname: HOSTNAME, port };
      if (transport === "tcp") this.#listeners.push(Deno.listen(options));
      else {
        const socket = Deno.listenDatagram({ transport, ...options });
        this.#sockets.push(new Datagrams(socket, this.exchange));
      }
    }
  }

  /**
   * Waits for the client: the connection that it opens next, or its first datagram.
   *
   * @throws {Mismatch} It does not come in time, or has ended.
   */
  async open(program: SubmissionProgram, milliseconds: number): Promise<Channel> {
    const timeout = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => timeout.resolve(undefined), milliseconds);
    const hasEnded = () => {
      setTimeout(() => {
        timeout.resolve(undefined);
        this.#sockets.forEach((socket) => socket.noteEnd());
      }, AFTER_END);
    };
    program.status.then(hasEnded);
    const coming = this.#listeners.length > 0
      ? this.#listeners.map((listener) => this.#accept(listener))
      : this.#sockets.map((socket) => this.#isAsked(socket));
    try {
      const channel = await Promise.race([...coming, timeout.promise]);
      if (!channel) throw new Mismatch("absent");
      return channel;
    } finally {
      clearTimeout(timer);
    }
  }

  async #accept(listener: Deno.TcpListener): Promise<Channel | undefined> {
    try {
      const connection = await listener.accept();
      this.usedPort = listener.addr.port;
      this.exchange.did("client", "connects");
      return new Connection(connection, "server", this.exchange, this.isSame);
    } catch {
      return await new Promise(() => {}); // it was closed: the other one decides
    }
  }

  async #isAsked(socket: Datagrams): Promise<Channel | undefined> {
    if (!await socket.asked()) return await new Promise(() => {});
    this.usedPort = (socket.socket.addr as Deno.NetAddr).port;
    return socket;
  }

  /** Closes both. */
  [Symbol.dispose]() {
    for (const listener of this.#listeners) listener.close();
    for (const socket of this.#sockets) socket.close();
  }
}
