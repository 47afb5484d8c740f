#!/usr/bin/env -S deno run --allow-net
/**
 * Netcat: passes bytes between the terminal and a TCP or UDP connection.
 *
 * It plays the client or, with `-l`, the server of any lab, so that you see and
 * type what goes over the network. The model is OpenBSD's `nc`.
 *
 * - `deno run -A scripts/netcat.ts localhost 9900` talks to a server.
 * - `deno run -A scripts/netcat.ts -l 8080` is a server for one client.
 * - `deno run -A scripts/netcat.ts -lk 127.0.0.1 8080` serves many clients, in turn.
 * - `deno run -A scripts/netcat.ts -u localhost 9900` uses UDP.
 * - `deno run -A scripts/netcat.ts -zv localhost 20-25,http` finds the open ports.
 * - `deno run -A scripts/netcat.ts -l 8080 > copy` receives a file, which
 *   `deno run -A scripts/netcat.ts localhost 8080 < file` sends.
 *
 * Its flags:
 *
 * - `-4` uses only IPv4 addresses.
 * - `-6` uses only IPv6 addresses.
 * - `-C` sends CR and LF at the end of each line.
 * - `-d` does not read the input, and never ends our half of the connection.
 * - `-i SECONDS` pauses between two lines, or between two ports of `-z`.
 * - `-k` serves the next client when one has ended. It needs `-l`. With `-u` it
 *   receives from everyone and sends to the last sender.
 * - `-l` listens. The port may also be given as `-l -p 8080`. Port 0 is any free
 *   port. With `-u` it talks to the sender of the first datagram.
 * - `-N` ends our half of the connection as soon as the input ends.
 * - `-n` accepts addresses only, and looks up no names.
 * - `-p PORT` is the port on this side.
 * - `-q SECONDS` implies `-N`, and ends the program that many seconds after both
 *   sides have ended. With UDP, which has no end, they count from the end of the
 *   input.
 * - `-s ADDRESS` is the address on this side.
 * - `-U` uses a Unix socket: it takes a path instead of host and port. Deno then
 *   needs `--allow-read` and `--allow-write`, too. With `-u` the client only sends
 *   and the server only receives, because Deno cannot do both.
 * - `-u` uses UDP.
 * - `-v` reports on stderr what happens.
 * - `-w SECONDS` is the time limit for connecting. It also ends the program when
 *   nothing was sent or received for that long. It does not limit how long `-l`
 *   waits for a client.
 * - `-z` connects, sends nothing, and ends. It takes lists and ranges of ports and
 *   names of services. The exit status is 0 if a port is open. Over UDP it sends
 *   a byte 0, and can only tell whether ports of this machine are open.
 *
 * If a name has several addresses, all are tried, IPv4 first. The exit status is 1
 * if there was no connection, or if bytes were lost.
 *
 * How a connection ends:
 *
 * - When the input ends (Ctrl-D; on Windows Ctrl-Z and Enter), our half ends after
 *   2 seconds in which nothing was sent or received. Many programs drop their
 *   answer if our half ends first. `-N` does not wait, and `-d` never ends it.
 * - When the other side ends its half, a client still sends its input to the end.
 * - When its client ends its half, `-l` sends the rest of the input, until nothing
 *   comes for 2 seconds, and then ends. At a terminal it ends at once.
 * - With `-k`, input that comes after the end of one client is sent to the next.
 *
 * Differences from OpenBSD's:
 *
 * - `-l` listens on this machine only: on 127.0.0.1, with `-6` on ::1, with `-u` on
 *   both. `-l 0.0.0.0 8080` opens the port to the network.
 * - `nc` keeps our half open after the end of the input unless `-N` is given, and
 *   its `-l` drops the rest of the input when the client ends.
 * - Errors are reported without `-v`, too. A connection that is reset is an error.
 * - The file of a Unix socket is removed at the end.
 * - A UDP client does not end when its port is closed: Deno does not learn of it.
 * - Deno keeps stdout open to the end: in `netcat.ts ... | program` the program
 *   gets its end of file when netcat ends, not when the other side does.
 *
 * @module
 */
import { explainError, note, reportError, run, UserError } from "./cli.ts";
import { isClientGone } from "./lib.ts";
import { connect, type Connection, formatAddress, lookUp } from "./netcat/connect.ts";
import { acceptPeer, connectUdp, listenUdp, sendOnly } from "./netcat/datagrams.ts";
import { FLAGS, type Options, parseOptions, splitFlags } from "./netcat/options.ts";
import { scan } from "./netcat/scan.ts";
import { transfer } from "./netcat/transfer.ts";
import { describeUnix, removeAtEnd } from "./netcat/unix.ts";

