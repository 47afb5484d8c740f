/**
 * netcat.ts with 5 peers, in 2 roles, with 6 kinds of input: in each case all bytes arrive on both
 * sides, and both programs end. The peer sends a file, and may drop the rest when our half ends.
 * A quick run has a third of the cases: every peer in both roles, and every input in both roles.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { encode, THOROUGH } from "../helpers.ts";
import {
  cksum,
  ITSELF,
  NC,
  NC_N,
  NCAT,
  type Peer,
  randomFile,
  type Role,
  shell,
  socat,
  startPair,
  terminal,
  WITH_SCRIPT,
} from "./helpers.ts";

const THEIRS = 5_000_000; // bytes that the peer sends, more than the buffers of the system hold
const OURS = 1_000_000;

/** An input for netcat: a line of shell, in which `FILE` is our file, and the typed lines. */
type Input = { name: string; line: string; typed?: string };

const INPUTS: Input[] = [
  { name: "a terminal", line: '"$@"', typed: "typed\n" },
  { name: "a file", line: '"$@" < FILE' },
  { name: "a pipe", line: 'cat FILE | "$@"' },
  { name: "a silent pipe", line: '"$@"', typed: "" },
  { name: "/dev/null", line: '"$@" < /dev/null' },
  { name: "closed", line: '"$@" <&-' },
];

/** A file, and the line that `cksum` prints for it. */
type Sent = { path: string; sum: string };

async function assertWhole(peer: Peer, role: Role, input: Input, our: Sent, their: Sent) {
  const { name, typed } = input;
  const isTerminal = name === "a terminal";
  if (isTerminal && WITH_SCRIPT.ignore) return;
  // Prints the checksum as soon as everything has arrived, and then how many more bytes did.
  const received = `{ head -c ${THEIRS} | cksum; wc -c; }`;
  const line = `${input.line.replace("FILE", our.path)} | ${received}`;
  const around = {
    ours: (isTerminal ? terminal : shell)(line),
    theirs: shell(`"$@" < ${their.path} | cksum`),
  };
  await using pair = await startPair(peer, role, around, isTerminal ? `${typed}\x04` : ""); // Ctrl-D
  const { ours, theirs } = pair;
  const screen = () => ours.screen.replaceAll("\r", "");
  const hasArrived = await ours.until(() => screen().includes(their.sum), 60);
  assert(hasArrived, `${screen()}${ours.errors}`);
  if (typed === "") await ours.endInput(); // it was silent until now
  await pair.ended();
  assertMatch(screen(), /^0\n$/m); // not a byte too many
  const sent = input.line.includes("FILE") ? our.sum : await cksum(encode(typed ?? ""));
  assertEquals(theirs.screen, sent, `${ours.errors}${theirs.errors}`);
}

for (const [i, peer] of [NC, NC_N, NCAT, socat(), ITSELF].entries()) {
  const { name, ignore } = peer;
  Deno.test(
    `netcat and ${name} lose no byte when the input is a file, a pipe, a terminal or closed`,
    { ignore },
    async () => {
      await using our = await randomFile(OURS);
      await using their = await randomFile(THEIRS);
      const cells = INPUTS.flatMap((input, j) =>
        (["client", "server"] as const).filter((_, k) => THOROUGH || (i + j + k) % 5 === 0).map((
          role,
        ) =>
          assertWhole(peer, role, input, our, their).then(
            () => `${role}, ${input.name}: whole`,
            (error) => `${role}, ${input.name}: ${error}`,
          )
        )
      );
      const row = await Promise.all(cells);
      assertEquals(row.filter((cell) => !cell.endsWith(": whole")), []);
    },
  );
}
