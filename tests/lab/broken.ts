/**
 * Submissions that are wrong, each made from one of the folder `right` by a small change. Causes that
 * show in what a server sends are in causes_test.ts.
 */
import { assert } from "@std/assert";

/** A submission that is wrong. */
export interface Broken {
  /** The name of the file that is changed. */
  name: string;
  /** What is wrong about it. */
  fault: string;
  /** What the first line of the failure must say. */
  says: RegExp;
  /** Whether only a strict check finds it. */
  isStrict?: true;
  /** The text of the program. */
  source: string;
}

/** Text that is replaced, and what takes its place. */
type Change = [from: string, to: string];

/** Returns a right submission with a change. */
function broken(name: string, fault: string, says: RegExp, [from, to]: Change): Broken {
  const right = Deno.readTextFileSync(`${import.meta.dirname}/right/${name}`).replaceAll("\r", "");
  assert(right.split(from).length === 2, `${name}: this is in it once: ${from}`);
  return { name, fault, says, source: right.replace(from, () => to) };
}

/** The same, for a mistake beyond the sheet. */
function beyond(...args: Parameters<typeof broken>): Broken {
  return { ...broken(...args), isStrict: true };
}

/** Mistakes that show only in a program that runs. */
export const BROKEN: Broken[] = [
  broken(
    "echo_server.ts",
    "serves one client",
    /only the first client was served|ended by itself \(status 0\)/,
    [
      "while (true) {",
      "for (let i = 0; i < 1; i++) {",
    ],
  ),
  broken("echo_server.ts", "has another default port", /it listens on port 9000 if none is given/, [
    "?? 9900",
    "?? 9000",
  ]),
  broken("echo_server.ts", "uses an undefined name", /ReferenceError: bufer is not defined/, [
    "const buffer = new Uint8Array(2048);",
    "const buffer = bufer;",
  ]),
  broken("echo_server.ts", "prints without end", /it prints without end/, [
    'console.log("Data:", text);',
    'for (;;) console.log("Data:", text);',
  ]),
  broken("echo_client.mjs", "reads once", /what it prints after `Received: ` is `TEST `/, [
    "  if (received >= data.length) finish(0);",
    "  finish(0);",
  ]),
  broken("echo_client.mjs", "connects to another port", /it connects to port 9901/, [
    'host: "127.0.0.1", port }',
    'host: "127.0.0.1", port: 9901 }',
  ]),
  broken("guess_client.py", "asks on stderr", /it prints on stderr, not on stdout/, [
    'line = input("Guess a number between 1 and 99: ")',
    'print("Guess a number between 1 and 99: ", end="", file=sys.stderr); line = input()',
  ]),
];

