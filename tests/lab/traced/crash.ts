async function connect() {
  return await Deno.connect({ hostname: "127.0.0.1", port: 7001 });
}

try {
  await connect();
} catch (error) {
  console.log(error);
}
try {
  Deno.listen({ hostname: "127.0.0.1", port: 70001 });
} catch (error) {
  console.log((error as Error).stack);
}
await connect();
