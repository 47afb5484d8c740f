#!/usr/bin/env -S deno run --allow-net
/**
 * Netcat: passes bytes between the terminal and a TCP or UDP connection.
 *
 * The model is OpenBSD's `nc`. It plays the client, or with `-l` the server, of
 * any lab, so that you see and type what goes over the wire.
 *
 * ```sh
 * deno run -A scripts/netcat.ts localhost 9900      # talk to a server
 * deno run -A scripts/netcat.ts -l 8080             # be the server of one client
 * deno run -A scripts/netcat.ts -lk 127.0.0.1 8080  # of one client after the other
 * deno run -A scripts/netcat.ts -u localhost 9900   # over UDP
 * deno run -A scripts/netcat.ts -zv localhost 20-25 # which of these ports are open?
 * deno run -A scripts/netcat.ts -l 8080 > copy      # receive a file
 * deno run -A scripts/netcat.ts localhost 8080 < file
 * ```
 *
 * - `-l` listens; the port may also be given as `-l -p 8080`, and port 0 is any
 *   free one. `-k` serves the next client when one has gone.
 * - `-u` takes UDP. `-l` then talks to the first peer that it hears, and with
 *   `-k` hears everybody and answers the one heard last.
 * - `-v` says on stderr what happens.
 * - `-w SECONDS` gives up when no connection comes about in that time, and ends
 *   when nothing was sent or received for so long. `-l` waits for a client as
 *   long as it takes.
 * - `-z` connects, sends nothing and ends: status 0 if a port was open.
 * - `-4` and `-6` take only addresses of that kind, `-n` only addresses and no
 *   names. `-p PORT` is the port on this side. `-N` is accepted.
 *
 * What differs from OpenBSD's on purpose:
 *
 * - `-l` listens on 127.0.0.1, with `-6` on ::1. `-l 0.0.0.0 8080` opens the port
 *   to the network.
 * - The end of the input (Ctrl-D) always ends our half of a TCP connection, which
 *   there needs `-N`; what the other side sends is still shown.
 * - When the other side has ended its half, what is left of the input is sent,
 *   until none comes for two seconds; a terminal is not waited for. There, `-l`
 *   drops that rest, and a client waits for ever.
 * - What went wrong is said without `-v` too, and a connection that breaks off is
 *   an error (status 1).
 * - Deno does not learn that a UDP port is closed. So `-z` is for TCP alone, and a
 *   UDP client does not end when nobody listens.
 *
 * @module
 */
import {
  anyAddress,
  complain,
  explain,
  Failure,
  type Flags,
  note,
  resolve,
  run,
  UsageError,
  writeAll,
} from "./lib.ts";

const INPUT_SIZE = 1 << 20; // bytes read from stdin at a time: large pieces are fast
const OUTPUT_SIZE = 1 << 17; // bytes read from a connection at a time
// Bytes sent in one datagram at most: as by OpenBSD's, and what macOS lets pass.
const DATAGRAM_SIZE = Deno.build.os === "darwin" ? 9216 : 16384;
const LAST_CALL = 2; // seconds to wait for input when the other side has ended
const LONGEST_WAIT = 86400; // seconds

const FLAGS = {
  4: false,
  6: false,
  k: false,
  l: false,
  n: false,
  p: Number,
  u: false,
  v: false,
  w: Number,
  z: false,
  _: ["[HOST]", "PORT[-PORT]"],
};
type Options = Flags<typeof FLAGS>;

/** What bytes pass through: a TCP connection, or what looks like one. */
type Connection = Pick<Deno.TcpConn, "read" | "write" | "closeWrite" | "close">;

let inputBuffer = new Uint8Array(INPUT_SIZE);
let spareBuffer = new Uint8Array(INPUT_SIZE);
let nextInput: Promise<Uint8Array | null> | undefined; // -k: what one client left is for the next

async function readInput(): Promise<Uint8Array | null> {
  try {
    const length = await Deno.stdin.read(inputBuffer);
    return length === null ? null : inputBuffer.subarray(0, length);
  } catch (error) {
    complain(`cannot read the input: ${explain(error)[0]}`);
    return null;
  }
}

