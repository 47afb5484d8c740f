const net = require("node:net");

const server = net.createServer((socket) => {
  socket.on("data", (data) => { //: receive 4
    throw new Error(`cannot handle ${data}`);
  });
});
server.listen(7001, "127.0.0.1", () => { //: listen, accept
  console.log("ready");
  net.connect(7001, "127.0.0.1").write("text"); //: connect, send 4
});
