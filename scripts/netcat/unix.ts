/**
 * Unix sockets: their files, and their errors in words.
 *
 * @module
 */
import { explainError } from "../cli.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Removes the file of a Unix socket when the program ends, also by a signal.
 *
 * @param path The file.
 * @returns An object that removes the file earlier, at the end of its scope.
 */
export function removeAtEnd(path: string): Disposable {
  const remove = () => {
    for (const signal of SIGNALS) Deno.removeSignalListener(signal, remove);
    globalThis.removeEventListener("unload", remove);
    try {
      Deno.removeSync(path);
    } catch { /* it was removed when the socket was closed */ }
  };
  for (const signal of SIGNALS) Deno.addSignalListener(signal, remove);
  globalThis.addEventListener("unload", remove);
  return { [Symbol.dispose]: remove };
}

/** Returns what to say about an error of a Unix socket, and what to do about it. */
export function describeUnix(error: unknown, path: string): [message: string, hint?: string] {
  const { AddrInUse, ConnectionRefused, NotCapable, NotFound, PermissionDenied } = Deno.errors;
  const [message, hint] = explainError(error);
  if (error instanceof NotFound) return [`${path} does not exist`, "start the server first"];
  if (error instanceof PermissionDenied) return [`no permission to use ${path}`];
  if (error instanceof ConnectionRefused) return [`nothing is listening on ${path}`];
  if (error instanceof AddrInUse) {
    return [`${path} already exists`, "remove it if no program uses it, or choose another path"];
  }
  if (error instanceof NotCapable) {
    const all = "--allow-net --allow-read --allow-write";
    return [message, hint?.replace("--allow-net", all)];
  }
  return [message.replace(/^ port 0/, path), hint];
}
