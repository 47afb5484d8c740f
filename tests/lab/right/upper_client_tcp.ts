// Reads in the background while it writes.
const port = Number(Deno.args.find((arg) => /^--port=/.test(arg))?.slice(7) ?? 8080);
let server: Deno.TcpConn;
try {
  server = await Deno.connect({ hostname: "127.0.0.1", port });
} catch (error) {
  console.error((error as Error).message);
  Deno.exit(1);
}
await Deno.stdout.write(new TextEncoder().encode("Input lowercase sentence:"));
let sentence = "";
for await (const piece of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  sentence += piece;
  if (sentence.endsWith("\n")) break;
}
sentence = sentence.replace(/\r?\n$/, "");
async function receive(): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(65536);
  let answer = "";
  for (let length; (length = await server.read(buffer)) !== null;) {
    answer += decoder.decode(buffer.subarray(0, length), { stream: true });
  }
  return answer;
}
const answer = receive();
const data = new TextEncoder().encode(sentence);
for (let sent = 0; sent < data.length;) sent += await server.write(data.subarray(sent));
await server.closeWrite();
console.log("From Server: " + await answer);
