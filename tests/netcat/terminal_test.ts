/** netcat.ts at a terminal, and where one side takes nothing. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import { writeAll } from "../../scripts/lib.ts";
import { Program } from "../../scripts/lab/program.ts";
import {
  closedPort,
  connect,
  decode,
  encode,
  NOT_ON_WINDOWS,
  readToEnd,
  resultOf,
} from "../helpers.ts";
import { NETCAT, ownListener, randomBytes, terminal, WITH_SCRIPT } from "./helpers.ts";

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
  const { sent, writing } = await fill((data) => writeAll(server, data));
  await keyboard.write(encode("typed"));
  await keyboard.close();
  const buffer = new Uint8Array(100);
  const length = await server.read(buffer);
  assertEquals(decode(buffer.subarray(0, length!)), "typed");

  const end = writing.then(() => server.closeWrite());
  let received = 0;
  for await (const piece of client.stdout) received += piece.length;
  await end;
  assertEquals(received, sent);
  assertEquals((await client.status).code, 0);
  assertEquals(await server.read(buffer), null); // our half ends when theirs has
  server.close();
});

Deno.test("netcat takes no more input while its peer reads nothing, and still shows what comes", async () => {
  const { client, keyboard, server } = await startUnread();
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
  server.close();
});

Deno.test(
  "netcat ends with Ctrl-C also while nobody reads its output",
  NOT_ON_WINDOWS,
  async () => {
    const { client, keyboard, server } = await startUnread();
    const { writing } = await fill((data) => writeAll(server, data));
    client.kill("SIGINT");
    assertEquals((await client.status).code, 130);
    await writing.catch(() => {});
    await keyboard.close().catch(() => {});
    await client.stdout.cancel();
    server.close();
  },
);

/** Starts netcat as a client, at a terminal. */
async function startAtTerminal() {
  using listener = ownListener();
  const command = [...NETCAT, "127.0.0.1", listener.addr.port].join(" ");
  const client = new Program(["script", "-qec", command, "/dev/null"]);
  return { client, server: await listener.accept() };
}

Deno.test(
  "netcat at a terminal sends each line at once and ends its half with Ctrl-D",
  WITH_SCRIPT,
  async () => {
    const { client, server } = await startAtTerminal();
    await using _ = client;
    const buffer = new Uint8Array(100);
    for (const line of ["hello\n", "world\n"]) {
      await client.send(encode(line));
      const length = await server.read(buffer);
      assertEquals(decode(buffer.subarray(0, length!)), line);
    }
    await client.send(encode("\x04"));
    assertEquals(await server.read(buffer), null);
    await writeAll(server, encode("still shown"));
    server.close();
    assertEquals((await resultOf(client)).status, 0);
    assertStringIncludes(client.screen, "still shown");
  },
);

Deno.test(
  "netcat at a terminal says that its peer has ended, and still sends",
  WITH_SCRIPT,
  async () => {
    const { client, server } = await startAtTerminal();
    await using _ = client;
    await server.closeWrite();
    const note = "note: the other side has ended: what you type is still sent, Ctrl-D ends";
    assert(await client.until(() => client.screen.includes(note)), client.screen);
    await client.send(encode("late\n"));
    const buffer = new Uint8Array(100);
    const length = await server.read(buffer);
    assertEquals(decode(buffer.subarray(0, length!)), "late\n");
    await client.send(encode("\x04"));
    assertEquals((await resultOf(client)).status, 0);
    server.close();
  },
);

Deno.test(
  "netcat at a terminal ends when a line is typed that no peer takes",
  WITH_SCRIPT,
  async () => {
    const { client, server } = await startAtTerminal();
    await using _ = client;
    server.close();
    assert(await client.until(() => client.screen.includes("has ended")), client.screen);
    await client.send(encode("late\n"));
    assertEquals((await resultOf(client)).status, 1);
    assertStringIncludes(client.screen, "at least 5 bytes of the input did not get through");
  },
);

Deno.test("netcat -l at a terminal ends when its client does", WITH_SCRIPT, async () => {
  const port = closedPort();
  await using server = new Program(terminal('"$@"')([...NETCAT, "-lv", `${port}`]));
  assert(await server.until(() => server.screen.includes("listening")), server.screen);
  const client = await connect(port);
  await writeAll(client, encode("bye"));
  client.close();
  assertEquals((await resultOf(server)).status, 0);
  assertStringIncludes(server.screen, "bye");
});

/** Starts netcat -l as a job in the background of a shell at a terminal, its output a file. */
async function startInBackground(file: string, flags: string) {
  const port = closedPort();
  const line = `set -m; ${NETCAT.join(" ")} ${flags} ${port} > ${file} & jobs; wait; cat`;
  const shell = new Program(["script", "-qec", `sh -c '${line}'`, "/dev/null"]);
  assert(await shell.until(() => shell.screen.includes("listening")), shell.screen);
  return { shell, client: await connect(port) };
}

Deno.test(
  "netcat -l in the background of a terminal writes what it receives before it stops",
  WITH_SCRIPT,
  async () => {
    const file = await Deno.makeTempFile();
    const { shell, client } = await startInBackground(file, "-lv");
    await using _ = shell;
    await writeAll(client, new Uint8Array(1_000_000));
    await client.closeWrite();
    await until(() => Deno.statSync(file).size === 1_000_000);
    client.close();
    await Deno.remove(file);
  },
);

Deno.test("netcat -ld in the background of a terminal does not stop", WITH_SCRIPT, async () => {
  const file = await Deno.makeTempFile();
  const { shell, client } = await startInBackground(file, "-lvd");
  await using _ = shell;
  for (let i = 0; i < 3; i++) { // in pauses that are long enough for it to stop
    await writeAll(client, encode("piece"));
    await delay(400);
  }
  await until(() => Deno.statSync(file).size === 15);
  await client.closeWrite();
  assertEquals(await readToEnd(client), new Uint8Array(0)); // which needs it to run
  client.close();
  await Deno.remove(file);
});

async function until(condition: () => boolean) {
  for (const end = Date.now() + 10_000; !condition(); await delay(20)) {
    assert(Date.now() < end, "it takes too long");
  }
}

Deno.test(
  "netcat at a terminal ends with Ctrl-C, status 130",
  WITH_SCRIPT,
  async () => {
    const { client, server } = await startAtTerminal();
    await using _ = client;
    await writeAll(server, encode("ready"));
    assert(await client.until(() => client.screen.includes("ready")));
    await client.send(encode("\x03"));
    assertEquals((await resultOf(client)).status, 130);
    server.close();
  },
);