let outputNeverWaits: boolean | undefined;

/** Writes to stdout. Ends the program where nobody reads that any more. */
async function output(data: Uint8Array) {
  if (outputNeverWaits === undefined && data.length >= OUTPUT_SIZE / 2) {
    const { fstatSync } = await import("node:fs"); // takes 20 ms, so only for much data
    const stdout = fstatSync(1);
    outputNeverWaits = stdout.isFile() ||
      stdout.isCharacterDevice() && !Deno.stdout.isTerminal(); // /dev/null
  }
  try {
    while (data.length > 0) {
      // The first is faster, but while a pipe is full it would stop all else.
      const length = outputNeverWaits ? Deno.stdout.writeSync(data) : await Deno.stdout.write(data);
      data = data.subarray(length);
    }
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) Deno.exit(0); // `| head` has seen enough
    throw new Failure(`cannot write to stdout: ${explain(error)[0]}`);
  }
}

/** Passes bytes both ways until both sides have ended, or nothing more comes. */
async function converse(connection: Connection, { l, u, v, w }: Options) {
  const over = Promise.withResolvers<void>();
  let isOver = false;
  let isSending = false;
  let peerHasEnded = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  /** Waits anew for something to come. */
  function wait() {
    clearTimeout(timer);
    const lastCall = Deno.stdin.isTerminal() ? 0 : LAST_CALL;
    const seconds = peerHasEnded ? Math.min(lastCall, w ?? lastCall) : w;
    if (seconds === undefined || isOver) return;
    timer = setTimeout(() => {
      if (isSending && w === undefined) return wait(); // the other side is slow
      if (v && !peerHasEnded) note(`nothing came for ${seconds} s`);
      over.resolve();
    }, seconds * 1000);
  }

  async function send() {
    while (true) {
      const piece = await (nextInput ??= readInput());
      if (isOver) return;
      if (piece === null) return await connection.closeWrite();
      [inputBuffer, spareBuffer] = [spareBuffer, inputBuffer];
      nextInput = readInput(); // while this piece is sent
      isSending = true;
      await writeAll(connection, piece);
      isSending = false;
      wait();
    }
  }

  async function receive() {
    let buffer = new Uint8Array(OUTPUT_SIZE);
    let spare = new Uint8Array(OUTPUT_SIZE);
    let writing = Promise.resolve();
    for (let length; (length = await connection.read(buffer)) !== null;) {
      wait();
      await writing;
      writing = output(buffer.subarray(0, length)); // while the next piece comes
      writing.catch(() => {}); // told where it is awaited
      [buffer, spare] = [spare, buffer];
    }
    await writing;
    peerHasEnded = true;
    wait();
  }

  if (!l || !u) wait(); // a UDP server waits for its first peer as long as it takes
  const sending = send();
  sending.catch(() => {}); // told when all is shown that was received
  try {
    await Promise.race([
      over.promise,
      // When sending fails, receiving ends over TCP, and what came is shown first.
      u ? Promise.all([receive(), sending]) : receive().then(() => sending),
    ]);
  } finally {
    isOver = true;
    clearTimeout(timer);
    connection.close();
  }
}

/** Serves the next client. */
async function serve(listener: Deno.TcpListener, options: Options) {
  const client = await listener.accept().catch((error) => {
    if (!(error instanceof Deno.errors.NotConnected)) throw error;
    throw new Failure("the client broke off before it was served");
  });
  if (!options.k) listener.close(); // others are refused, not kept waiting
  const { hostname, port } = client.remoteAddr;
  if (options.v) note(`connection from ${hostname} port ${port}`);
  try {
    await converse(client, options);
  } catch (error) {
    throw new Failure(explain(error, hostname, port)[0]);
  }
}

