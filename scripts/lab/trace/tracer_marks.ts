/**
 * Loaded before a script with `--preload`, it marks in the script's output where
 * the script uses the network.
 *
 * @module
 */
import { write } from "../../cli.ts";
import { type Mark, MARK_END, MARK_START } from "./mark.ts";

// deno-lint-ignore no-explicit-any -- methods of all kinds are traced alike
type Method = (...args: any[]) => any;
type Told = Omit<Mark, "at"> | undefined;

/** The line of the script that is at work. */
function currentRow(): number | undefined {
  const frames = new Error().stack ?? "";
  const script = `${Deno.mainModule}:`;
  const start = frames.indexOf(script);
  return start < 0 ? undefined : parseInt(frames.slice(start + script.length));
}

/** Has a method marked: what it is called with, or what it has given. */
function trace(
  thing: object,
  name: PropertyKey,
  before: (...args: Parameters<Method>) => Told,
  after: (result: ReturnType<Method>) => Told = () => undefined,
) {
  const method: Method = Reflect.get(thing, name);
  function traced(this: unknown, ...args: unknown[]) {
    const row = currentRow();
    const tell = (told: Told) => {
      if (told) write(MARK_START + JSON.stringify({ at: Date.now(), row, ...told }) + MARK_END);
    };
    tell(before(...args));
    const result = method.apply(this, args);
    if (!(result instanceof Promise)) {
      tell(after(result));
      return result;
    }
    return result.then((value) => {
      tell(after(value));
      return value;
    });
  }
  Object.defineProperty(thing, name, { value: traced, configurable: true, writable: true });
}

const nothing = () => undefined;

function traceConnection(connection: Deno.Conn): undefined {
  trace(connection, "read", nothing, (length) => ({ call: "read", length }));
  trace(connection, "write", ({ length }) => ({ call: "write", length }));
  trace(connection, "closeWrite", () => ({ call: "closeWrite" }));
  trace(connection, "close", () => ({ call: "close" }));
  // At the end of a block, the line at work is that of whatever came before.
  trace(connection, Symbol.dispose, () => ({ call: "close", row: undefined }));
}

trace(Deno, "connect", () => ({ call: "connect" }), traceConnection);
trace(Deno, "listen", nothing, (listener) => {
  trace(listener, "accept", nothing, (connection) => {
    traceConnection(connection);
    return { call: "accept" };
  });
  return { call: "listen" };
});
trace(Deno, "listenDatagram", nothing, (socket) => {
  trace(socket, "receive", nothing, ([{ length }]) => ({ call: "receive", length }));
  trace(socket, "send", ({ length }) => ({ call: "send", length }));
  return { call: "bind" };
});
const decoder = new TextDecoder();
for (const name of ["write", "writeSync"]) {
  trace(Deno.stderr, name, (data) => ({ call: "note", text: decoder.decode(data) }));
}
