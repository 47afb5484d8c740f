/** The messages of echo v2 and v3 on the wire: a header of 10 characters, then the text. */
import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async/delay";
import { writeAll } from "../../scripts/lib.ts";
import {
  connect,
  decode,
  encode,
  LONGEST_ARGUMENT,
  readToEnd,
  runScript,
  startServer,
  THOROUGH,
  withHeader,
} from "../helpers.ts";

const TEXTS = ["The quick brown fox", "héllo", "සිංහල අකුරු", "😀👩‍👩‍👧🇱🇰", "\ufeffa"];
const SERVERS = ["echo_server_v2.ts", "echo_server_v3.ts"];
const CLIENTS = [
  { script: "echo_client_v2.ts", args: ["--message=hi"], typed: "" },
  { script: "echo_client_v3.ts", args: [], typed: "exit\n" },
];

/** Repeats a text up to a length in characters. */
function repeated(text: string, length: number): string {
  const characters = [...text];
  return characters.join("").repeat(Math.floor(length / characters.length)) +
    characters.slice(0, length % characters.length).join("");
}

/** Sends pieces one by one, so that the other side can read each of them alone. */
async function sendPieces(connection: Deno.TcpConn, pieces: Uint8Array[]) {
  for (const piece of pieces) {
    await writeAll(connection, piece);
    await delay(0);
  }
}

/** Sends pieces one by one, ends its half, and returns all that it receives. */
async function exchange(connection: Deno.TcpConn, pieces: Uint8Array[]): Promise<string> {
  using _ = connection;
  connection.setNoDelay();
  await sendPieces(connection, pieces);
  await connection.closeWrite();
  return decode(await readToEnd(connection));
}

/** Returns a server's reply to pieces. */
const replyOf = async (port: number, pieces: Uint8Array[]) =>
  await exchange(await connect(port), pieces);

/** Runs a client with a server that replies with these pieces. Returns the client's result. */
async function runWith(script: string, pieces: Uint8Array[], args: string[], typed: string) {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const played = listener.accept().then((client) => exchange(client, pieces))
    .catch(() => {}); // the client may close the connection early
  const result = await runScript(script, [...args, `--port=${listener.addr.port}`], typed);
  await played;
  return result;
}

/** Returns all ways to split some bytes in two. */
const splits = (data: Uint8Array) =>
  Array.from(
    { length: data.length - 1 },
    (_, i) => [data.subarray(0, i + 1), data.subarray(i + 1)],
  );
const oneByOne = (data: Uint8Array) => Array.from(data, (byte) => Uint8Array.of(byte));

for (const script of SERVERS) {
  Deno.test(`${script} puts together a message that is split anywhere, or into single bytes`, async () => {
    const { server, port } = await startServer(script);
    await using _ = server;
    for (const text of TEXTS) {
      const message = withHeader(text);
      for (const pieces of [...splits(encode(message)), oneByOne(encode(message))]) {
        assertEquals(await replyOf(port, pieces), message);
      }
    }
  });

  Deno.test(`${script} reads messages of any length through buffers of any size`, async () => {
    for (const bufferSize of [1, 15, 65536]) {
      const { server, port } = await startServer(script, [`--buffer-size=${bufferSize}`]);
      await using _ = server;
      for (const text of TEXTS) {
        for (const length of [0, 1, 14, 15, 16, 1000]) {
          const message = withHeader(repeated(text, length));
          assertEquals(await replyOf(port, [encode(message)]), message);
        }
      }
    }
  });

  Deno.test(`${script} echoes the longest messages, and refuses longer ones`, async () => {
    // With the default of 15 bytes, 4 MB take 300,000 reads.
    const { server, port } = await startServer(script, THOROUGH ? [] : ["--buffer-size=4096"]);
    await using _ = server;
    for (const text of ["x", TEXTS[3]]) {
      const message = withHeader(repeated(text, 1_048_576));
      assert(await replyOf(port, [encode(message)]) === message, text);
    }
    assertEquals(await replyOf(port, [encode(withHeader("x".repeat(1_048_577)))]), "");
    assert(
      await server.until(() => server.errors.includes("message too long: 1048577 characters")),
    );
  });
}

Deno.test("echo_server_v3.ts separates messages that arrive in one piece", async () => {
  const messages = ["one", "", "héllo 😀", "exit"].map(withHeader).join("");
  for (const bufferSize of [1, 15, 65536]) {
    const { server, port } = await startServer("echo_server_v3.ts", [
      `--buffer-size=${bufferSize}`,
    ]);
    await using _ = server;
    assertEquals(await replyOf(port, [encode(messages + withHeader("after exit"))]), messages);
  }
});

