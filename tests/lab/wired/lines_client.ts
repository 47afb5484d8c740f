const server = await Deno.connect({ hostname: "10.0.0.8", port: 6789 });
const answers = server.readable.pipeThrough(new TextDecoderStream()).getReader();
for (const word of ["one", "two"]) {
  await server.write(new TextEncoder().encode(`${word}\n`));
  console.log(word, "->", (await answers.read()).value?.trim());
}
server.close();
