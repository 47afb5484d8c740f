/** Every lab in all four pairings: our script or its Python counterpart as server and as client. */
import { assertEquals } from "@std/assert";
import { findLabs, type Script } from "../../scripts/lab/header.ts";
import { ourPlayer, pythonPlayer, runPair } from "../../scripts/lab/pair.ts";
import { freePort } from "../../scripts/lab/ports.ts";
import { hasPython } from "../../scripts/lab/program.ts";
import { SCRIPTS } from "../helpers.ts";

const ignore = !await hasPython();

for (const lab of findLabs()) {
  for (const server of ["Deno", "Python"]) {
    for (const client of ["Deno", "Python"]) {
      Deno.test(`lab ${lab.name}: ${server} server with ${client} client`, {
        ignore,
      }, async () => {
        const folder = await Deno.makeTempDir();
        const port = freePort(lab.transport);
        const player = (language: string, script: Script) => {
          if (language === "Deno") return ourPlayer(script, "--allow-net");
          // A counterpart has a port of its own as the original has: a free one here.
          const name = script.name.replace(".ts", ".py");
          const source = Deno.readTextFileSync(`${SCRIPTS}../tests/python/${name}`);
          const copy = `${folder}/${name}`;
          Deno.writeTextFileSync(copy, source.replace(/^PORT = \d+$/m, `PORT = ${port}`));
          return pythonPlayer(script, copy);
        };
        try {
          const players = {
            server: player(server, lab.server),
            client: player(client, lab.client),
          };
          const { checks } = await runPair(lab, players);
          assertEquals(checks.filter(({ problem }) => problem), []);
          assertEquals(checks.filter(({ isNotation }) => isNotation), []);
        } finally {
          await Deno.remove(folder, { recursive: true });
        }
      });
    }
  }
}
