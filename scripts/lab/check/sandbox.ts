/**
 * Limits what a submission can reach, since it is a stranger's program. Deno runs a copy of its
 * modules with our configuration, never with the student's. Python cannot be limited.
 *
 * @module
 */
import { builtinModules } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { UserError } from "../../cli.ts";
import { exists, isInside, MAX_SIZE } from "../terminal/files.ts";
import type { Submission } from "./submission.ts";
import { Program } from "../process/program.ts";
import { SCRIPTS } from "../catalog/header.ts";

const MAX_HEAP = 512; // megabytes of each V8 isolate: the program, and each of its workers
const MAX_MEMORY = 2 ** 20; // kilobytes of a process, checked on Linux only
const MAX_AUDIT = 2 ** 20; // bytes of Deno's record of permissions
const MAX_ASKED = 20; // permissions that are reported
const WATCH_INTERVAL = 50; // milliseconds
const GRAPH_TIMEOUT = 6; // seconds
const TYPES_TIMEOUT = 20; // seconds: it takes 2 on an idle machine
/** A misspelled property or name, a comparison or an operator for other types. */
const TYPE_ERRORS = [2551, 2552, 2365, 2367];
const MAX_GRAPH = 2_000_000; // characters of JSON

/** Node's modules by their names without `node:`, which Deno does not know if npm is out of reach. */
const NODE_MODULES = Object.fromEntries(
  builtinModules.filter((name) => !/^_|:/.test(name)).map((name) => [name, `node:${name}`]),
);

/** All that exist: their folders are removed however the tool ends. */
const sandboxes = new Set<Sandbox>();

// The listener of program.ts was added first, so the programs have been killed by now.
globalThis.addEventListener("unload", () => sandboxes.forEach((sandbox) => sandbox.remove()));

/** A module as `deno info` describes it. */
interface Module {
  specifier: string;
  dependencies?: { code?: { specifier?: string }; type?: { specifier?: string } }[];
}

/** A temporary folder for one check: a copy of the submission, Deno's cache and its records. */
export class Sandbox implements Disposable {
  /** The file that is run: the copy, or for Python the submission itself. */
  readonly path: string;
  /** The folder of the sandbox, which is removed in the end. */
  readonly folder: string;
  readonly #usesRequire: boolean;
  readonly #main: string; // the submission's file
  readonly #original: string; // its folder
  readonly #standard = standardLibrary();
  #audits = 0;
  #typeError?: Promise<string | undefined>;

