// With Node's datagram sockets.
import dgram from "node:dgram";
import process from "node:process";

const given = process.argv.slice(2).find((arg) => arg.startsWith("--port="));
const port = given ? parseInt(given.split("=")[1]) : 9900;
const socket = dgram.createSocket("udp4");
socket.on("message", (datagram, peer) => {
  const data = datagram.subarray(0, 2048);
  const address = `('${peer.address}', ${peer.port})`;
  console.log(`received ${data.length} bytes from ${address}`);
  console.log("Data: " + data.toString());
  if (data.length > 0) {
    socket.send(data, peer.port, peer.address);
    console.log(`sent ${data.length} bytes back to ${address}`);
  }
  console.log("Waiting to receive message from client");
});
socket.bind(port, "127.0.0.1", () => {
  console.log(`Starting up echo server on localhost port ${port}`);
  console.log("Waiting to receive message from client");
});
