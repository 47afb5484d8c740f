// With a buffer of the sheet's size. On Windows, `receive` fails if a datagram is longer.
const given = Deno.args.find((arg) => arg.startsWith("--port="));
const port = given ? Number(given.split("=")[1]) : 9900;
const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port });
console.log(`Starting up echo server on localhost port ${port}`);
while (true) {
  console.log("Waiting to receive message from client");
  const [data, peer] = await socket.receive(new Uint8Array(2048));
  const { hostname, port } = peer as Deno.NetAddr;
  console.log(`received ${data.length} bytes from ('${hostname}', ${port})`);
  console.log("Data:", new TextDecoder().decode(data));
  if (data.length > 0) {
    await socket.send(data, peer);
    console.log(`sent ${data.length} bytes back to ('${hostname}', ${port})`);
  }
}
