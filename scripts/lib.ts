/**
 * What the lab scripts share: Python's look of the output, and what servers and clients need in
 * order to survive a real network. Each helper wraps a socket where it is made, or runs a handler.
 * A script without them still works, as plain Deno.
 *
 * @module
 */
import {
  errorMessage,
  escapeCharacter,
  escapeText,
  isOutputSlow,
  isQuiet,
  NoReply,
  note,
  pause,
  reportError,
  reportRarely,
  UserError,
  write,
  written,
} from "./cli.ts";

export { type Flags, note, run, UserError } from "./cli.ts";

// --- Printing and typing, as in Python ----------------------------------------------------------

/** What `print` takes: text, a number, bytes that hold text, or an address. */
export type Printable = string | number | Uint8Array | Deno.Addr;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Prints a line, with spaces between the values, as Python's `print` does. Bytes are shown as text,
 * addresses as tuples. Control and invisible characters are shown as escapes, so that data from the
 * network cannot fake a line or control the terminal.
 */
export function print(...values: Printable[]): void {
  let line = "";
  for (const value of values) line += line === "" ? format(value) : ` ${format(value)}`;
  write(`${escapeText(line)}\n`);
}

/** Prints a line about one client or message, unless the server was started with `--quiet`. */
export function log(...values: Printable[]): void {
  if (!isQuiet()) print(...values);
}

function format(value: Printable): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return `${value}`;
  if (value instanceof Uint8Array) return decoder.decode(value);
  return formatAddress(value);
}

/** Returns an address as Python prints it: `('127.0.0.1', 42961)`. */
export function formatAddress(address: Deno.Addr): string {
  const { hostname, port } = address as Deno.NetAddr;
  return `('${hostname}', ${port})`;
}

/** Returns bytes as text in one line. Bytes that are not UTF-8 are shown as U+FFFD. */
export const showText = (data: Uint8Array): string => escapeText(decoder.decode(data));

/** Returns bytes exactly as Python's `repr` shows them: `b'Hello, world'`. */
export function repr(data: Uint8Array): string {
  const text = decoder.decode(data);
  if (/^[ -&(-[\]-~]*$/.test(text)) return `b'${text}'`; // no quotes, no backslashes
  const quote = data.includes(39) && !data.includes(34) ? '"' : "'";
  let result = `b${quote}`;
  for (const byte of data) {
    const character = String.fromCharCode(byte);
    if (character === "\\" || character === quote) result += `\\${character}`;
    else result += byte >= 0x20 && byte < 0x7f ? character : escapeCharacter(character);
  }
  return result + quote;
}

/** Returns the number of characters (code points), as Python's `len`: 1 for "😀", unlike `length`. */
export function len(text: string): number {
  return text.replace(/[\udc00-\udfff]/g, "").length; // the second halves of surrogate pairs
}

let lines: AsyncGenerator<string> | undefined;

/**
 * Asks for a line from the keyboard, as Python's `input` does.
 *
 * @returns The line without its end; `null` at the end of the input.
 */
export async function input(prompt: string): Promise<string | null> {
  write(prompt);
  await written();
  lines ??= readLines();
  const { value, done } = await lines.next();
  if (!done) return value.replace(/\r$/, ""); // Windows ends lines with \r\n
  if (Deno.stdout.isTerminal()) write("\n"); // what follows does not belong behind the prompt
  return null;
}

async function* readLines(): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let rest = ""; // a line that has not ended yet
  for await (const data of readKeyboard()) {
    const lines = decoder.decode(data, { stream: true }).split("\n");
    lines[0] = rest + lines[0];
    rest = lines.pop()!;
    yield* lines;
  }
  rest += decoder.decode();
  if (rest !== "") yield rest;
}

/** Returns what is typed, piece by piece. It is read only when it is asked for. */
async function* readKeyboard(): AsyncGenerator<Uint8Array> {
  if (Deno.build.os === "windows" && Deno.stdin.isTerminal()) {
    // On a Windows console, Deno.stdin breaks characters beyond ASCII (denoland/deno#18240).
    yield* (await import("node:process")).default.stdin;
    return;
  }
  const buffer = new Uint8Array(65536);
  while (true) {
    const length = await Deno.stdin.read(buffer);
    if (length === null) break;
    yield buffer.subarray(0, length);
  }
}

// --- Addresses ----------------------------------------------------------------------------------

