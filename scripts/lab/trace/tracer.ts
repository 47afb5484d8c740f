/**
 * Reports what a Deno program does with sockets, its keyboard and its screen. It is loaded before the program with
 * `--preload`, after a module that leaves the configuration; see run_traced.ts. The events are lines of JSON in a file;
 * event.ts describes them. tracer_node.ts adds the modules of Node.
 *
 * The program prints and does what it would without the tracer. So the methods of the prototypes are replaced, not the
 * objects that a program prints, and a promise is followed by `then`, which keeps the async stack of an error.
 *
 * @module
 */

// deno-lint-ignore no-explicit-any -- methods of all kinds are traced alike
export type Method = (...args: any[]) => any;

/** The fields of an event, `data` apart. */
export type Fields = Record<string, unknown>;

interface Config {
  events: string;
  within: string[];
  ports: Record<number, number>;
  toLoopback: boolean;
  anyPort: boolean;
  limit: number;
  burst: number;
}

const MAX_DATA = 65536; // bytes of one send or receive that an event holds
const MAX_TEXT = 8192; // characters of one print that an event holds
const FRAMES = 30; // of the stack, in which to look for a line of the program
const SELF = new URL(".", import.meta.url).href + "tracer"; // of this file, and of tracer_node.ts

const { Error, JSON, performance } = globalThis; // a program may replace them
const HOLDER = Symbol.for("lab.trace");
const holder = globalThis as unknown as Record<symbol, unknown>;
const config = holder[HOLDER] as Config;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

// Writing events

const file = Deno.openSync(config.events, { append: true });
const write = file.writeSync.bind(file);
let left = config.limit; // bytes that may be written
let printsLeft = config.limit / 4; // a program that prints without end leaves room for the rest

/** Milliseconds since 1970, with fractions. */
export const now = (): number => performance.timeOrigin + performance.now();

const CALM = 1000; // milliseconds without a call, after which a burst is over
const COUNTED = 1000; // calls that are left out before they are reported together
let callsLeft = config.burst; // calls in a row that are reported one by one
let lastCall = 0; // when it began
let counts = { sends: 0, sentBytes: 0, receives: 0, receivedBytes: 0 };

/** Whether there were so many calls in a row that this one is only counted. */
export function isBurst(at = now()): boolean {
  const before = lastCall;
  lastCall = at;
  if (callsLeft > 0) {
    callsLeft--;
    return false;
  }
  const isOver = at - before >= CALM;
  if (isOver) callsLeft = config.burst;
  if (isOver || counts.sends + counts.receives >= COUNTED) reportCounts();
  return !isOver;
}

/** Counts a call that is not reported. */
export function countCall(kind: "send" | "receive", length: number) {
  if (kind === "send") {
    counts.sends++;
    counts.sentBytes += length;
  } else {
    counts.receives++;
    counts.receivedBytes += length;
  }
}

function reportCounts() {
  if (counts.sends + counts.receives > 0) emit("skipped", now(), counts);
  counts = { sends: 0, sentBytes: 0, receives: 0, receivedBytes: 0 };
}

globalThis.addEventListener("unload", reportCounts);

/** Writes an event. */
export function emit(kind: string, at: number, fields: Fields) {
  if (left <= 0) return;
  try {
    const line = encoder.encode(JSON.stringify({ kind, at, ...fields }) + "\n");
    left -= line.length;
    write(line);
    if (left <= 0) write(encoder.encode(JSON.stringify({ kind: "truncated", at }) + "\n"));
  } catch { /* the file is gone */ }
}

/** The fields for bytes that were sent or received. */
export function held(data: Uint8Array): Fields {
  return { length: data.length, data: data.subarray(0, MAX_DATA).toBase64() };
}

/** The field for an error. */
export function failed(error: unknown): Fields {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  return { error: String(typeof code === "string" ? code : ERRNO[String(name)] ?? name) };
}

/** The names that both languages share. */
const ERRNO: Record<string, string> = {
  AddrInUse: "EADDRINUSE",
  AddrNotAvailable: "EADDRNOTAVAIL",
  BrokenPipe: "EPIPE",
  ConnectionAborted: "ECONNABORTED",
  ConnectionRefused: "ECONNREFUSED",
  ConnectionReset: "ECONNRESET",
  NotConnected: "ENOTCONN",
  TimedOut: "ETIMEDOUT",
};

