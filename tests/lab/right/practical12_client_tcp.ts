// Asks with `prompt`, and sends a stream.
const port = Number(Deno.args.find((a) => a.startsWith("--port="))?.slice(7) ?? 12345);
const message = prompt("Enter a message:") || "Hello, world";
const conn = await Deno.connect({ hostname: "127.0.0.1", port });
const data = new TextEncoder().encode(message);
await new Blob([data]).stream().pipeTo(conn.writable, { preventClose: true });
const got: number[] = [];
const buf = new Uint8Array(1024);
while (got.length < data.length) {
  const n = await conn.read(buf);
  if (n === null) {
    console.error("too short");
    Deno.exit(1);
  }
  got.push(...buf.subarray(0, n));
}
let r = "";
for (const b of got) {
  const c = String.fromCharCode(b);
  r += c === "\\"
    ? "\\\\"
    : b >= 32 && b < 127
    ? c
    : b === 10
    ? "\\n"
    : b === 9
    ? "\\t"
    : b === 13
    ? "\\r"
    : "\\x" + b.toString(16).padStart(2, "0");
}
console.log(
  "Received " +
    (r.includes("'") && !r.includes('"') ? `b"${r}"` : `b'${r.replaceAll("'", "\\'")}'`),
);
conn.close();
