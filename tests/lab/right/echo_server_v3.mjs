// Takes characters out of a list, as they come from `for await`.
import net from "node:net";
const arg = (k, d) =>
  process.argv.filter((x) => x.startsWith(`--${k}=`)).map((x) => x.split("=")[1])[0] ?? d;
const server = net.createServer();
server.on("connection", async (sock) => {
  const who = `('${sock.remoteAddress}', ${sock.remotePort})`;
  console.log("Connection Address is:  " + who);
  sock.on("error", () => {});
  sock.setEncoding("utf8");
  let rest = [];
  try {
    outer: for await (const chunk of sock) {
      rest.push(...chunk);
      while (rest.length >= 10) {
        const head = rest.slice(0, 10).join("");
        if (!/^ *\d+$/.test(head)) throw new Error("bad header " + head);
        const n = +head;
        if (n > 1 << 20) throw new Error("too long");
        if (rest.length < 10 + n) break;
        const message = rest.slice(10, 10 + n).join("");
        rest = rest.slice(10 + n);
        console.log("full message received");
        console.log(message);
        sock.write(String(n).padStart(10) + message);
        if (message === "exit") break outer;
      }
    }
  } catch (e) {
    console.error(String(e.message));
  }
  sock.end();
  console.log("Finished serving client:  " + who);
});
server.listen(
  Number(arg("port", 1236)),
  arg("host", "127.0.0.1"),
  () => console.log("Listening.."),
);