/** The nearest line of the program that is at work: the fields `file` and `line`. */
export function place(): Fields {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = FRAMES;
  const frames = (new Error().stack ?? "").split("\n");
  Error.stackTraceLimit = limit;
  const isFolder = config.within[0].endsWith("/");
  for (const frame of frames) {
    const within = config.within.find((within) => frame.includes(within));
    if (!within || frame.includes(SELF) || frame.includes("/node_modules/")) continue;
    const [, path, line] = frame.slice(frame.indexOf(within)).match(/^(.*?):(\d+)(?::\d+)?\)?$/) ??
      [];
    if (path === undefined || !isFolder && path !== within) continue;
    const name = path.slice(isFolder ? within.length : path.lastIndexOf("/") + 1);
    return { file: decodeURIComponent(name), line: Number(line) };
  }
  return {};
}

// Replacing methods

/** Replaces a method, and keeps what a program can see of it. */
export function replace(owner: object, name: PropertyKey, make: (original: Method) => Method) {
  const descriptor = Object.getOwnPropertyDescriptor(owner, name);
  const original: Method | undefined = descriptor?.value ?? Reflect.get(owner, name);
  if (typeof original !== "function") return;
  const method = make(original);
  Object.defineProperty(method, "name", { value: original.name, configurable: true });
  Object.defineProperty(method, "length", { value: original.length, configurable: true });
  const { enumerable = false } = descriptor ?? {};
  Object.defineProperty(owner, name, {
    value: method,
    enumerable,
    configurable: true,
    writable: true,
  });
}

/** Replaces a getter. */
function replaceGetter(owner: object, name: string, make: (original: Method) => Method) {
  const descriptor = Object.getOwnPropertyDescriptor(owner, name);
  if (descriptor?.get) {
    Object.defineProperty(owner, name, { ...descriptor, get: make(descriptor.get) });
  }
}

/**
 * Takes the tracer's frames out of the stack of an error that was thrown while they were on it. Deno prints an uncaught
 * error from the frames that it has recorded, which can only be recorded again without those above the tracer: those of Deno
 * itself are then missing.
 */
export function hideTracer(error: unknown, method: Method) {
  if (!(error instanceof Error) || typeof error.stack !== "string") return;
  const stack = error.stack.split("\n").filter((line) => !line.includes(SELF)).join("\n");
  Error.captureStackTrace(error, method);
  void error.stack; // records the frames
  error.stack = stack;
}

/** Calls a method that returns at once. */
function callSync<T>(method: Method, call: () => T, onError: (error: unknown) => void): T {
  try {
    return call();
  } catch (error) {
    onError(error);
    hideTracer(error, method);
    throw error;
  }
}

// Addresses

/** Whether a host is not this machine's loopback interface. */
function isRemote(host: string): boolean {
  if (["", "localhost", "0.0.0.0", "::", "::1"].includes(host) || host.startsWith("127.")) {
    return false;
  }
  return !/^2(2[4-9]|3\d)\./.test(host); // multicast stays
}

/** An address, as far as it is known. */
export interface Place {
  /** Its host. */
  host: string;
  /** Its port. */
  port: number;
}

const shownPorts = new Map(Object.entries(config.ports).map(([port, to]) => [to, Number(port)]));
const shownPlaces = new Map<string, Place>();

/** The address to use in place of the one that the program gives. */
export function actual(host: string | undefined, port: number): { host?: string; port: number } {
  const toPort = config.ports[port] ?? port;
  if (!config.toLoopback || host === undefined || !isRemote(host)) return { host, port: toPort };
  const toHost = host.includes(":") ? "::1" : "127.0.0.1";
  const isName = !host.includes(":") && !/^[\d.]+$/.test(host);
  shownPlaces.set(`${toHost} ${toPort}`, { host: isName ? toHost : host, port });
  return { host: toHost, port: toPort };
}

/** The address to listen at in place of the one that the program gives. */
export function actualLocal(
  host: string | undefined,
  port: number,
): { host?: string; port: number } {
  const real = actual(host, port);
  return config.anyPort && port !== 0 && !(port in config.ports) ? { ...real, port: 0 } : real;
}

/** Takes in where a socket listens, so that the program sees the address that it gave. */
export function listensAt(bound: Place, host: string | undefined, port: number): Place {
  if (config.anyPort && port !== 0 && bound.port !== port) {
    config.ports[port] = bound.port; // for its own connections to this port
    shownPorts.set(bound.port, port);
    const isMoved = config.toLoopback && host !== undefined && isRemote(host);
    const isAddress = host?.includes(":") || /^[\d.]+$/.test(host ?? "");
    shownPlaces.set(`${bound.host} ${bound.port}`, {
      host: isMoved && isAddress ? host : bound.host,
      port,
    });
  }
  return shown(bound.host, bound.port);
}

