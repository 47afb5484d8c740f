/**
 * Runs commands of lab.ts in the process of the tests, because to start the tool takes longer than
 * many of its commands.
 */
import { written } from "../../scripts/cli.ts";
import { main } from "../../scripts/lab.ts";
import { type Result, SCRIPTS } from "../helpers.ts";

/** What `Deno.exit` throws here. */
class Exit {
  constructor(readonly status: number) {}
}

let turn: Promise<unknown> = Promise.resolve();

/**
 * Runs lab.ts until it ends, without another process.
 *
 * @param args The command line.
 * @param env Environment variables to run it with.
 */
export function labHere(args: string[], env: Record<string, string> = {}): Promise<Result> {
  const result = turn.then(() => run(args, env));
  turn = result.catch(() => {});
  return result;
}

/**
 * Calls a function with environment variables of its own. The test files run in threads of one process.
 * The real variables, as the current folder, belong to all of them, and are not changed.
 */
export async function withEnv<T>(
  variables: Record<string, string | undefined>,
  use: () => T,
): Promise<Awaited<T>> {
  const get = Deno.env.get;
  const undo = replace(Deno.env, "get", (name: string) => {
    return name in variables ? variables[name] : get.call(Deno.env, name);
  });
  try {
    return await use();
  } finally {
    undo();
  }
}

async function run(args: string[], env: Record<string, string>): Promise<Result> {
  const result = { status: 0, stdout: "", stderr: "" };
  const restore = [
    replace(Deno, "mainModule", `file://${SCRIPTS}lab.ts`),
    replace(Deno, "addSignalListener", () => {}),
    replace(Deno, "exit", (status: number) => {
      throw new Exit(status);
    }),
    ...(["stdout", "stderr"] as const).flatMap((name) => [
      replace(Deno[name], "isTerminal", () => false),
      replace(Deno[name], "write", (data: Uint8Array) => {
        result[name] += new TextDecoder().decode(data);
        return Promise.resolve(data.length);
      }),
    ]),
  ];
  try {
    await withEnv({ ...env, INIT_CWD: undefined }, () => main(args));
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
    result.status = error.status;
  } finally {
    await written();
    for (const undo of restore) undo();
    Deno.exitCode = 0;
  }
  return result;
}

/** Replaces a property of an object. Returns a function that puts the old one back. */
function replace(object: object, name: string, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(object, name);
  Object.defineProperty(object, name, { value, configurable: true });
  return () => {
    if (before) Object.defineProperty(object, name, before);
    else Reflect.deleteProperty(object, name);
  };
}
