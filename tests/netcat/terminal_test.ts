/** netcat.ts at a terminal, and where one side takes nothing. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import { writeAll } from "../../scripts/lib.ts";
import { Program } from "../../scripts/lab/program.ts";
import {
  connect,
  decode,
  encode,
  NOT_ON_WINDOWS,
  quietPort,
  readToEnd,
  resultOf,
  temporary,
} from "../helpers.ts";
import {
  NETCAT,
  ownListener,
  randomBytes,
  readAllText,
  readText,
  terminal,
  WITH_SCRIPT,
  withServer,
} from "./helpers.ts";

const MANY = 50_000_000; // bytes, more than any buffers hold

/** Starts netcat as a client whose output nobody reads yet. */
async function startUnread() {
  using listener = ownListener();
  const [deno, ...args] = NETCAT;
  const client = new Deno.Command(deno, {
    args: [...args, "127.0.0.1", `${listener.addr.port}`],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const keyboard = client.stdin.getWriter();
  return { client, keyboard, server: await listener.accept() };
}

/** Sends until nothing is taken any more: how many bytes were sent, and the last write. */
async function fill(write: (data: Uint8Array) => Promise<unknown>) {
  const data = randomBytes(1_000_000);
  for (let sent = data.length; sent <= MANY / 2; sent += data.length) {
    const writing = write(data);
    try {
      await deadline(writing, 300);
    } catch {
      return { sent, writing };
    }
  }
  throw new Error("netcat takes everything, whether it can pass it on or not");
}

Deno.test("netcat stops its peer while nobody reads its output, and still sends", async () => {
  const { client, keyboard, server } = await startUnread();
  using _ = server;
  const { sent, writing } = await fill((data) => writeAll(server, data));
  await keyboard.write(encode("typed"));
  await keyboard.close();
  assertEquals(await readText(server), "typed");

  const end = writing.then(() => server.closeWrite());
  let received = 0;
  for await (const piece of client.stdout) received += piece.length;
  await end;
  assertEquals(received, sent);
  assertEquals((await client.status).code, 0);
  assertEquals(await readAllText(server), ""); // our half ends when theirs has
});

Deno.test("netcat takes no input while its peer reads nothing, and still shows what comes", async () => {
  const { client, keyboard, server } = await startUnread();
  using _ = server;
  const { sent, writing } = await fill((data) => keyboard.write(data));
  await writeAll(server, encode("shown"));
  await server.closeWrite();
  const reader = client.stdout.getReader();
  let screen = "";
  while (screen.length < "shown".length) {
    screen += decode((await reader.read()).value!);
  }
  const end = writing.then(() => keyboard.close());
  const received = await readToEnd(server);
  await end;
  assertEquals(received.length, sent);
  assertEquals((await reader.read()).done, true);
  assertEquals((await client.status).code, 0);
});

Deno.test(
  "netcat ends with Ctrl-C also while nobody reads its output",
  NOT_ON_WINDOWS,
  async () => {
    const { client, keyboard, server } = await startUnread();
    using _ = server;
    const { writing } = await fill((data) => writeAll(server, data));
    client.kill("SIGINT");
    assertEquals((await client.status).code, 130);
    await writing.catch(() => {});
    await keyboard.close().catch(() => {});
    await client.stdout.cancel();
  },
);

/** A test of netcat as a client at a terminal, its server the test. */
function testAtTerminal(
  name: string,
  body: (client: Program, server: Deno.TcpConn) => Promise<void>,
) {
  Deno.test(
    `netcat at a terminal ${name}`,
    WITH_SCRIPT,
    () => withServer("", body, terminal('"$@"')),
  );
}

testAtTerminal("sends each line at once and ends its half with Ctrl-D", async (client, server) => {
  for (const line of ["hello\n", "world\n"]) {
    await client.send(encode(line));
    assertEquals(await readText(server), line);
  }
  await client.send(encode("\x04"));
  assertEquals(await readAllText(server), "");
  await writeAll(server, encode("still shown"));
  server.close();
  assertEquals((await resultOf(client)).status, 0);
  assertStringIncludes(client.screen, "still shown");
});

testAtTerminal("says that its peer has ended, and still sends", async (client, server) => {
  await server.closeWrite();
  const note = "note: the other side has ended: what you type is still sent, Ctrl-D ends";
  assert(await client.until(() => client.screen.includes(note)), client.screen);
  await client.send(encode("late\n"));
  assertEquals(await readText(server), "late\n");
  await client.send(encode("\x04"));
  assertEquals((await resultOf(client)).status, 0);
});

testAtTerminal("ends when a line is typed that no peer takes", async (client, server) => {
  server.close();
  assert(await client.until(() => client.screen.includes("has ended")), client.screen);
  await client.send(encode("late\n"));
  assertEquals((await resultOf(client)).status, 1);
  assertStringIncludes(client.screen, "at least 5 bytes of the input did not get through");
});

testAtTerminal("ends with Ctrl-C, status 130", async (client, server) => {
  await writeAll(server, encode("ready"));
  assert(await client.until(() => client.screen.includes("ready")));
  await client.send(encode("\x03"));
  assertEquals((await resultOf(client)).status, 130);
});

Deno.test("netcat -l at a terminal ends when its client does", WITH_SCRIPT, async () => {
  const port = quietPort();
  await using server = new Program(terminal('"$@"')([...NETCAT, "-lv", `${port}`]));
  assert(await server.until(() => server.screen.includes("listening")), server.screen);
  const client = await connect(port);
  await writeAll(client, encode("bye"));
  client.close();
  assertEquals((await resultOf(server)).status, 0);
  assertStringIncludes(server.screen, "bye");
});

/** A test of netcat as a job in the background of a terminal, its output a file. */
function testInBackground(
  name: string,
  flags: string,
  body: (client: Deno.TcpConn, sizeIs: (size: number) => Promise<void>) => Promise<void>,
) {
  Deno.test(`netcat ${flags} in the background of a terminal ${name}`, WITH_SCRIPT, async () => {
    await using folder = await temporary();
    const [port, file] = [quietPort(), `${folder.path}/received`];
    const line = `set -m; ${NETCAT.join(" ")} -v ${flags} ${port} > ${file} & jobs; wait; cat`;
    await using shell = new Program(terminal(`sh -c '${line}'`)([]));
    assert(await shell.until(() => shell.screen.includes("listening")), shell.screen);
    using client = await connect(port);
    await body(client, async (size) => {
      for (const end = Date.now() + 10_000; Deno.statSync(file).size !== size; await delay(20)) {
        assert(Date.now() < end, `${Deno.statSync(file).size} bytes, not ${size}`);
      }
    });
  });
}

testInBackground("writes what it receives before it stops", "-l", async (client, sizeIs) => {
  await writeAll(client, new Uint8Array(1_000_000));
  await client.closeWrite();
  await sizeIs(1_000_000);
});

testInBackground("does not stop", "-ld", async (client, sizeIs) => {
  for (let i = 0; i < 3; i++) { // in pauses that are long enough for it to stop
    await writeAll(client, encode("piece"));
    await delay(400);
  }
  await sizeIs(15);
  await client.closeWrite();
  assertEquals(await readAllText(client), ""); // which needs it to run
});
