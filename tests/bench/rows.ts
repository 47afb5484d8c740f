/**
 * The rows of the benchmark: who takes part in each, and how far ahead of whom ours should be.
 *
 * @module
 */
import { resolve } from "node:path";
import { DENO_RUN } from "../../scripts/lab/program.ts";
import { SCRIPTS } from "../../scripts/lab/header.ts";
import type { Machine, Sample } from "./contest.ts";

export const SECONDS = 0.5; // that each server is under load, after a warm-up
const BYTES = 2_000_000_000; // through netcat
const LONG = 1_000_000; // characters of the long message

/** One line of the benchmark: who does what, and how far ahead ours should be. */
export interface Row {
  name: string;
  /** What each contestant does, in one sentence. */
  what: string;
  unit: "/s" | "ms" | "MB/s";
  /** Who takes part, ours first. */
  contestants: Record<string, () => Promise<Sample>>;
  /** How far ahead of whom ours should be. */
  goals: Record<string, number>;
}

/** All rows; with `before`, the same scripts of an earlier checkout take part. */
export async function allRows(machine: Machine, before: string): Promise<Row[]> {
  const { python, node, compiler } = machine;
  /** Ours, and what ours was before. */
  const both = <T>(make: (scripts: string) => T): Record<string, T> => ({
    ours: make(SCRIPTS),
    ...before && { before: make(`${resolve(before, "scripts")}/`) },
  });
  const load = (
    server: Parameters<Machine["underLoad"]>[0],
    ...words: (string | number)[]
  ) =>
  () => machine.underLoad(server, words);
  const udp = (inFlight: number, ...more: string[]) =>
    ["udp", inFlight, SECONDS, 64, ...more] as const;
  const tcp = (clients: number, size: number, ...more: string[]) =>
    ["tcp", clients, SECONDS, size, ...more] as const;

  /** A lab's server beside its counterpart, and beside the least that Deno and C can do. */
  const lab = (
    script: string,
    words: readonly (string | number)[],
    least?: ["tcp" | "once" | "udp", bufferSize: number],
    flags: string[] = [],
    constants: Record<string, number> = {},
  ) => ({
    ...both((scripts) => load(machine.ours(script, flags, scripts), ...words)),
    ...python && {
      Python: () => machine.underLoad(machine.counterpart(script, constants), [...words]),
    },
    ...least && { bare: load(machine.bareServer(...least), ...words) },
    ...compiler && least && {
      C: load(machine.leastServer(...least), ...words),
    },
  });
  /** Takes the milliseconds of an answer for the figure, where one takes long. */
  const inMilliseconds = (contestants: Row["contestants"]) =>
    Object.fromEntries(
      Object.entries(contestants).map(([name, measure]) => [
        name,
        async () => {
          const sample = await measure();
          return { ...sample, value: sample.p50! / 1000 };
        },
      ]),
    );
  /** An echo server without a transcript beside the others' echo servers. */
  const echo = (
    words: readonly (string | number)[],
    bufferSize: number,
    flags: string[] = [],
  ) => ({
    ...both((scripts) =>
      load(machine.ours("practical12_server_tcp.ts", ["--quiet", ...flags], scripts), ...words)
    ),
    ...node && { Node: load(machine.nodeServer(), ...words) },
    ...python && {
      asyncio: load(machine.pythonServer("echo_asyncio.py"), ...words),
    },
    bare: load(machine.bareServer("tcp", bufferSize), ...words),
    ...compiler && {
      C: load(machine.leastServer("tcp", bufferSize), ...words),
    },
  });

  const big = `${machine.folder}/big`;
  await Deno.writeFile(big, new Uint8Array(0));
  await Deno.truncate(big, BYTES);
  for await (const _ of (await Deno.open(big)).readable); // into the system's cache
  const netcats: Record<string, string> = {
    ...both((scripts) => [...DENO_RUN, "-A", `${scripts}netcat.ts`].join(" ")),
    ...await machine.has("nc", "nc.openbsd") && { nc: "nc.openbsd -N" },
    ...await machine.has("ncat", "ncat") && { ncat: "ncat" },
    ...await machine.has("socat", "socat") && { socat: "socat" },
  };
  /** 2 GB through each netcat; `%` stands for its command. */
  const through = (shell: string, isOut: boolean) =>
    Object.fromEntries(
      Object.entries(netcats).map(([name, command]) => {
        const call = name === "socat"
          ? `socat ${isOut ? "-u - TCP:127.0.0.1:PORT" : "-u TCP:127.0.0.1:PORT -"}`
          : `${command} ${name === "ncat" && !isOut ? "--recv-only" : ""} 127.0.0.1 PORT`;
        const line = shell.replace("%", call);
        return [name, () => machine.throughput(line, BYTES, isOut)];
      }),
    );
  const netcatGoals = { nc: 1, ncat: 1, socat: 1 };

  /** A whole run of a client against our server. */
  const client = (...command: string[]) => async () => {
    const server = machine.ours("echo_server.ts", ["--quiet"]);
    const { program, port } = await machine.start(server);
    await using _ = program;
    return await machine.wholeRun([...command, `--port=${port}`]);
  };

  return [
    {
      name: "echo_server_udp",
      what: "Echoes datagrams of 64 bytes, 32 in flight, with the transcript in a file.",
      unit: "/s",
      contestants: lab("echo_server_udp.ts", udp(32), ["udp", 2048]),
      goals: { Python: 1.8 },
    },
    {
      name: "echo_server_udp, one in flight",
      what: "The same with the next datagram sent when the last is back: latency.",
      unit: "/s",
      contestants: lab("echo_server_udp.ts", udp(1), ["udp", 2048]),
      goals: { Python: 1 },
    },
    {
      name: "echo_server, 1 client",
      what: "Takes a connection, echoes 64 bytes and closes, with the transcript in a file.",
      unit: "/s",
      contestants: lab("echo_server.ts", tcp(1, 64, "once"), ["once", 2048]),
      goals: { Python: 1 },
    },
    {
      name: "echo_server, 50 clients",
      what: "The same with 50 clients at the same time.",
      unit: "/s",
      contestants: lab("echo_server.ts", tcp(50, 64, "once"), ["once", 2048]),
      goals: { Python: 1.5 },
    },
    {
      name: "practical12_server_tcp",
      what: "Echoes 64 bytes again and again to 50 clients, with the transcript in a file.",
      unit: "/s",
      contestants: {
        ...both((scripts) =>
          load(machine.ours("practical12_server_tcp.ts", [], scripts), ...tcp(50, 64))
        ),
        ...python && {
          threads: load(
            machine.pythonServer("echo_threads.py"),
            ...tcp(50, 64),
          ),
        },
      },
      goals: { threads: 1.8 },
    },
    {
      name: "practical12_server_tcp --quiet",
      what: "Echoes 64 bytes again and again to 50 clients, without a transcript.",
      unit: "/s",
      contestants: echo(tcp(50, 64), 1024),
      goals: { Node: 1.15, asyncio: 1.2, C: 0.85 },
    },
    {
      name: "practical12_server_tcp --quiet, 64 KiB",
      what: "Echoes 64 KiB again and again to 4 clients, with --buffer-size=65536.",
      unit: "/s",
      contestants: echo(tcp(4, 65536), 65536, ["--buffer-size=65536"]),
      goals: { Node: 1.5, asyncio: 1, C: 1 },
    },
    {
      name: "echo_server_v3",
      what: "Echoes messages of 20 characters on one connection, 15 bytes a read.",
      unit: "/s",
      contestants: lab("echo_server_v3.ts", tcp(1, 20, "framed"), ["tcp", 15]),
      goals: { Python: 1 },
    },
    {
      name: "echo_server_v2",
      what: "Echoes one message of 1,000,000 characters, 15 bytes a read.",
      unit: "ms",
      contestants: inMilliseconds(
        lab("echo_server_v2.ts", tcp(1, LONG, "framed", "once")),
      ),
      goals: { Python: 1.2 },
    },
    {
      name: "echo_server_v2, 64 KiB",
      what: "The same with --buffer-size=65536, and the counterpart's BUF_SIZE as well.",
      unit: "ms",
      contestants: inMilliseconds(lab(
        "echo_server_v2.ts",
        tcp(1, LONG, "framed", "once"),
        undefined,
        ["--buffer-size=65536"],
        { BUF_SIZE: 65536 },
      )),
      goals: { Python: 1.5 },
    },
    {
      name: "upper_server_tcp",
      what: "Sends 10 MB back in upper case, 2048 bytes a read.",
      unit: "ms",
      contestants: inMilliseconds(
        lab("upper_server_tcp.ts", tcp(1, 1e7, "once", "upper")),
      ),
      goals: { Python: 1 },
    },
    {
      name: "upper_server_udp",
      what: "Sends datagrams of 64 bytes back in upper case, 32 in flight.",
      unit: "/s",
      contestants: lab("upper_server_udp.ts", udp(32, "upper")),
      goals: { Python: 1 },
    },
    {
      name: "practical12_server_udp",
      what: "Echoes datagrams of 64 bytes, 32 in flight, with the transcript in a file.",
      unit: "/s",
      contestants: lab("practical12_server_udp.ts", udp(32), ["udp", 1024]),
      goals: { Python: 1 },
    },
    {
      name: "netcat, out of a file",
      what: "Sends 2 GB that its stdin is, a file.",
      unit: "MB/s",
      contestants: through(`% < ${big}`, true),
      goals: netcatGoals,
    },
    {
      name: "netcat, out of a pipe",
      what: "Sends 2 GB that come through a pipe.",
      unit: "MB/s",
      contestants: through(`cat ${big} | %`, true),
      goals: netcatGoals,
    },
    {
      name: "netcat, into /dev/null",
      what: "Receives 2 GB, its stdout /dev/null.",
      unit: "MB/s",
      contestants: through("% < /dev/null > /dev/null", false),
      goals: netcatGoals,
    },
    {
      name: "netcat, into a pipe",
      what: "Receives 2 GB, its stdout a pipe.",
      unit: "MB/s",
      contestants: through("% < /dev/null | cat > /dev/null", false),
      goals: netcatGoals,
    },
    {
      name: "start",
      what: "From the start of echo_server to the first connection that it takes.",
      unit: "ms",
      contestants: {
        ...both((scripts) => () => machine.startUp(machine.ours("echo_server.ts", [], scripts))),
        ...python && {
          Python: () => machine.startUp(machine.counterpart("echo_server.ts")),
        },
      },
      goals: { Python: 1 },
    },
    {
      name: "client",
      what: "A whole run of echo_client against a server that is there.",
      unit: "ms",
      contestants: {
        ...both((scripts) => client(...DENO_RUN, "-A", `${scripts}echo_client.ts`)),
        ...python && {
          Python: client(
            python,
            "-E",
            `${SCRIPTS}../tests/python/echo_client.py`,
          ),
        },
      },
      goals: { Python: 1 },
    },
  ];
}
