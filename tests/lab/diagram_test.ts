/** `lab wire`: a run's order and its drawing, and the README's diagrams. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { diagramFor, type WireFlags } from "../../scripts/lab/commands/wire.ts";
import { widthOf } from "../../scripts/lab/terminal/columns.ts";
import { labs } from "../../scripts/lab/catalog/labs.ts";
import type { EventKind } from "../../scripts/lab/trace/event.ts";
import { inOrder, type ProgramEvent } from "../../scripts/lab/trace/timeline.ts";
import type { WireEvent } from "../../scripts/lab/trace/relay.ts";
import { encode, lab, SCRIPTS, THOROUGH } from "../helpers.ts";
import { labHere } from "./in_process.ts";
import { seededRandom } from "../scripts/lossy.ts";

/** Runs the command `lab wire`. */
const run = (args: string[]) => labHere(["wire", ...args], { COLUMNS: "80" });

const NO_FLAGS: WireFlags = {
  ...{ server: "", client: "", originals: "", drop: "", duplicate: "", delay: "", split: "" },
  ...{ mermaid: false, reads: false, hex: false, times: false },
};

/** Returns the diagram of `lab wire` with some arguments, for a terminal of some columns. */
async function drawFor(columns: number, name: string, ...args: string[]): Promise<string> {
  const end = [...args, "--"].indexOf("--");
  const flags = Object.fromEntries(
    args.slice(0, end).map((arg) => {
      const [, name, value] = arg.match(/^--(\w+)(?:=(.*))?$/)!;
      return [name, value ?? true];
    }),
  );
  const { lines, problems } = await diagramFor(
    name,
    { ...NO_FLAGS, ...flags },
    args.slice(end + 1),
    columns,
  );
  assertEquals(problems, []);
  return lines.map(({ text }) => text).join("");
}

const draw = (name: string, ...args: string[]) => drawFor(80, name, ...args);

/** Returns the text of one of the three columns, with wrapped lines joined again. */
function column(diagram: string, index: number): string {
  const cells = diagram.split("\n").map((row) => row.split(" │ ")[index]?.trim() ?? "");
  return cells.join(" ").replaceAll(/\s+/g, " ");
}

for (const lab of labs) {
  const ignore = !THOROUGH && !["echo_udp", "guess", "upper_tcp"].includes(lab.name);
  Deno.test(
    `lab wire ${lab.name} shows both transcripts, and fits 80 columns`,
    { ignore },
    async () => {
      const diagram = await draw(lab.name);
      for (const line of diagram.split("\n")) assert(widthOf(line) <= 80, line);
      for (const [script, index] of [[lab.server, 0], [lab.client, 2]] as const) {
        const screen = script.screen.replaceAll(/\s+/g, " ").trim();
        assert(column(diagram, index).includes(screen), diagram);
      }
      assertEquals(/connect/.test(column(diagram, 1)), lab.transport === "tcp");
    },
  );
}

Deno.test("lab wire draws the same diagram as a program", async () => {
  const diagram = await draw("echo_v3");
  const options = { env: { NO_COLOR: "1", COLUMNS: "80" } };
  const { status, stdout } = await lab(["wire", "echo_v3"], "", options);
  assertEquals([stdout, status], [diagram, 0]);
});

Deno.test("lab wire draws each segment with its sender, and the half-closes in order", async () => {
  const diagram = await draw("upper_tcp", "--mermaid");
  assertEquals(diagram.split("\n").filter((line) => /->>/.test(line)).map((line) => line.trim()), [
    "C->>S: connect",
    "C->>S: 5 bytes: hello",
    "C->>S: FIN",
    "S->>C: 5 bytes: HELLO",
    "S->>C: FIN",
  ]);
});

Deno.test("lab wire --split delivers one segment as two", async () => {
  const args = ["--split=client:1:4", "--mermaid", "--", "--message=Hi"];
  const diagram = await draw("echo_v2", ...args);
  assert(diagram.includes("C->>S: 4 bytes: ␣␣␣␣\n    C->>S: 8 bytes: ␣␣␣␣␣2Hi\n"), diagram);
});

Deno.test("lab wire passes on all data before it ends the server", async () => {
  const diagram = await draw("tcp", "--split=client:1:3", "--mermaid");
  assertStringIncludes(diagram, "45 bytes: ␣I am a TCP client sending data to the server\n");
  assertStringIncludes(diagram, "Received data: to the server<br/>");
});

Deno.test("lab wire escapes control characters and Mermaid's markup", async () => {
  const message = "--message=\x1b[31m<b>#1;%$\r\n";
  const diagram = await draw("echo_v1", "--", message);
  // deno-lint-ignore no-control-regex -- that there are none is what is tested
  assert(!/[\x00-\x09\x0b-\x1f\x7f-\x9f]/.test(diagram), diagram);
  assert(diagram.includes("\\x1b[31m"), diagram);
  const mermaid = await draw("echo_v1", "--mermaid", "--", message);
  assert(mermaid.includes("\\x1b[31m#60;b#62;#35;1#59;#37;#36;\\r\\n"), mermaid);
});

