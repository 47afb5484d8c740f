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
