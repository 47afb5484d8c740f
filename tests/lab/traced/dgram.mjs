import dgram from "node:dgram";

const server = dgram.createSocket("udp4");
server.on("message", (data, { address, port, size }) => { //: receive 4
  console.log("from", address, size);
  server.send(data.reverse(), port, address, () => server.close()); //: send 4
});
server.bind(7001, "127.0.0.1", () => { //: bind
  console.log(server.address());
  const client = dgram.createSocket({ type: "udp4" });
  client.once("message", (data, peer) => { //: receive 4
    console.log(data.toString(), peer.port);
    client.close();
  });
  client.send(["pi", Buffer.from("ng")], 7001, "127.0.0.1"); //: send 4
});
