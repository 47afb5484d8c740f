// Collects bytes, and decodes what is there as long as there is a whole message.
const port = Number(Deno.args[0]?.split("=")[1] ?? 1236);

async function serve(client: Deno.TcpConn) {
  const { hostname, port } = client.remoteAddr;
  console.log(`Connection Address is:  ('${hostname}', ${port})`);
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(15);
  let text = "";
  let characters = [...text];
  while (true) {
    const length = await client.read(buffer);
    if (length === null) throw new Error("the client left inside a message");
    text += decoder.decode(buffer.subarray(0, length), { stream: true });
    if (text.length < 10) continue;
    const size = Number(text.slice(0, 10));
    if (!(size >= 0 && size <= 1048576)) throw new Error("bad header");
    if (text.length < 10 + size) continue;
    characters = [...text.slice(10)];
    if (characters.length >= size) {
      const message = characters.slice(0, size).join("");
      console.log(message);
      const reply = new TextEncoder().encode(String(size).padStart(10) + message);
      for (let sent = 0; sent < reply.length;) sent += await client.write(reply.subarray(sent));
      return;
    }
  }
}

const listener = Deno.listen({ hostname: "127.0.0.1", port });
console.log("Listening..");
for await (const client of listener) {
  try {
    await serve(client);
  } catch (error) {
    console.error((error as Error).message);
  } finally {
    client.close();
  }
}
