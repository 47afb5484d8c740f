// Reads to the end of the answer with an asynchronous iterator.
import net from "node:net";
import process from "node:process";

const args = process.argv.slice(2);
const flag = (name, otherwise) =>
  args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3) ?? otherwise;
const port = Number(flag("port", 1236));
const text = flag(
  "message",
  "Hello!This is a longer message than the available buffer size of 15bytes",
);

async function main() {
  const server = net.connect(port, "127.0.0.1");
  server.write(String(Array.from(text).length).padStart(10, " ") + text, "utf8");
  let answer = "";
  server.setEncoding("utf8");
  for await (const piece of server) {
    answer += piece;
    const size = parseInt(answer.slice(0, 10));
    const message = Array.from(answer.slice(10));
    if (answer.length >= 10 && message.length >= size) {
      console.log(message.slice(0, size).join(""));
      return;
    }
  }
  throw new Error("the server closed too early");
}

main().then(() => process.exit(0), (error) => {
  console.error(error.message);
  process.exit(1);
});
