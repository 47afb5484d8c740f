// Echo server with Node's net module. Prints the port that it listens on.
import { createServer } from "node:net";

const server = createServer((client) => {
  client.setNoDelay(true);
  client.on("data", (data) => client.write(data));
  client.on("error", () => client.destroy());
});
server.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => {
  console.error(
    `note: listening on 127.0.0.1 port ${server.address().port}`,
  );
});