/**
 * Returns the IP address of a host. IPv4 addresses come first, and `localhost` is 127.0.0.1, as
 * with Python's `AF_INET`. An address is returned in its shortest form.
 *
 * @throws {UserError} The text is not a host: `http://localhost`, `localhost:9900`.
 */
export async function resolveHost(host: string): Promise<string> {
  if (host.toLowerCase() === "localhost") return "127.0.0.1";
  const bare = host.replace(/^::ffff:(?=[\d.]+$)/i, ""); // an IPv4 address in IPv6 notation
  if (/^[\d.]+$/.test(bare)) return URL.parse(`http://${bare}`)?.hostname ?? host;
  if (host.includes("%") && /^[\da-f:]+%\w+$/i.test(host)) return host; // fe80::1%eth0
  if (host.includes(":")) {
    const url = URL.parse(`http://[${host}]`);
    if (url) return url.hostname.slice(1, -1);
  }
  if (/[^\p{L}\p{M}\p{N}._-]/u.test(host)) {
    throw new UserError(
      `invalid host: ${host}`,
      "give the host and the port separately: --host=localhost --port=9900",
    );
  }
  const { lookup } = await import("node:dns/promises"); // takes 25 ms, so only when it is needed
  const addresses = await lookup(host, { all: true });
  return (addresses.find(({ family }) => family === 4) ?? addresses[0]).address;
}

/** Returns the address to which a UDP client binds: any address of this machine. */
export function anyAddress(hostname: string): "0.0.0.0" | "::" {
  return hostname.includes(":") ? "::" : "0.0.0.0";
}

const isAnyAddress = (hostname: string) => hostname === "0.0.0.0" || hostname === "::";

// --- Servers ------------------------------------------------------------------------------------

const WRITE_TIMEOUT = 10; // seconds
const MAX_DATAGRAM = 65536; // bytes
const discarded = new Uint8Array(MAX_DATAGRAM); // what serveClient reads to the end

/**
 * Makes a server's socket survive errors of single clients, and notes that it is listening.
 * `accept` and `receive` report such an error and wait for the next client. While
 * nothing reads the server's output, they wait too.
 *
 * - TCP: it survives a lack of file descriptors and clients that leave before they are accepted.
 * - UDP: a datagram longer than the buffer is truncated on every system. A datagram that claims to
 *   come from the server itself is ignored, as the answer would go round without end. `send` reports
 *   an error and returns 0.
 *
 * @returns The socket that was given.
 */
export function resilient<S extends Deno.TcpListener | Deno.DatagramConn>(socket: S): S {
  const { hostname, port } = socket.addr as Deno.NetAddr;
  note(`listening on ${hostname} port ${port}`);
  if ("accept" in socket) {
    const { accept } = socket;
    socket.accept = async () => {
      while (true) {
        if (isOutputSlow()) await written();
        try {
          return limited(await accept.call(socket));
        } catch (error) {
          await recover(error);
        }
      }
    };
    return socket;
  }
  const { send, receive } = socket;
  const space = new Uint8Array(MAX_DATAGRAM);
  socket.receive = async (buffer = space) => {
    while (true) {
      if (isOutputSlow()) await written();
      try {
        const [data, peer] = await receive.call(socket, space);
        if (!isOwnAddress(peer, socket.addr)) return [data.subarray(0, buffer.length), peer];
        reportRarely("ignored a spoofed datagram: its sender is the address of this server");
      } catch (error) {
        await recover(error);
      }
    }
  };
  socket.send = async (data, peer) => {
    try {
      return await send.call(socket, data, peer);
    } catch (error) {
      if (error instanceof Deno.errors.BadResource) throw error; // the socket was closed
      reportRarely("cannot send a datagram", error);
      return 0;
    }
  };
  return socket;
}

/** Reports why no client or datagram came, so that the next one can. Throws if the socket is closed. */
async function recover(error: unknown): Promise<void> {
  const { BadResource, ConnectionReset, Interrupted } = Deno.errors;
  if (error instanceof BadResource || error instanceof Interrupted) throw error;
  if (error instanceof ConnectionReset) return; // Windows: an earlier reply did not arrive
  if (isClientGone(error)) {
    reportRarely("a client closed its connection before it was accepted");
  } else {
    reportRarely("cannot serve more clients at the moment", error);
    await pause(100);
  }
}

