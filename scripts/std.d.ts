// Types for the parts of the Deno standard library that this project uses. The
// npm package that carries the library has none. Whoever imports it from JSR
// (see deno.json) needs this file no longer.

declare module "@std/assert" {
  export function assert(value: unknown, message?: string): asserts value;
  export function assertEquals<T>(
    actual: T,
    expected: T,
    message?: string,
  ): void;
  export function assertMatch(
    actual: string,
    expected: RegExp,
    message?: string,
  ): void;
  export function assertRejects<E extends Error>(
    body: () => PromiseLike<unknown>,
    // deno-lint-ignore no-explicit-any -- a class may be made from any arguments
    errorClass: new (...args: any[]) => E,
    messageIncludes?: string,
    message?: string,
  ): Promise<E>;
  export function assertStringIncludes(
    actual: string,
    expected: string,
    message?: string,
  ): void;
  export function assertThrows<E extends Error>(
    body: () => unknown,
    // deno-lint-ignore no-explicit-any -- a class may be made from any arguments
    errorClass: new (...args: any[]) => E,
    messageIncludes?: string,
    message?: string,
  ): E;
}

declare module "@std/async/deadline" {
  export function deadline<T>(
    promise: Promise<T>,
    milliseconds: number,
    options?: { signal?: AbortSignal },
  ): Promise<T>;
}

declare module "@std/async/delay" {
  export function delay(
    milliseconds: number,
    options?: { signal?: AbortSignal; persistent?: boolean },
  ): Promise<void>;
}

declare module "@std/cli/parse-args" {
  export function parseArgs(
    args: string[],
    options?: {
      boolean?: string[];
      string?: string[];
      unknown?: (arg: string, key?: string) => unknown;
    },
  ): { _: string[] } & Record<string, unknown>;
}

declare module "@std/yaml/parse" {
  export function parse(yaml: string): unknown;
}

declare module "@std/text/closest-string" {
  export function closestString(givenWord: string, possibleWords: readonly string[]): string;
}
