// Asks again after a second, and five times at most.
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: { port: { type: "string", default: "9900" }, message: { type: "string" } },
});
const server: Deno.NetAddr = {
  transport: "udp",
  hostname: "127.0.0.1",
  port: Number(values.port),
};
const message = values.message ?? "Test message. This will be echoed";
const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });

async function reply(): Promise<string> {
  for await (const [data, from] of socket) {
    if ((from as Deno.NetAddr).port === server.port) return new TextDecoder().decode(data);
  }
  throw new Error("no reply");
}

console.log("Connecting to localhost port " + values.port);
console.log("Sending " + message);
let tries = 0;
function ask() {
  if (tries++ === 4) socket.close();
  else socket.send(new TextEncoder().encode(message), server);
}
const timer = setInterval(ask, 500);
ask();
try {
  console.log("received " + await reply());
} catch (error) {
  console.error((error as Error).message);
  Deno.exitCode = 1;
}
clearInterval(timer);
console.log("Closing connection to the server");
if (Deno.exitCode === 0) socket.close();
