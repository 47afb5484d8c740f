const server = await Deno.connect({ port: 10000 });
await server.write(new TextEncoder().encode("hello"));
while (true) console.log("and again");