  private constructor({ path, name, isPython, source }: Submission) {
    this.folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "socket-labs-" }));
    sandboxes.add(this);
    this.#main = path;
    this.#original = dirname(path);
    // Deno takes `%41` in a path for an encoded `A`.
    this.path = isPython ? path : join(this.folder, "code", name.replaceAll("%", "_"));
    this.#usesRequire = /\brequire\(/.test(source) && !/^(import|export)\b/m.test(source);
  }

  /**
   * Copies a submission.
   *
   * @throws {UserError} It imports something from outside of its folder.
   */
  static async create(submission: Submission): Promise<Sandbox> {
    const sandbox = new Sandbox(submission);
    try {
      if (!submission.isPython) {
        sandbox.#configure();
        await sandbox.#copyModules(submission.path);
      }
      return sandbox;
    } catch (error) {
      sandbox.remove();
      throw error;
    }
  }

  /** Writes what Deno gets: our configuration, and a cache in which a program can store nothing. */
  #configure() {
    for (const name of ["code", "cache", "audits"]) Deno.mkdirSync(join(this.folder, name));
    // `caches` and `localStorage` need no permission. They fail where their folder is a file.
    Deno.writeTextFileSync(join(this.folder, "cache", "location_data"), "");
    // As a workspace of its own it takes nothing from a configuration in a folder above it.
    const config = {
      workspace: [],
      unstable: ["net"],
      imports: { ...NODE_MODULES, ...this.#standard },
    };
    Deno.writeTextFileSync(this.#config, JSON.stringify(config));
  }

  get #config(): string {
    return join(this.folder, "deno.json");
  }

  /** Flags that keep Deno from everything that the student's folder may hold for it. */
  get #flags(): string[] {
    return [
      `--config=${this.#config}`,
      "--no-lock",
      "--no-npm",
      "--no-remote",
      "--deny-import",
      ...this.#usesRequire ? ["--unstable-detect-cjs"] : [],
    ];
  }

  /** Returns the flags of `deno run` for the copy. `net` lists the addresses that it may use. */
  flags(net: string[]): string[] {
    const allowed = net.length > 0 ? [`--allow-net=${net.join(",")}`] : [];
    // `require` looks for its files. The copy holds nothing else.
    if (this.#usesRequire) allowed.push(`--allow-read=${dirname(this.path)}`);
    const heap = `--v8-flags=--max-old-space-size=${MAX_HEAP}`;
    return [...this.#flags, "--cached-only", "--no-prompt", heap, ...allowed];
  }

  /**
   * Returns the first error of a type check that says why a program goes wrong, with its place: an
   * `await` is missing, or a name is misspelled. It takes two or three seconds.
   *
   * @param error The error that the program reported. If it cannot come from such a mistake, nothing
   * is checked.
   */
  async typeError(error = ""): Promise<string | undefined> {
    if (error && !/TypeError|Interrupted|BadResource|Promise|undefined|NaN/.test(error)) return;
    return await (this.#typeError ??= this.#checkTypes());
  }

  async #checkTypes(): Promise<string | undefined> {
    if (!/\.m?ts$/.test(this.path)) return undefined;
    const command = [Deno.execPath(), "check", "--quiet", ...this.#flags, this.path];
    await using program = new Program(command, undefined, this.options, undefined, MAX_GRAPH);
    watch(program);
    if (!await program.ended(TYPES_TIMEOUT)) return undefined;
    const errors = program.errors.matchAll(
      /^TS(\d+) \[ERROR\]: (.*)\n(?:.*\n)*? +at file:.*\/(.*:\d+):\d+$/gm,
    );
    for (const [, code, message, place] of errors) {
      if (message.includes("Promise<")) return `an \`await\` is missing in ${place}: ${message}`;
      if (TYPE_ERRORS.includes(Number(code))) return `${place}: ${message}`;
    }
  }

  /** The environment of Deno: nothing of the user's, except what Windows needs for sockets. */
  get options(): Deno.CommandOptions {
    const systemRoot = Deno.env.get("SystemRoot");
    const env = {
      NO_COLOR: "1",
      DENO_DIR: join(this.folder, "cache"),
      DENO_NO_PACKAGE_JSON: "1",
      DENO_NO_UPDATE_CHECK: "1",
      ...systemRoot && { SystemRoot: systemRoot },
    };
    return { clearEnv: true, env, cwd: dirname(this.path) };
  }

  /** A new file for Deno's record of the permissions that a program asks for. */
  newAudit(): string {
    return join(this.folder, "audits", `${this.#audits++}`);
  }

  /** The permissions beyond the network that its programs asked for, a few of them in words. */
  askedFor(): string[] {
    const asked = new Set<string>();
    const ours = JSON.stringify(this.folder).slice(1, -1); // its tracer writes there
    for (let i = 0; i < this.#audits; i++) {
      const record = readStart(join(this.folder, "audits", `${i}`), MAX_AUDIT);
      for (const line of record.split("\n")) {
        const [, permission, value] = line.match(/"permission":"(\w+)","value":(.*)}$/) ?? [];
        const isOurs = permission === "net" || value?.includes(ours);
        if (permission && !isOurs) asked.add(`${permission} access to ${value}`);
      }
    }
    const more = asked.size - MAX_ASKED;
    return [...[...asked].slice(0, MAX_ASKED), ...more > 0 ? [`${more} other permissions`] : []];
  }

  /** Replaces the paths of the copy in a text with those of the submission. */
  withOriginalPaths(text: string): string {
    return text.replaceAll(this.path, this.#main).replaceAll(dirname(this.path), this.#original);
  }

  /**
   * Copies the submission's module graph, a file when Deno misses it. So Deno reads each file once,
   * and a file that is replaced during the check changes nothing.
   */
  async #copyModules(main: string) {
    // Most imports can be found in the text, so that Deno is asked for the graph only once.
    const found = new Set([main]);
    for (const path of found) {
      if (!this.#copy(path)) continue;
      const text = Deno.readTextFileSync(this.#copyOf(path));
      for (const [, specifier] of text.matchAll(/\bfrom\s*["'](\.\/[^"'\n]+)["']/g)) {
        found.add(join(dirname(path), specifier));
      }
    }
    for (let isComplete = false; !isComplete;) {
      isComplete = true;
      for (const specifier of await this.#imports()) {
        const path = this.#localPath(specifier);
        if (path !== undefined && !exists(path)) {
          if (this.#copy(join(this.#original, relative(dirname(this.path), path)))) {
            isComplete = false;
          }
        }
      }
    }
  }

  /** The specifiers that the modules of the copy import, and those in data: URLs. */
  async #imports(): Promise<string[]> {
    // On Windows, `deno info` takes the `C:` of a path for the scheme of a URL.
    const url = pathToFileURL(this.path).href;
    const command = [Deno.execPath(), "info", "--json", ...this.#flags, url];
    await using program = new Program(command, undefined, this.options, undefined, MAX_GRAPH);
    watch(program);
    const hasEnded = await program.ended(GRAPH_TIMEOUT);
    try {
      const { modules }: { modules: Module[] } = JSON.parse(program.screen);
      return modules
        .filter(({ specifier }) => specifier.startsWith("data:") || this.#isInCopy(specifier))
        .flatMap(({ dependencies = [] }) => dependencies)
        .flatMap(({ code, type }) => [code?.specifier ?? [], type?.specifier ?? []].flat());
    } catch {
      const why = program.excess ??
        (hasEnded ? program.errors.split("\n")[0] : "it takes too long");
      throw new UserError(`${this.#main}: cannot read its imports: ${why}`);
    }
  }

  /**
   * The path of a module in the copy. Nothing for a module that is not the submission's, but that
   * it may import.
   *
   * @throws {UserError} It may not.
   */
  #localPath(specifier: string): string | undefined {
    if (this.#isInCopy(specifier)) return fileURLToPath(specifier);
    if (/^(node|data):/.test(specifier)) return undefined;
    if (Object.values(this.#standard).includes(specifier)) return undefined;
    const shown = this.withOriginalPaths(specifier);
    throw new UserError(`${this.#main}: it imports ${shown}, which is not in its folder`);
  }

  #isInCopy(specifier: string): boolean {
    return specifier.startsWith("file:") && isInside(fileURLToPath(specifier), dirname(this.path));
  }

  #copyOf(path: string): string {
    if (path === this.#main) return this.path;
    return join(dirname(this.path), relative(this.#original, path));
  }

  /** Copies a file of the submission. Returns whether there is such a file. */
  #copy(path: string): boolean {
    const name = relative(this.#original, path);
    let real: string;
    try {
      real = Deno.realPathSync(path);
    } catch {
      return false; // Deno reports the missing module
    }
    if (!isInside(real, this.#original)) {
      throw new UserError(`${this.#main}: ${name} is a link that leads out of its folder`);
    }
    const { isFile, size } = Deno.statSync(real);
    if (!isFile) throw new UserError(`${this.#main}: ${name} is not a regular file`);
    if (size > MAX_SIZE) throw new UserError(`${this.#main}: ${name} is larger than 1 MB`);
    const copy = this.#copyOf(path);
    Deno.mkdirSync(dirname(copy), { recursive: true });
    Deno.copyFileSync(real, copy);
    return true;
  }

  /** Removes the folder. A program that was just killed may still write into it for a moment. */
  remove() {
    sandboxes.delete(this);
    for (let tries = 0; tries < 100 && exists(this.folder); tries++) {
      try {
        Deno.removeSync(this.folder, { recursive: true });
      } catch { /* tried again */ }
    }
  }

  /** Removes the folder. */
  [Symbol.dispose]() {
    this.remove();
  }
}

/** Ends a program that takes too much memory, or asks for too many permissions. */
export function watch(program: Program, audit?: string) {
  const timer = setInterval(() => {
    if (memoryOf(program.pid) > MAX_MEMORY) program.stop("it takes more than 1 GB of memory");
    if (audit && sizeOf(audit) > MAX_AUDIT) program.stop("it asks for permissions without end");
  }, WATCH_INTERVAL);
  program.status.finally(() => clearInterval(timer));
}

/** The memory of a process in kilobytes, 0 if the system does not tell. */
function memoryOf(pid: number): number {
  if (Deno.build.os !== "linux") return 0;
  try {
    return Number(Deno.readTextFileSync(`/proc/${pid}/status`).match(/^VmRSS:\s*(\d+)/m)?.[1] ?? 0);
  } catch {
    return 0; // it has ended
  }
}

/** The names of the standard library in our configuration, each with the file on this machine. */
function standardLibrary(): Record<string, string> {
  const { imports } = JSON.parse(Deno.readTextFileSync(join(SCRIPTS, "../deno.json")));
  return Object.fromEntries(Object.keys(imports).map((name) => [name, import.meta.resolve(name)]));
}

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return 0; // not made yet
  }
}

/** The first bytes of a file as text, or nothing if the file does not exist. */
function readStart(path: string, length: number): string {
  if (!exists(path)) return "";
  using file = Deno.openSync(path);
  const data = new Uint8Array(Math.min(length, file.statSync().size));
  return new TextDecoder().decode(data.subarray(0, file.readSync(data) ?? 0));
}
