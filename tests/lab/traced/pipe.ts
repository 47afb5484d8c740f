const listener = Deno.listen({ hostname: "127.0.0.1", port: 7001 }); //: listen
const client = await Deno.connect({ hostname: "127.0.0.1", port: 7001 }); //: connect
const server = await listener.accept(); //: accept
const echoing = server.readable.pipeTo(server.writable); //: receive 7, receive 0, send 7, close
const writer = client.writable.getWriter(); //: send 7
await writer.write(new TextEncoder().encode("grüße"));
writer.releaseLock();
await client.closeWrite(); //: shutdown
const text = client.readable.pipeThrough(new TextDecoderStream()); //: receive 7, receive 0
for await (const piece of text) console.log(piece);
await echoing;
console.log(client.readable === client.readable, client.readable);
