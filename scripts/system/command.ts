/**
 * Runs the system's own programs.
 *
 * @module
 */

/** Runs a program and returns what it prints on stdout. */
export async function outputOf(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(program, { args, stdin: "null" }).output();
  return new TextDecoder().decode(stdout);
}

/** Runs a program and returns whether its exit status is 0. */
export async function succeeds(program: string, ...args: string[]): Promise<boolean> {
  const { success } = await new Deno.Command(program, { args, stdin: "null" }).output();
  return success;
}
