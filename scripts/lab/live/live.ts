/**
 * The command `lab live`: a page on this machine in which a lab runs.
 *
 * Whoever can talk to the page's server can run programs with the user's rights. So it listens on the loopback
 * interface only, and refuses:
 * - requests without the token, which is in the address that the command prints,
 * - another name in the header Host: a foreign page could use a name of its own that leads to this machine (DNS
 *   rebinding),
 * - WebSockets of pages with another origin.
 *
 * @module
 */
import { timingSafeEqual } from "node:crypto";
import { UserError } from "../../cli.ts";
import type { Lab, Role } from "../catalog/header.ts";
import { safe, write } from "../terminal/output.ts";
import { Bench } from "./bench.ts";
import type { FromPage, ToPage } from "./messages.ts";
import { loadLivePage } from "./page.ts";

const GRACE = 4000; // milliseconds from the end of the last page to the end of the command
const MAX_MESSAGE = 50_000; // characters of a message from the page
const MAX_PAGES = 8; // that are open at the same time

/** How to run. */
export interface LiveOptions {
  /** Files that take the places of the scripts. */
  files: Partial<Record<Role, string>>;
  /** Whether to open the page in the user's browser. */
  isOpened: boolean;
}

/**
 * Serves the page, and waits until it was opened and closed again.
 *
 * @param lab The lab that the page shows first.
 * @param options How to run.
 */
export async function live(lab: Lab, { files, isOpened }: LiveOptions): Promise<void> {
  const token = crypto.getRandomValues(new Uint8Array(16)).toHex();
  const page = await loadLivePage();
  const pages = new Set<WebSocket>();
  const closed = Promise.withResolvers<void>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const connect = (socket: WebSocket) => {
    pages.add(socket);
    clearTimeout(timer);
    const end = serveBench(socket, lab, files);
    socket.onclose = async () => {
      await end();
      pages.delete(socket);
      if (pages.size === 0) timer = setTimeout(closed.resolve, GRACE);
    };
  };
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {}, onError: () => refuse(500, "an error") },
    (request) => {
      const { port } = server.addr as Deno.NetAddr;
      const problem = problemWith(request, port);
      if (problem) return refuse(403, problem);
      const [, given, path, ...more] = new URL(request.url).pathname.split("/");
      if (!isEqual(given ?? "", token)) {
        return refuse(403, "open the address that lab live has printed, with its token");
      }
      if (more.length > 0) return refuse(404, "page not found");
      if (path === "") return new Response(page.html, { headers: page.headers });
      if (path !== "socket") return refuse(404, "page not found");
      if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
        return refuse(426, "this is the address of a WebSocket");
      }
      if (pages.size >= MAX_PAGES) return refuse(429, "too many pages are open");
      const { socket, response } = Deno.upgradeWebSocket(request);
      connect(socket);
      return response;
    },
  );
  const address = `http://127.0.0.1:${(server.addr as Deno.NetAddr).port}/${token}/`;
  write`${address}\n`;
  write`Open this address in a browser on this machine. Ctrl-C ends all of it.\n`;
  if (isOpened) openBrowser(address);
  await closed.promise;
  await server.shutdown();
}

/** Returns why a request is refused, if it is, whatever its path. */
function problemWith({ method, headers }: Request, port: number): string | undefined {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  if (!hosts.includes(headers.get("host") ?? "")) return "the host is unknown here";
  if (method !== "GET") return "the method is not allowed";
  const isSocket = headers.has("upgrade");
  const origin = headers.get("origin");
  if (origin === null ? isSocket : !hosts.some((host) => origin === `http://${host}`)) {
    return "the origin is unknown here";
  }
}

function refuse(status: number, why: string): Response {
  return new Response(`${why}\n`, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" },
  });
}

/** Compares two texts in a time that does not depend on where they differ. */
function isEqual(a: string, b: string): boolean {
  const encoder = new TextEncoder();
  const [left, right] = [encoder.encode(a), encoder.encode(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Runs a lab for a page. Returns a function that ends it. */
function serveBench(
  socket: WebSocket,
  lab: Lab,
  files: Partial<Record<Role, string>>,
): () => Promise<void> {
  const send = (message: ToPage) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  };
  const report = (error: unknown) => send({ type: "message", text: messageOf(error) });
  const opened = Promise.withResolvers<Bench | undefined>();
  socket.onopen = () => Bench.open(lab, files, send).then(opened.resolve, report);
  socket.onerror = () => {}; // `onclose` follows
  let working: Promise<unknown> = opened.promise;
  socket.onmessage = ({ data }) => {
    // Not awaited by the next message: a program that starts can be stopped.
    const take = async () => {
      const bench = await opened.promise;
      await bench?.take(readMessage(data));
    };
    working = Promise.all([working, take().catch(report)]);
  };
  return async () => {
    opened.resolve(undefined); // if it was never open
    const bench = await opened.promise;
    await bench?.[Symbol.asyncDispose]();
    await working;
  };
}

function readMessage(data: unknown): FromPage {
  if (typeof data !== "string" || data.length > MAX_MESSAGE) {
    throw new UserError("the page sent a message that is too long");
  }
  try {
    const message = JSON.parse(data);
    if (typeof message === "object" && message !== null) return message;
  } catch { /* not JSON */ }
  throw new UserError("the page sent a message that lab live does not know");
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return `${error}`;
  const hint = error instanceof UserError && error.hint ? `: ${error.hint}` : "";
  return safe`${error.message}${hint}`.text;
}

/** Opens an address with the program that the system has for it. */
function openBrowser(address: string) {
  const [program, ...args] = {
    windows: ["explorer", address],
    darwin: ["open", address],
  }[Deno.build.os as string] ?? ["xdg-open", address];
  try {
    const options = { args, stdin: "null", stdout: "null", stderr: "null" } as const;
    new Deno.Command(program, options).spawn().unref();
  } catch { /* the program is not installed: the address is printed */ }
}
