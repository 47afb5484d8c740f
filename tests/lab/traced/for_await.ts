async function serve() {
  for await (const connection of listener) { //: accept
    using _ = connection;
    const buffer = new Uint8Array(1024);
    const length = await connection.read(buffer); //: receive 3
    await connection.write(buffer.subarray(0, length!)); //: send 3
  }
}

const listener = Deno.listen({ hostname: "127.0.0.1", port: 7001 }); //: listen
const serving = serve();
for (const name of ["ann", "bob"]) {
  using client = await Deno.connect({ hostname: "127.0.0.1", port: 7001 }); //: connect
  await client.write(new TextEncoder().encode(name)); //: send 3
  const reply = new Uint8Array(10);
  console.log(await client.read(reply), new TextDecoder().decode(reply)); //: receive 3
}
listener.close(); //: close
await serving;
console.error("the end");
