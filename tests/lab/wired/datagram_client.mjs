import dgram from "node:dgram";

const client = dgram.createSocket("udp4");
client.on("message", (message) => {
  console.log(`reply: ${message}`);
  client.close();
});
client.send("first", 12000, "127.0.0.1");
