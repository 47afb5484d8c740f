import dgram from "node:dgram";

const server = dgram.createSocket("udp4");
server.on("message", (message, client) => {
  console.log(`${message} from ${client.address}:${client.port}`);
  server.send(message.toString().toUpperCase(), client.port, client.address);
});
server.bind(12000, () => console.log("bound to", server.address().port));
