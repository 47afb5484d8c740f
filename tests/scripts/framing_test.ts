/** The messages of echo v2 and v3 on the wire: a header of 10 characters, then the text. */
import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async/delay";
import { writeAll } from "../../scripts/lib.ts";
import {
  connect,
  decode,
  encode,
  readToEnd,
  runScript,
  startServer,
  withHeader,
} from "../helpers.ts";

const TEXTS = ["The quick brown fox", "héllo", "සිංහල අකුරු", "😀👩‍👩‍👧🇱🇰", "\ufeffa"];
const SERVERS = ["echo_server_v2.ts", "echo_server_v3.ts"];
const CLIENTS = [
  { script: "echo_client_v2.ts", args: ["--message=hi"], typed: "" },
  { script: "echo_client_v3.ts", args: [], typed: "exit\n" },
];

/** So many characters of a text, over and over. */
function repeated(text: string, length: number): string {
  const characters = [...text];
  return characters.join("").repeat(Math.floor(length / characters.length)) +
    characters.slice(0, length % characters.length).join("");
}

/** Sends pieces one by one, so that each is read by itself, and gives what comes until the end. */
async function exchange(connection: Deno.TcpConn, pieces: Uint8Array[]): Promise<string> {
  using _ = connection;
  connection.setNoDelay();
  for (const piece of pieces) {
    await writeAll(connection, piece);
    await delay(0);
  }
  await connection.closeWrite();
  return decode(await readToEnd(connection));
}

/** What a server answers to pieces. */
const answer = async (port: number, pieces: Uint8Array[]) =>
  await exchange(await connect(port), pieces);

/** Takes the part of a server for one client that gets an answer in pieces: how it then ends. */
async function runWith(script: string, pieces: Uint8Array[], args: string[], typed: string) {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const played = listener.accept().then((client) => exchange(client, pieces))
    .catch(() => {}); // it may have broken off
  const result = await runScript(script, [...args, `--port=${listener.addr.port}`], typed);
  await played;
  return result;
}

const cuts = (data: Uint8Array) =>
  Array.from(
    { length: data.length - 1 },
    (_, i) => [data.subarray(0, i + 1), data.subarray(i + 1)],
  );
const oneByOne = (data: Uint8Array) => Array.from(data, (byte) => Uint8Array.of(byte));

for (const script of SERVERS) {
  Deno.test(`${script} puts a message together that is cut anywhere, or into single bytes`, async () => {
    const { server, port } = await startServer(script);
    await using _ = server;
    for (const text of TEXTS) {
      const message = withHeader(text);
      for (const pieces of [...cuts(encode(message)), oneByOne(encode(message))]) {
        assertEquals(await answer(port, pieces), message);
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
          assertEquals(await answer(port, [encode(message)]), message);
        }
      }
    }
  });

  Deno.test(`${script} carries the longest messages, and says so of longer ones`, async () => {
    const { server, port } = await startServer(script);
    await using _ = server;
    for (const text of ["x", TEXTS[3]]) {
      const message = withHeader(repeated(text, 1_048_576));
      assert(await answer(port, [encode(message)]) === message, text);
    }
    assertEquals(await answer(port, [encode(withHeader("x".repeat(1_048_577)))]), "");
    assert(
      await server.until(() => server.errors.includes("message too long: 1048577 characters")),
    );
  });
}

Deno.test("echo_server_v3.ts keeps apart what comes in one piece", async () => {
  const messages = ["one", "", "héllo 😀", "exit"].map(withHeader).join("");
  for (const bufferSize of [1, 15, 65536]) {
    const { server, port } = await startServer("echo_server_v3.ts", [
      `--buffer-size=${bufferSize}`,
    ]);
    await using _ = server;
    assertEquals(await answer(port, [encode(messages + withHeader("after exit"))]), messages);
  }
});

const WRONG: [data: string | Uint8Array, complaint: string][] = [
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
  Deno.test(`${script} says what is wrong with a message, and goes on`, async () => {
    const { server, port } = await startServer(script);
    await using _ = server;
    const complaints = [];
    for (const [data, complaint] of WRONG) {
      using client = await connect(port);
      const { port: ownPort } = client.localAddr as Deno.NetAddr;
      complaints.push(`error: client ('127.0.0.1', ${ownPort}): ${complaint}`);
      await writeAll(client, typeof data === "string" ? encode(data) : data);
      await client.closeWrite();
      assertEquals(await readToEnd(client), new Uint8Array(0));
    }
    assertEquals(await answer(port, [encode(withHeader("honest"))]), withHeader("honest"));
    await server.end();
    assertEquals(server.errors.split("\n").slice(1, -1), complaints);
    assert(!/abcdefghij|hel/.test(server.screen), server.screen);
  });
}

for (const { script, args, typed } of CLIENTS) {
  Deno.test(`${script} puts an answer together that is cut anywhere, or into single bytes`, async () => {
    for (const text of ["héllo", "a😀b"]) {
      const message = encode(withHeader(text));
      for (const pieces of [oneByOne(message), ...cuts(message).slice(8)]) {
        const result = await runWith(script, pieces, args, typed);
        assert(result.stdout.includes(`${text}\n`), result.stdout);
        assertEquals([result.status, result.stderr], [0, ""]);
      }
    }
  });

  Deno.test(`${script} says what is wrong with an answer`, async () => {
    for (const [data, complaint] of WRONG) {
      const piece = typeof data === "string" ? encode(data) : data;
      const result = await runWith(script, [piece], args, typed);
      assertEquals(result.status, 1);
      assert(result.stderr.endsWith(`${complaint}\n`), result.stderr);
    }
  });
}

Deno.test("echo_client_v2.ts sends the length in characters", async () => {
  const { server, port } = await startServer("echo_server_v2.ts");
  await using _ = server;
  for (const text of [...TEXTS, "", "x".repeat(100_000)]) {
    const result = await runScript("echo_client_v2.ts", [`--port=${port}`, `--message=${text}`]);
    const shown = text.replace("\ufeff", "\\ufeff"); // it is invisible
    assertEquals(result, { status: 0, stdout: `${shown}\n`, stderr: "" });
  }
});
