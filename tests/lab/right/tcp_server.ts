// Takes --port and --buffer-size from a small parser of its own.
const flags = Object.fromEntries(Deno.args.map((arg) => arg.slice(2).split("=")));
const buffer = new Uint8Array(Number(flags["buffer-size"] ?? 32));
const listener = Deno.listen({ hostname: "127.0.0.1", port: Number(flags.port ?? 81) });
for (;;) {
  console.log("Waiting for connection");
  using client = await listener.accept();
  const { hostname, port } = client.remoteAddr;
  console.log(`Connected to client IP: ('${hostname}', ${port})`);
  const decoder = new TextDecoder();
  let length: number | null = 0;
  while (length !== null) {
    length = await client.read(buffer);
    const piece = decoder.decode(buffer.subarray(0, length ?? 0), { stream: length !== null });
    console.log("Received data: " + piece);
  }
}
