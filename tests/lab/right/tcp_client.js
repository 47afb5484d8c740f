// CommonJS would do as well: this is the least that sends and closes.
import { connect } from "net";
import { argv, exit } from "node:process";

const message = argv.find((arg) => arg.startsWith("--message="))?.slice(10) ??
  "Hi. I am a TCP client sending data to the server";
const port = Number(argv.find((arg) => arg.startsWith("--port="))?.slice(7) ?? 81);
const server = connect(port, "localhost", () => {
  server.end(message, () => {
    console.log("Closing socket");
    server.destroySoon();
  });
});
server.on("error", (error) => {
  console.error(error.message);
  exit(1);
});
