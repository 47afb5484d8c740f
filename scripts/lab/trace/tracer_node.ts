/**
 * Reports what a program does with Node's sockets, `node:net` and `node:dgram`; see tracer.ts.
 *
 * A listener of the program's must not be called from here: an error in it would show the tracer on its stack. So the tracer
 * adds listeners of its own, next to the program's and before them, only where they change nothing for a stream.
 *
 * @module
 */
import dgram from "node:dgram";
import { EventEmitter } from "node:events";
import net from "node:net";
import {
  actual,
  actualLocal,
  both,
  closed,
  countCall,
  emit,
  failed,
  type Fields,
  held,
  hideTracer,
  isBurst,
  listensAt,
  type Method,
  newSocket,
  now,
  place,
  replace,
  restoreAddress,
  shown,
  type Socket,
} from "./tracer.ts";

/** Adds a listener before those of the program, and without what a stream does when it gets one. */
const listen = (emitter: object, name: string | symbol, listener: Method) =>
  EventEmitter.prototype.prependListener.call(emitter as EventEmitter, name, listener);

const sockets = new WeakMap<object, Socket>();
const bytes = (data: unknown, encoding: unknown): Uint8Array =>
  typeof data === "string"
    ? Buffer.from(data, typeof encoding === "string" ? encoding as BufferEncoding : "utf8")
    : data instanceof Uint8Array
    ? data
    : new Uint8Array();

/** Calls the original, and keeps the tracer off the stack of what it throws. */
function call(traced: Method, original: Method, self: unknown, args: unknown[]) {
  try {
    return original.apply(self, args);
  } catch (error) {
    hideTracer(error, traced);
    throw error;
  }
}

// TCP

interface Reading {
  isListening?: boolean; // there is a listener for "data"
  depth: number; // calls of read() that are under way: the "data" in them is counted once
}
const readings = new WeakMap<object, Reading>();

function traceSocket(connection: net.Socket, socket: Socket) {
  sockets.set(connection, socket);
  readings.set(connection, { depth: 0 });
  const where = place();
  listen(
    connection,
    "end",
    () => emit("receive", now(), { ...where, ...socket.fields, call: "end", length: 0 }),
  );
  listen(connection, "close", () => closed(socket, {}));
  listen(connection, EventEmitter.errorMonitor, (error) => {
    if (socket.hasFailed) return;
    emit(socket.isClosed ? "close" : "receive", now(), {
      ...where,
      ...socket.fields,
      call: "error",
      ...failed(error),
    });
  });
}

function received(connection: net.Socket, data: unknown, where: Fields) {
  const copy = bytes(data, connection.readableEncoding);
  if (isBurst()) return countCall("receive", copy.length);
  emit("receive", now(), {
    ...where,
    ...sockets.get(connection)?.fields,
    call: "data",
    ...held(copy),
  });
}

const proto = net.Socket.prototype as unknown as Record<string, Method>;

for (const name of ["on", "addListener", "once", "prependListener"]) {
  replace(
    proto,
    name,
    (on) =>
      function traced(this: net.Socket, event: unknown, ...rest: unknown[]) {
        const reading = readings.get(this);
        if (event === "data" && reading && !reading.isListening) {
          reading.isListening = true;
          const where = place();
          const own = (data: unknown) => {
            if (reading.depth === 0) received(this, data, where);
          };
          listen(this, "data", own);
          // This listener is removed with the program's last one: a stream without listeners does not read.
          listen(this, "removeListener", (removed) => {
            if (
              removed !== "data" || this.listenerCount("data") !== 1 || !reading.isListening
            ) return;
            reading.isListening = false;
            EventEmitter.prototype.removeListener.call(this, "data", own);
          });
        }
        return call(traced, on, this, [event, ...rest]);
      },
  );
}

replace(proto, "read", (read) =>
  function traced(this: net.Socket, ...args: unknown[]) {
    const reading = readings.get(this);
    if (!reading) return read.apply(this, args);
    reading.depth++;
    let data;
    try {
      data = call(traced, read, this, args);
    } finally {
      reading.depth--;
    }
    if (data !== null && data !== undefined) received(this, data, place());
    return data;
  });

/** An address in the arguments of a call. */
interface Target {
  host?: string;
  port: number;
  /** The arguments with another address in its place. */
  move(real: { host?: string; port: number }): unknown[];
}

/** The host and the port in the arguments of connect() or listen(). */
function addressIn(args: unknown[]): Target | undefined {
  const first = args[0] as Record<string, unknown> | unknown[] | number | string | undefined;
  if (Array.isArray(first)) { // arguments that node:net has already put in order
    const options = first[0] as Record<string, unknown>;
    const found = typeof options === "object" && options ? addressIn([options]) : undefined;
    if (!found) return undefined;
    const move: Target["move"] = (real) => {
      const [moved] = found.move(real);
      return [Object.assign([...first], { 0: moved }, symbolsOf(first)), ...args.slice(1)];
    };
    return { ...found, move };
  }
  if (typeof first === "object" && first !== null) {
    const { port, host } = first;
    if (port === undefined || Number.isNaN(Number(port))) return undefined;
    return {
      host: host as string | undefined,
      port: Number(port),
      move: (real) => [
        { ...first, port: real.port, ...real.host === undefined ? {} : { host: real.host } },
        ...args.slice(1),
      ],
    };
  }
  if (typeof first !== "number" && !/^\d+$/.test(String(first))) return undefined;
  const hasHost = typeof args[1] === "string";
  return {
    host: hasHost ? args[1] as string : undefined,
    port: Number(first),
    move: (real) => [
      real.port,
      ...hasHost ? [real.host] : [],
      ...args.slice(hasHost ? 2 : 1),
    ],
  };
}

