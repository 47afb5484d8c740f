/**
 * Compares the speed of the scripts with the same scripts of another checkout, with plain Deno
 * (bare.ts) and with the Python counterparts.
 *
 *     deno task bench [--against=DIR] [--rounds=N] [--cpu] [ROW...]
 *
 * A ROW is a row's name or its beginning: `udp` selects udp and udp-quiet. Without one, all rows are
 * measured, in about two minutes. In each round, all contestants of a row take turns of a fraction
 * of a second, while the others are idle. A ratio is the median over all rounds, followed by half
 * the interquartile range. Above 1, ours is faster. `--cpu` compares the CPU time that a server uses
 * per reply (Linux). On a busy machine, run it with a real-time priority, or the ratios are far off:
 * `chrt -r 1 deno task bench` (Linux, root).
 *
 * Scripts and counterparts print their transcripts into files, bare.ts prints nothing. In a quiet
 * row none of them prints. Needs a C compiler (`cc`) for load.c, and Linux or macOS.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";

const HERE = import.meta.dirname!;
const COUNTERPARTS = `${HERE}/../python`;

const WARM_UP = 0.4; // seconds
const TURN = 0.1; // seconds
const START_TIMEOUT = 10_000; // milliseconds

/** A server under load. */
interface LoadRow {
  name: string;
  what: string;
  script: string;
  clients: number;
  size: number; // bytes of a message
  bufferSize: number; // bytes that the server reads at a time
  flags: string[]; // of load.c and bare.ts; "quiet" is for the server
}

const UDP = "echo_server_udp";
const TCP = "practical12_server_tcp";

const LOAD_ROWS = ([
  ["once", "echo_server", 1, 64, 2048, "once", "connection after connection, 64 bytes each"],
  ["once-50", "echo_server", 50, 64, 2048, "once", "the same with 50 clients at once"],
  ["kept", TCP, 1, 64, 1024, "quiet", "one connection that is kept, 64 bytes, quiet"],
  ["kept-64k", TCP, 1, 65536, 65536, "quiet", "the same with 64 KiB"],
  ["v2", "echo_server_v2", 1, 50_000, 15, "once framed", "50,000 characters, 15 bytes per read"],
  ["v2-64k", "echo_server_v2", 1, 1e6, 65536, "once framed", "1 million, 64 KiB per read"],
  ["v3", "echo_server_v3", 1, 20, 15, "framed", "20 characters on a kept connection, 15 bytes"],
  ["v3-64k", "echo_server_v3", 1, 50_000, 65536, "framed", "50,000 characters, 64 KiB per read"],
  ["upper", "upper_server_tcp", 1, 1e6, 2048, "once shut upper", "1 MB per connection, upper case"],
  ["udp", UDP, 32, 64, 2048, "udp", "32 datagrams of 64 bytes in flight"],
  ["udp-quiet", UDP, 32, 64, 2048, "udp quiet", "the same, quiet"],
  ["upper-udp", "upper_server_udp", 32, 64, 2048, "udp upper", "the same in upper case"],
] as const).map(([name, script, clients, size, bufferSize, flags, what]): LoadRow => ({
  ...{ name, what, script, clients, size, bufferSize },
  flags: flags.split(" "),
}));

/** The start of a server, or a whole run of a client. */
interface StartRow {
  name: string;
  what: string;
  script: string;
  size?: undefined;
}

const START_ROWS: StartRow[] = [
  {
    name: "start-server",
    what: "from the start of echo_server until it accepts a connection",
    script: "echo_server",
  },
  { name: "start-client", what: "a whole run of echo_client", script: "echo_client" },
];

type Contestant = "ours" | "against" | "bare" | "python";

/** A figure of each contestant for each round. More is faster. */
type Figures = Map<Contestant, number[]>;

interface Options {
  folder: string; // for temporary files
  contestants: Contestant[];
  scripts: Record<string, string>; // the folders of ours and against
  python: string; // the path of the interpreter
  rounds: number;
  cpu: boolean;
}

/** An error that needs no stack trace. */
class BenchError extends Error {}

function freePort(isUdp = false): number {
  const address = { hostname: "127.0.0.1", port: 0 };
  const socket = isUdp
    ? Deno.listenDatagram({ transport: "udp", ...address })
    : Deno.listen(address);
  socket.close();
  return (socket.addr as Deno.NetAddr).port;
}

/** Returns the command that starts a contestant's version of a script. */
function commandOf(
  contestant: Contestant,
  script: string,
  port: number,
  options: Options,
  row: Partial<LoadRow> = {},
): string[] {
  const { bufferSize, flags = [] } = row;
  const quiet = flags.includes("quiet");
  const isClient = script.includes("client");
  if (contestant === "bare") {
    const kind = isClient ? "client" : flags.includes("udp") ? "udp" : "tcp";
    const words = [port, bufferSize ?? 2048, kind, ...flags].map(String);
    return [Deno.execPath(), "run", "--allow-net", `${HERE}/bare.ts`, ...words];
  }
  if (contestant === "python") {
    const file = pythonCopy(script, port, options.folder, bufferSize, quiet);
    // -E: PYTHONUNBUFFERED, which is set on some machines, would slow down `print`.
    return [options.python, "-E", file];
  }
  return [
    ...[Deno.execPath(), "run", "--allow-net", `${options.scripts[contestant]}/${script}.ts`],
    `--port=${port}`,
    ...bufferSize ? [`--buffer-size=${bufferSize}`] : [],
    ...quiet ? ["--quiet"] : [],
  ];
}