/** More of them, for `deno task test:all`. */
export const MORE_BROKEN: Broken[] = [
  broken("echo_server_udp.mjs", "counts characters", /did not print the line: received 6 bytes/, [
    "console.log(`received ${data.length} bytes",
    "console.log(`received ${data.toString().length} bytes",
  ]),
  broken(
    "guess_client.ts",
    "ends after one guess",
    /the client sent no datagram: `25` should come|ended/,
    [
      'while (verdict !== "CORRECT") {',
      'for (let i = 0; i < 1 && verdict !== "CORRECT"; i++) {',
    ],
  ),
  broken("echo_client_v1.py", "does not print the reply", /it prints what it sent, not the reply/, [
    'print(str(connection.recv(1024), "utf-8"))',
    'connection.recv(1024)\n        print("Hello!")',
  ]),
  broken(
    "echo_client_v3.ts",
    "has a space after its prompt",
    /line 1 has other spaces/,
    [
      '"exit" to abort:\'',
      '"exit" to abort: \'',
    ],
  ),
  broken("tcp_client.js", "never closes", /the connection is still open: it was never closed/, [
    '  server.end(message, () => {\n    console.log("Closing socket");\n    server.destroySoon();\n  });',
    '  server.write(message, () => {\n    console.log("Closing socket");\n  });',
  ]),
  beyond("guess_client.py", "crashes at the end of its input", /EOFError: it crashes/, [
    "    except EOFError:\n        sys.exit(1)",
    "    except ImportError:\n        sys.exit(1)",
  ]),
  broken("echo_server.ts", "lacks an `await`", /`await` (is )?missing/, [
    "await client.read(buffer)",
    "client.read(buffer)",
  ]),
  broken("echo_server.ts", "has a small buffer", /only 1024 of 2048 bytes came back/, [
    "new Uint8Array(2048)",
    "new Uint8Array(1024)",
  ]),
  broken("echo_server.ts", "has a syntax error", /SyntaxError|Expected/, [
    "while (true) {",
    "while (true {",
  ]),
  broken("guess_server.py", "always has the same number", /the number is always the same, 55/, [
    "random.randint(1, 99)",
    "55",
  ]),
  beyond("guess_server.py", "crashes at text", /ValueError: invalid literal/, [
    '            return "INVALID"',
    "            pass",
  ]),
  broken("guess_server.py", "ends with CORRECT", /ended by itself|does not answer after CORRECT/, [
    "    sock.sendto(verdict.encode(), player)\n",
    '    sock.sendto(verdict.encode(), player)\n    if verdict == "CORRECT":\n        break\n',
  ]),
  beyond(
    "echo_server_v2.ts",
    "aligns its header to the left",
    /the length is at the left of the header/,
    [
      "padStart(10)",
      "padEnd(10)",
    ],
  ),
  broken("echo_server_v2.ts", "fills its header with zeros", /the header is filled with zeros/, [
    "padStart(10)",
    'padStart(10, "0")',
  ]),
  broken("echo_server_v2.ts", "replies without a header", /the header is missing/, [
    "String(size).padStart(10) + message",
    "message",
  ]),
  broken(
    "echo_server_v3.py",
    "ends at everything that begins with exit",
    /only `exit` itself ends the connection/,
    [
      'while message != "exit":',
      'while not (message or "").startswith("exit"):',
    ],
  ),
  broken(
    "practical12_server_tcp.ts",
    "closes after one read",
    /it closes the connection after one message/,
    [
      "      while (sent < data.length) sent += await client.write(data.subarray(sent));",
      "      while (sent < data.length) sent += await client.write(data.subarray(sent));\n      return;",
    ],
  ),
  broken(
    "upper_server_tcp.mjs",
    "replies only at the end",
    /no reply came back to .*: the connection stays open/,
    [
      'client.on("data", (chunk) => client.write(decoder.write(chunk).toUpperCase()));\n  client.on("end", () => client.end(decoder.end().toUpperCase()));',
      'let all = "";\n  client.on("data", (chunk) => all += decoder.write(chunk));\n  client.on("end", () => client.end(all.toUpperCase()));',
    ],
  ),
  broken("echo_client.mjs", "sends a newline", /the client sent more than it should: `\\n`/, [
    "  server.write(data);",
    '  server.write(message + "\\n");',
  ]),
  beyond(
    "echo_client.mjs",
    "succeeds without a reply",
    /it ended with status 0, which means success/,
    [
      'server.on("end", () => finish(1));',
      'server.on("end", () => finish(0));',
    ],
  ),
  beyond(
    "echo_client_udp.ts",
    "takes a reply from any address",
    /it takes its answer from any address/,
    [
      "if ((from as Deno.NetAddr).port === server.port) return",
      "if (from) return",
    ],
  ),
  beyond("echo_client_udp.ts", "asks once", /it did not ask again/, [
    "const timer = setInterval(ask, 500);",
    "const timer = setTimeout(() => socket.close(), 1500);",
  ]),
  broken("guess_client.ts", "ignores the reply", /and should print `LOWER`/, [
    "  console.log(verdict);",
    '  console.log(Number(guess) > 42 ? "LOWER" : Number(guess) < 42 ? "HIGHER" : "CORRECT");',
  ]),
  beyond(
    "upper_client_tcp.ts",
    "does not end its half",
    /it does not end its half of the connection/,
    [
      "await server.closeWrite();",
      "",
    ],
  ),
  broken("upper_client_tcp.ts", "ignores the reply", /it prints|and should print/, [
    'console.log("From Server: " + await answer);',
    'await answer;\nconsole.log("From Server: " + sentence.toUpperCase());',
  ]),
];
