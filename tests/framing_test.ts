/** The messages of echo v2 and v3: a header of 10 characters, then the text. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { encodeMessage, Failure, MessageReader, writeAll } from "../scripts/lib.ts";
import { connect, decode, encode, readToEnd, runScript, startServer } from "./helpers.ts";

const READING = { bufferSize: 15, maxLength: 1_048_576, timeout: 30 };

/** A connection that gives `data` in pieces of at most `size` bytes, then ends. */
function connectionWith(data: Uint8Array, size = Infinity): Deno.Conn {
  let at = 0;
  return {
    read(buffer: Uint8Array) {
      if (at === data.length) return Promise.resolve(null);
      const piece = data.subarray(at, at + Math.min(size, buffer.length));
      buffer.set(piece);
      at += piece.length;
      return Promise.resolve(piece.length);
    },
  } as unknown as Deno.Conn;
}

const TEXTS = {
  ASCII: "The quick brown fox",
  "héllo": "héllo",
  Sinhala: "සිංහල අකුරු",
  emoji: "😀👩‍👩‍👧🇱🇰",
};

/** So many code points of a text, over and over. */
function repeated(text: string, length: number): string {
  const characters = [...text];
  return characters.join("").repeat(Math.floor(length / characters.length)) +
    characters.slice(0, length % characters.length).join("");
}

Deno.test("encodeMessage() counts characters, not bytes", () => {
  assertEquals(decode(encodeMessage("")), "         0");
  assertEquals(decode(encodeMessage("héllo")), "         5héllo");
  assertEquals(decode(encodeMessage("😀")), "         1😀");
  assertEquals(
    decode(encodeMessage("x".repeat(72))).slice(0, 10),
    "        72",
  );
});

for (const [name, text] of Object.entries(TEXTS)) {
  Deno.test(`MessageReader reads ${name} of any length in pieces of any size`, async () => {
    for (const length of [0, 1, 14, 15, 16, 1000]) {
      const message = repeated(text, length);
      const data = encodeMessage(message);
      for (const size of [1, 2, 3, 15, Infinity]) {
        for (const bufferSize of [1, 15, 65536]) {
          const connection = connectionWith(data, size);
          using reader = new MessageReader(connection, {
            ...READING,
            bufferSize,
          });
          assertEquals(await reader.read(), message);
          assertEquals(await reader.read(), null);
        }
      }
    }
  });

  Deno.test(`MessageReader reads 1,000,000 characters of ${name}`, async () => {
    const message = repeated(text, 1_000_000);
    using reader = new MessageReader(
      connectionWith(encodeMessage(message)),
      READING,
    );
    assert(await reader.read() === message);
  });
}

Deno.test("MessageReader puts a character together at every place of a buffer's edge", async () => {
  for (const character of ["é", "€", "😀"]) {
    for (let before = 0; before <= 30; before++) {
      const message = "a".repeat(before) + character + "b";
      using reader = new MessageReader(
        connectionWith(encodeMessage(message)),
        READING,
      );
      assertEquals(await reader.read(), message);
    }
  }
});

Deno.test("MessageReader reads three messages from one piece", async () => {
  const messages = ["one", "", "héllo 😀"];
  const data = encode(
    messages.map((message) => decode(encodeMessage(message))).join(""),
  );
  for (const bufferSize of [1, 15, 65536]) {
    using reader = new MessageReader(connectionWith(data), {
      ...READING,
      bufferSize,
    });
    for (const message of messages) assertEquals(await reader.read(), message);
    assertEquals(await reader.read(), null);
  }
});

Deno.test("MessageReader gives the messages before one that is wrong", async () => {
  const data = new Uint8Array([...encode("         2ab         1"), 0xff]);
  using reader = new MessageReader(connectionWith(data), {
    ...READING,
    bufferSize: 100,
  });
  assertEquals(await reader.read(), "ab");
  await assertRejects(() => reader.read(), TypeError, "encoded data");
});

Deno.test("MessageReader takes a header that is aligned to the left", async () => {
  using reader = new MessageReader(
    connectionWith(encode("2         ab")),
    READING,
  );
  assertEquals(await reader.read(), "ab");
});

