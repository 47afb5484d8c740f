/**
 * How the benchmark measures: contestants started and stopped, the load let at
 * them, and figures of several rounds brought together.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { UserError } from "../../scripts/cli.ts";
import { SCRIPTS } from "../../scripts/lab/header.ts";
import { freePort } from "../../scripts/lab/ports.ts";
import { DENO_RUN, isListening, portOf, Program } from "../../scripts/lab/program.ts";

const HERE = import.meta.dirname!;
const COUNTERPARTS = `${SCRIPTS}../tests/python/`;

/** What one run of a contestant gave. */
export interface Sample {
  /** The figure that is compared. */
  value: number;
  /** Median of the microseconds that an answer took. */
  p50?: number;
  /** Their 99th percentile. */
  p99?: number;
  /** Percent of a core that the load used. */
  busy?: number;
  /** KB that the server grew by for each connection. */
  memory?: number;
}

/** A server: the command that starts it, and what it runs over. */
export interface Server {
  command: string[];
  transport?: "tcp" | "udp";
  /** The port where it does not say it itself. */
  port?: number;
}

/** The programs that this machine has, and a folder for what is made. */
export class Machine {
  /** Python, the system's own where there are several. */
  python?: string;
  node?: string;
  /** What load.c and server.c were compiled with. */
  compiler?: string;
  /** The contestants that are left out, with what is missing. */
  readonly missing: Record<string, string> = {};
  readonly versions: Record<string, string> = {
    deno: Deno.version.deno,
    v8: Deno.version.v8,
  };

  private constructor(readonly folder: string) {}

