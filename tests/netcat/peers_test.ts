/** netcat.ts with OpenBSD's nc, ncat, socat and itself in both roles, and with the labs. */
import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async/delay";
import type { Program } from "../../scripts/lab/program.ts";
import { encode, resultOf, runScript, start, startServer, testAtOnce } from "../helpers.ts";
import {
  ITSELF,
  listen,
  NC_N,
  NCAT,
  type Peer,
  randomFile,
  type Role,
  shell,
  socat,
  startPair,
} from "./helpers.ts";

const MANY = 20_000_000; // bytes, more than any buffers hold

/** Sends three lines in the course of a second, each of which must arrive at once. */
async function sendSlowly(from: Program, to: Program) {
  for (const line of ["one\n", "two\n", "three\n"]) {
    await from.send(encode(line));
    assert(await to.until(() => to.screen.endsWith(line)), `no ${line}`);
    await delay(330); // what is tested is that nobody gives up in the meantime
  }
}

/** One side ends its input; what the other one sends in the next second must arrive. */
async function endHalf(peer: Peer, role: Role, first: "ours" | "theirs") {
  await using pair = await startPair(peer, role);
  const [ending, sending] = first === "ours" ? [pair.ours, pair.theirs] : [pair.theirs, pair.ours];
  // A server that nobody has typed into yet would end soon after its client.
  await sending.send(encode("my first\n"));
  assert(await ending.until(() => ending.screen === "my first\n"));
  await ending.send(encode("my last\n"));
  await ending.endInput();
  assert(await sending.until(() => sending.screen === "my last\n"));
  await sendSlowly(sending, ending);
  await sending.endInput();
  await pair.ended();
}

/** One side sends a file, and the other one gets all of it. */
async function transfer(peer: Peer, role: Role, sender: "ours" | "theirs") {
  await using file = await randomFile(MANY);
  const receiver = sender === "ours" ? "theirs" : "ours";
  await using pair = await startPair(peer, role, {
    [sender]: shell(`"$@" < ${file.path}`),
    [receiver]: shell(`"$@" | { head -c ${MANY} | cksum; cat; }`),
  });
  // Not before all is there: some peers end when the other half has ended.
  await pair[receiver].until(() => pair[receiver].screen !== "");
  await pair[receiver].endInput();
  await pair.ended();
  assertEquals(pair[receiver].screen, file.sum);
}

const PAIRS = [NC_N, NCAT, socat("-t9"), ITSELF].flatMap((peer) => {
  const roles: Role[] = peer === ITSELF ? ["client"] : ["client", "server"];
  return roles.map((role) => ({ peer, role, name: `as the ${role} of ${peer.name}` }));
});

for (const { peer, role, name } of PAIRS) {
  const { ignore } = peer;
  Deno.test(`netcat ${name} passes what both type, line by line`, { ignore }, async () => {
    await using pair = await startPair(peer, role);
    const { ours, theirs } = pair;
    for (const line of ["one\n", "zwölf\n", "三\n"]) {
      await ours.send(encode(line));
      assert(await theirs.until(() => theirs.screen.endsWith(line)));
      await theirs.send(encode(`not ${line}`));
      assert(await ours.until(() => ours.screen.endsWith(`not ${line}`)));
    }
    await ours.endInput();
    await theirs.endInput();
    await pair.ended();
  });

  Deno.test(`netcat ${name} passes 20 MB there and back unchanged`, { ignore }, async () => {
    await transfer(peer, role, "ours");
    await transfer(peer, role, "theirs");
  });
}

const halves = PAIRS.filter(({ peer }) => !peer.ignore).flatMap(({ peer, role, name }) => {
  // As servers these end with their client's half, and drop what they still have to send.
  const drops = role === "client" && (peer === NC_N || peer === NCAT);
  const firsts = drops ? ["theirs"] as const : ["ours", "theirs"] as const;
  return firsts.map((first) => [`${name}, ${first} first`, () => endHalf(peer, role, first)]);
});
testAtOnce(
  "netcat loses nothing when one half ends before the other",
  {},
  Object.fromEntries(halves),
);

Deno.test("netcat talks to the labs' servers", async () => {
  for (const protocol of ["", "_udp"]) {
    const { server, port } = await startServer(`echo_server${protocol}.ts`);
    await using _ = server;
    const args = ["localhost", `${port}`, ...protocol ? ["-u"] : []];
    await using client = start("netcat.ts", args);
    await client.send(encode("hello\n"));
    assert(await client.until(() => client.screen === "hello\n"));
  }
});

Deno.test("netcat -l is a server for the labs' clients", async () => {
  await using server = await listen("-l");
  const { status } = await runScript("tcp_client.ts", [`--port=${server.port}`]);
  await server.endInput();
  assertEquals(status, 0);
  assertEquals(await resultOf(server), {
    status: 0,
    stdout: "Hi. I am a TCP client sending data to the server",
    stderr: `note: listening on 127.0.0.1 port ${server.port}\n`,
  });
});