const WRONG = [
  ["abcdefghij", "this is no header of a message: abcdefghij"],
  ["        -5hello", "this is no header of a message:         -5"],
  ["          hello", "this is no header of a message:           "],
  ["       1.5hello", "this is no header of a message:        1.5"],
  [
    "9999999999",
    "a message of 9999999999 characters: at most 1048576 are allowed",
  ],
  [
    "   1048577",
    "a message of 1048577 characters: at most 1048576 are allowed",
  ],
  ["    ", "the connection ended after 4 of 10 characters of a header"],
  [
    "         5hel",
    "the connection ended after 3 of 5 characters of a message",
  ],
  ["         \x1b", "this is no header of a message:          \\x1b"],
] as const;

for (const [data, complaint] of WRONG) {
  Deno.test(`MessageReader refuses ${JSON.stringify(data)}`, async () => {
    using reader = new MessageReader(connectionWith(encode(data)), READING);
    await assertRejects(() => reader.read(), Failure, complaint);
  });
}

for (const script of ["echo_server_v2.ts", "echo_server_v3.ts"]) {
  Deno.test(`${script} says what is wrong with a message, and goes on`, async () => {
    const { server, port } = await startServer(script);
    await using _ = server;
    const complaints = [];
    for (const [data, complaint] of WRONG) {
      using client = await connect(port);
      const { port: ownPort } = client.localAddr as Deno.NetAddr;
      complaints.push(`error: client ('127.0.0.1', ${ownPort}): ${complaint}`);
      await writeAll(client, encode(data));
      await client.closeWrite();
      assertEquals(await readToEnd(client), new Uint8Array(0));
    }
    using client = await connect(port);
    await writeAll(client, encodeMessage("honest"));
    await client.closeWrite();
    assertEquals(decode(await readToEnd(client)), "         6honest");
    await server.end();
    assertEquals(server.errors.split("\n").slice(1, -1), complaints);
    assert(!/abcdefghij|hel/.test(server.screen), server.screen);
  });

  Deno.test(`${script} gives up on a client that falls silent inside a message, and on it alone`, async () => {
    const { server, port } = await startServer(script, ["--timeout=0.3"]);
    await using _ = server;
    using silent = await connect(port);
    using patient = await connect(port); // silent before a message: that is its right
    await writeAll(silent, encode("        10he")); // twelve bytes
    assertEquals(await readToEnd(silent), new Uint8Array(0));
    const { port: ownPort } = silent.localAddr as Deno.NetAddr;
    const complaint = `error: client ('127.0.0.1', ${ownPort}): ` +
      "nothing came for 0.3 s in the middle of a message\n";
    assert(
      await server.until(() => server.errors.includes(complaint)),
      server.errors,
    );
    await writeAll(patient, encodeMessage("honest"));
    await patient.closeWrite();
    assertEquals(decode(await readToEnd(patient)), "         6honest");
  });

  Deno.test(`${script} --max-length allows messages up to that length`, async () => {
    const { server, port } = await startServer(script, ["--max-length=3"]);
    await using _ = server;
    for (
      const [message, answer] of [["😀😀😀", "         3😀😀😀"], ["abcd", ""]]
    ) {
      using client = await connect(port);
      await writeAll(client, encodeMessage(message));
      await client.closeWrite();
      assertEquals(decode(await readToEnd(client)), answer);
    }
  });
}

Deno.test("echo v2 carries every text there and back, and the longest messages", async () => {
  const { server, port } = await startServer("echo_server_v2.ts");
  await using _ = server;
  for (const text of [...Object.values(TEXTS), "", "x".repeat(100_000)]) {
    const { status, stdout, stderr } = await runScript("echo_client_v2.ts", [
      `--port=${port}`,
      `--message=${text}`,
    ]);
    assertEquals([status, stdout, stderr], [0, `${text}\n`, ""]);
  }
  for (const text of Object.values(TEXTS)) {
    const message = repeated(text, 1_000_000);
    using client = await connect(port);
    await writeAll(client, encodeMessage(message));
    assert(decode(await readToEnd(client)) === decode(encodeMessage(message)));
  }
});
