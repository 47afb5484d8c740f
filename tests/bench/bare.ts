/**
 * Does the work of a lab's server, or of echo_client.ts, in the plainest way that Deno offers, as a
 * limit for what the scripts can reach. It prints nothing and handles no errors.
 *
 *     bare.ts PORT BUFFER_SIZE tcp|udp|client [once] [shut] [framed] [upper]
 *
 * The flags are those of load.c. With `once`, it reads once from each client, or one message if
 * `framed`. With `shut`, it reads until the client's end of file.
 */
const [port, bufferSize] = Deno.args.map(Number);
const [, , kind, ...flags] = Deno.args;
const once = flags.includes("once") && !flags.includes("shut");
const framed = flags.includes("framed");
const upper = flags.includes("upper");
const hostname = "127.0.0.1";
const HEADER_SIZE = 10;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const toReply = (data: Uint8Array) =>
  upper ? encoder.encode(decoder.decode(data).toUpperCase()) : data;

async function writeAll(conn: Deno.Conn, data: Uint8Array) {
  for (let sent = 0; sent < data.length;) sent += await conn.write(data.subarray(sent));
}

/** Reads `message.length` bytes in pieces of the buffer's size. Returns false at the end of file. */
async function fill(conn: Deno.Conn, message: Uint8Array): Promise<boolean> {
  for (let received = 0; received < message.length;) {
    const length = await conn.read(message.subarray(received, received + bufferSize));
    if (length === null) return false;
    received += length;
  }
  return true;
}

async function serveMessages(conn: Deno.Conn) {
  const header = new Uint8Array(HEADER_SIZE);
  while (await fill(conn, header)) {
    const message = new Uint8Array(HEADER_SIZE + Number(decoder.decode(header)));
    message.set(header);
    if (!await fill(conn, message.subarray(HEADER_SIZE))) break;
    await writeAll(conn, message);
    if (once) break;
  }
}

async function serve(conn: Deno.TcpConn) {
  conn.setNoDelay();
  if (framed) {
    await serveMessages(conn);
  } else {
    const buffer = new Uint8Array(bufferSize);
    while (true) {
      const length = await conn.read(buffer);
      if (length === null) break;
      await writeAll(conn, toReply(buffer.subarray(0, length)));
      if (once) break;
    }
  }
  conn.close();
}

if (kind === "client") {
  const conn = await Deno.connect({ hostname, port });
  await writeAll(conn, encoder.encode("Test message. This will be echoed"));
  while (await conn.read(new Uint8Array(bufferSize)) !== null);
  conn.close();
} else if (kind === "udp") {
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port });
  const buffer = new Uint8Array(bufferSize);
  while (true) {
    const [data, peer] = await socket.receive(buffer);
    await socket.send(toReply(data), peer);
  }
} else {
  const listener = Deno.listen({ hostname, port });
  while (true) serve(await listener.accept());
}
