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
 * deno run -A scripts/netcat.ts -zv localhost 20-25,http # which of these ports are open?
 * deno run -A scripts/netcat.ts -l 8080 > copy      # receive a file
 * deno run -A scripts/netcat.ts localhost 8080 < file
 * ```
 *
 * - `-l` listens; the port may also be given as `-l -p 8080`, and port 0 is any
 *   free one. `-k` serves the next client when one has gone.
 * - `-u` takes UDP. `-l` then talks to the first peer that it hears, and with
 *   `-k` hears everybody and answers the one heard last.
 * - `-U` takes a Unix socket: a path in the place of host and port. Deno wants
 *   `--allow-read` and `--allow-write` for it besides `--allow-net`. With `-u`, for
 *   datagrams, the client only sends and the server only shows: Deno cannot do both.
 * - `-v` says on stderr what happens.
 * - `-w SECONDS` gives up when no connection comes about in that time, and ends
 *   when nothing was sent or received for so long. `-l` waits for a client as
 *   long as it takes.
 * - `-z` connects, sends nothing and ends: status 0 if a port was open. It takes
 *   lists and ranges of ports, and names of services. Over UDP it sends a byte 0,
 *   and only of this machine's ports it knows whether somebody has them.
 * - `-d` does not read the input: a job in the background needs it.
 * - `-N` ends our half with the input at once, `-q SECONDS` too, and ends the
 *   program so long after that.
 * - `-C` sends CR and LF at the end of each line, `-i SECONDS` pauses between two
 *   lines, or ports of `-z`.
 * - `-4` and `-6` take only addresses of that kind, `-n` only addresses and no
 *   names. `-p PORT` is the port on this side, `-s ADDRESS` the address.
 *
 * A name may have several addresses: all are tried, IPv4 first. Names of services
 * are those of the best known.
 *
 * What differs from OpenBSD's on purpose:
 *
 * - `-l` listens on 127.0.0.1, with `-6` on ::1. `-l 0.0.0.0 8080` opens the port
 *   to the network.
 * - The end of the input (Ctrl-D) ends our half of a TCP connection, which there
 *   needs `-N`; what the other side sends is still shown. As some programs then
 *   stop sending, our half ends when nothing has come from them for 0.2 s, amid
 *   much (8 KiB) for 2 s, and where the input is /dev/null or closed, for 5 s.
 *   `-d` never ends it.
 * - When the other side has ended its half, the rest of the input is sent, as long
 *   as it comes. There, `-l` drops that rest. Here too `-l` ends 0.2 s after its
 *   client where the input is a terminal or nothing ever came, and `-lk` turns to
 *   the next client: what comes later is for that one.
 * - What went wrong is said without `-v` too, and a connection that breaks off is
 *   an error (status 1), with how much of the input did not get through.
 * - The file of a Unix socket is removed at the end.
 * - Deno does not learn that a UDP port is closed: a UDP client does not end when
 *   nobody listens.
 * - Deno keeps its stdout open to the end: `netcat.ts ... | program` tells the
 *   program that all has come when netcat ends, and not when the other side does.
 *
 * @module
 */
import { explainError, note, reportError, run, UserError } from "./cli.ts";
import { addresses, connect, type Connection, placeOf } from "./netcat/connect.ts";
import { converse } from "./netcat/converse.ts";
import { firstHeard, udpConnection, unixSender, unixSocket } from "./netcat/datagrams.ts";
import { FLAGS, lettersApart, type Options, optionsFrom } from "./netcat/options.ts";
import { scan } from "./netcat/scan.ts";

async function netcat(options: Options) {
  const { listens, isUdp, path, scans } = options;
  try {
    if (scans && path === undefined) await scan(options);
    else if (listens && isUdp) await hearPeer(options);
    else if (listens) await serveClients(options);
    else if (isUdp) await talkToPeer(options);
    else await talkToServer(options);
  } catch (error) {
    throw new UserError(...explained(error, options));
  }
}

async function talkToServer(options: Options) {
  const { path, host, ports: [port], isVerbose, scans } = options;
  const connection = path
    ? await Deno.connect({ transport: "unix", path })
    : await connect(addresses(options), port, options);
  if (isVerbose) note(`connected to ${path ?? `${host} port ${port}`}`);
  if (scans) return connection.close();
  await talk(connection, options);
}

async function serveClients(options: Options) {
  const { path, ports: [port], keepsListening, isVerbose } = options;
  using listener = path
    ? Deno.listen({ transport: "unix", path })
    : Deno.listen({ hostname: await firstAddress(options), port });
  // Closing removes a Unix socket's file, also when Ctrl-C ends the program.
  globalThis.addEventListener("unload", () => listener[Symbol.dispose]());
  if (isVerbose || port === 0) note(`listening on ${placeOf(listener.addr)}`);
  while (keepsListening) {
    await serve(listener, options).catch((error) => {
      if (!(error instanceof UserError)) throw error;
      reportError(error.message, error.hint); // and the next client is served
    });
  }
  await serve(listener, options);
}

/** Serves the next client. */
async function serve(listener: Deno.Listener<Deno.TcpConn | Deno.UnixConn>, options: Options) {
  const client = await listener.accept().catch((error) => {
    if (!(error instanceof Deno.errors.NotConnected)) throw error;
    throw new UserError("the client broke off before it was served");
  });
  if (!options.keepsListening) listener.close(); // others are refused, not kept waiting
  const { hostname: host = "", port = 0 } = client.remoteAddr as Deno.NetAddr;
  if (options.isVerbose) note(`connection from ${options.path ?? placeOf(client.remoteAddr)}`);
  await talk(client, { ...options, host, ports: [port] });
}

/** Hears whoever sends a datagram first, and answers. */
async function hearPeer(options: Options) {
  const { path, ports: [port], isVerbose } = options;
  const socket = path === undefined
    ? Deno.listenDatagram({ transport: "udp", hostname: await firstAddress(options), port })
    : unixSocket(path);
  if (isVerbose || port === 0) note(`listening on ${placeOf(socket.addr)}`);
  const readsNothing = options.readsNothing || path !== undefined;
  await talk(await firstHeard(socket, options), { ...options, readsNothing });
}

async function talkToPeer(options: Options) {
  const { path, ports: [port] } = options;
  const connection = path === undefined
    ? udpConnection(options, await Array.fromAsync(addresses(options)), port)
    : unixSender(options, path);
  await talk(connection, options);
}

/** Passes bytes through a connection to the host and port that the options name. */
function talk(connection: Connection, options: Options): Promise<void> {
  return converse(connection, options, (error) => explained(error, options));
}

async function firstAddress(options: Options): Promise<string> {
  for await (const address of addresses(options)) return address;
  throw new UserError(`${options.host} has no IPv${options.family} address`);
}

/** Says in words what went wrong. */
function explained(error: unknown, options: Options): [message: string, hint?: string] {
  const { path, host, ports: [port], isUdp, localAddress, localPort } = options;
  if (path !== undefined) return explainedUnix(error, path);
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

function explainedUnix(error: unknown, path: string): [message: string, hint?: string] {
  const { AddrInUse, ConnectionRefused, NotCapable, NotFound, PermissionDenied } = Deno.errors;
  const [message, hint] = explainError(error);
  if (error instanceof NotFound) return [`there is no ${path}`];
  if (error instanceof PermissionDenied) return [`no right to use ${path}`];
  if (error instanceof ConnectionRefused) return [`nothing is listening on ${path}`];
  if (error instanceof AddrInUse) return [`${path} is there already`, "remove it, or take another"];
  if (error instanceof NotCapable) {
    const all = "--allow-net --allow-read --allow-write";
    return [message, hint?.replace("--allow-net", all)];
  }
  return [message.replace(/^ port 0/, path), hint];
}

if (import.meta.main) {
  const { args, refused } = lettersApart(Deno.args);
  await run(FLAGS, (flags) => netcat(optionsFrom(flags, refused)), args);
}
