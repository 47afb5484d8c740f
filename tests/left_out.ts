/**
 * Prints after the tests which of them were skipped, because this machine lacks what they need.
 *
 * @module
 */
import { hasPython } from "../scripts/lab/process/program.ts";
import { has, LINUX_ONLY, WITH_IPV6 } from "./helpers.ts";
import { CHROMIUM } from "./lab/chromium.ts";

const isRoot = Deno.build.os !== "windows" && Deno.uid() === 0;

/** What tests may need, whether this machine has it, and what these tests cover. */
const NEEDS: [need: string, isAvailable: boolean, covered: string][] = [
  ["Python 3", await hasPython(), "pairs with Python programs, lab compare, the README's commands"],
  ["nc.openbsd", has("nc.openbsd"), "netcat.ts with OpenBSD's nc"],
  ["ncat", has("ncat"), "netcat.ts with ncat"],
  ["socat", has("socat"), "netcat.ts with socat"],
  ["Chromium", CHROMIUM !== undefined, "the lab book in a browser"],
  ["IPv6", !WITH_IPV6.ignore, "the address ::1"],
  ["Linux", !LINUX_ONLY.ignore, "kill_port.ts with real processes, memory, file descriptors"],
  ["root", isRoot, "kill_port.ts as another user, a changed /etc/hosts"],
];

const missing = NEEDS.filter(([, isAvailable]) => !isAvailable);
for (const [need, , covered] of missing) console.log(`skipped without ${need}: ${covered}`);
if (missing.length === 0) console.log("no test was skipped");