/** The address that the program would see without the tracer. */
export function shown(host: string, port: number): Place {
  return shownPlaces.get(`${host} ${port}`) ?? { host, port: shownPorts.get(port) ?? port };
}

/** Gives an error the address that it would name without the tracer. */
export function restoreAddress(error: unknown, seen: Place, real: { host?: string; port: number }) {
  if (
    !(error instanceof Error) || seen.port === real.port && (real.host ?? seen.host) === seen.host
  ) return;
  const from = `${real.host ?? seen.host}:${real.port}`;
  const to = `${seen.host}:${seen.port}`;
  if (!error.message.includes(from)) return;
  const { stack } = error;
  error.message = error.message.replaceAll(from, to);
  if (typeof stack === "string") error.stack = stack.replaceAll(from, to);
  if (!("port" in error)) return;
  Object.assign(error, { port: seen.port }, "address" in error ? { address: seen.host } : {});
}

/** The fields for an address. */
export function both(
  name: "local" | "peer",
  seen: Place,
  real: { host?: string; port: number },
): Fields {
  const address = { host: seen.host, port: seen.port };
  const isSame = real.port === seen.port && (real.host ?? seen.host) === seen.host;
  return {
    [name]: address,
    ...isSame ? {} : { actual: { host: real.host ?? seen.host, port: real.port } },
  };
}

const shownAddress = (address: Deno.Addr): Deno.Addr => {
  if (!("hostname" in address)) return address;
  const { host: hostname, port } = shown(address.hostname, address.port);
  if (hostname === address.hostname && port === address.port) return address;
  return Object.assign(Object.create(Object.getPrototypeOf(address)), address, { hostname, port });
};
const placeOf = (address: Deno.Addr): Place => {
  const { hostname: host, port } = address as Deno.NetAddr;
  return { host, port };
};

// Sockets

/** What is known of a socket of the program. */
export interface Socket {
  /** The fields `socket` and `transport` of its events. */
  fields: { socket: number; transport: "tcp" | "udp" };
  /** Whether it is closed. */
  isClosed?: boolean;
  /** Whether it could not connect. */
  hasFailed?: boolean;
}

let sockets = 0;
const known = new WeakMap<object, Socket>();

/** Gives a socket its number. */
export function newSocket(transport: "tcp" | "udp"): Socket {
  return { fields: { socket: ++sockets, transport } };
}

/** Reports that a socket is closed, once. */
export function closed(socket: Socket | undefined, where: Fields = place()) {
  if (!socket || socket.isClosed) return;
  socket.isClosed = true;
  emit("close", now(), { ...where, ...socket.fields });
}

const patched = new WeakSet<object>();

/** The prototype that has a method, the first time that one of its objects is seen. */
function unpatched(thing: object, method: string): object | undefined {
  let owner = Object.getPrototypeOf(thing);
  while (owner && !Object.hasOwn(owner, method)) owner = Object.getPrototypeOf(owner);
  if (!owner || patched.has(owner)) return undefined;
  patched.add(owner);
  return owner;
}

/** Follows a promise: reports a failure, and settles in the same way. */
function follow<T>(
  promise: Promise<T>,
  onValue: (value: T) => T | void,
  onError: (error: unknown) => void,
) {
  return promise.then((value) => {
    const other = onValue(value);
    return other === undefined ? value : other as T;
  }, (error) => {
    onError(error);
    throw error;
  });
}

/** Counts a call whose promise settles with the bytes that it sent or received. */
function counted(kind: "send" | "receive", promise: Promise<number | null>) {
  return follow(promise, (length) => countCall(kind, length ?? 0), () => {});
}

