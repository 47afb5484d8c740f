/**
 * Runs the tests, six files at a time, and prints which of them were left out. Its arguments are
 * those of `deno test`, such as files.
 *
 * @module
 */
import { delimiter, dirname, isAbsolute } from "node:path";
import { pythonCommand } from "../scripts/lab/process/program.ts";

const FLAGS = ["-A", "--frozen", "--lock=tests/deno.lock", "--no-check", "--parallel"];

// The tests start Python often. Its own folder comes first in PATH: python3 can be the script of a
// version manager, which takes longer than Python itself.
const [python] = await pythonCommand();
const PATH = [...isAbsolute(python) ? [dirname(python)] : [], Deno.env.get("PATH")].join(delimiter);

const tests = new Deno.Command(Deno.execPath(), {
  args: ["test", ...FLAGS, ...Deno.args],
  env: { DENO_JOBS: "6", PATH },
}).spawn();
const { code } = await tests.status;
if (code === 0) await import("./left_out.ts");
Deno.exit(code);
