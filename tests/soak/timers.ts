/** Loaded before a server with `--preload`, it tells on SIGUSR2 how many of its timers wait. */
const { setTimeout, setInterval, clearTimeout } = globalThis;
const waiting = new Set<unknown>();

globalThis.setTimeout = ((callback: (...args: unknown[]) => void, ...rest: [number]) => {
  const timer = setTimeout((...args: unknown[]) => {
    waiting.delete(timer);
    callback(...args);
  }, ...rest);
  waiting.add(timer);
  return timer;
}) as typeof setTimeout;

globalThis.setInterval = ((...args: Parameters<typeof setInterval>) => {
  const timer = setInterval(...args);
  waiting.add(timer);
  return timer;
}) as typeof setInterval;

globalThis.clearTimeout = globalThis.clearInterval = ((timer: number) => {
  waiting.delete(timer);
  clearTimeout(timer);
}) as typeof clearTimeout;

Deno.addSignalListener("SIGUSR2", () => console.error(`timers: ${waiting.size}`));
