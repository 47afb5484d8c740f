// Reads its keyboard as a stream, and has one socket for each guess.
const port = Number(Deno.args.join(" ").match(/--port[= ](\d+)/)?.[1] ?? 9900);
const keyboard = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).getReader();
let typed = "";

async function line(prompt: string): Promise<string | undefined> {
  await Deno.stdout.write(new TextEncoder().encode(prompt));
  while (!typed.includes("\n")) {
    const { value, done } = await keyboard.read();
    if (done) return undefined;
    typed += value;
  }
  const [first, ...rest] = typed.split("\n");
  typed = rest.join("\n");
  return first;
}

async function judge(guess: string): Promise<string> {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const ask = () =>
    socket.send(new TextEncoder().encode(guess), {
      transport: "udp",
      hostname: "127.0.0.1",
      port,
    });
  const again = setInterval(ask, 600);
  const enough = setTimeout(() => socket.close(), 2500);
  try {
    await ask();
    while (true) {
      const [data, from] = await socket.receive();
      if ((from as Deno.NetAddr).port === port) return new TextDecoder().decode(data);
    }
  } finally {
    clearInterval(again);
    clearTimeout(enough);
  }
}

let verdict = "";
while (verdict !== "CORRECT") {
  const guess = await line("Guess a number between 1 and 99: ");
  if (guess === undefined) Deno.exit(1);
  if (!Number.isInteger(parseFloat(guess)) || /\D/.test(guess)) continue;
  try {
    verdict = await judge(guess);
  } catch {
    console.error("no reply");
    Deno.exit(1);
  }
  console.log(verdict);
}
Deno.exit(0);
