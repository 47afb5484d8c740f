// Node's streams, with a StringDecoder for characters that are cut.
import net from "node:net";
import process from "node:process";
import { StringDecoder } from "node:string_decoder";

const port = Number(process.argv[2]?.replace("--port=", "") ?? 8080);
net.createServer({ allowHalfOpen: true }, (client) => {
  const decoder = new StringDecoder("utf8");
  client.on("data", (chunk) => client.write(decoder.write(chunk).toUpperCase()));
  client.on("end", () => client.end(decoder.end().toUpperCase()));
  client.on("error", () => client.destroy());
}).listen(port, "127.0.0.1", () => {
  console.log("The server is ready to receive");
});
