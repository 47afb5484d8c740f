const net = require("net");

const client = net.connect(7001, "127.0.0.1");
client.on("connect", () => console.log("connected"));
process.on("exit", (code) => console.log("exit", code));
