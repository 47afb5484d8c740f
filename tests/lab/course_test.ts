/** The command `lab compare` for several labs at once, with originals as courses write them. */
import { assert, assertEquals } from "@std/assert";
import { hasPython } from "../../scripts/lab/process/program.ts";
import { prints, verdicts } from "./compared.ts";
import { writeCourse } from "./course.ts";
import { lab, temporary, THOROUGH } from "../helpers.ts";

/** Labs whose originals have ways of their own. compare_test.ts compares others. */
const LABS = THOROUGH
  ? ["echo", "echo_udp", "echo_v3", "guess", "practical12_udp", "upper_tcp"]
  : ["echo", "echo_v3"];
const FILES = THOROUGH
  ? ["1_13a", "1_13b", "1_14a", "1_14b", "v3.py", "guess_", "udp/echo-", "guide/TCP"]
  : ["1_13a", "1_13b", "v3.py"];

/** What the scripts print that differs from a course's own files. */
const DIFFERENT = [
  "echo_server.ts prints the same but for bytes notation",
  "echo_client.ts prints the same but for bytes notation",
  "echo_server_udp.ts differs in 5 lines",
  "echo_client_udp.ts differs in 3 lines",
  "echo_server_v3.ts differs in 7 lines",
  "upper_client_tcp.ts differs in 1 line",
].filter((line) => THOROUGH || !/_udp|upper/.test(line));

Deno.test(
  "lab compare works with a course's own files, in all pairings of several labs",
  { ignore: !THOROUGH || !await hasPython() },
  async () => {
    await using folder = await temporary();
    await writeCourse(folder.path, ...FILES);
    const result = await lab(["compare", `--originals=${folder.path}`], "", undefined, 300);
    assertEquals([result.status, result.stderr], [0, ""], result.stdout);
    const works = verdicts(result).filter((line) => line.endsWith(": works"));
    assertEquals(works.length, 4 * LABS.length, result.stdout);
    const lines = prints(result).filter((line) => !/^guess/.test(line)); // its number is random
    assertEquals(lines.length, 6 * LABS.filter((name) => name !== "guess").length, result.stdout);
    for (const line of lines.filter((line) => line.includes(".py "))) {
      assert(line.endsWith(".py prints the same"), result.stdout);
    }
    const different = lines.filter((line) => /\.ts (?!prints the same$)/.test(line));
    assertEquals([...new Set(different)].sort(), DIFFERENT.toSorted(), result.stdout);
    const table = result.stdout.match(/(?<=\n)\w+ +works\n/g)?.map((line) => line.split(" ")[0]);
    assertEquals(table, LABS);
  },
);
