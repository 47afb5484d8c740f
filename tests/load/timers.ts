/** Loaded before a server with `--preload`. On SIGUSR2, prints how many timers are pending. */
const { setTimeout, setInterval, clearTimeout } = globalThis;
const pending = new Set<unknown>();

globalThis.setTimeout = ((callback: (...args: unknown[]) => void, ...rest: [number]) => {
  const timer = setTimeout((...args: unknown[]) => {
    pending.delete(timer);
    callback(...args);
  }, ...rest);
  pending.add(timer);
  return timer;
}) as typeof setTimeout;

globalThis.setInterval = ((...args: Parameters<typeof setInterval>) => {
  const timer = setInterval(...args);
  pending.add(timer);
  return timer;
}) as typeof setInterval;

globalThis.clearTimeout = globalThis.clearInterval = ((timer: number) => {
  pending.delete(timer);
  clearTimeout(timer);
}) as typeof clearTimeout;

Deno.addSignalListener("SIGUSR2", () => console.error(`timers: ${pending.size}`));