/** Writes a counterpart with other constants into a file. Returns its path. */
function pythonCopy(
  script: string,
  port: number,
  folder: string,
  bufferSize: number | undefined,
  quiet: boolean,
): string {
  let source = Deno.readTextFileSync(`${COUNTERPARTS}/${script}.py`)
    .replace(/^PORT = \d+/m, `PORT = ${port}`)
    .replace(/("--port".*default=)\d+/, `$1${port}`)
    .replace(/^BACKLOG = \d+/m, "BACKLOG = 128"); // with 5, the system ignores clients for a second
  if (bufferSize) {
    source = source.replace(/^(BUFFER_SIZE|BUF_SIZE|DATA_PAYLOAD) = \d+/m, `$1 = ${bufferSize}`);
  }
  if (quiet) source = `print = lambda *_, **__: None\n${source}`;
  const path = `${folder}/${script}-${port}.py`;
  Deno.writeTextFileSync(path, source);
  return path;
}

/** Reads the CPU time of all threads of a process, in seconds. */
function cpuSeconds(pid: number): number {
  const threads = [...Deno.readDirSync(`/proc/${pid}/task`)];
  const nanoseconds = threads.map(({ name }) =>
    Number(Deno.readTextFileSync(`/proc/${pid}/task/${name}/schedstat`).split(" ")[0])
  );
  return nanoseconds.reduce((sum, time) => sum + time, 0) / 1e9;
}

/** A server and the clients that put it under load. */
class Pair implements AsyncDisposable {
  #server: Deno.ChildProcess;
  #load: Deno.ChildProcess;
  #toLoad: WritableStreamDefaultWriter<Uint8Array>;
  #fromLoad: ReadableStreamDefaultReader<string>;
  #errors: string; // the server's stderr, a file

  constructor(contestant: Contestant, row: LoadRow, readonly options: Options) {
    const { clients, size, flags } = row;
    const port = freePort(flags.includes("udp"));
    const command = commandOf(contestant, row.script, port, options, row);
    const files = `${options.folder}/${row.name}-${contestant}`;
    this.#errors = `${files}.err`;
    this.#server = new Deno.Command("sh", {
      args: ["-c", 'exec "$@" > "$0.out" 2> "$0.err"', files, ...command],
      stdin: "null",
    }).spawn();
    this.#load = new Deno.Command(`${options.folder}/load`, {
      args: [port, clients, size, ...flags].map(String),
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#toLoad = this.#load.stdin.getWriter();
    this.#fromLoad = this.#load.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Sends messages for some seconds. Returns the replies per second, or per CPU second. */
  async measure(seconds: number): Promise<number> {
    const { pid } = this.#server;
    const { cpu } = this.options;
    const before = cpu ? cpuSeconds(pid) : 0;
    await this.#toLoad.write(new TextEncoder().encode(`${seconds}\n`));
    const { value } = await this.#fromLoad.read();
    if (value === undefined) {
      throw new BenchError(`the server failed:\n${Deno.readTextFileSync(this.#errors)}`);
    }
    const [replies, elapsed] = value.split(" ").map(Number);
    return replies / (cpu ? cpuSeconds(pid) - before : elapsed);
  }

  async [Symbol.asyncDispose]() {
    await this.#load[Symbol.asyncDispose]();
    await this.#server[Symbol.asyncDispose]();
  }
}

/**
 * Calls `measure` for all contestants in turn. The order changes from round to round, because a
 * contestant can still be writing its transcript when the next one begins.
 */
async function inTurn(
  { contestants, rounds }: Options,
  measure: (contestant: Contestant) => Promise<number>,
): Promise<Figures> {
  const figures: Figures = new Map(contestants.map((contestant) => [contestant, []]));
  for (let round = 0; round < rounds; round++) {
    const start = round % contestants.length;
    const order = [...contestants.slice(start), ...contestants.slice(0, start)];
    for (const contestant of round % 2 === 0 ? order : order.toReversed()) {
      figures.get(contestant)!.push(await measure(contestant));
    }
  }
  return figures;
}

async function measureLoad(row: LoadRow, options: Options): Promise<Figures> {
  await using stack = new AsyncDisposableStack();
  const pairs = new Map(
    options.contestants.map((name) => [name, stack.use(new Pair(name, row, options))]),
  );
  for (const pair of pairs.values()) await pair.measure(WARM_UP);
  return await inTurn(options, (contestant) => pairs.get(contestant)!.measure(TURN));
}

