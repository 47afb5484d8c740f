/** What the lab tool reads out of Python files that it has not seen before. */
import { assertEquals, assertThrows } from "@std/assert";
import { type Original, readOriginal } from "../../scripts/lab/originals/find.ts";
import { UserError } from "../../scripts/cli.ts";
import { temporary } from "../helpers.ts";

/** Reads a source as an original whose lab has port 9900. */
async function read(source: string): Promise<Original> {
  await using folder = await temporary();
  const file = `${folder.path}/original.py`;
  Deno.writeTextFileSync(file, source);
  return readOriginal(file, 9900);
}

for (
  const [how, source] of [
    ["a number in the call", 's.bind(("", 8080))'],
    ["a constant with a name of its own", "T_PORT = 8080\ns.bind((T_IP, T_PORT))"],
    ["a name without `port` in it", "where = 8080\ns.bind(('', where))"],
    ["the address in a variable", "serverPort = 8080\na = (host, serverPort)\ns.bind(a)"],
    ["an address over several lines", "a = (\n    'localhost',\n    8080,\n)\ns.connect(a)"],
    ["two names at once", "HOST, NO = '127.0.0.1', 8080\ns.connect((HOST, NO))"],
    ["an attribute", "class A:\n  def f(self):\n    self.p = 8080\n    s.bind(('', self.p))"],
    ["a default of a parameter", "def main(no=8080):\n    s.connect(('', no))"],
    ["the last argument of sendto", "no = 8080\ns.sendto(b'x, (1, 2)', ('127.0.0.1', no))"],
    ["create_server", 's = socket.create_server(("", 8080))'],
    ["socketserver", 'TCPServer(("localhost", 8080), Handler)'],
    ["asyncio", "asyncio.start_server(serve, '127.0.0.1', 8080)"],
    ["an address that no call is known for", "endpoint(P, local_addr=('127.0.0.1', 8080))"],
    ["a named number that no call shows", "my_port = 8080\nrun(my_port)"],
    ["comments with other ports", "# port = 1\nport = 8080 # not port = 2\ns.bind(('', port))"],
  ]
) {
  Deno.test(`readOriginal() finds the port: ${how}`, async () => {
    const { port, args } = await read(source);
    assertEquals([port, args(1, ["--secret=42"])], [8080, []]);
  });
}

Deno.test("readOriginal() takes the lab's port where it stands alone, and else asks for it", async () => {
  assertEquals((await read("serve(9900)")).port, 9900);
  await using folder = await temporary();
  const file = `${folder.path}/x.py`;
  Deno.writeTextFileSync(file, "serve(1, 2)");
  assertThrows(() => readOriginal(file, 9900), UserError, "no port found in it");
  assertEquals(readOriginal(file, 9900, 7).port, 7);
});

Deno.test("readOriginal() gives a file the arguments that it knows", async () => {
  const flags = await read('parser.add_argument("--port")\nparser.add_argument("--secret")');
  assertEquals(flags.port, undefined);
  assertEquals(flags.args(5, ["--secret=42", "--quiet"]), ["--secret=42", "--port=5"]);
  const word = await read("port = int(sys.argv[1])");
  assertEquals([word.port, word.args(5, [])], [undefined, ["5"]]);
  const words = await read("host = sys.argv[1]\nport = int(argv[2])\nmessage = sys.argv[3]");
  assertEquals(words.args(5, []), ["127.0.0.1", "5", "Hello, world"]);
});

Deno.test("readOriginal() finds the buffer, the message and whether it asks", async () => {
  const client = await read(
    "SIZE = 4 * 8\nMSG = 'It\\'s me'\ns.connect(('', 1))\ns.sendall(MSG.encode())\ns.recv(SIZE)",
  );
  assertEquals([client.bufferSize, client.message, client.asks], [32, "It's me", false]);
  const asking = await read("s.bind(('', 1))\ns.sendto(input('? ').encode(), a)\ns.recvfrom(2048)");
  assertEquals([asking.bufferSize, asking.message, asking.asks], [2048, undefined, true]);
  assertEquals((await read('s.bind(("", 1))\ns.send(b"Hi")')).message, "Hi");
});
