// Cuts what an event brings into pieces of the size that a read would have.
import net from "node:net";
const get = (k, d) => process.argv.find((x) => x.startsWith(k + "="))?.split("=")[1] ?? d;
const size = Number(get("--buffer-size", 32));
const srv = net.createServer((c) => {
  console.log(`Connected to client IP: ('${c.remoteAddress}', ${c.remotePort})`);
  const dec = new TextDecoder();
  c.on("data", (d) => {
    for (let i = 0; i < d.length; i += size) {
      console.log("Received data: " + dec.decode(d.subarray(i, i + size), { stream: true }));
    }
  });
  c.on("error", () => {});
  c.on("end", () => console.log("Received data: "));
  c.on("close", () => console.log("Waiting for connection"));
});
const host = get("--host", "localhost");
srv.listen(
  Number(get("--port", 81)),
  host === "localhost" ? "127.0.0.1" : host,
  () => console.log("Waiting for connection"),
);