function spawn([program, ...args]: string[]): Deno.ChildProcess {
  const quiet = { stdin: "null", stdout: "null", stderr: "null" } as const;
  return new Deno.Command(program, { args, ...quiet }).spawn();
}

/** Waits until a port accepts a connection. */
async function waitUntilListening(port: number) {
  const end = performance.now() + START_TIMEOUT;
  while (performance.now() < end) {
    try {
      return (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
  throw new BenchError(`no server listens on port ${port}`);
}

/** Measures starts per second. */
async function measureStarts(script: string, options: Options): Promise<Figures> {
  if (script === "echo_server") {
    return await inTurn(options, async (contestant) => {
      const port = freePort();
      const command = commandOf(contestant, script, port, options);
      const before = performance.now();
      await using _server = spawn(command);
      await waitUntilListening(port);
      return 1000 / (performance.now() - before);
    });
  }
  const port = freePort();
  const row = { bufferSize: 2048, flags: ["once"] };
  await using _server = spawn(commandOf("bare", "echo_server", port, options, row));
  await waitUntilListening(port);
  return await inTurn(options, async (contestant) => {
    const command = commandOf(contestant, script, port, options);
    const before = performance.now();
    const { success } = await spawn(command).status;
    if (!success) throw new BenchError(`${command.join(" ")} failed`);
    return 1000 / (performance.now() - before);
  });
}

/** Returns a quantile of some values; 0.5 is the median. */
function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)];
  return below + (sorted[Math.ceil(place)] - below) * (place % 1);
}

function printRow(name: string, figures: Figures) {
  const ours = figures.get("ours")!;
  const ratios = [...figures].slice(1).map(([, theirs]) => {
    const values = theirs.map((figure, round) => ours[round] / figure);
    const spread = (quantile(values, 0.75) - quantile(values, 0.25)) / 2;
    return `${quantile(values, 0.5).toFixed(2)} ±${spread.toFixed(2)}`;
  });
  const median = quantile(ours, 0.5);
  const perSecond = median.toLocaleString("en", { maximumFractionDigits: median < 100 ? 1 : 0 });
  printCells([name, perSecond, ...ratios]);
}

function printCells([name, ...cells]: string[]) {
  console.log(name.padEnd(13) + cells.map((cell) => cell.padStart(15)).join(""));
}

/** Compiles load.c into a folder. */
async function compileLoad(folder: string) {
  const args = ["-O2", "-o", `${folder}/load`, `${HERE}/load.c`];
  const compiling = new Deno.Command("cc", { args, stdout: "inherit", stderr: "inherit" });
  const result = await compiling.output().catch(() => undefined);
  if (!result?.success) throw new BenchError("cc, the C compiler, is missing or failed on load.c");
}

/** Returns the path of Python 3 itself: a wrapper would slow down its start. */
async function findPython(): Promise<string | undefined> {
  const args = ["-c", "import sys; print(sys.executable)"];
  const result = await new Deno.Command("python3", { args }).output().catch(() => undefined);
  return result?.success ? new TextDecoder().decode(result.stdout).trim() : undefined;
}

async function main() {
  const rows = [...LOAD_ROWS, ...START_ROWS];
  const names = rows.map(({ name, what }) => `  ${name.padEnd(14)}${what}`).join("\n");
  const usage = "usage: deno task bench [--against=DIR] [--rounds=N] [--cpu] [ROW...]\n" + names;
  const { _: prefixes, against, rounds = "15", cpu, help } = parseArgs(Deno.args, {
    string: ["against", "rounds", "_"],
    boolean: ["cpu", "help"],
    unknown: (arg, key) => {
      if (key) throw new BenchError(`unknown flag ${arg}\n${usage}`);
    },
  });
  if (help) return console.log(usage);
  const selected = rows.filter(({ name }) =>
    prefixes.length === 0 || prefixes.some((prefix) => name.startsWith(prefix))
  );
  if (selected.length === 0) {
    throw new BenchError(`no row begins with ${prefixes.join(" or ")}\n${usage}`);
  }
  if (!(Number(rounds) >= 1)) throw new BenchError(`invalid --rounds=${rounds}`);
  const python = await findPython();
  const folder = await Deno.makeTempDir({ prefix: "bench" });
  try {
    await compileLoad(folder);
    const options: Options = {
      folder,
      contestants: ["ours", ...against ? ["against" as const] : [], "bare"],
      scripts: { ours: `${HERE}/../../scripts`, against: `${against}/scripts` },
      python: python ?? "",
      rounds: Number(rounds),
      cpu: cpu === true,
    };
    if (python) options.contestants.push("python");
    else console.error("note: no python3 found");
    const unit = cpu ? "per CPU s" : "per s";
    printCells(["", `ours ${unit}`, ...options.contestants.slice(1).map((name) => `ours/${name}`)]);
    for (const row of selected) {
      if (row.size !== undefined) printRow(row.name, await measureLoad(row, options));
      else if (!cpu) printRow(row.name, await measureStarts(row.script, options));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof BenchError)) throw error;
    console.error(`error: ${error.message}`);
    Deno.exit(1);
  }
}
