// A class for the messages, and Node's readline for the keyboard.
import readline from "node:readline/promises";
import process from "node:process";

class Messages {
  #rest: string[] = [];
  #decoder = new TextDecoder();
  constructor(readonly server: Deno.TcpConn) {}

  async #take(count: number): Promise<string> {
    const buffer = new Uint8Array(15);
    while (this.#rest.length < count) {
      const length = await this.server.read(buffer);
      if (length === null) throw new Error("the server has gone");
      const piece = this.#decoder.decode(buffer.subarray(0, length), { stream: true });
      this.#rest.push(...piece);
    }
    return this.#rest.splice(0, count).join("");
  }

  async read(): Promise<string> {
    return await this.#take(Number(await this.#take(10)));
  }

  async write(message: string) {
    const size = [...message].length;
    await this.server.write(new TextEncoder().encode(`${size}`.padStart(10) + message));
  }
}

const port = Number(Deno.args[0]?.match(/\d+/)?.[0] ?? 1236);
const server = await Deno.connect({ hostname: "127.0.0.1", port });
const messages = new Messages(server);
const keyboard = readline.createInterface({ input: process.stdin });
const lines = keyboard[Symbol.asyncIterator]();
let message = "";
do {
  process.stdout.write('Enter a message: "exit" to abort:');
  const { value, done } = await lines.next();
  message = done ? "exit" : value;
  await messages.write(message);
  console.log(await messages.read());
} while (message !== "exit");
server.close();
keyboard.close();
console.log("Connection Closed");
