/** Every lab with its Python counterparts: as the server, as the client, and as both. */
import { assertEquals } from "@std/assert";
import { findLabs, type Script } from "../../scripts/lab/catalog/header.ts";
import { ourPlayer, pythonPlayer, runPair } from "../../scripts/lab/session/pair.ts";
import { hasPython } from "../../scripts/lab/process/program.ts";
import { quietPort, SCRIPTS, temporary } from "../helpers.ts";

const ignore = !await hasPython();

for (const lab of findLabs()) {
  // Ours with ours is the session of the headers: see sessions_test.ts.
  for (const pairing of ["Deno with Python", "Python with Deno", "Python with Python"]) {
    Deno.test(`lab ${lab.name}: ${pairing}`, { ignore }, async () => {
      await using folder = await temporary();
      const port = quietPort();
      const player = (language: string, script: Script) => {
        if (language === "Deno") return ourPlayer(script, "--allow-net");
        // A counterpart has a port of its own as the original has: a free one here.
        const name = script.name.replace(".ts", ".py");
        const source = Deno.readTextFileSync(`${SCRIPTS}lab/counterparts/${name}`);
        const copy = `${folder.path}/${name}`;
        const [, size] = script.args.join(" ").match(/--buffer-size=(\d+)/) ?? [];
        const changed = source.replace(/^PORT = \d+$/m, `PORT = ${port}`)
          .replace(/^BUFFER_SIZE = \d+/m, (line) => size ? `BUFFER_SIZE = ${size}` : line);
        Deno.writeTextFileSync(copy, changed);
        return pythonPlayer(script, copy);
      };
      const [server, client] = pairing.split(" with ");
      const players = { server: player(server, lab.server), client: player(client, lab.client) };
      const { checks } = await runPair(lab, players);
      assertEquals(checks.filter(({ problem, isNotation }) => problem || isNotation), []);
    });
  }
}
