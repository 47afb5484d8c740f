/** What the lab tool knows of Python files that it has not seen before. */
import { assertEquals } from "@std/assert";
import { type Original, readOriginal } from "../../scripts/lab/originals/find.ts";
import { hasPython } from "../../scripts/lab/process/program.ts";
import { TracedParticipant } from "../../scripts/lab/trace/traced_participant.ts";
import { inParallel, quietPort, temporary, THOROUGH } from "../helpers.ts";

const TCP = "from socket import *\ns = socket(AF_INET, SOCK_STREAM)\n";
const UDP = "from socket import *\ns = socket(AF_INET, SOCK_DGRAM)\n";

/** How servers name their port, PORT here. */
const SERVERS: Record<string, string> = {
  "a number in the call": `${TCP}s.bind(("", PORT))\ns.listen()`,
  "an expression": `${UDP}p = int("PORT")\ns.bind(('127.0.0.1', p))`,
  "a class": "import socketserver as s\ns.TCPServer(('localhost', PORT), s.BaseRequestHandler)",
  "streams of asyncio": "import asyncio\nasync def main():\n" +
    "    await asyncio.start_server(print, '127.0.0.1', PORT)\nasyncio.run(main())",
  "an address of another machine": `${TCP}s.bind(("10.0.0.8", PORT))\ns.listen()`,
};

Deno.test("a traced server listens on the port that it has, free or not", {
  ignore: !await hasPython(),
}, async () => {
  await using folder = await temporary();
  const observe = async (name: string, source: string, port: number) => {
    const file = `${folder.path}/${name}.py`;
    Deno.writeTextFileSync(file, source.replace("PORT", `${port}`));
    const participant = new TracedParticipant({ name, file, argumentsFor: () => [[]] });
    await using actor = await participant.start("server", undefined, {});
    const listening = await actor.listening(10, Date.now() + 30_000);
    assertEquals(listening?.named, port, name);
  };
  await inParallel(
    Object.entries(SERVERS).filter((_, i) => THOROUGH || i % 2 === 0).map(([name, source]) => () =>
      observe(name, source, quietPort())
    ),
    2,
  );
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const source = `${TCP}s.bind(("127.0.0.1", PORT))\ns.listen()`;
  await observe("a port in use", source, (listener.addr as Deno.NetAddr).port);
  const file = `${folder.path}/none.py`;
  Deno.writeTextFileSync(file, "print(1)");
  const none = new TracedParticipant({ name: "none", file, argumentsFor: () => [[]] });
  await using actor = await none.start("server", undefined, {});
  assertEquals(await actor.listening(10, Date.now() + 30_000), undefined);
});

Deno.test("readOriginal() gives a file the arguments that it names", async () => {
  await using folder = await temporary();
  const read = (source: string): Original => {
    const file = `${folder.path}/original.py`;
    Deno.writeTextFileSync(file, source);
    return readOriginal(file);
  };
  const flags = read('parser.add_argument("--port")\nparser.add_argument("--secret")');
  assertEquals(flags.takesPort, true);
  assertEquals(flags.args(5, ["--secret=42", "--quiet"]), ["--secret=42", "--port=5"]);
  const word = read("port = int(sys.argv[1])");
  assertEquals([word.takesPort, word.args(5, [])], [true, ["5"]]);
  const words = read("host = sys.argv[1]\nport = int(argv[2])\nmessage = sys.argv[3]");
  assertEquals(words.args(5, []), ["127.0.0.1", "5", "Hello, world"]);
  const fixed = read("s.bind(('', 8080)) # not --port");
  assertEquals([fixed.takesPort, fixed.args(5, ["--secret=42"])], [false, []]);
});