function traceConnection(connection: Deno.Conn, socket: Socket) {
  known.set(connection, socket);
  const owner = unpatched(connection, "read");
  if (!owner) return;
  replace(
    owner,
    "read",
    (read) =>
      function (this: Deno.Conn, buffer: Uint8Array, ...rest: unknown[]) {
        const socket = known.get(this);
        if (!socket) return read.call(this, buffer, ...rest); // a socket that is a file, or TLS
        if (isBurst()) {
          return counted("receive", read.call(this, buffer, ...rest));
        }
        const fields = { ...place(), ...socket.fields, call: "read", size: buffer?.length };
        emit("receive", now(), { ...fields, isWaiting: true });
        return follow(read.call(this, buffer, ...rest) as Promise<number | null>, (length) => {
          emit("receive", now(), { ...fields, ...held(buffer.subarray(0, length ?? 0)) });
        }, (error) => emit("receive", now(), { ...fields, ...failed(error) }));
      },
  );
  replace(
    owner,
    "write",
    (write) =>
      function (this: Deno.Conn, data: Uint8Array, ...rest: unknown[]) {
        const socket = known.get(this);
        if (!socket) return write.call(this, data, ...rest);
        if (isBurst()) return counted("send", write.call(this, data, ...rest));
        const at = now();
        const fields = { ...place(), ...socket.fields, call: "write" };
        const copy = data instanceof Uint8Array ? data : new Uint8Array();
        return follow(
          write.call(this, data, ...rest) as Promise<number>,
          (length) => emit("send", at, { ...fields, ...held(copy.subarray(0, length)) }),
          (error) => emit("send", at, { ...fields, ...failed(error) }),
        );
      },
  );
  replace(owner, "closeWrite", (closeWrite) =>
    function (this: Deno.Conn) {
      const socket = known.get(this);
      if (!socket) return closeWrite.call(this);
      const fields = { ...place(), ...socket.fields, how: "write" };
      const at = now();
      return follow(
        closeWrite.call(this) as Promise<void>,
        () => emit("shutdown", at, fields),
        (error) => emit("shutdown", at, { ...fields, ...failed(error) }),
      );
    });
  traceClosing(owner);
  const streams = new WeakMap<object, object>();
  const once = <T extends object>(key: T, make: () => object) => {
    if (!streams.has(key)) streams.set(key, make());
    return streams.get(key);
  };
  replaceGetter(owner, "readable", (readable) =>
    function (this: Deno.Conn) {
      const stream: ReadableStream<Uint8Array<ArrayBuffer>> = readable.call(this);
      const socket = known.get(this);
      return socket ? once(stream, () => traceReadable(stream, socket.fields, place())) : stream;
    });
  replaceGetter(owner, "writable", (writable) =>
    function (this: Deno.Conn) {
      const stream: WritableStream<Uint8Array> = writable.call(this);
      const socket = known.get(this);
      return socket ? once(stream, () => traceWritable(stream, socket, place())) : stream;
    });
  for (const name of ["localAddr", "remoteAddr"]) {
    replaceGetter(owner, name, (get) =>
      function (this: Deno.Conn) {
        return shownAddress(get.call(this));
      });
  }
}

function traceClosing(owner: object) {
  for (const name of ["close", Symbol.dispose]) {
    replace(owner, name, (close) =>
      function traced(this: object) {
        const socket = known.get(this);
        // At the end of a block, the line at work is that of whatever came before.
        if (socket) closed(socket, name === "close" ? place() : {});
        return callSync(traced, () => close.call(this), () => {});
      });
  }
}

