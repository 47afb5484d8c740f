// Node's datagrams, and its readline for the keyboard.
import dgram from "node:dgram";
import process from "node:process";
import readline from "node:readline";

const port = Number(process.argv.find((arg) => arg.startsWith("--port="))?.slice(7) ?? 12345);
const keyboard = readline.createInterface({ input: process.stdin, output: process.stdout });

function repr(data) {
  const quote = data.includes(39) && !data.includes(34) ? '"' : "'";
  let text = "";
  for (const byte of data) {
    const char = String.fromCharCode(byte);
    if (char === quote || char === "\\") text += "\\" + char;
    else text += byte < 32 || byte > 126 ? "\\x" + byte.toString(16).padStart(2, "0") : char;
  }
  return `b${quote}${text}${quote}`;
}

keyboard.question("Enter a message: ", (line) => {
  const data = Buffer.from(line || "Hello, world");
  const socket = dgram.createSocket("udp4");
  let tries = 0;
  const ask = () => {
    if (tries++ < 3) return socket.send(data, port, "127.0.0.1");
    console.error("no reply");
    process.exit(1);
  };
  setInterval(ask, 700);
  socket.on("message", (reply, from) => {
    if (from.port !== port) return;
    console.log("Received " + repr(reply));
    process.exit(0);
  });
  ask();
});
