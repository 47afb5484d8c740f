import net from "node:net";

const server = net.createServer((socket) => {
  console.log(`client ${socket.remoteAddress}:${socket.remotePort}`);
  socket.on("data", (data) => socket.write(`you said ${data}`));
  socket.on("end", () => console.log("client left"));
});
server.listen(5000, "127.0.0.1", () => console.log("ready"));
