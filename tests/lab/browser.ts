/** A real browser: headless Chromium, driven over its DevTools protocol. */
import { assert } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { delimiter, isAbsolute, join } from "node:path";
import { isFile } from "../../scripts/lab/files.ts";

const CANDIDATES = [
  "chromium",
  "chromium-browser",
  "google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe",
];
const PATIENCE = 20_000; // milliseconds for an answer

/** The browser of this machine, if it has one. On Windows, asking one for its version opens it. */
export const BROWSER = CANDIDATES.flatMap((program) =>
  isAbsolute(program)
    ? [program]
    : (Deno.env.get("PATH") ?? "").split(delimiter).map((folder) => join(folder, program))
).find(isFile);

/** The address of a file. */
export function addressOf(file: string): string {
  return new URL(`file://${Deno.build.os === "windows" ? "/" : ""}${file}`).href;
}

/** What a browser tells: an answer to what it was told, or an event. */
interface Message {
  id?: number;
  method?: string;
  params: Record<string, unknown>;
  result: Record<string, unknown>;
  error?: { message: string };
}

/** A page in a browser of its own. */
export class Page {
  /** The addresses that it asked for. */
  readonly requests: string[] = [];
  /** What it logged as an error, and errors that nothing caught. */
  readonly errors: string[] = [];
  #child: Deno.ChildProcess;
  #folder: string;
  #socket!: WebSocket;
  #session?: string;
  #waiting = new Map<number, (message: Message) => void>();
  #onLoad = () => {};
  #stderr?: ReadableStreamDefaultReader<Uint8Array>;

  private constructor(child: Deno.ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
  }

  /** Starts a browser with an empty page. */
  static async open(): Promise<Page> {
    const folder = await Deno.makeTempDir();
    const flags = "headless no-sandbox disable-gpu no-first-run disable-background-networking " +
      "disable-component-update disable-sync disable-extensions remote-debugging-port=0";
    const child = new Deno.Command(BROWSER!, {
      args: [...flags.split(" ").map((flag) => `--${flag}`), `--user-data-dir=${folder}`],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const page = new Page(child, folder);
    await page.#connect();
    return page;
  }

  async #connect() {
    this.#stderr = this.#child.stderr.getReader();
    let said = "";
    let url: string | undefined;
    while (!(url = said.match(/DevTools listening on (ws:\S+)\s/)?.[1])) {
      const { value, done } = await deadline(this.#stderr.read(), PATIENCE);
      assert(!done, `the browser ended: ${said}`);
      said += new TextDecoder().decode(value);
    }
    this.#stderr.releaseLock();
    this.#child.stderr.pipeTo(new WritableStream()).catch(() => {}); // else it would wait
    this.#socket = new WebSocket(url);
    this.#socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
    await new Promise((resolve) => this.#socket.onopen = resolve);
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
    const options = { targetId, flatten: true };
    this.#session = (await this.send("Target.attachToTarget", options)).sessionId as string;
    for (const domain of ["Page", "Network", "Runtime", "Log"]) await this.send(`${domain}.enable`);
  }

  #take({ id, method, params, ...answer }: Message) {
    if (id !== undefined) this.#waiting.get(id)?.({ params, ...answer });
    if (method === "Page.loadEventFired") this.#onLoad();
    if (method === "Network.requestWillBeSent") {
      this.requests.push((params.request as { url: string }).url);
    }
    const isError = method === "Runtime.exceptionThrown" ||
      method === "Log.entryAdded" && (params.entry as { level: string }).level === "error" ||
      method === "Runtime.consoleAPICalled" && params.type === "error";
    if (isError) this.errors.push(JSON.stringify(params));
  }

  /** Sends a command of the protocol, and gives its answer. */
  async send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = this.#waiting.size + 1;
    const answer = new Promise<Message>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params, sessionId: this.#session }));
    const { result, error } = await deadline(answer, PATIENCE);
    assert(!error, `${method}: ${error?.message}`);
    return result;
  }

  /** Goes to an address, and waits until it is loaded. */
  async go(url: string) {
    const loaded = new Promise<void>((resolve) => this.#onLoad = resolve);
    await this.send("Page.navigate", { url });
    await deadline(loaded, PATIENCE);
  }

  /** Runs a function in the page, and gives what it returns or promises. */
  async evaluate<T, A extends unknown[]>(
    body: (...args: A) => T | Promise<T>,
    ...args: A
  ): Promise<T> {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", {
      expression: `(${body})(...${JSON.stringify(args)})`,
      awaitPromise: true,
      returnByValue: true,
    });
    assert(!exceptionDetails, JSON.stringify(exceptionDetails));
    return (result as { value: T }).value;
  }

  /** Presses a key. */
  async press(key: string) {
    const text = key === " " ? key : undefined;
    await this.send("Input.dispatchKeyEvent", { type: "keyDown", key, text });
    await this.send("Input.dispatchKeyEvent", { type: "keyUp", key });
  }

  /** Moves the mouse to a place in the window. */
  async point(x: number, y: number) {
    await this.send("Input.dispatchMouseEvent", { type: "mouseMoved", x, y });
  }

  /** Gives the window a size, and the page light or dark colours. */
  async resize(width: number, height: number, scheme: "light" | "dark" = "light") {
    const metrics = { width, height, deviceScaleFactor: 1, mobile: false };
    await this.send("Emulation.setDeviceMetricsOverride", metrics);
    const features = [{ name: "prefers-color-scheme", value: scheme }];
    await this.send("Emulation.setEmulatedMedia", { features });
  }

  /** A picture of the window, as PNG. */
  async screenshot(): Promise<Uint8Array> {
    const { data } = await this.send("Page.captureScreenshot");
    return Uint8Array.from(atob(data as string), (char) => char.charCodeAt(0));
  }

  /** Ends the browser. */
  async [Symbol.asyncDispose]() {
    const closed = new Promise((resolve) => this.#socket.onclose = resolve);
    this.#socket.send(JSON.stringify({ id: 0, method: "Browser.close" }));
    await deadline(closed, 3000).catch(() => {});
    await deadline(this.#child.status, 3000).catch(() => this.#child.kill("SIGKILL"));
    await this.#child.status;
    for (let tries = 1;; tries++) { // its last children may still write there
      try {
        return await Deno.remove(this.#folder, { recursive: true });
      } catch (error) {
        if (tries === 20) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }
}