  /** Looks what there is, and compiles what can be compiled. */
  static async look(folder: string): Promise<Machine> {
    const machine = new Machine(folder);
    machine.python = await machine.#find(
      "Python",
      "/usr/bin/python3",
      "python3",
    );
    machine.node = await machine.#find("Node", "node");
    if (Deno.build.os === "linux") {
      machine.compiler = await machine.#find("C", "cc", "gcc", "clang");
    } else {
      machine.missing.C = "server.c and load.c are for Linux";
    }
    if (machine.compiler) {
      for (const name of ["load", "server"]) {
        const args = ["-O2", "-o", `${folder}/${name}`, `${HERE}/${name}.c`];
        const { success, stderr } = await new Deno.Command(machine.compiler, {
          args,
        }).output();
        if (!success) throw new UserError(new TextDecoder().decode(stderr));
      }
    }
    return machine;
  }

  async #find(name: string, ...programs: string[]) {
    for (const program of programs) {
      try {
        const { success, stdout } = await new Deno.Command(program, {
          args: ["--version"],
        }).output();
        const [line] = new TextDecoder().decode(stdout).split("\n");
        // Where there is no node, Deno starts itself in its place.
        if (!success || line.startsWith("deno")) continue;
        this.versions[name.toLowerCase()] = line;
        return program;
      } catch { /* not this one */ }
    }
    this.missing[name] = `no ${programs.at(-1)} on this machine`;
  }

  /** Whether a program is there; it is named as missing if not. */
  async has(name: string, program: string): Promise<boolean> {
    try {
      await new Deno.Command(program, { args: ["-h"] }).output();
      return true;
    } catch {
      this.missing[name] = `no ${program} on this machine`;
      return false;
    }
  }

  /** Python as it is by itself, without what variables like PYTHONUNBUFFERED change. */
  get runPython(): string[] {
    return [this.python!, "-E"];
  }

  /** One of our servers, on a free port; that of another checkout, where its scripts are given. */
  ours(script: string, flags: string[] = [], scripts = SCRIPTS): Server {
    return { command: [...DENO_RUN, "-A", scripts + script, "--port=0", ...flags] };
  }

  /** The Python counterpart of one of our servers, with other constants where told. */
  counterpart(script: string, constants: Record<string, number> = {}): Server {
    const transport = script.includes("_udp") ? "udp" : "tcp";
    const port = freePort(transport);
    const name = script.replace(".ts", ".py");
    let source = Deno.readTextFileSync(COUNTERPARTS + name);
    for (
      const [constant, value] of Object.entries({ PORT: port, ...constants })
    ) {
      const line = new RegExp(`^${constant} = \\d+`, "m");
      source = source.replace(line, `${constant} = ${value}`);
    }
    const file = `${this.folder}/${name}`;
    Deno.writeTextFileSync(file, source);
    const flags = source.includes("--port") ? [`--port=${port}`] : [];
    return { command: [...this.runPython, file, ...flags], transport, port };
  }

  /** A Python program of this folder. */
  pythonServer(name: string): Server {
    return { command: [...this.runPython, `${HERE}/${name}`] };
  }

  /** The server that does with Node's `net` what practical12_server_tcp.ts does. */
  nodeServer(): Server {
    return { command: [this.node!, `${HERE}/echo_node.mjs`] };
  }

  /** The server that does the least possible with Deno. */
  bareServer(kind: "tcp" | "once" | "udp", bufferSize: number): Server {
    const flags = ["-A", "--unstable-net"];
    const words = [`${HERE}/bare.ts`, kind, `${bufferSize}`];
    return { command: [...DENO_RUN, ...flags, ...words] };
  }

  /** The server that does the least possible, in C. */
  leastServer(kind: "tcp" | "once" | "udp", bufferSize: number): Server {
    return { command: [`${this.folder}/server`, kind, `${bufferSize}`] };
  }

  /** The command of the load. */
  get load(): string[] {
    return this.compiler ? [`${this.folder}/load`] : [...DENO_RUN, "-A", `${HERE}/load.ts`];
  }

  /** Starts a server with its transcript in a file, and waits until it listens. */
  async start(server: Server): Promise<{ program: Program; port: number }> {
    const { command, transport = "tcp", port = 0 } = server;
    const file = `${this.folder}/transcript`;
    const script = 'exec "$@" > "$0"';
    const program = new Program(["sh", "-c", script, file, ...command]);
    if (!await isListening(program, port, transport, 10)) {
      await program.end("SIGKILL");
      throw new UserError(
        `${command.join(" ")} does not start: ${program.errors}`,
      );
    }
    return { program, port: port || portOf(program)! };
  }

  /**
   * Lets the load at a server that is started for it.
   *
   * @param server The server.
   * @param load What the load is told: its kind, and what follows the port.
   * @param connections Divides the server's growth, where memory is asked for.
   * @returns Answers a second, and what else the load saw.
   * @throws {UserError} An answer was wrong or did not come.
   */
  async underLoad(
    server: Server,
    [kind, ...words]: (string | number)[],
    connections?: number,
  ): Promise<Sample> {
    const { program, port } = await this.start(server);
    await using _ = program;
    const pid = program.pid;
    const before = connections ? memoryOf(pid) : 0;
    const [command, ...args] = this.load;
    await using load = new Program(
      [command, ...args, `${kind}`, `${port}`, ...words.map(String)],
    );
    const isDone = await load.until(() => load.screen.endsWith("\n"), 60);
    const [value, p50, p99, failures, busy] = load.screen.split(" ").map(
      Number,
    );
    const memory = connections && (memoryOf(pid) - before) / connections;
    await load.endInput();
    if (!isDone || failures > 0 || value === 0) {
      const name = server.command.join(" ");
      throw new UserError(
        `${name}: ${failures} wrong answers, ${value} right a second`,
        load.errors + program.errors,
      );
    }
    return { value, p50, p99, busy, memory };
  }

  /** Milliseconds from a server's start until it accepts connections, or one more. */
  async startUp({ command, port }: Server): Promise<Sample> {
    port ??= freePort("tcp");
    const words = command.map((word) => word.replace("--port=0", `--port=${port}`));
    const begin = performance.now();
    await using _ = new Program(words);
    while (true) {
      try {
        (await Deno.connect({ hostname: "127.0.0.1", port })).close();
        return { value: performance.now() - begin };
      } catch {
        await delay(1); // a loop without a pause would take a processor of its own
      }
    }
  }

  /** Milliseconds that a whole program takes. */
  async wholeRun(command: string[]): Promise<Sample> {
    const begin = performance.now();
    const { success, stderr } = await new Deno.Command(command[0], {
      args: command.slice(1),
      stdin: "null",
    }).output();
    if (!success) throw new UserError(new TextDecoder().decode(stderr));
    return { value: performance.now() - begin };
  }

  /**
   * MB a second through a program that passes bytes between the shell and a
   * connection.
   *
   * @param command Shell command with `PORT` in it.
   * @param bytes How many bytes.
   * @param isOut Whether it sends them; it receives them if not.
   */
  async throughput(
    command: string,
    bytes: number,
    isOut: boolean,
  ): Promise<Sample> {
    const words = isOut ? ["sink"] : ["source", `${bytes}`];
    await using peer = new Program([...this.load, ...words]);
    if (!await peer.until(() => portOf(peer) !== undefined)) {
      throw new UserError(peer.errors);
    }
    const begin = performance.now();
    const script = command.replace("PORT", `${portOf(peer)}`);
    const { stderr } = await new Deno.Command("sh", {
      args: ["-c", script],
      stdin: "null",
    }).output();
    if (!await peer.ended(60) || isOut && Number(peer.screen) !== bytes) {
      const why = new TextDecoder().decode(stderr) + peer.errors;
      throw new UserError(`${script} passed on ${peer.screen.trim()} bytes`, why);
    }
    return { value: bytes / 1e3 / (performance.now() - begin) };
  }
}

/** KB of memory that a process uses, 0 where the system can't tell. */
function memoryOf(pid: number): number {
  if (Deno.build.os !== "linux") return 0;
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(status.match(/^VmRSS:\s+(\d+)/m)![1]);
}

/** Median and spread of several figures. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

export function spread(values: number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1
    ? sorted[middle]
    : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, min: sorted[0], max: sorted.at(-1)! };
}
