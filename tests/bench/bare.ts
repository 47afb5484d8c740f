/**
 * What Deno can do: an echo server that does the least possible, with the words
 * of server.c. It loses bytes where a write is cut short, and never ends.
 *
 * @module
 */
const [kind, size] = Deno.args;
const hostname = "127.0.0.1";
const tell = ({ port }: Deno.NetAddr) =>
  console.error(`note: listening on ${hostname} port ${port}`);

async function echo(client: Deno.TcpConn) {
  if (kind === "tcp") client.setNoDelay();
  const buffer = new Uint8Array(Number(size));
  for (let length; (length = await client.read(buffer)) !== null;) {
    await client.write(buffer.subarray(0, length));
    if (kind === "once") break;
  }
  client.close();
}

if (kind === "udp") {
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  tell(socket.addr as Deno.NetAddr);
  const buffer = new Uint8Array(Number(size));
  while (true) {
    const [data, peer] = await socket.receive(buffer);
    await socket.send(data, peer);
  }
} else {
  const listener = Deno.listen({ hostname, port: 0 });
  tell(listener.addr);
  while (true) echo(await listener.accept()).catch(() => {}); // a client has gone
}