async function netcat(options: Options) {
  const { listens, isUdp, path, scans } = options;
  try {
    if (scans && path === undefined) await scan(options);
    else if (isUdp && path !== undefined) await (listens ? receiveUnix : sendUnix)(options, path);
    else if (isUdp) await (listens ? udpServer : udpClient)(options);
    else await (listens ? server : client)(options);
  } catch (error) {
    throw new UserError(...describe(error, options));
  }
}

async function client(options: Options) {
  const { path, host, ports: [port], isVerbose, scans } = options;
  const connection = path === undefined
    ? await connect(await lookUp(options), port, options)
    : await Deno.connect({ transport: "unix", path });
  if (isVerbose) note(`connected to ${path ?? `${host} port ${port}`}`);
  if (scans) return connection.close();
  await talk(connection, options);
}

async function server(options: Options) {
  const { path, ports: [port], keepsListening, isVerbose } = options;
  using listener = path === undefined
    ? Deno.listen({ hostname: (await lookUp(options))[0], port })
    : Deno.listen({ transport: "unix", path });
  using file = path === undefined ? undefined : removeAtEnd(path);
  if (isVerbose || port === 0) note(`listening on ${formatAddress(listener.addr)}`);
  while (keepsListening) {
    try {
      await serve(await accept(listener), options);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      reportError(error.message, error.hint);
    }
  }
  const client = await accept(listener);
  listener.close(); // so that further clients are refused instead of kept waiting
  file?.[Symbol.dispose]();
  await serve(client, options);
}

type Client = Deno.TcpConn | Deno.UnixConn;

async function accept(listener: Deno.Listener<Client>): Promise<Client> {
  try {
    return await listener.accept();
  } catch (error) {
    if (!isClientGone(error)) throw error;
    throw new UserError("the client closed the connection before it was accepted");
  }
}

async function serve(client: Client, options: Options) {
  const { hostname: host = "", port = 0 } = client.remoteAddr as Deno.NetAddr;
  const from = options.path ?? formatAddress(client.remoteAddr);
  if (options.isVerbose) note(`connection from ${from}`);
  await talk(client, { ...options, host, ports: [port] });
}

async function udpClient(options: Options) {
  await talk(connectUdp(options, await lookUp(options), options.ports[0]), options);
}

async function udpServer(options: Options) {
  const { ports: [port], isVerbose } = options;
  const { socket, listensOn } = listenUdp(await lookUp(options), port);
  for (const address of listensOn) {
    if (isVerbose || port === 0) note(`listening on ${formatAddress(address)}`);
  }
  await talk(await acceptPeer(socket, options), options);
}

async function sendUnix(options: Options, path: string) {
  const own = options.localAddress ?? `${path}.${Deno.pid}`;
  const [socket, file] = bindUnix(own);
  using _ = file;
  await talk(sendOnly(socket, path), options);
}

async function receiveUnix(options: Options, path: string) {
  const [socket, file] = bindUnix(path);
  using _ = file;
  if (options.isVerbose) note(`listening on ${path}`);
  await talk(await acceptPeer(socket, options), { ...options, ignoresInput: true });
}

function bindUnix(path: string): [Deno.DatagramConn, Disposable] {
  try {
    return [Deno.listenDatagram({ transport: "unixpacket", path }), removeAtEnd(path)];
  } catch (error) {
    throw new UserError(...describeUnix(error, path));
  }
}

/** Passes bytes through a connection to the host and port that the options name. */
function talk(connection: Connection, options: Options): Promise<void> {
  return transfer(connection, options, (error) => describe(error, options));
}

/** Returns what to say about an error, and what to do about it. */
function describe(error: unknown, options: Options): [message: string, hint?: string] {
  const { path, host, ports: [port], isUdp, localAddress, localPort } = options;
  if (error instanceof UserError) return [error.message, error.hint];
  if (path !== undefined) return describeUnix(error, path);
  const isOwn = (localAddress ?? localPort) !== undefined &&
    (error instanceof Deno.errors.AddrInUse || error instanceof Deno.errors.AddrNotAvailable);
  const [message, hint] = isOwn
    ? explainError(error, localAddress ?? "this machine", localPort)
    : explainError(error, host, port);
  const flag = isOwn ? "-p" : isUdp ? "-ul" : "-l";
  // The hint is for scripts whose flags have names.
  return [
    message,
    hint?.replace(/--host=(\S+) --port=/, `${flag} $1 `).replace("--port=", `${flag} `),
  ];
}

if (import.meta.main) {
  const { args, refused } = splitFlags(Deno.args);
  await run(FLAGS, (flags) => netcat(parseOptions(flags, refused)), args);
}
