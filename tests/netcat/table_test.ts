/**
 * netcat.ts with whom, in which role, with what as its input: in each case all bytes arrive on both
 * sides, and both end. The other side sends a file, and as everyday commands do, it may stop when
 * our half ends.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { encode } from "../helpers.ts";
import {
  cksum,
  ITSELF,
  NC,
  NC_N,
  NCAT,
  type Peer,
  randomBytes,
  type Role,
  shell,
  socat,
  startPair,
  terminal,
  WITH_SCRIPT,
  withFile,
} from "./helpers.ts";

const THEIRS = 5_000_000; // bytes that the other side sends
const OURS = 1_000_000;

/** Netcat's input. */
interface Input {
  name: string;
  /** The line of shell, in which `FILE` is our file. */
  line: string;
  /** The whole input where it is typed, and not our file or nothing. */
  typed?: string;
}

const INPUTS: Input[] = [
  { name: "a terminal", line: '"$@"', typed: "typed\n" },
  { name: "a file", line: '"$@" < FILE' },
  { name: "a pipe", line: 'cat FILE | "$@"' },
  { name: "a silent pipe", line: '"$@"', typed: "" },
  { name: "/dev/null", line: '"$@" < /dev/null' },
  { name: "none", line: '"$@" <&-' },
];

/** A file, and the line that `cksum` prints of it. */
type Sent = { file: string; sum: string };

/** Checks one case. */
async function assertWhole(peer: Peer, role: Role, input: Input, our: Sent, their: Sent) {
  const { name, typed } = input;
  const isTerminal = name === "a terminal";
  // Prints the checksum as soon as all is there, and then how much more has come.
  const received = `{ head -c ${THEIRS} | cksum; wc -c; }`;
  const line = `${input.line.replace("FILE", our.file)} | ${received}`;
  await using pair = await startPair(peer, role, {
    ours: (isTerminal ? terminal : shell)(line),
    theirs: shell(`"$@" < ${their.file} | cksum`),
  });
  const { ours, theirs } = pair;
  if (isTerminal) await ours.send(encode(`${typed}\x04`)); // Ctrl-D
  const screen = () => ours.screen.replaceAll("\r", "");
  const isThere = await ours.until(() => screen().includes(their.sum), 20);
  assert(isThere, `${name}: ${screen()}${ours.errors}`);
  if (typed === "") await ours.endInput(); // it was silent all the time
  await pair.ended();
  assertMatch(screen(), /^0\n$/m, name); // and no byte too many
  const sent = input.line.includes("FILE") ? our.sum : await cksum(encode(typed ?? ""));
  assertEquals(theirs.screen, sent, `${name}: ${ours.errors}${theirs.errors}`);
}

for (const peer of [NC, NC_N, NCAT, socat(), ITSELF]) {
  for (const role of ["client", "server"] as const) {
    Deno.test(
      `netcat as the ${role} of ${peer.name} loses nothing, whatever its input is`,
      { ignore: peer.ignore },
      async () => {
        const inputs = INPUTS.filter(({ name }) => name !== "a terminal" || !WITH_SCRIPT.ignore);
        await withFile(
          randomBytes(OURS),
          (file, sum) =>
            withFile(randomBytes(THEIRS), async (theirFile, theirSum) => {
              const their = { file: theirFile, sum: theirSum };
              const cases = inputs.map((input) =>
                assertWhole(peer, role, input, { file, sum }, their)
              );
              const failures = (await Promise.allSettled(cases)).filter(({ status }) =>
                status === "rejected"
              );
              assertEquals(failures, []);
            }),
        );
      },
    );
  }
}
