// An iterator over datagrams.
const port = Number(Deno.args.at(-1)?.split("=").at(-1) ?? 8080);
const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port });
console.log("The server is ready to receive");
for await (const [datagram, peer] of socket) {
  const sentence = new TextDecoder().decode(datagram.slice(0, 2048));
  await socket.send(new TextEncoder().encode(sentence.toUpperCase()), peer);
}
