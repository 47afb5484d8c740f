/**
 * The programs of the system that are asked.
 *
 * @module
 */

/** Runs a program, and gives what it prints. */
export async function outputOf(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(program, { args }).output();
  return new TextDecoder().decode(stdout);
}