/** A stream that gives the same chunks, reads no further ahead, and reports them. */
function traceReadable(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  fields: Fields,
  where: Fields,
  kind = "receive",
): ReadableStream<Uint8Array> {
  const reader = stream.getReader();
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      const all = { ...where, ...fields, ...kind === "receive" ? { call: "readable" } : {} };
      emit(kind, now(), { ...all, isWaiting: true });
      const { value, done } = await reader.read();
      const data = value ?? new Uint8Array();
      emit(kind, now(), { ...all, ...kind === "receive" ? held(data) : { length: data.length } });
      if (!done) return controller.enqueue(value);
      controller.close();
      controller.byobRequest?.respond(0);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

function traceWritable(stream: WritableStream<Uint8Array>, socket: Socket, where: Fields) {
  const writer = stream.getWriter();
  return new WritableStream<Uint8Array>({
    async write(chunk) {
      const at = now();
      await writer.write(chunk);
      emit("send", at, { ...where, ...socket.fields, call: "writable", ...held(chunk) });
    },
    close() {
      closed(socket, where);
      return writer.close();
    },
    abort: (reason) => writer.abort(reason),
  });
}

function traceListener(listener: Deno.Listener, socket: Socket) {
  known.set(listener, socket);
  const owner = unpatched(listener, "accept");
  if (!owner) return;
  replace(owner, "accept", (accept) =>
    function (this: Deno.Listener) {
      const socket = known.get(this);
      if (!socket) return accept.call(this);
      const fields = { ...place(), ...socket.fields };
      emit("accept", now(), { ...fields, isWaiting: true });
      return follow(accept.call(this) as Promise<Deno.Conn>, (connection) => {
        const at = now();
        const accepted = newSocket("tcp");
        const real = placeOf(connection.remoteAddr);
        traceConnection(connection, accepted);
        const peer = both("peer", shown(real.host, real.port), real);
        emit("accept", at, { ...fields, accepted: accepted.fields.socket, ...peer });
      }, (error) => emit("accept", now(), { ...fields, ...failed(error) }));
    });
  traceClosing(owner);
  replaceGetter(owner, "addr", (addr) =>
    function (this: Deno.Listener) {
      return shownAddress(addr.call(this));
    });
}

function traceDatagrams(socket: Deno.DatagramConn, state: Socket) {
  known.set(socket, state);
  const owner = unpatched(socket, "receive");
  if (!owner) return;
  replace(owner, "receive", (receive) =>
    function (this: Deno.DatagramConn, buffer?: Uint8Array) {
      const socket = known.get(this);
      if (!socket) return receive.call(this, buffer);
      const isCounted = isBurst();
      const size = buffer?.length ?? MAX_DATA;
      const fields = { ...isCounted ? {} : place(), ...socket.fields, call: "receive", size };
      if (!isCounted) emit("receive", now(), { ...fields, isWaiting: true });
      const promise = receive.call(this, buffer) as Promise<[Uint8Array, Deno.Addr]>;
      return follow(promise, ([data, from]) => {
        const seen = shownAddress(from);
        if (isCounted) countCall("receive", data.length);
        else {emit("receive", now(), {
            ...fields,
            ...held(data),
            ...both("peer", placeOf(seen), placeOf(from)),
          });}
        return seen === from ? undefined : [data, seen] as [Uint8Array, Deno.Addr];
      }, (error) => emit("receive", now(), { ...fields, ...failed(error) }));
    });
  replace(
    owner,
    "send",
    (send) =>
      function (this: Deno.DatagramConn, data: Uint8Array, to: Deno.NetAddr) {
        const socket = known.get(this);
        if (!socket) return send.call(this, data, to);
        const at = now();
        const seen = placeOf(to);
        const real = actual(seen.host, seen.port);
        const isMoved = real.host !== seen.host || real.port !== seen.port;
        const address = isMoved ? { ...to, hostname: real.host, port: real.port } : to;
        if (isBurst(at)) return counted("send", send.call(this, data, address));
        const fields = { ...place(), ...socket.fields, call: "send", ...both("peer", seen, real) };
        return follow(
          send.call(this, data, address) as Promise<number>,
          (length) => emit("send", at, { ...fields, ...held(data.subarray(0, length)) }),
          (error) => {
            emit("send", at, { ...fields, ...failed(error) });
            restoreAddress(error, seen, real);
          },
        );
      },
  );
  traceClosing(owner);
  replaceGetter(owner, "addr", (addr) =>
    function (this: Deno.DatagramConn) {
      return shownAddress(addr.call(this));
    });
}

type ListenOptions = { hostname?: string; port?: number; transport?: string };

/** Returns the options with the address to use and the address to report; `undefined` for Unix sockets. */
function moved(options: ListenOptions | undefined, host: string, toActual = actual) {
  const { hostname, port, transport = "tcp" } = options ?? {};
  if (typeof port !== "number" || !["tcp", "udp"].includes(transport)) return undefined;
  const real = toActual(hostname, port);
  const isMoved = real.host !== hostname || real.port !== port;
  return {
    options: isMoved ? { ...options, hostname: real.host, port: real.port } : options,
    seen: { host: hostname ?? host, port },
    real,
  };
}

replace(Deno, "connect", (connect) =>
  function (options: ListenOptions) {
    const target = moved(options, "127.0.0.1");
    if (!target) return connect.call(Deno, options);
    const socket = newSocket("tcp");
    const fields = { ...place(), ...socket.fields, ...both("peer", target.seen, target.real) };
    const at = now();
    emit("connect", at, { ...fields, isWaiting: true });
    return follow(connect.call(Deno, target.options) as Promise<Deno.Conn>, (connection) => {
      traceConnection(connection, socket);
      emit("connect", at, fields);
    }, (error) => {
      emit("connect", at, { ...fields, ...failed(error) });
      restoreAddress(error, target.seen, target.real);
    });
  });

for (const name of ["listen", "listenDatagram"] as const) {
  const isTcp = name === "listen";
  replace(Deno, name, (listen) =>
    function traced(options: ListenOptions) {
      const target = moved(options, "0.0.0.0", actualLocal);
      if (!target) return callSync(traced, () => listen.call(Deno, options), () => {});
      const socket = newSocket(isTcp ? "tcp" : "udp");
      const at = now();
      const fields = { ...place(), ...socket.fields };
      const kind = isTcp ? "listen" : "bind";
      const result = callSync(traced, () => listen.call(Deno, target.options), (error) => {
        emit(kind, at, { ...fields, ...both("local", target.seen, target.real), ...failed(error) });
        restoreAddress(error, target.seen, target.real);
      });
      const real = placeOf(result.addr);
      const seen = listensAt(real, options.hostname, target.seen.port);
      emit(kind, at, { ...fields, ...both("local", seen, real) });
      if (isTcp) traceListener(result, socket);
      else traceDatagrams(result, socket);
      return result;
    });
}

// The screen

type Screen = "stdout" | "stderr";
let isToldByProgram = false;

/** Reports what the program prints. */
function printed(stream: Screen, text: string, where = place) {
  if (printsLeft <= 0 || text === "") return;
  printsLeft -= Math.min(text.length, MAX_TEXT) + 100;
  emit("print", now(), { ...where(), stream, text: text.slice(0, MAX_TEXT) });
}

// A program that gathers its output before it writes it can say when it prints: then what it writes is not reported.
holder[HOLDER] = {
  printed(stream: Screen, text: string) {
    isToldByProgram = true;
    if (!isBurst()) printed(stream, text);
  },
};

// A second console, in step with the program's, says what the program's prints.
// deno-lint-ignore no-explicit-any -- Deno has no public name for it
const { Console } = (Deno as any)[(Deno as any).internal];
let where: Fields = {};
let isInConsole = false;
const twin = new Console((text: string, level: number) =>
  printed(level > 1 ? "stderr" : "stdout", text, () => where)
);
for (
  const name of "log info debug error warn dir table assert count group groupCollapsed groupEnd"
    .split(" ")
) {
  replace(console, name, (original) =>
    function (this: unknown, ...args: unknown[]) {
      if (isInConsole) return original.apply(this, args); // a method that calls another one prints once
      if (printsLeft > 0 && !isBurst()) {
        where = place();
        twin[name](...args);
      }
      isInConsole = true;
      try {
        return original.apply(this, args);
      } finally {
        isInConsole = false;
      }
    });
}

for (const stream of ["stdout", "stderr"] as const) {
  for (const name of ["write", "writeSync"] as const) {
    replace(Deno[stream], name, (original) =>
      function (this: unknown, data: Uint8Array) {
        if (!isToldByProgram && data instanceof Uint8Array && printsLeft > 0 && !isBurst()) {
          printed(stream, decoder.decode(data));
        }
        return original.call(this, data);
      });
  }
}

// The keyboard

replace(Deno.stdin, "read", (read) =>
  function (this: unknown, buffer: Uint8Array) {
    const where = place();
    emit("input", now(), { ...where, isWaiting: true });
    return follow(
      read.call(this, buffer) as Promise<number | null>,
      (length) => emit("input", now(), { ...where, length: length ?? 0 }),
      () => {},
    );
  });
replace(Deno.stdin, "readSync", (readSync) =>
  function traced(this: unknown, buffer: Uint8Array) {
    const where = place();
    emit("input", now(), { ...where, isWaiting: true });
    const length = callSync(traced, () => readSync.call(this, buffer), () => {});
    emit("input", now(), { ...where, length: length ?? 0 });
    return length;
  });
const stdinStreams = new WeakMap<object, object>();
replaceGetter(
  Object.getPrototypeOf(Deno.stdin),
  "readable",
  (readable) =>
    function (this: unknown) {
      const stream: ReadableStream<Uint8Array<ArrayBuffer>> = readable.call(this);
      if (!stdinStreams.has(stream)) {
        stdinStreams.set(stream, traceReadable(stream, {}, place(), "input"));
      }
      return stdinStreams.get(stream);
    },
);
replace(globalThis, "prompt", (prompt) =>
  function (...args: unknown[]) {
    const where = place();
    emit("input", now(), {
      ...where,
      isWaiting: true,
      text: args.length > 0 ? `${args[0]} ` : "Prompt ",
    });
    const answer = prompt(...args);
    emit("input", now(), {
      ...where,
      length: answer === null ? 0 : encoder.encode(answer).length + 1,
    });
    return answer;
  });

emit("start", now(), { text: `Deno ${Deno.version.deno}` });
