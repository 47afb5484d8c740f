const buffer = new Uint8Array(1);
let line = "";
while (Deno.stdin.readSync(buffer) && buffer[0] !== 10) line += String.fromCharCode(buffer[0]); //: input
await Deno.stdout.write(new TextEncoder().encode("read " + line + "\n"));
console.log("%s is %d", "six", 6, { a: [1] });
for await (const chunk of Deno.stdin.readable) console.log(chunk.length); //: input
console.group("group");
console.warn("indented\ntwice");
console.groupEnd();
console.table([[1, 2]]);
Deno.exit(7);
