/** netcat.ts at a terminal, as a background job, and when one side reads nothing. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import { writeAll } from "../../scripts/lib.ts";
import { DENO_RUN, Program } from "../../scripts/lab/process/program.ts";
import {
  connect,
  decode,
  encode,
  quietListener,
  quietPort,
  readToEnd,
  resultOf,
  SCRIPTS,
  temporary,
  WITH_SIGNALS,
  WITH_WAITING_WRITES,
} from "../helpers.ts";
import {
  NETCAT,
  randomBytes,
  readAllText,
  readText,
  terminal,
  WITH_SCRIPT,
  withServer,
} from "./helpers.ts";

const MANY = 25_000_000; // bytes, more than the buffers of the system hold

/** Starts netcat as a client whose output is not read yet. */
async function startUnread() {
  using listener = quietListener();
  const [deno, ...args] = NETCAT;
  const client = new Deno.Command(deno, {
    args: [...args, "127.0.0.1", `${listener.addr.port}`],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const keyboard = client.stdin.getWriter();
  return { client, keyboard, server: await listener.accept() };
}

/** Writes until a write stalls. Returns how many bytes were written, and the last write. */
async function fill(write: (data: Uint8Array) => Promise<unknown>) {
  const data = randomBytes(1_000_000);
  for (let sent = data.length; sent <= MANY; sent += data.length) {
    const writing = write(data);
    try {
      await deadline(writing, 300);
    } catch {
      return { sent, writing };
    }
  }
  throw new Error("netcat takes everything, whether it can pass it on or not");
}

Deno.test("netcat stops its peer when its output is not read, and still sends", async () => {
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

Deno.test(
  "netcat takes no input when its peer reads nothing, and still prints what comes",
  WITH_WAITING_WRITES,
  async () => {
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
  },
);

Deno.test(
  "netcat ends with Ctrl-C when its output is not read",
  WITH_SIGNALS,
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

/** Defines a test of netcat as a client at a terminal, with the test as its server. */
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

testAtTerminal(
  "sends each line at once, and ends its half after Ctrl-D",
  async (client, server) => {
    for (const line of ["hello\n", "zwölf\n"]) {
      await client.send(encode(line));
      assertEquals(await readText(server), line);
    }
    await client.send(encode("\x04"));
    assertEquals(await readAllText(server), "");
    await writeAll(server, encode("still shown"));
    server.close();
    assertEquals((await resultOf(client)).status, 0);
    assertStringIncludes(client.screen, "still shown");
  },
);

testAtTerminal(
  "still sends after its peer has ended, and reports this end",
  async (client, server) => {
    await server.closeWrite();
    const note = "note: the other side has ended: what you type is still sent, Ctrl-D ends";
    assert(await client.until(() => client.screen.includes(note)), client.screen);
    await client.send(encode("late\n"));
    assertEquals(await readText(server), "late\n");
    await client.send(encode("\x04"));
    assertEquals((await resultOf(client)).status, 0);
  },
);

testAtTerminal("fails when a line is typed that no peer reads", async (client, server) => {
  server.close();
  assert(await client.until(() => client.screen.includes("has ended")), client.screen);
  await client.send(encode("late\n"));
  assertEquals((await resultOf(client)).status, 1);
  assertStringIncludes(client.screen, "the end of the input did not arrive");
});

testAtTerminal("ends with status 130 when Ctrl-C is pressed", async (client, server) => {
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

/** Defines a test of netcat as a background job at a terminal, with its output in a file. */
function testInBackground(
  name: string,
  command: string[],
  body: (job: {
    shell: Program;
    client: Deno.TcpConn;
    received: (size: number) => Promise<void>;
  }) => Promise<void>,
) {
  Deno.test(`netcat as a background job ${name}`, WITH_SCRIPT, async () => {
    await using folder = await temporary();
    const [port, file] = [quietPort(), `${folder.path}/received`];
    const line = `set -m; ${command.join(" ")} -v ${port} > ${file} & read line; fg; cat`;
    await using shell = new Program(terminal(`bash -c '${line}'`)([]));
    assert(await shell.until(() => shell.screen.includes("listening")), shell.screen);
    using client = await connect(port);
    const received = async (size: number) => {
      for (const end = Date.now() + 10_000; Deno.statSync(file).size !== size; await delay(20)) {
        assert(Date.now() < end, `${Deno.statSync(file).size} bytes, not ${size}`);
      }
    };
    await body({ shell, client, received });
  });
}

const WITH_ALL = [...DENO_RUN, "-A", `${SCRIPTS}netcat.ts`, "-l"];

testInBackground("does not stop in a pause when it may not see that it is one", [
  ...NETCAT,
  "-l",
], async ({ client, received }) => {
  for (let i = 1; i <= 3; i++) {
    await writeAll(client, encode("piece"));
    await received(5 * i);
    await delay(400);
  }
  await client.closeWrite();
  assertEquals(await readAllText(client), ""); // it has ended
});

testInBackground(
  "leaves the keyboard to the shell until it comes to the foreground",
  WITH_ALL,
  async ({ shell, client, received }) => {
    await writeAll(client, encode("piece"));
    await received(5);
    await shell.send(encode("for the shell\n")); // which then runs fg
    assert(await shell.until(() => /netcat\.ts[^]*received/.test(shell.screen.split("shell")[1])));
    await shell.send(encode("for the client\n"));
    assertEquals(await readText(client), "for the client\n");
  },
);

testInBackground(
  "reads nothing with -d",
  [...WITH_ALL, "-d"],
  async ({ shell, client, received }) => {
    await shell.send(encode("for the shell\n"));
    await writeAll(client, encode("piece"));
    await received(5);
    await client.closeWrite();
    assertEquals(await readAllText(client), "");
  },
);