/** The properties of an array that have symbols for names, by which node:net knows its own. */
function symbolsOf(list: unknown[]): Record<symbol, unknown> {
  return Object.fromEntries(
    Object.getOwnPropertySymbols(list).map((name) => [name, Reflect.get(list, name)]),
  );
}

replace(proto, "connect", (connect) =>
  function traced(this: net.Socket, ...args: unknown[]) {
    const target = addressIn(args);
    if (!target) return call(traced, connect, this, args);
    const seen = { host: target.host ?? "localhost", port: target.port };
    const real = actual(target.host, target.port);
    const socket = newSocket("tcp");
    const at = now();
    const fields = { ...place(), ...socket.fields, ...both("peer", seen, real) };
    emit("connect", at, { ...fields, isWaiting: true });
    traceSocket(this, socket);
    let isConnected = false;
    listen(this, "connect", () => {
      isConnected = true;
      emit("connect", at, fields);
    });
    listen(this, EventEmitter.errorMonitor, (error) => {
      if (isConnected) return;
      socket.hasFailed = true;
      emit("connect", at, { ...fields, ...failed(error) });
      restoreAddress(error, { ...seen, host: target.host ?? "127.0.0.1" }, real);
    });
    const isMoved = real.port !== target.port || real.host !== target.host;
    return call(traced, connect, this, isMoved ? target.move(real) : args);
  });

for (const name of ["write", "end"]) {
  replace(proto, name, (original) =>
    function traced(this: net.Socket, ...args: unknown[]) {
      const socket = sockets.get(this);
      const at = now();
      const isCounted = socket !== undefined && name === "write" && isBurst(at);
      const where = socket && !isCounted ? place() : {};
      const isHalfClosed = this.writableEnded;
      const result = call(traced, original, this, args);
      if (!socket || isHalfClosed) return result;
      const data = typeof args[0] === "function" ? new Uint8Array() : bytes(args[0], args[1]);
      if (data.length > 0) {
        emit("send", at, { ...where, ...socket.fields, call: name, ...held(data) });
      }
      if (name === "end") {
        emit("shutdown", at, { ...where, ...socket.fields, how: "write" });
      }
      return result;
    });
}

for (const name of ["destroy", "resetAndDestroy"]) {
  replace(proto, name, (original) =>
    function traced(this: net.Socket, ...args: unknown[]) {
      const socket = sockets.get(this);
      if (socket) closed(socket);
      return call(traced, original, this, args);
    });
}

replace(proto, "setTimeout", (original) =>
  function traced(this: net.Socket, ...args: unknown[]) {
    const socket = sockets.get(this);
    const seconds = Number(args[0]) / 1000;
    if (socket) {
      emit("timeout", now(), { ...place(), ...socket.fields, ...seconds > 0 ? { seconds } : {} });
    }
    return call(traced, original, this, args);
  });

replace(
  net.Server.prototype,
  "listen",
  (original) =>
    function traced(this: net.Server, ...args: unknown[]) {
      const target = addressIn(args);
      if (!target) return call(traced, original, this, args);
      const socket = newSocket("tcp");
      sockets.set(this, socket);
      const real = actualLocal(target.host, target.port);
      const at = now();
      const fields = { ...place(), ...socket.fields };
      listen(this, "listening", () => {
        const bound = address.call(this) as net.AddressInfo;
        const at = { host: bound.address, port: bound.port };
        const seen = listensAt(at, target.host, target.port);
        emit("listen", now(), { ...fields, ...both("local", seen, at) });
      });
      listen(this, "connection", (connection: net.Socket) => {
        const accepted = newSocket("tcp");
        const { address = "", port = 0 } = getpeername.call(connection);
        const peer = { host: address, port };
        traceSocket(connection, accepted);
        emit("accept", now(), {
          ...fields,
          accepted: accepted.fields.socket,
          ...both("peer", shown(peer.host, peer.port), peer),
        });
      });
      listen(this, "close", () => closed(socket, {}));
      listen(this, EventEmitter.errorMonitor, (error) => {
        const seen = { host: target.host ?? "::", port: target.port };
        emit("listen", at, { ...fields, ...both("local", seen, real), ...failed(error) });
        restoreAddress(error, seen, real);
      });
      const isMoved = real.port !== target.port || real.host !== target.host;
      return call(traced, original, this, isMoved ? target.move(real) : args);
    },
);

