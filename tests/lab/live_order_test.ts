/** The order in which `lab live` shows what happens, and files that are saved meanwhile. */
import { assert, assertEquals } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { findLab } from "../../scripts/lab/catalog/labs.ts";
import { Bench } from "../../scripts/lab/live/bench.ts";
import type { ToPage } from "../../scripts/lab/live/messages.ts";
import { type Happening, Sequence } from "../../scripts/lab/live/order.ts";
import type { Deed } from "../../scripts/lab/live/program.ts";
import type { WireEvent } from "../../scripts/lab/trace/relay.ts";
import { temporary } from "../helpers.ts";

const SERVER = { name: "server" };
const CLIENT = { name: "client" };
const data = new Uint8Array(5);
const LATER = 1000; // milliseconds

type Place = typeof SERVER;

const did = (place: Place, at: number, deed: Omit<Deed, "at">): Happening<Place> => (
  { at, place, deed: { at, length: data.length, ...deed } }
);
const passed = (at: number, event: Partial<WireEvent>): Happening<Place> => ({
  at,
  place: CLIENT,
  wire: { at, kind: "data", from: "client", connection: 1, data, fresh: data.length, ...event },
});

/** Returns the order of what happened, as the names of its kinds. */
function orderOf(happenings: Happening<Place>[], limit = LATER): string[] {
  const sequence = new Sequence(SERVER);
  for (const happening of happenings) sequence.add(happening);
  return sequence.take(limit).map(({ place, deed, wire }) =>
    wire ? `${wire.from} ${wire.kind}` : `${place.name} calls ${deed!.kind}`
  );
}

const CASES: [what: string, happenings: Happening<Place>[], order: string[]][] = [
  [
    "shows a send before its segment, and the segment before the read that gets it",
    [
      did(SERVER, 1, { kind: "receive", transport: "tcp" }),
      passed(2, {}),
      did(CLIENT, 3, { kind: "send", transport: "tcp" }),
    ],
    ["client calls send", "client data", "server calls receive"],
  ],
  [
    "shows a connection before it is accepted",
    [
      did(SERVER, 1, { kind: "accept" }),
      passed(2, { kind: "connect", data: undefined, fresh: 0 }),
      did(CLIENT, 3, { kind: "connect" }),
    ],
    ["client calls connect", "client connect", "server calls accept"],
  ],
  [
    "shows an end before the read that finds it",
    [
      did(SERVER, 1, { kind: "receive", transport: "tcp", length: 0 }),
      passed(2, { kind: "end", data: undefined, fresh: 0 }),
      did(CLIENT, 3, { kind: "close" }),
    ],
    ["client calls close", "client end", "server calls receive"],
  ],
  [
    "shows a lost datagram without a receive",
    [
      did(CLIENT, 1, { kind: "send", transport: "udp" }),
      passed(2, { kind: "lost" }),
      did(SERVER, 3, { kind: "receive", transport: "udp" }),
    ],
    ["client calls send", "client lost", "server calls receive"],
  ],
  [
    "shows an event whose cause was not observed",
    [passed(1, {}), did(SERVER, 2, { kind: "receive", transport: "tcp" })],
    ["client data", "server calls receive"],
  ],
];

for (const [what, happenings, order] of CASES) {
  Deno.test(`lab live ${what}`, () => assertEquals(orderOf(happenings), order));
}

Deno.test("lab live waits a moment for a cause, and then continues without it", () => {
  assertEquals(orderOf([passed(1, {})], 10), []);
  assertEquals(orderOf([passed(1, {})], 100), ["client data"]);
});

Deno.test("lab live shows a file again that is saved right after it was chosen", async () => {
  await using folder = await temporary();
  const file = `${folder.path}/mine.ts`;
  Deno.writeTextFileSync(file, "// first");
  const saved = Promise.withResolvers<ToPage>();
  const onMessage = (message: ToPage) => message.type === "half" && saved.resolve(message);
  await using _bench = await Bench.open(findLab("echo_v1"), { server: file }, onMessage);
  Deno.writeTextFileSync(file, "// the second");
  const shown = await deadline(saved.promise, 20_000);
  assert(JSON.stringify(shown).includes("// the second"));
});
