// One client after the other, with nothing but Deno.
const port = Number(Deno.args.find((arg) => arg.startsWith("--port="))?.slice(7) ?? 9900);
const listener = Deno.listen({ hostname: "127.0.0.1", port });
console.log(`Starting up echo server on localhost port ${port}`);
while (true) {
  console.log("Waiting to receive message from client");
  const client = await listener.accept();
  try {
    const buffer = new Uint8Array(2048);
    const length = await client.read(buffer);
    if (length !== null) {
      const data = buffer.subarray(0, length);
      const text = new TextDecoder().decode(data);
      console.log("Data:", text);
      await client.write(data);
      const { hostname, port } = client.remoteAddr as Deno.NetAddr;
      console.log(`sent ${text} bytes back to ('${hostname}', ${port})`);
    }
  } catch (error) {
    console.error(error);
  }
  client.close();
}