const { address } = net.Server.prototype;
const { address: udpAddress } = dgram.Socket.prototype;
const getpeername = proto._getpeername;

/** The address that the program would see. */
function seenAddress<A>(found: A): A {
  const { address, port } = (found ?? {}) as Partial<net.AddressInfo>;
  if (typeof address !== "string" || typeof port !== "number") return found;
  const seen = shown(address, port);
  return { ...found, address: seen.host, port: seen.port };
}

for (
  const [owner, name] of [
    [net.Server.prototype, "address"],
    [net.Socket.prototype, "_getsockname"],
    [net.Socket.prototype, "_getpeername"], // of which remoteAddress and remotePort are parts
    [dgram.Socket.prototype, "address"],
  ] as const
) {
  replace(owner, name, (original) =>
    function (this: object, ...args: unknown[]) {
      return seenAddress(original.apply(this, args));
    });
}

// UDP

function datagramSocket(self: dgram.Socket): Socket {
  const known = sockets.get(self);
  if (known) return known;
  const socket = newSocket("udp");
  sockets.set(self, socket);
  listen(self, "close", () => closed(socket, {}));
  return socket;
}

for (const name of ["on", "addListener", "once"]) {
  replace(
    dgram.Socket.prototype,
    name,
    (on) =>
      function traced(this: dgram.Socket, event: unknown, ...rest: unknown[]) {
        if (event === "message" && !sockets.has(this)) {
          const { fields } = datagramSocket(this);
          const where = place();
          listen(this, "message", (data: Uint8Array, from: dgram.RemoteInfo) => {
            const real = { host: from.address, port: from.port };
            const seen = shown(real.host, real.port);
            emit("receive", now(), {
              ...where,
              ...fields,
              call: "message",
              ...held(data),
              ...both("peer", seen, real),
            });
            from.address = seen.host; // the program's listeners get the same object
            from.port = seen.port;
          });
        }
        return call(traced, on, this, [event, ...rest]);
      },
  );
}

const { bind } = dgram.Socket.prototype;

replace(
  dgram.Socket.prototype,
  "bind",
  () =>
    function traced(this: dgram.Socket, ...args: unknown[]) {
      const { fields } = datagramSocket(this);
      const first = args[0] as { address?: string; port?: number } | number | undefined;
      const options = typeof first === "object" && first !== null
        ? { host: first.address, port: first.port ?? 0 }
        : { host: typeof args[1] === "string" ? args[1] : undefined, port: Number(first) || 0 };
      const real = actualLocal(options.host, options.port);
      const isMoved = real.port !== options.port || real.host !== options.host;
      const where = place();
      listen(this, "listening", () => {
        const bound = udpAddress.call(this);
        const at = { host: bound.address, port: bound.port };
        const seen = listensAt(at, options.host, options.port);
        emit("bind", now(), { ...where, ...fields, ...both("local", seen, at) });
      });
      listen(
        this,
        EventEmitter.errorMonitor,
        (error) => emit("bind", now(), { ...where, ...fields, ...failed(error) }),
      );
      if (!isMoved) return call(traced, bind, this, args);
      const callbacks = args.filter((arg) => typeof arg === "function");
      const others = typeof first === "object" ? first : {};
      return call(traced, bind, this, [
        { ...others, port: real.port, address: real.host },
        ...callbacks,
      ]);
    },
);

replace(
  dgram.Socket.prototype,
  "send",
  (send) =>
    function traced(this: dgram.Socket, ...args: unknown[]) {
      const { fields } = datagramSocket(this);
      // send(data, [offset, length,] [port, [address,]] [callback])
      const hasOffset = typeof args[1] === "number" && typeof args[2] === "number";
      const at = hasOffset ? 3 : 1;
      const port = Number(args[at]);
      const host = typeof args[at + 1] === "string" ? args[at + 1] as string : undefined;
      const parts = (Array.isArray(args[0]) ? args[0] : [args[0]]).map((part) =>
        bytes(part, "utf8")
      );
      const whole: Uint8Array = parts.length === 1 ? parts[0] : Buffer.concat(parts);
      const data = hasOffset
        ? whole.subarray(args[1] as number, (args[1] as number) + (args[2] as number))
        : whole;
      const time = now();
      let peer = {};
      if (Number.isInteger(port) && args[at] !== undefined) {
        const seen = { host: host ?? "127.0.0.1", port };
        const real = actual(host, port);
        peer = both("peer", seen, real);
        args[at] = real.port;
        if (host !== undefined) args[at + 1] = real.host;
      }
      const where = place();
      // Without an address of its own, the socket first gets one, and sends again when it has it: that is not reported.
      const own = { send, bind };
      const hidden = (["send", "bind"] as const).filter((name) => !Object.hasOwn(this, name));
      for (const name of hidden) {
        Object.defineProperty(this, name, { value: own[name], configurable: true });
      }
      let result;
      try {
        result = call(traced, send, this, args);
      } finally {
        for (const name of hidden) Reflect.deleteProperty(this, name);
      }
      emit("send", time, { ...where, ...fields, call: "send", ...held(data), ...peer });
      return result;
    },
);
