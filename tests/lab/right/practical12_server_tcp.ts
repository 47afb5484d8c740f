// A promise for each client, and Python's notation by hand.
const index = Deno.args.indexOf("--port");
const port = Number(
  index < 0 ? Deno.args.join().match(/--port=(\d+)/)?.[1] ?? 12345 : Deno.args[index + 1],
);

function python(data: Uint8Array): string {
  const names: Record<number, string> = { 9: "\\t", 10: "\\n", 13: "\\r", 92: "\\\\" };
  let text = "";
  for (const byte of data) {
    if (names[byte]) text += names[byte];
    else if (byte >= 32 && byte < 127) text += String.fromCharCode(byte);
    else text += "\\x" + byte.toString(16).padStart(2, "0");
  }
  if (!text.includes("'")) return `b'${text}'`;
  return text.includes('"') ? `b'${text.replaceAll("'", "\\'")}'` : `b"${text}"`;
}

async function echo(client: Deno.TcpConn) {
  console.log("Connected by", `('${client.remoteAddr.hostname}', ${client.remoteAddr.port})`);
  try {
    for await (const data of client.readable) {
      for (let i = 0; i < data.length; i += 1024) {
        console.log("Received", python(data.subarray(i, i + 1024)));
      }
      let sent = 0;
      while (sent < data.length) sent += await client.write(data.subarray(sent));
    }
  } catch (error) {
    console.error(String(error));
  } finally {
    try {
      client.close();
    } catch {
      // the stream has closed it
    }
  }
}

const listener = Deno.listen({ hostname: "127.0.0.1", port });
for await (const client of listener) echo(client);
