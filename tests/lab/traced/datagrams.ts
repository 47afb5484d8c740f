const options = { transport: "udp", hostname: "127.0.0.1" } as const;
const server = Deno.listenDatagram({ ...options, port: 7001 }); //: bind
const client = Deno.listenDatagram({ ...options, port: 0 }); //: bind
console.log(server.addr, (client.addr as Deno.NetAddr).hostname);
await client.send(new TextEncoder().encode("hello"), { ...options, port: 7001 }); //: send 5
for await (const [data, peer] of server) { //: receive 5
  await server.send(data.slice(1), peer); //: send 4
  break;
}
const [data, from] = await client.receive(new Uint8Array(4)); //: receive 4
console.log(data, from);
const none = client.receive();
client.close(); //: close
await none.catch((error) => console.log(error.name));
server.close(); //: close
