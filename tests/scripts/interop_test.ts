/** Every lab with a Python counterpart as the server or as the client. */
import { assertEquals } from "@std/assert";
import { ROLES, type Script } from "../../scripts/lab/catalog/header.ts";
import { labs } from "../../scripts/lab/catalog/labs.ts";
import { readOriginal } from "../../scripts/lab/originals/find.ts";
import { runChecked, scriptParticipant } from "../../scripts/lab/session/checks.ts";
import { hasPython, pythonCommand } from "../../scripts/lab/process/program.ts";
import { commandParticipant, type Participant } from "../../scripts/lab/session/participant.ts";
import { SCRIPTS, temporary, THOROUGH, unlistedPort } from "../helpers.ts";

const ignore = !await hasPython();
const PYTHON = [...await pythonCommand(), "-S"]; // -S: it starts faster

for (const lab of labs) {
  // Two scripts are the session of the headers (see sessions_test.ts). What two counterparts print
  // together follows from these pairings, since each prints the transcript.
  for (const [i, pairing] of ["Deno with Python", "Python with Deno"].entries()) {
    // In a quick run, each lab has one of the two.
    const isLeftOut = !THOROUGH && (labs.indexOf(lab) + i) % 2 === 0;
    Deno.test(`lab ${lab.name}: ${pairing}`, { ignore: ignore || isLeftOut }, async () => {
      await using folder = await temporary();
      const port = await unlistedPort(lab.transport);
      const participant = (language: string, script: Script): Participant => {
        if (language === "Deno") {
          return scriptParticipant(lab, script, { permissions: "--allow-net" });
        }
        // A counterpart has a port of its own as the original has: a free one here.
        const name = script.name.replace(".ts", ".py");
        const source = Deno.readTextFileSync(`${SCRIPTS}lab/counterparts/${name}`);
        const copy = `${folder.path}/${name}`;
        const [, size] = script.args.join(" ").match(/--buffer-size=(\d+)/) ?? [];
        const changed = source.replace(/^PORT = \d+$/m, `PORT = ${port}`)
          .replace(/^BUFFER_SIZE = \d+/m, (line) => size ? `BUFFER_SIZE = ${size}` : line);
        Deno.writeTextFileSync(copy, changed);
        const { takesPort, args } = readOriginal(copy);
        const others = script.args.filter((arg) => !arg.startsWith("--port="));
        const command = (port: number) => [...PYTHON, copy, ...args(port, others)];
        const options = { transport: lab.transport, port: takesPort ? undefined : port };
        return commandParticipant(name, command, options);
      };
      const [server, client] = pairing.split(" with ");
      const { checks } = await runChecked(lab, {
        server: participant(server, lab.server),
        client: participant(client, lab.client),
      }, { originals: ROLES.filter((_, i) => [server, client][i] === "Python") });
      assertEquals(checks.filter(({ problem, isNotation }) => problem || isNotation), []);
    });
  }
}
