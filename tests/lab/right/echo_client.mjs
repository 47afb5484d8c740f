// With Node's sockets, which give what comes in events.
import net from "node:net";
import process from "node:process";
import { parseArgs } from "node:util";

const options = { port: { type: "string" }, message: { type: "string" } };
const { values } = parseArgs({ options, strict: false });
const port = Number(values.port ?? 9900);
const message = values.message ?? "Test message. This will be echoed";
const data = Buffer.from(message);

console.log(`Connecting to localhost port ${port}`);
const server = net.connect({ host: "127.0.0.1", port });
const chunks = [];
let received = 0;
function finish(status) {
  const all = Buffer.concat(chunks);
  for (let i = 0; i < all.length; i += 16) {
    console.log("Received: " + all.subarray(i, i + 16).toString());
  }
  console.log("Closing connection to the server");
  process.exit(status);
}
server.on("connect", () => {
  console.log("Sending " + message);
  server.write(data);
});
server.on("data", (chunk) => {
  chunks.push(chunk);
  received += chunk.length;
  if (received >= data.length) finish(0);
});
server.on("end", () => finish(1));
server.on("error", (error) => {
  console.error(error.message);
  process.exit(1);
});
