/** What cases need to run at once, and beside other tests. */
import { udpSocket } from "../helpers.ts";

/** A test of cases that wait more than they work, all at once. */
export function testAtOnce(
  name: string,
  options: { ignore?: boolean },
  cases: Record<string, () => Promise<void>>,
) {
  Deno.test(name, options, async (test) => {
    const free = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };
    await Promise.all(
      Object.entries(cases).map(([name, fn]) => test.step({ name, fn, ...free })),
    );
  });
}

const given = new Set<number>();

/** A port that nobody has or was given here, and that the system gives to nobody who asks for any. */
export function quietPort(): number {
  while (true) {
    const port = 20000 + Math.floor(Math.random() * 12000);
    if (given.has(port)) continue;
    given.add(port);
    try {
      Deno.listen({ hostname: "0.0.0.0", port }).close();
      udpSocket("0.0.0.0", port).close();
      return port;
    } catch { /* somebody has it */ }
  }
}
