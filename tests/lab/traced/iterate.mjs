import { once } from "node:events";
import net from "node:net";
import { text } from "node:stream/consumers";

const server = net.createServer({ allowHalfOpen: true });
server.listen({ port: 7001, host: "127.0.0.1" }); //: listen, accept
await once(server, "listening");
const client = net.createConnection(7001, "127.0.0.1"); //: connect, receive 0
const [socket] = await once(server, "connection");
client.write("c3RhcnQ=", "base64"); //: send 5
await once(socket, "readable");
console.log(socket.read(2)?.toString(), socket.readableFlowing, socket.readableLength); //: receive 2
client.end("more"); //: send 4, shutdown
socket.end("reply"); //: send 5, shutdown
console.log(await text(socket)); //: receive 3, receive 4
for await (const chunk of client) console.log(chunk.toString()); //: receive 5
server.close();
