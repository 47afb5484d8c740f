// Node's sockets: the first chunk is the message.
import net from "node:net";
import process from "node:process";

const port = Number(process.argv.join("=").match(/--port=(\d+)/)?.[1] ?? 1235);
const server = net.createServer({ allowHalfOpen: true }, (client) => {
  console.log(`Connection Address is:  ('${client.remoteAddress}', ${client.remotePort})`);
  client.once("data", (chunk) => {
    console.log(chunk.toString());
    client.end(chunk);
  });
  client.on("end", () => client.end());
  client.on("error", () => client.destroy());
});
server.listen(port, "127.0.0.1", () => console.log("Listening.."));
