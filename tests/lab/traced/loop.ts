const listener = Deno.listen({ hostname: "127.0.0.1", port: 7001 }); //: listen
console.log("listening on", listener.addr);
const client = await Deno.connect({ hostname: "127.0.0.1", port: 7001 }); //: connect
console.log("connected to", client.remoteAddr);
const connection = await listener.accept(); //: accept
await client.write(new TextEncoder().encode("Hello, world")); //: send 12
const buffer = new Uint8Array(5);
for (let count = 0; count < 12;) {
  const length = await connection.read(buffer) ?? 0; //: receive 5, receive 2
  console.log(new TextDecoder().decode(buffer.subarray(0, length)), length);
  count += length;
}
await connection.closeWrite(); //: shutdown
console.log(await client.read(buffer), connection, listener); //: receive 0
connection.close(); //: close
client.close(); //: close
listener.close(); //: close
