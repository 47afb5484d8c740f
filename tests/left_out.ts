/**
 * Prints after the tests which of them were skipped: those that need something that this machine
 * lacks, and those of `deno task test:all`.
 *
 * @module
 */
import { hasPython } from "../scripts/lab/process/program.ts";
import {
  has,
  hasPort81,
  LINUX_ONLY,
  THOROUGH,
  WITH_FULL_BUFFERS,
  WITH_IPV6,
  WITH_POSIX_FILES,
  WITH_REUSEPORT,
  WITH_SHELL,
  WITH_SIGNALS,
  WITH_UNIX_SOCKETS,
  WITH_WAITING_WRITES,
  WITH_ZERO_ADDRESS,
} from "./helpers.ts";
import { CHROMIUM } from "./lab/chromium.ts";

const isRoot = Deno.build.os !== "windows" && Deno.uid() === 0;

/** What tests may need, whether this machine has it, and what these tests cover. */
const NEEDS: [need: string, isAvailable: boolean, covered: string][] = [
  [
    "Python 3",
    await hasPython(),
    "pairs with Python programs, lab compare, some of the README's commands",
  ],
  ["nc.openbsd", has("nc.openbsd"), "netcat.ts with OpenBSD's nc"],
  ["ncat", has("ncat"), "netcat.ts with ncat"],
  ["socat", has("socat"), "netcat.ts with socat"],
  ["Chromium", CHROMIUM !== undefined, "the lab book and lab live in a browser"],
  ["IPv6", !WITH_IPV6.ignore, "the address ::1"],
  ["signals", !WITH_SIGNALS.ignore, "Ctrl-C and Ctrl-Z: `kill` ends a program at once on Windows"],
  ["sh", !WITH_SHELL.ignore, "pipes, fifos, a closed stdout, no free file descriptors"],
  ["POSIX files", !WITH_POSIX_FILES.ignore, "links, and control characters in names of files"],
  ["Unix sockets", !WITH_UNIX_SOCKETS.ignore, "netcat.ts -U"],
  ["full buffers", !WITH_FULL_BUFFERS.ignore, "a server that reads nothing of a long message"],
  [
    "waiting writes",
    !WITH_WAITING_WRITES.ignore,
    "netcat.ts sends on after its peer's end: Wine loses a part of a write that waits then",
  ],
  ["0.0.0.0 as a destination", !WITH_ZERO_ADDRESS.ignore, "clients with --host=0.0.0.0"],
  ["SO_REUSEPORT", !WITH_REUSEPORT.ignore, "a second server that shares the port, in lab check"],
  ["a limit for ports below 1024", !hasPort81(), "tcp_server.ts without permission for port 81"],
  ["Linux", !LINUX_ONLY.ignore, "kill_port.ts with real processes, memory, file descriptors"],
  ["root", isRoot, "kill_port.ts as another user, a changed /etc/hosts"],
];

/**
 * The tests of which a quick run has fewer cases. Tests that it skips completely are "ignored" in
 * Deno's count.
 */
const LESS = [
  "1 of 2 pairings of each lab with a Python program",
  "7 of 25 programs, and 3 of 5 ways to name a port, under the tracers",
  "3 of 11 labs, and 6 of 15 pairs of other programs, in lab wire",
  "the model solutions of 2 of 11 exercises",
  "hostile input of 25 KB instead of 1 MB",
  "12 of 60 transfers, and 7 of 12 dialogs, of netcat.ts and its peers",
  "16 of 100 guessing games, and 18 of 120 exchanges, through a bad network",
  "1 of 5 missing permissions for each script",
  "half of the garbage, and 100 of 200 clients at once, for each server",
  "2 of 7 TCP clients whose server never stops sending",
  "for each TCP client, 1 of 6 pieces of garbage, 2 of 3 ends or resets, and 1 of 2 or 3 Ctrl-C",
  "3 of 16 ways to split each reply to echo_client_v2.ts",
  "1 of 29 right and 7 of 32 wrong submissions in lab check",
  "1 of 4 pairs of broken files in lab compare",
  "2 of 11 labs in lab demo, and 2 of 6 labs at once",
  "1 of 2 runs of lab demo, lab book and lab check from the README",
  "5 of 11 labs on the lab book's page, without its roles, colors, widths, print and originals",
  "1 of 11 labs, and 6 of 20 situations, in lab live",
  "the 50 half-way states of the exercises",
];

const missing = NEEDS.filter(([, isAvailable]) => !isAvailable);
for (const [need, , covered] of missing) console.log(`skipped without ${need}: ${covered}`);
const groups = missing.length === 1 ? "group" : "groups";
console.log(
  `${missing.length} ${groups} of tests skipped, because this machine lacks what they need`,
);
if (!THOROUGH) {
  console.log(`quick run: ${LESS.length} tests had fewer cases than with deno task test:all:`);
  for (const part of LESS) console.log(`- ${part}`);
}
