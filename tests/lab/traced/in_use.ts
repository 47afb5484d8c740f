function start() {
  return Deno.listen({ hostname: "127.0.0.1", port: 7001 }); //: listen
}

start();
start();
