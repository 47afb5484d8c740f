/** What several tests need: scripts that run, and ports that are free or closed. */
import { assert } from "@std/assert";
import net from "node:net";
import { tmpdir } from "node:os";
import { SCRIPTS } from "../scripts/lab/header.ts";
import { isFree } from "../scripts/lab/ports.ts";
import { DENO_RUN, portOf, Program } from "../scripts/lab/program.ts";

export { SCRIPTS };

const encoder = new TextEncoder();
const decoder = new TextDecoder();
export const encode = (text: string) => encoder.encode(text);
/** A message as echo v2 and v3 send it: 10 characters with its length in characters before it. */
export const withHeader = (message: string) => `${[...message].length}`.padStart(10) + message;
export const decode = (data: Uint8Array) => decoder.decode(data);

export const NOT_ON_WINDOWS = { ignore: Deno.build.os === "windows" };
export const LINUX_ONLY = { ignore: Deno.build.os !== "linux" };
export const WITH_IPV6 = { ignore: !hasIpv6() };

/** Bytes of the longest datagram that a test may send: macOS sends no longer one unless told to. */
export const LONGEST_DATAGRAM = Deno.build.os === "darwin" ? 9216 : 65507;

function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

/** Whether there is such a program; with options, whether it ends well with them. */
export function has(program: string, options?: Deno.CommandOptions): boolean {
  try {
    const command = new Deno.Command(program, options ?? { args: ["-h"] });
    return command.outputSync().success || !options;
  } catch {
    return false;
  }
}

/** Starts a script with the network permission alone. */
export function start(script: string, args: string[] = [], options?: Deno.CommandOptions): Program {
  const command = [...DENO_RUN, "--allow-net", SCRIPTS + script];
  return new Program([...command, ...args], undefined, options);
}

/** Starts a server script on a free port and waits until it listens there. */
export async function startServer(
  script: string,
  args: string[] = [],
  options?: Deno.CommandOptions,
): Promise<{ server: Program; port: number }> {
  const server = start(script, ["--port=0", ...args], options);
  assert(await server.until(() => portOf(server) !== undefined), server.errors);
  return { server, port: portOf(server)! };
}

/** The host that a script takes when none is given. */
export function defaultHost(script: string): string {
  return Deno.readTextFileSync(SCRIPTS + script).match(/host: "(.+?)"/)![1];
}

/** What a program printed and how it ended. */
export interface Result {
  status: number;
  stdout: string;
  stderr: string;
}

/** What a program printed and how it ended, which it must within some seconds. */
export async function resultOf(program: Program, seconds?: number): Promise<Result> {
  const hasEnded = await program.ended(seconds);
  const { screen: stdout, errors: stderr } = program;
  assert(hasEnded, `it hangs: ${stdout}${stderr}`);
  return { status: await program.status, stdout, stderr };
}

/** Runs a script to its end, its keyboard a pipe that holds `stdin`. */
export async function runScript(
  script: string,
  args: string[] = [],
  stdin: string | Uint8Array = "",
): Promise<Result> {
  await using program = start(script, args);
  await program.send(typeof stdin === "string" ? encode(stdin) : stdin);
  await program.endInput();
  return await resultOf(program);
}

export function connect(port: number): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port });
}

/** A UDP socket, which closes when its scope is left. */
export function udpSocket(hostname = "127.0.0.1", port = 0) {
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port });
  return Object.assign(socket, {
    port: (socket.addr as Deno.NetAddr).port,
    [Symbol.dispose]: () => socket.close(),
  });
}

/** Sends a datagram to a port of 127.0.0.1. */
export function sendTo(
  socket: Deno.DatagramConn,
  port: number,
  data: string | Uint8Array,
): Promise<number> {
  const bytes = typeof data === "string" ? encode(data) : data;
  return socket.send(bytes, { transport: "udp", hostname: "127.0.0.1", port });
}

/** A client that sends, and ends with a reset (RST) when it is told to. */
export async function reset(
  port: number,
  message: string | Uint8Array = "",
  when: (client: net.Socket) => Promise<unknown> = () => Promise.resolve(),
) {
  const client = net.connect({ port, host: "127.0.0.1", noDelay: true });
  client.on("error", () => {}); // the server may be faster
  const closed = new Promise((resolve) => client.on("close", resolve));
  const connected = new Promise((resolve) => client.on("connect", resolve));
  await Promise.race([connected, closed]);
  if (message.length > 0) await new Promise((resolve) => client.write(message, resolve));
  await when(client);
  client.resetAndDestroy();
  await closed;
}

/** Reads until the other side ends, at most so many bytes. */
export async function readToEnd(connection: Deno.Conn, most = Infinity): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const buffer = new Uint8Array(65536);
  for (let length = 0; length < most;) {
    const read = await connection.read(buffer);
    if (read === null) break;
    pieces.push(buffer.slice(0, read));
    length += read;
  }
  return new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
}

/** Whether anybody may listen on port 81, or this test cannot give up the right to. */
export function hasPort81(): boolean {
  if (Deno.build.os !== "linux") {
    return Deno.build.os === "windows" || Deno.uid() === 0;
  }
  const file = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
  return Number(Deno.readTextFileSync(file)) <= 81;
}

/** Starts a command without the right to low ports, which root has; setpriv is Linux's. */
export const WITHOUT_PORT_81 = Deno.uid() === 0
  ? ["setpriv", "--bounding-set=-net_bind_service"]
  : [];

/** Runs lab.ts to its end. */
export async function lab(
  args: string[],
  stdin = "",
  options?: Deno.CommandOptions,
  seconds = 60,
): Promise<Result> {
  const command = [...DENO_RUN, "-A", `${SCRIPTS}lab.ts`, ...args];
  await using program = new Program(command, undefined, options);
  await program.send(encode(stdin));
  await program.endInput();
  return await resultOf(program, seconds);
}

/** A folder of its own for a test. */
export async function temporary(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir();
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** Does jobs, so many of them at a time. */
export async function inParallel(jobs: Iterable<() => Promise<unknown>>, atATime: number) {
  const queue = jobs[Symbol.iterator]();
  const work = async () => {
    for (let next; !(next = queue.next()).done;) await next.value();
  };
  await Promise.all(Array.from({ length: atATime }, work));
}

/** A test of cases that wait more than they work, all at once. */
export function testAtOnce(
  name: string,
  options: { ignore?: boolean },
  cases: Record<string, () => Promise<void>>,
) {
  Deno.test(name, options, async (test) => {
    const free = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };
    await Promise.all(
      Object.entries(cases).map(([name, fn]) => test.step({ name, fn, ...free })),
    );
  });
}

const FIRST_PORT = 20000; // above 25999 are those of freePort()
const PORTS = 150; // for each file of tests

/** Ports that no other file of tests takes as long as this one runs: the first of them. */
async function ownPorts(): Promise<number> {
  for (let place = 0;; place++) {
    const file = `${tmpdir()}/socket-labs-ports-${Deno.uid() ?? "user"}-${place}.lock`;
    const lock = await Deno.open(file, { create: true, write: true });
    // The system lets go of a lock when its process ends, however that happens.
    if (await lock.tryLock(true)) return FIRST_PORT + PORTS * place;
    lock.close();
  }
}

const firstPort = await ownPorts();
let turn = Math.floor(Math.random() * PORTS);

/** A port that nobody has, or takes but the caller, and that the system gives to nobody who asks for any. */
export function quietPort(): number {
  while (true) {
    const port = firstPort + turn++ % PORTS;
    if (isFree(port, "tcp") && isFree(port, "udp", "0.0.0.0")) return port;
  }
}
