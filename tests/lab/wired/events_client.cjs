const net = require("net");

const client = net.createConnection({ port: 5000, host: "127.0.0.1" }, () => {
  client.write("hello");
});
client.on("data", (data) => {
  console.log(data.toString());
  client.end();
});
client.on("close", () => console.log("closed"));