/** Returns whether `accept` failed because the client had closed its connection before. */
export function isClientGone(error: unknown, os = Deno.build.os): boolean {
  const { ConnectionReset, NotConnected } = Deno.errors; // on Windows and on Linux
  // macOS reports such a client as an invalid argument, and Windows sometimes does.
  const isEinval = (error as { code?: string }).code === "EINVAL" && os !== "linux";
  return error instanceof ConnectionReset || error instanceof NotConnected || isEinval;
}

/** Limits a client: its reads wait while much output is unwritten, its writes take 10 s at most. */
function limited(client: Deno.TcpConn): Deno.TcpConn {
  const { read, write } = client;
  client.read = (buffer) =>
    isOutputSlow() ? written().then(() => read.call(client, buffer)) : read.call(client, buffer);
  client.write = async (data) => {
    limitTime(client, WRITE_TIMEOUT);
    try {
      return await write.call(client, data);
    } catch (error) {
      if (timeLimits.has(client)) throw error;
      throw new UserError(`the client read nothing for ${WRITE_TIMEOUT} s`);
    } finally {
      timeLimits.delete(client);
    }
  };
  return client;
}

/** Returns whether a datagram's sender is the socket that received it. */
function isOwnAddress(peer: Deno.Addr, own: Deno.Addr): boolean {
  const [sender, { hostname, port }] = [peer as Deno.NetAddr, own as Deno.NetAddr];
  if (sender.port !== port) return false;
  if (sender.hostname === hostname) return true;
  if (!isAnyAddress(hostname)) return false;
  try {
    // Only an address of this machine can be bound.
    Deno.listenDatagram({ transport: "udp", hostname: sender.hostname, port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

// One timer checks all connections, because a timer for each would cost a third of the speed.
const timeLimits = new Map<Deno.Conn, number>(); // connection → when it is closed (ms)
let isWatching = false;

function limitTime(connection: Deno.Conn, seconds: number) {
  timeLimits.set(connection, performance.now() + 1000 * seconds);
  if (!isWatching) pause(1000).then(closeLateConnections);
  isWatching = true;
}

function closeLateConnections() {
  const now = performance.now();
  for (const [connection, time] of timeLimits) {
    if (now < time) continue;
    timeLimits.delete(connection);
    connection.close();
  }
  isWatching = timeLimits.size > 0;
  if (isWatching) pause(1000).then(closeLateConnections);
}

/**
 * Runs `handler` for one client, then closes the client's connection. An error in `handler` is
 * reported and ends only this connection.
 *
 * Before it closes, it ends its own half and discards what the client still sends, for 2 s at most:
 * closing with unread data would reset the connection, and the reset could destroy the last reply
 * on its way (RFC 1122, section 4.2.2.13).
 *
 * @returns A promise that settles when the connection is closed. It never rejects.
 */
export async function serveClient(
  client: Deno.TcpConn,
  handler: () => Promise<void>,
): Promise<void> {
  try {
    await handler();
  } catch (error) {
    reportError(`client ${formatAddress(client.remoteAddr)}: ${errorMessage(error)}`);
  }
  reservations.delete(client);
  limitTime(client, 2);
  try {
    await client.closeWrite();
    while (await client.read(discarded) !== null);
  } catch { /* the client has gone */ }
  timeLimits.delete(client);
  try {
    client.close();
  } catch { /* it is closed */ }
}

/** Writes all of `data`, as Python's `sendall` does: a single `write` may write only a part. */
export async function writeAll(to: Pick<Deno.Conn, "write">, data: Uint8Array): Promise<void> {
  let sent = 0;
  while (sent < data.length) sent += await to.write(data.subarray(sent));
}

const MAX_RESERVED = 16 * 1_048_576; // characters, in the messages of all clients together
const FREE_LENGTH = 4096; // shorter messages need no reservation
const reservations = new Map<Deno.Conn, number>(); // characters

/**
 * Reserves memory for a message of a client, until its next message or the end of `serveClient`.
 *
 * @throws {UserError} The messages of all clients would take too much memory.
 */
export function reserve(client: Deno.Conn, length: number): void {
  reservations.delete(client);
  if (length <= FREE_LENGTH) return;
  let total = length;
  for (const reserved of reservations.values()) total += reserved;
  if (total > MAX_RESERVED) throw new UserError("too many long messages at the same time");
  reservations.set(client, length);
}

// --- Clients ------------------------------------------------------------------------------------

/** Calls a function after some seconds, unless it is cancelled. Unlike `setTimeout`, quick to load. */
function startTimer(seconds: number, action: () => void): { cancel(): void } {
  const signal = AbortSignal.timeout(Math.ceil(1000 * seconds));
  signal.addEventListener("abort", action);
  // Without a listener, the timer does not keep the program running.
  return { cancel: () => signal.removeEventListener("abort", action) };
}

/**
 * Gives a client's connection a timeout, as Python's `settimeout` does: `read` and `write` fail when
 * nothing moves for so many seconds.
 *
 * @returns The connection that was given.
 */
export function withTimeout<C extends Deno.Conn>(connection: C, seconds: number): C {
  const { read, write } = connection;
  const noReply = new NoReply(
    `for ${seconds} s`,
    "check that it is the server of this lab, or wait longer, for instance --timeout=60",
  );
  const noReader = new UserError(
    `the server read nothing for ${seconds} s`,
    "it may wait for its own reply to be read: send a shorter message",
  );
  let start = 0; // when the present read or write began (ms)
  let isOverdue = false;
  let isLate = false;
  let timer = AbortSignal.abort(); // one for many reads
  const wait = (seconds: number) => {
    timer = AbortSignal.timeout(Math.ceil(1000 * seconds));
    timer.addEventListener("abort", check);
  };
  const check = () => {
    const left = seconds - (performance.now() - start) / 1000;
    if (left > 0) return wait(left);
    if (!isOverdue) {
      // If this program was stopped with Ctrl-Z, the data may be there already.
      isOverdue = true;
      return wait(0.1);
    }
    isLate = true;
    connection.close();
  };
  const limited = async <T>(operation: Promise<T>, timeoutError: Error): Promise<T> => {
    start = performance.now();
    isOverdue = false;
    if (timer.aborted) wait(seconds);
    else timer.addEventListener("abort", check);
    try {
      return await operation;
    } catch (error) {
      throw isLate ? timeoutError : error;
    } finally {
      timer.removeEventListener("abort", check); // so that it does not keep the program running
    }
  };
  connection.read = (buffer) => limited(read.call(connection, buffer), noReply);
  connection.write = (data) => limited(write.call(connection, data), noReader);
  return connection;
}

/** Returns whether a datagram comes from the address to which the question was sent. */
function isFrom(peer: Deno.Addr, server: Deno.Addr): boolean {
  const [sender, { hostname, port }] = [peer as Deno.NetAddr, server as Deno.NetAddr];
  const isSameHost = isAnyAddress(hostname) || sender.hostname === hostname.replace(/%.*/, "");
  return isSameHost && sender.port === port;
}

/**
 * Lets a UDP client send again. If no reply to the last datagram arrives within `timeout` seconds,
 * `receive` sends it again, up to `tries` times in all. Datagrams from other senders are ignored.
 *
 * @returns The socket that was given. Its `receive` fails when no reply arrives.
 */
export function withRetries(
  socket: Deno.DatagramConn,
  { timeout, tries }: { timeout: number; tries: number },
): Deno.DatagramConn {
  const { send, receive } = socket;
  const space = new Uint8Array(MAX_DATAGRAM);
  let sent: Parameters<typeof send>;
  socket.send = (...datagram) => send.apply(socket, sent = datagram);
  socket.receive = (buffer = space) => {
    const { promise, resolve, reject } = Promise.withResolvers<
      Awaited<ReturnType<typeof receive>>
    >();
    let isWaiting = true;
    let tried = 1;
    let timer: ReturnType<typeof startTimer>;
    const retry = () => {
      if (tried === tries) {
        return reject(new NoReply(`after ${tries} ${tries === 1 ? "try" : "tries"}`));
      }
      tried++;
      note(`no reply within ${timeout} s: try ${tried} of ${tries}`);
      // The note first: it explains the second datagram.
      written().then(() => send.apply(socket, sent))
        .catch((error) => reportRarely("cannot send a datagram", error));
      timer = startTimer(timeout, retry);
    };
    const receiveReply = async () => {
      while (isWaiting) {
        try {
          const [data, peer] = await receive.call(socket, space);
          if (!isFrom(peer, sent[1])) continue;
          return resolve([data.slice(0, buffer.length), peer]);
        } catch (error) {
          // Windows reports a datagram that did not arrive at the next `receive`.
          if (!(error instanceof Deno.errors.ConnectionReset)) return reject(error);
        }
      }
    };
    timer = startTimer(timeout, retry);
    receiveReply();
    return promise.finally(() => {
      isWaiting = false;
      timer.cancel();
    });
  };
  return socket;
}
