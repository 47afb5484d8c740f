import net from "node:net";

const server = net.createServer((socket) => {
  console.log("client from", socket.remoteAddress, "to", socket.localPort);
  socket.on("data", (data) => console.log("data", data)); //: receive 5
  socket.on("end", () => socket.end("bye")); //: send 3, shutdown
});
server.listen(7001, "127.0.0.1", () => { //: listen, accept
  console.log(server.address());
  const client = net.connect({ port: 7001, host: "127.0.0.1" }, () => { //: connect, receive 0
    console.log("connected to", client.remoteAddress, client.remotePort);
    client.end("hello"); //: send 5, shutdown
  });
  client.setEncoding("utf8");
  client.setTimeout(5000); //: timeout
  let text = "";
  client.on("data", (data) => text += data); //: receive 3
  client.on("close", () => {
    console.log(text, client.listenerCount("error"));
    server.close();
  });
});