/** Makes a UDP socket look like a connection to one peer: a given one, or who is heard first. */
function udpConnection(
  socket: Deno.DatagramConn,
  peer: Deno.NetAddr | undefined,
  { k, v }: Options,
): Connection {
  const heard = Promise.withResolvers<void>();
  if (peer) heard.resolve();
  return {
    async read(buffer) {
      while (true) {
        const [data, address] = await socket.receive(buffer);
        const from = address as Deno.NetAddr;
        if (from.hostname !== peer?.hostname || from.port !== peer.port) {
          if (peer && !k) continue;
          if (v) note(`datagram from ${from.hostname} port ${from.port}`);
          peer = from;
          heard.resolve();
        }
        return data.length;
      }
    },
    async write(data) {
      await heard.promise;
      return await socket.send(data.subarray(0, DATAGRAM_SIZE), peer!);
    },
    closeWrite: () => Promise.resolve(), // UDP has no such thing
    close: () => socket.close(),
  };
}

async function connect(
  hostname: string,
  port: number,
  { p, w }: Options,
): Promise<Connection> {
  const signal = w === undefined ? undefined : AbortSignal.timeout(w * 1000);
  try {
    return p === undefined
      ? await Deno.connect({ hostname, port, signal })
      : await connectFrom(p, hostname, port, signal);
  } catch (error) {
    if (!signal?.aborted) throw error;
    throw new Failure(`no answer from ${hostname} port ${port} within ${w} s`);
  }
}

/** Connects with Node's function: Deno's own cannot choose the port on this side. */
async function connectFrom(
  localPort: number,
  host: string,
  port: number,
  signal?: AbortSignal,
): Promise<Connection> {
  const net = await import("node:net"); // takes 15 ms, so only when needed
  const socket = net.connect({ host, port, localPort, allowHalfOpen: true });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", ({ code, message }: Error & { code?: string }) => {
      if (code === "ECONNREFUSED") {
        reject(new Deno.errors.ConnectionRefused(message));
      } else if (code === "EADDRINUSE") {
        reject(new Deno.errors.AddrInUse(message));
      } else {
        reject(new Failure(message));
      }
    });
    signal?.addEventListener("abort", () => {
      if (socket.connecting) socket.destroy(signal.reason);
    });
  });
  socket.on("error", () => {}); // whoever reads or writes is told, too
  const pieces = socket[Symbol.asyncIterator]();
  let piece = new Uint8Array(0);
  return {
    async read(buffer) {
      if (piece.length === 0) {
        const { value, done } = await pieces.next();
        if (done) return null;
        piece = value;
      }
      const length = Math.min(piece.length, buffer.length);
      buffer.set(piece.subarray(0, length));
      piece = piece.subarray(length);
      return length;
    },
    write: (data) =>
      new Promise((resolve, reject) => {
        socket.write(
          data,
          (error) => error ? reject(error) : resolve(data.length),
        );
      }),
    closeWrite: () => new Promise((resolve) => socket.end(resolve)),
    close: () => socket.destroy(),
  };
}

/** `-z`: tries one port after the other. */
async function scan(
  host: string,
  address: string,
  ports: number[],
  options: Options,
) {
  let isAnyOpen = false;
  let failure: unknown;
  for (const port of ports) {
    try {
      (await connect(address, port, options)).close();
      isAnyOpen = true;
      if (options.v) note(`${host} port ${port} is open`);
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      failure = error;
      if (options.v && ports.length > 1) note(explain(error, host, port)[0]);
    }
  }
  if (isAnyOpen) return;
  if (ports.length === 1) throw failure;
  throw new Failure(`none of these ports of ${host} is open`);
}

/** Finds the address of a host, of the kind that is asked for. */
async function find(host: string, options: Options): Promise<string> {
  const isAddress = /^[\d.]+$|:/.test(host);
  if (options.n && !isAddress) {
    throw new Failure(`${host} is a name, and -n looks up none`);
  }
  if (options[6] && host === "localhost") return "::1";
  if (options[6] && !isAddress) {
    const { lookup } = await import("node:dns/promises"); // takes 25 ms, so only when needed
    return (await lookup(host, { family: 6 })).address;
  }
  const address = await resolve(host);
  if (address.includes(":") ? options[4] : options[6]) {
    throw new Failure(`${host} is no IPv${options[4] ? 4 : 6} address`);
  }
  return address;
}

