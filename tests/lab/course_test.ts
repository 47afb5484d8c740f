/** The command `lab compare` for every lab, with originals as courses write them. */
import { assert, assertEquals } from "@std/assert";
import { findLabs } from "../../scripts/lab/catalog/header.ts";
import { hasPython } from "../../scripts/lab/process/program.ts";
import { compared, prints, verdicts } from "./compared.ts";

const withPython = { ignore: !await hasPython() };

/** The labs and what a course's own files print other than ours, in the words of the tool. */
const DIFFERENT: Record<string, string[]> = {
  echo: ["echo_server.ts prints the same but for bytes notation"],
  echo_udp: ["echo_server_udp.ts differs in 5 lines", "echo_client_udp.ts differs in 3 lines"],
  echo_v3: ["echo_server_v3.ts differs in 7 lines"],
  practical12_tcp: ["practical12_server_tcp.ts differs in 1 line"],
  upper_tcp: ["upper_client_tcp.ts differs in 1 line"],
  tcp: ["tcp_server.ts prints the same but for bytes notation"],
};

for (const { name } of findLabs().filter(({ name }) => name !== "guess")) {
  Deno.test(
    `lab compare ${name} works with a course's own files, in all pairings`,
    withPython,
    async () => {
      const result = await compared(name, []);
      assertEquals([result.status, result.stderr], [0, ""], result.stdout);
      assertEquals(verdicts(result).filter((line) => line.endsWith(": works")).length, 4);
      const halves = prints(result);
      assertEquals(halves.length, 6, result.stdout);
      for (const line of DIFFERENT[name] ?? []) assert(halves.includes(line), result.stdout);
      for (const role of halves.filter((role) => role.includes(".py "))) {
        assert(role.endsWith(".py prints the same"), result.stdout);
      }
      const differing = halves.filter((role) => role.includes(" differs "));
      if (!DIFFERENT[name]) assertEquals(differing, []);
    },
  );
}

Deno.test(
  "lab compare guess plays with originals whose number nobody knows",
  withPython,
  async () => {
    const result = await compared("guess", ["guess_server.py", "guess_client.py"]);
    assertEquals([result.status, result.stderr], [0, ""], result.stdout);
    assertEquals(verdicts(result), [
      "guess_server.py with guess_client.py: works",
      "guess_server.ts with guess_client.ts: works",
      "guess_server.py with guess_client.ts: works",
      "guess_server.ts with guess_client.py: works",
    ]);
  },
);