const WRONG: [data: string | Uint8Array, report: string][] = [
  ["abcdefghij", 'invalid header: "abcdefghij"'],
  ["        -5hello", 'invalid header: "        -5"'],
  ["          hello", 'invalid header: "          "'],
  ["       1.5hello", 'invalid header: "       1.5"'],
  ["9999999999", "message too long: 9999999999 characters"],
  ["   1048577", "message too long: 1048577 characters"],
  ["    ", "the connection closed in the middle of a message"],
  ["         5hel", "the connection closed in the middle of a message"],
  ["         \x1b", 'invalid header: "         \\x1b"'],
  [Uint8Array.of(...encode("         1"), 0xff), "the text is not valid UTF-8"],
  [encode("         1😀").subarray(0, 12), "the connection closed in the middle of a message"],
];

for (const script of SERVERS) {
  Deno.test(`${script} reports what is wrong with a message, and serves the next client`, async () => {
    const { server, port } = await startServer(script);
    await using _ = server;
    const reports = [];
    for (const [data, report] of WRONG) {
      using client = await connect(port);
      const { port: ownPort } = client.localAddr as Deno.NetAddr;
      reports.push(`error: client ('127.0.0.1', ${ownPort}): ${report}`);
      await writeAll(client, typeof data === "string" ? encode(data) : data);
      await client.closeWrite();
      assertEquals(await readToEnd(client), new Uint8Array(0));
    }
    assertEquals(await replyOf(port, [encode(withHeader("next"))]), withHeader("next"));
    const lines = () => server.errors.split("\n").slice(1, -1);
    await server.until(() => lines().length >= reports.length);
    await server.end();
    assertEquals(lines(), reports);
    assert(!/abcdefghij|hel/.test(server.screen), server.screen);
  });
}

Deno.test("echo_client_v2.ts puts together a reply that is split in its header, in a character, or into single bytes", async () => {
  for (const text of ["héllo", "a😀b"]) {
    const message = encode(withHeader(text));
    const all = splits(message);
    // Version 3 reads in the same way, and gets all splits below.
    const some = THOROUGH ? all : [all[8], all[11]];
    for (const pieces of [oneByOne(message), ...some]) {
      const result = await runWith("echo_client_v2.ts", pieces, ["--message=hi"], "");
      assertEquals(result, { status: 0, stdout: `${text}\n`, stderr: "" });
    }
  }
});

Deno.test("echo_client_v3.ts puts together replies that are split anywhere, or into single bytes", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const replies = ["héllo", "a😀b"].flatMap((text) => {
    const message = encode(withHeader(text));
    return [oneByOne(message), ...splits(message)].map((pieces) => ({ text, pieces }));
  });
  const typed = [...replies.map((_, i) => `question ${i}`), "exit"];
  const serve = async () => {
    using client = await listener.accept();
    client.setNoDelay();
    for (
      const [i, { pieces }] of [...replies, { pieces: [encode(withHeader("exit"))] }].entries()
    ) {
      const question = withHeader(typed[i]);
      assertEquals(decode(await readToEnd(client, encode(question).length)), question);
      await sendPieces(client, pieces);
    }
  };
  const [result] = await Promise.all([
    runScript("echo_client_v3.ts", [`--port=${listener.addr.port}`], typed.join("\n")),
    serve(),
  ]);
  const lines = [...replies.map(({ text }) => text), "exit"];
  const stdout = lines.map((line) => `Enter a message: "exit" to abort:${line}\n`).join("");
  assertEquals(result, { status: 0, stdout: `${stdout}Connection Closed\n`, stderr: "" });
});

for (const { script, args, typed } of CLIENTS) {
  Deno.test(`${script} reports what is wrong with a reply`, async () => {
    for (const [data, report] of WRONG) {
      const piece = typeof data === "string" ? encode(data) : data;
      const result = await runWith(script, [piece], args, typed);
      assertEquals(result.status, 1);
      assert(result.stderr.endsWith(`${report}\n`), result.stderr);
    }
  });
}

Deno.test("echo_client_v2.ts sends the length in characters", async () => {
  const { server, port } = await startServer("echo_server_v2.ts");
  await using _ = server;
  for (const text of [...TEXTS, "", "x".repeat(LONGEST_ARGUMENT)]) {
    const result = await runScript("echo_client_v2.ts", [`--port=${port}`, `--message=${text}`]);
    const shown = text.replace("\ufeff", "\\ufeff"); // it is invisible
    assertEquals(result, { status: 0, stdout: `${shown}\n`, stderr: "" });
  }
});
