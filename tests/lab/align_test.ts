/** `align`: puts a Python original and a script next to each other, step by step. */
import { assert, assertEquals } from "@std/assert";
import { labs } from "../../scripts/lab/catalog/labs.ts";
import { align, HELPERS } from "../../scripts/lab/originals/align.ts";
import * as lib from "../../scripts/lib.ts";
import { SCRIPTS } from "../helpers.ts";

const scripts = labs.flatMap(({ server, client }) => [server.name, client.name]);
const read = (script: string) => Deno.readTextFileSync(SCRIPTS + script);
const counterpart = (script: string) =>
  Deno.readTextFileSync(`${SCRIPTS}lab/counterparts/${script.replace(".ts", ".py")}`);

/** Returns the steps that are in both, with both lines. */
function steps(python: string, typescript: string): [step: string, left: string, right: string][] {
  return align(python, typescript)
    .flatMap(({ left, right, step }) => step ? [[step, left!.trim(), right!.trim()]] : []);
}

/** Steps that are unmistakable, as each language writes them. */
const PLAIN: [python: RegExp, typescript: RegExp][] = [
  [/\.bind\(/, /Deno\.listen/],
  [/\.accept\(/, /\.accept\(/],
  [/\.connect\(/, /Deno\.connect\(/],
  [/\.recv(from)?\(/, /\.(read|receive)\(/],
  [/\.send(all|to)\(/, /writeAll\(|\.send\(/],
  [/\binput\(/, /\binput\(/],
  [/\.shutdown\(/, /\.closeWrite\(/],
  [/\breceive_message\(|\bsend_message\(/, /\b(receive|send)Message\(/],
  [/^(?!.*(def|\bprint\(\w+\(\w+\))).*\bprint\(/, /\b(print|log)\(/],
];

Deno.test("align() puts at least 9 of 10 steps that both sides have into one row", () => {
  let [found, all] = [0, 0];
  for (const script of scripts) {
    const [python, typescript] = [counterpart(script), read(script)];
    const rows = steps(python, typescript);
    for (const [left, right] of PLAIN) {
      const count = (source: string, step: RegExp) =>
        source.split("\n").filter((line) => !/^\s*[*/#]|import|function|def /.test(line))
          .filter((line) => step.test(line)).length;
      all += Math.min(count(python, left), count(typescript, right));
      found += rows.filter(([, a, b]) => left.test(a) && right.test(b)).length;
    }
  }
  assert(all > 120 && found >= 0.9 * all, `${found} of ${all}`);
});

Deno.test("align() marks only lines that are the same step", () => {
  for (const script of scripts) {
    for (const [step, left, right] of steps(counterpart(script), read(script))) {
      const same = PLAIN.filter(([python, typescript]) =>
        python.test(left) || typescript.test(right)
      );
      const isSame = same.length === 0 || step === "import" ||
        same.some(([python, typescript]) => python.test(left) && typescript.test(right));
      assert(isSame, `${script}, ${step}: ${left} | ${right}`);
      const words = [left, right].map((line) =>
        line.match(/\b(?:print|log)\([f]?["'`]([\w ]+)/)?.[1]
      );
      if (words[0] && words[1]) assertEquals(words[0].trim(), words[1].trim());
    }
  }
});

Deno.test("align() puts functions of the same name next to each other, with their comments", () => {
  const rows = align(counterpart("echo_server_v3.ts"), read("echo_server_v3.ts"));
  const functions = rows.filter(({ step }) => step === "function")
    .map(({ left, right }) => `${left} ${right}`.match(/\w+(?=\()/g)!.slice(0, 2).join(" "));
  assertEquals(functions, [
    "receive receive",
    "receive_message receiveMessage",
    "send_message sendMessage",
    "echo_server echoServer",
  ]);
  const comment = rows.findIndex(({ right }) => right?.includes("* Receives `count` characters"));
  const receive = rows.findIndex(({ right }) => right?.includes("function receive("));
  assert(comment > 0 && comment < receive && receive < comment + 8, `${comment}, ${receive}`);
});

Deno.test("align() keeps every line of both sides, but for the script's header", () => {
  for (const script of scripts) {
    const rows = align(counterpart(script), read(script));
    assertEquals(rows.flatMap(({ left }) => left ?? []).join("\n"), counterpart(script).trimEnd());
    const right = rows.flatMap(({ right }) => right ?? []).sort();
    assertEquals(right, read(script).replace(/^[^]*? \*\/\n/, "").trimEnd().split("\n").sort());
  }
});

Deno.test("align() numbers the lines as their files do, also if their order differs", () => {
  const isSame = (file: string) => (text?: string, row?: number) =>
    text === undefined || file.split("\n")[row! - 1] === text;
  for (const script of scripts) {
    const [isLeft, isRight] = [isSame(counterpart(script)), isSame(read(script))];
    for (const { left, right, leftRow, rightRow } of align(counterpart(script), read(script))) {
      assert(isLeft(left, leftRow) && isRight(right, rightRow), `${script}: ${left} | ${right}`);
    }
  }
});

const CLIENT = "using c = await Deno.connect({ hostname, port });\nawait writeAll(c, data);\n" +
  "const length = await c.read(buffer);\nprint(text);\nawait c.closeWrite();\n";

const OTHER_STYLES: [name: string, python: string, typescript: string, steps: string][] = [
  [
    "create_connection",
    "with socket.create_connection((HOST, 80)) as s:\n    s.sendall(b'x')\n    data = s.recv(10)\n",
    CLIENT,
    "connect send receive",
  ],
  [
    "create_server",
    "server = socket.create_server(('', 80))\nwhile 1:\n    conn, addr = server.accept()\n",
    "using l = Deno.listen({ port });\nwhile (true) {\n  const conn = await l.accept();\n}\n",
    "bind loop accept",
  ],
  [
    "a class",
    "class Client:\n    def run(self):\n        self.sock.connect(addr)\n        self.sock.send(x)\n",
    `async function client() {\n  ${CLIENT.replaceAll("\n", "\n  ")}}\n`,
    "function connect send",
  ],
  [
    "names of a book, without functions",
    "clientSocket.connect((serverName, serverPort))\nclientSocket.send(sentence.encode())\n" +
    "modifiedSentence = clientSocket.recv(1024)\nprint('From Server: ', modifiedSentence.decode())\n",
    read("upper_client_tcp.ts"),
    "connect send receive print",
  ],
  [
    "an encoding that is not printed",
    'print(x.decode("utf-8"))\n',
    'print("utf", 8);\nprint(text);\n',
    "print",
  ],
  [
    "an assignment that is not a call",
    "message = receive_message(client)\n",
    'let message = "";\nmessage = await receiveMessage(client);\n',
    "receivemessage",
  ],
  ["nothing in common", "x = 1\nprint('a')\n", "const y = 2;\nprint(`b`);\n", ""],
];

for (const [name, python, typescript, expected] of OTHER_STYLES) {
  Deno.test(`align() finds the steps of another style: ${name}`, () => {
    assertEquals(steps(python, typescript).map(([step]) => step).join(" "), expected);
  });
}

Deno.test("align() finds no steps in comments", () => {
  const python = '# Copyright A. Teacher: s.accept() MIT\n"""s.bind(x)\n"""\ns.bind(("", 1))\n';
  const typescript = "/** Manual. */\n// Deno.listen()\nusing l = Deno.listen({ port });\n";
  assertEquals(steps(python, typescript), [
    ["bind", 's.bind(("", 1))', "using l = Deno.listen({ port });"],
  ]);
});

Deno.test("align() finds prints by their words, however the values are inserted", () => {
  const rows = (python: string, typescript: string) =>
    align(python, typescript).map(({ step }) => step ?? "");
  const script = 'print("Other");\nprint(`Got ${a} from ${b}`);';
  assertEquals(rows('print("Got %s from %s" % (a, b))', script), ["", "print"]);
  assertEquals(rows('print("Got {} from {}".format(a, b))', script), ["", "print"]);
  assertEquals(rows("print(f'Got {a} from {b}')", script), ["", "print"]);
  assertEquals(rows("print(\n  'Got', a,\n  'from', b)", script), ["", "print", "", ""]);
  assertEquals(rows("print('Nothing of this')", script), ["", "", ""]);
});

Deno.test("the helpers that align() knows are those of lib.ts", () => {
  for (const name of HELPERS) assert(name in lib, name);
  const source = Deno.readTextFileSync(`${SCRIPTS}lab/originals/align.ts`);
  for (const [, name] of source.matchAll(/\\b(\w+)\\\(\//g)) {
    if (/^(writeAll|print|log|input)$/.test(name)) assert(HELPERS.includes(name), name);
  }
});
