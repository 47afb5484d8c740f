/** netcat.ts with OpenBSD's nc, ncat, socat and itself in both roles, and with the labs. */
import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async/delay";
import type { Program } from "../../scripts/lab/program.ts";
import { encode, resultOf, runScript, start, startServer } from "../helpers.ts";
import {
  ITSELF,
  listen,
  NC_N,
  NCAT,
  type Peer,
  randomBytes,
  type Role,
  shell,
  socat,
  startPair,
  withFile,
} from "./helpers.ts";

/** Sends three lines in the course of a second, each of which must arrive at once. */
async function sendSlowly(from: Program, to: Program) {
  for (const line of ["one\n", "two\n", "three\n"]) {
    await from.send(encode(line));
    assert(await to.until(() => to.screen.endsWith(line)), `no ${line}`);
    await delay(330); // what is tested is that nobody gives up in the meantime
  }
}

/** One side ends its input; what the other one sends in the next second must arrive. */
async function testHalf(
  peer: Peer,
  role: Role,
  first: "ours" | "theirs",
) {
  await using pair = await startPair(peer, role);
  const [ending, sending] = first === "ours" ? [pair.ours, pair.theirs] : [pair.theirs, pair.ours];
  await ending.send(encode("my last\n"));
  await ending.endInput();
  assert(await sending.until(() => sending.screen === "my last\n"));
  await sendSlowly(sending, ending);
  await sending.endInput();
  await pair.ended();
}

/** One side sends a file, and the other one gets all of it. */
async function testTransfer(peer: Peer, role: Role, sender: "ours" | "theirs") {
  await withFile(randomBytes(MANY), async (file, sum) => {
    const receiver = sender === "ours" ? "theirs" : "ours";
    await using pair = await startPair(peer, role, {
      [sender]: shell(`"$@" < ${file}`),
      [receiver]: shell(`"$@" | { head -c ${MANY} | cksum; cat; }`),
    });
    // Not before all is there: some peers end when the other half has ended.
    await pair[receiver].until(() => pair[receiver].screen !== "");
    await pair[receiver].endInput();
    await pair.ended();
    assertEquals(pair[receiver].screen, sum);
  });
}

const MANY = 100_000_000; // bytes

for (const peer of [NC_N, NCAT, socat("-t9"), ITSELF]) {
  const roles: Role[] = peer === ITSELF ? ["client"] : ["client", "server"];
  const { name, ignore } = peer;

  for (const role of roles) {
    const which = `netcat as the ${role} of ${name}`;
    Deno.test(`${which} passes what both sides type, line by line`, { ignore }, async () => {
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

    Deno.test(`${which} passes 100 MB there and back unchanged`, { ignore }, async () => {
      await testTransfer(peer, role, "ours");
      await testTransfer(peer, role, "theirs");
    });

    Deno.test(
      `${which} loses nothing when one half ends before the other`,
      { ignore },
      async () => {
        await testHalf(peer, role, "theirs");
        // As servers these end with their client's half, and drop what they still have to send.
        const drops = role === "client" && (peer === NC_N || peer === NCAT);
        if (!drops) await testHalf(peer, role, "ours");
      },
    );
  }
}

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
  const { server, port } = await listen("-l");
  await using _ = server;
  const { status } = await runScript("tcp_client.ts", [`--port=${port}`]);
  await server.endInput();
  assertEquals(status, 0);
  assertEquals(await resultOf(server), {
    status: 0,
    stdout: "Hi. I am a TCP client sending data to the server",
    stderr: `note: listening on 127.0.0.1 port ${port}\n`,
  });
});