/** The ports of a range like `20-25`, or the only one. */
function portsOf(range: string): number[] {
  const [, first, last = first] = range.match(/^(\d+)(?:-(\d+))?$/) ?? [];
  const count = Number(last) - Number(first) + 1;
  if (!(Number(last) <= 65535 && count > 0)) {
    throw new UsageError(`a port is a number up to 65535, not ${range}`);
  }
  return Array.from({ length: count }, (_, i) => Number(first) + i);
}

async function netcat(options: Options) {
  const { l, k, p, u, v, w, z, _: words } = options;
  if (k && !l) throw new UsageError("-k needs -l");
  if (z && (l || u)) throw new UsageError("-z is for TCP clients");
  if (options[4] && options[6]) throw new UsageError("-4 excludes -6");
  if (w !== undefined && (w < 1 || w > LONGEST_WAIT)) {
    throw new UsageError(`-w must be from 1 to ${LONGEST_WAIT}, not ${w}`);
  }
  if (p !== undefined) portsOf(`${p}`);
  if (l && p !== undefined) words.push(`${p}`);
  if (words.length < (l ? 1 : 2)) {
    throw new UsageError(`${l ? "a port is" : "host and port are"} missing`);
  }
  if (words.length > 2) throw new UsageError(`unexpected argument ${words[2]}`);
  const ports = portsOf(words.pop()!);
  const host = words.pop() ?? (options[6] ? "::1" : "127.0.0.1");
  const [port] = ports;
  if (port === 0 && !l) throw new UsageError("nobody listens on port 0");
  if (ports.length > 1 && !z) throw new UsageError("a range of ports needs -z");

  const transport = "udp" as const;
  const listening = ({ hostname, port: chosen }: Deno.NetAddr) => {
    if (v || port === 0) note(`listening on ${hostname} port ${chosen}`);
  };
  try {
    const hostname = await find(host, options);
    if (z) {
      await scan(host, hostname, ports, options);
    } else if (l && u) {
      const socket = Deno.listenDatagram({ transport, hostname, port });
      listening(socket.addr as Deno.NetAddr);
      await converse(udpConnection(socket, undefined, options), options);
    } else if (l) {
      using listener = Deno.listen({ hostname, port });
      listening(listener.addr);
      while (k) {
        await serve(listener, options).catch((error) => {
          if (!(error instanceof Failure)) throw error;
          complain(error.message); // and the next client is served
        });
      }
      await serve(listener, options);
    } else if (u) {
      const from = { hostname: anyAddress(hostname), port: p ?? 0 };
      const socket = Deno.listenDatagram({ transport, ...from });
      const peer = { transport, hostname, port };
      await converse(udpConnection(socket, peer, options), options);
    } else {
      const connection = await connect(hostname, port, options);
      if (v) note(`connected to ${host} port ${port}`);
      await converse(connection, options);
    }
  } catch (error) {
    const isOurs = error instanceof Deno.errors.AddrInUse && !l;
    const [message, ...hints] = isOurs
      ? explain(error, "this machine", p)
      : explain(error, host, port);
    throw new Failure(
      message,
      ...hints.map((hint) => hint.replace("--port=", l ? "-l " : "-p ")),
    );
  }
}

/** Takes letters apart that share a dash: `-lw5` is `-l -w=5`. -N is done anyway. */
function lettersApart(args: string[]): string[] {
  const words: string[] = [];
  for (const arg of args) {
    if (arg === "-") continue;
    if (!/^-[a-z\d]/i.test(arg)) words.push(arg);
    else {
      for (let rest = arg.slice(1); rest !== ""; rest = rest.slice(1)) {
        const takesValue = Object(FLAGS)[rest[0]] === Number;
        if (takesValue && rest.length > 1) rest = rest.replace(/^(.)=?/, "$1=");
        if (rest[0] !== "N") words.push(`-${takesValue ? rest : rest[0]}`);
        if (takesValue) break;
      }
    }
  }
  return words;
}

if (import.meta.main) {
  await run(FLAGS, netcat, lettersApart(Deno.args));
}