Deno.test("lab wire draws a delayed datagram when it arrives, and the client ignores it", async () => {
  const diagram = await draw("guess", "--delay=1:3500", "--mermaid"); // the client waits 2 s
  const lines = diagram.slice(diagram.indexOf("C->>S")).split("\n").map((line) => line.trim());
  assertEquals(lines.slice(0, 5), [
    "C->>S: 2 bytes: 50",
    "Note over S: ('127.0.0.1', 40000) guessed 50: LOWER",
    "Note over C: note: no reply within 2 s: try 2 of 3",
    "C->>S: 2 bytes: 50",
    "Note over S: ('127.0.0.1', 40000) guessed 50: LOWER",
  ]);
  assertEquals(lines.slice(-3), ["Note over C: CORRECT", "S->>C: 5 bytes late: LOWER", ""]);
});

Deno.test("lab wire --duplicate draws a copy, which the client does not take for a later reply", async () => {
  const diagram = await draw("guess", "--duplicate=1", "--mermaid");
  assertStringIncludes(
    diagram,
    `
    S->>C: 5 bytes: LOWER
    S->>C: 5 bytes: LOWER
    Note over C: LOWER<br/>Guess a number between 1 and 99: 25
    C->>S: 2 bytes: 25
    Note over S: ('127.0.0.1', 40001) guessed 25: HIGHER
    S->>C: 6 bytes: HIGHER
    Note over C: HIGHER<br/>`,
  );
});

Deno.test("lab wire reports the faults that match nothing", async () => {
  const { status, stderr } = await run(["tcp", "--drop=1,client:1,client:2"]);
  assertEquals(status, 0);
  assertEquals(
    stderr,
    "note: --drop=server:1 matches nothing: the server sent nothing\n" +
      "note: --drop=client:2 matches nothing: the client sent 1\n" +
      "note: TCP would send a dropped segment again: here its bytes are gone\n",
  );
});

Deno.test("lab wire and run refuse a port or a host for the client", async () => {
  for (const flag of ["--port=9", "--host=::1", "--port"]) {
    const { status, stderr } = await run(["echo", "--", flag]);
    assertEquals(status, 2);
    assertStringIncludes(stderr, `${flag} has no effect: lab wire chooses where`);
  }
});

Deno.test("lab wire fits terminals of 40 and 120 columns", async () => {
  for (const columns of [40, 120]) {
    const diagram = await drawFor(columns, "practical12_tcp");
    assertEquals(Math.max(...diagram.split("\n").map(widthOf)), columns);
  }
});

Deno.test("lab wire draws lost datagrams on narrow terminals", async () => {
  for (const columns of [40, 60]) {
    const diagram = await drawFor(columns, "tcp", "--drop=client:1");
    assert(/✗.* 48 bytes[ │]+lost/.test(column(diagram, 1)), diagram);
    for (const line of diagram.split("\n")) assert(widthOf(line) <= columns, line);
  }
});

Deno.test("lab wire names the argument that it cannot read", async () => {
  const { status, stderr } = await run(["guess", "--drop=second"]);
  assertEquals(status, 2);
  assertStringIncludes(stderr, "--drop takes for instance 2 or client:1, not second");
});

Deno.test("inOrder() returns the same order for any order of arrival", () => {
  const data = encode("hi");
  const random = seededRandom(1);
  const orders = Array.from({ length: 50 }, () => {
    const at = () => 1000 + 400 * random();
    const wire = (kind: WireEvent["kind"], from: "server" | "client", data?: Uint8Array) => (
      { at: at(), kind, from, connection: 1, data, fresh: data?.length }
    );
    const events = [
      wire("connect", "client"),
      wire("data", "client", data),
      wire("data", "server", data),
      ...random() < 0.5
        ? [wire("end", "server"), wire("end", "client")]
        : [wire("end", "client"), wire("end", "server")],
    ];
    const [accept, read, write] = ["accept", "receive", "send"] as const;
    const call = (kind: EventKind, length?: number): ProgramEvent => (
      { at: at(), kind, transport: "tcp", connection: 1, length }
    );
    const print = (text: string): ProgramEvent => ({
      at: at(),
      kind: "print",
      stream: "stdout",
      text,
    });
    const steps = inOrder({
      server: [
        print("ready\n"),
        call(accept),
        print("connected\n"),
        call(read, 2),
        print("Data: "),
        print("hi\n"),
        call(write, 2),
        print("sent\n"),
        call("close"),
      ],
      client: [
        call("connect"),
        print("Sending\n"),
        call(write, 2),
        call(read, 2),
        print("hi\n"),
        call("close"),
      ],
    }, events);
    return steps.filter(({ kind }) => kind !== "call")
      .map(({ kind, from, text }) => `${from} ${text.trim() || kind}`);
  });
  for (const order of orders) {
    assertEquals(order, [
      "server ready",
      "client connect",
      "server connected",
      "client Sending",
      "client data",
      "server Data: hi",
      "server data",
      "server sent",
      "server end",
      "client hi",
      "client end",
    ]);
  }
});

const readme = Deno.readTextFileSync(`${SCRIPTS}../README.md`).replaceAll("\r", "");
const DIAGRAM = /^`deno task lab wire ([^`]+ --mermaid[^`]*)`\n\n```mermaid\n([^]*?)```/gm;
const diagrams = [...readme.matchAll(DIAGRAM)];

Deno.test("every diagram in the README follows the command that drew it", () => {
  assert(diagrams.length > 0);
  assertEquals(readme.match(/^```mermaid/gm)?.length, diagrams.length);
});

for (const [, args, diagram] of diagrams) {
  Deno.test(`lab wire ${args} draws what the README shows`, async () => {
    assertEquals(await draw(...args.split(" ") as [string, ...string[]]), diagram);
  });
}
