/** `runSession`: what it types, when it ends the programs, and how they ended. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { UserError } from "../../scripts/cli.ts";
import { hasPython, pythonCommand } from "../../scripts/lab/process/program.ts";
import { commandParticipant, type Participant } from "../../scripts/lab/session/participant.ts";
import { runSession } from "../../scripts/lab/session/session.ts";
import { LINUX_ONLY, quietPort } from "../helpers.ts";

const withPython = { ignore: !await hasPython() };
const PYTHON = await pythonCommand();
const LISTEN = "import signal, socket, sys, time\nsignal.signal(signal.SIGINT, signal.SIG_DFL)\n" +
  "s = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n";

/** A Python program as a participant. */
function python(name: string, source: string, port?: number): Participant {
  const command = (port: number) => [...PYTHON, "-S", "-c", source, `${port}`]; // -S: it starts faster
  return commandParticipant(name, command, { transport: "tcp", port });
}

const silent = python("server", LISTEN + "time.sleep(60)\n");

Deno.test("runSession() types a line at each prompt and ends the input", withPython, async () => {
  const client = python("client", "for i in range(2): print(input(f'{i}? '))\ninput('3? ')\n");
  const typing = { next: (_: string, count: number) => ["one", "two"][count] };
  const { screens, exits } = await runSession({ server: silent, client }, { typing });
  assertEquals(screens.client, "0? one\none\n1? two\ntwo\n3? ");
  assertEquals([exits.client!.isOwn, exits.client!.status], [true, 1]);
  assert(exits.client!.errors.includes("EOFError"));
  assertEquals([exits.server.isOwn, exits.server.errors], [false, ""]);
});

Deno.test(
  "runSession() types at most 100 lines to a client that asks again and again",
  withPython,
  async () => {
    const client = python("client", "while True: input('? ')\n");
    // A line is due as soon as the prompt is there.
    const isDue = (screen: string, count: number) => screen.split("? ").length > count + 1;
    const typing = { next: () => "x", isDue };
    const { screens } = await runSession({ server: silent, client }, { typing });
    assertEquals(screens.client.match(/x/g)!.length, 100);
  },
);

Deno.test(
  "runSession() ends a client that waits, and returns its stderr from before the end",
  withPython,
  async () => {
    const client = python("client", "import sys, time\nsys.stderr.write('why')\ntime.sleep(60)\n");
    const { exits } = await runSession({ server: silent, client }, { idleTime: 0.2 });
    const { isOwn, errors, lastErrors } = exits.client!;
    assertEquals([isOwn, errors], [false, "why"]);
    assert(lastErrors.includes("KeyboardInterrupt"), lastErrors);
  },
);

Deno.test("runSession() waits for a client that works", {
  ignore: LINUX_ONLY.ignore || withPython.ignore,
}, async () => {
  const client = python(
    "client",
    "import time\nwhile time.process_time() < 0.5: pass\nprint('done')\n",
  );
  const { screens } = await runSession({ server: silent, client }, { idleTime: 0.2 });
  assertEquals(screens.client, "done\n");
});

Deno.test("runSession() waits for a client that was stopped", {
  ignore: LINUX_ONLY.ignore || withPython.ignore,
}, async () => {
  const stop =
    "import os, subprocess\nsubprocess.Popen(['sh', '-c', f'sleep 1; kill -CONT {os.getpid()}'])\n" +
    "os.kill(os.getpid(), 19)\nprint('done')\n";
  const client = python("client", stop);
  const { screens } = await runSession({ server: silent, client }, { idleTime: 0.2 });
  assertEquals(screens.client, "done\n");
});

Deno.test(
  "runSession() has no client if the server ends before it listens",
  withPython,
  async () => {
    const server = python("server", "import sys\nsys.exit('no')\n");
    const { exits } = await runSession({ server, client: silent });
    assertEquals(exits.client, undefined);
    assertEquals(exits.server, {
      isOwn: true,
      status: 1,
      errors: "no\n",
      lastErrors: "",
      excess: undefined,
    });
  },
);

Deno.test(
  "runSession() waits for the server's last lines and its own end",
  withPython,
  async () => {
    const server = python(
      "server",
      LISTEN + "s.accept()\ntime.sleep(0.3)\nprint('last')\nsys.exit(3)\n",
    );
    const client = python(
      "client",
      "import socket, sys\nsocket.create_connection(('127.0.0.1', int(sys.argv[1])))\n",
    );
    const isComplete = (screen: string) => screen === "last\n";
    const { screens, exits } = await runSession({ server, client }, { isComplete });
    assertEquals([screens.server, exits.server.isOwn, exits.server.status], ["last\n", true, 3]);
  },
);

Deno.test("runSession() refuses a port that is in use", async () => {
  const port = quietPort();
  using _listener = Deno.listen({ hostname: "127.0.0.1", port });
  const server = python("server", LISTEN, port);
  await assertRejects(
    () => runSession({ server, client: silent }),
    UserError,
    `port ${port}, which server uses, is already in use`,
  );
});
