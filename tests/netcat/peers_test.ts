/** netcat.ts with OpenBSD's nc, ncat, socat and itself in both roles, and with the labs. */
import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async/delay";
import {
  encode,
  resultOf,
  runScript,
  start,
  startServer,
  testAtOnce,
  THOROUGH,
} from "../helpers.ts";
import {
  ITSELF,
  listen,
  NC_N,
  NCAT,
  type Peer,
  type Role,
  shell,
  socat,
  startPair,
} from "./helpers.ts";

/** Both sides type lines, one of them ends its half, and the other side still sends. */
async function typeLines(peer: Peer, role: Role, first: "ours" | "theirs") {
  await using pair = await startPair(peer, role, { ours: shell('"$@" -N') });
  const { ours, theirs } = pair;
  const [ending, sending] = first === "ours" ? [ours, theirs] : [theirs, ours];
  for (const line of ["one\n", "zwölf\n", "三\n"]) {
    for (const [from, to] of [[ours, theirs], [theirs, ours]]) {
      await from.send(encode(line));
      assert(await to.until(() => to.screen.endsWith(line)), `no ${line}`);
    }
  }
  await ending.endInput();
  for (const line of ["late\n", "later\n"]) {
    await delay(400); // in which neither side may give up
    await sending.send(encode(line));
    assert(await ending.until(() => ending.screen.endsWith(line)), `no ${line}`);
  }
  await sending.endInput();
  await pair.ended();
}

const peers = [NC_N, NCAT, socat("-t9"), ITSELF].filter(({ ignore }) => !ignore);
const cases = peers.flatMap((peer, i) => {
  const roles: Role[] = peer === ITSELF ? ["client"] : ["client", "server"];
  return roles.flatMap((role, j) => {
    // As servers, nc and ncat end with their client's half, and drop what they still have to send.
    const drops = role === "client" && (peer === NC_N || peer === NCAT);
    const firsts = drops ? ["theirs"] as const : ["ours", "theirs"] as const;
    return firsts.filter((_, k) => THOROUGH || k === (i + j) % firsts.length).map((first) => {
      const name = `as the ${role} of ${peer.name}, when ${
        first === "ours" ? "it" : "the peer"
      } ends first`;
      return [name, () => typeLines(peer, role, first)] as const;
    });
  });
});
testAtOnce("netcat passes what both sides type", {}, Object.fromEntries(cases));

Deno.test("netcat is a client of the labs' servers", async () => {
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
