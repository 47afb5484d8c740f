/**
 * Says after the tests what they left out on this machine, and why.
 *
 * @module
 */
import { BROWSER } from "./lab/browser.ts";
import { hasPython } from "../scripts/lab/program.ts";
import { has, LINUX_ONLY, WITH_IPV6 } from "./helpers.ts";

const isRoot = Deno.build.os !== "windows" && Deno.uid() === 0;

/** What a test may need, whether it is here, and what is tested with it. */
const NEEDS: [need: string, isHere: boolean, tested: string][] = [
  ["Python 3", await hasPython(), "the pairings with Python, lab compare, the README's commands"],
  ["nc.openbsd", has("nc.openbsd"), "netcat.ts with OpenBSD's nc"],
  ["ncat", has("ncat"), "netcat.ts with ncat"],
  ["socat", has("socat"), "netcat.ts with socat"],
  ["Chromium", BROWSER !== undefined, "the lab book in a browser"],
  ["IPv6", !WITH_IPV6.ignore, "::1 as an address"],
  ["Linux", !LINUX_ONLY.ignore, "kill_port.ts with real processes, memory, descriptors"],
  ["root's rights", isRoot, "kill_port.ts as other users, a changed /etc/hosts"],
];

for (const [need, isHere, tested] of NEEDS) {
  if (!isHere) console.log(`left out for want of ${need}: ${tested}`);
}
if (NEEDS.every(([, isHere]) => isHere)) console.log("nothing was left out");
