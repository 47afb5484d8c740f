const socket = Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: 12000 });
console.log(`listening on port ${(socket.addr as Deno.NetAddr).port}`);
for await (const [data, client] of socket) {
  const { hostname, port } = client as Deno.NetAddr;
  console.log(`${data.length} bytes from ${hostname}:${port}`);
  await socket.send(data, client);
}
