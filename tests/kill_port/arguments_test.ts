/** kill_port.ts: the arguments that it takes. */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { covers, formatTarget, parseTargets } from "../../scripts/kill_port/targets.ts";
import { UsageError } from "../../scripts/cli.ts";
import { killPort } from "./helpers.ts";

const SERVICES = `
# Network services
http\t\t80/tcp\t\twww\t# WorldWideWeb HTTP
domain\t\t53/tcp
domain\t\t53/udp
shell\t\t514/tcp\tcmd
syslog\t\t514/udp
netbios-ns\t137/udp\r
`;

for (
  const [word, ...expected] of [
    ["81", "port 81"],
    [":9900", "port 9900"],
    ["9900-9910", "ports 9900-9910"],
    ["9900/udp", "UDP port 9900"],
    ["81,:82,9900-9910,53/udp", "port 81", "port 82", "ports 9900-9910", "UDP port 53"],
    [":9900-9910/TCP", "TCP ports 9900-9910"],
    ["http", "TCP port 80"],
    ["www", "TCP port 80"],
    ["domain", "TCP port 53", "UDP port 53"],
    ["domain/udp", "UDP port 53"],
    ["syslog", "UDP port 514"],
    ["netbios-ns", "UDP port 137"],
  ]
) {
  Deno.test(`"${word}" names ${expected.join(" and ")}`, () => {
    assertEquals(parseTargets(word, () => SERVICES).map(formatTarget), expected);
  });
}

const PORT_RANGE = "the port must be a whole number from 1 to 65535, not ";
for (
  const [word, message] of [
    ["0", `${PORT_RANGE}0`],
    ["70000", `${PORT_RANGE}70000`],
    ["9900-70000", `${PORT_RANGE}9900-70000`],
    ["9910-9900", "the lower port comes first: 9900-9910"],
    ["8e1", /^"8e1" is not a port from 1 to 65535, nor a service in .*services$/],
    ["81,", /^"" is not a port from 1 to 65535, nor a service in /],
    ["localhost:81", /^"localhost:81" is not a port/], // it would end listeners on other addresses, too
    ["", /^"" is not a port from 1 to 65535, nor a service in /],
    ["network", /^"network" is not a port/], // a word of a comment
    ["shell/udp", /^"shell" is not a port from 1 to 65535, nor a UDP service in /],
    ["81/sctp", /^"81\/sctp" is not a port/],
  ] as const
) {
  Deno.test(`"${word}" is wrong usage`, () => {
    const error = assertThrows(() => parseTargets(word, () => SERVICES), UsageError);
    if (typeof message === "string") assertEquals(error.message, message);
    else assert(message.test(error.message), error.message);
  });
}

Deno.test("says that a name cannot be looked up when the system has no list of services", () => {
  const missing = () => Deno.readTextFileSync(`${import.meta.dirname}/no/services`);
  const error = assertThrows(() => parseTargets("http", missing), UsageError);
  assert(
    /^"http" is not a port number, and the list of services, \S+services, is missing$/.test(
      error.message,
    ),
  );
});

Deno.test("a target covers its ports, and only its protocol", () => {
  const [range] = parseTargets("9900-9910/udp");
  const ports = [9899, 9900, 9910, 9911];
  assertEquals(ports.map((port) => covers(range, port, "UDP")), [false, true, true, false]);
  assertEquals([covers(range, 9900), covers(range, 9900, "TCP")], [true, false]);
});

const USAGE = "usage: kill_port.ts PORT... [--yes] [--list] [--signal=SIGTERM] [--help]\n";
for (
  const [args, error] of [
    [[], "no port given"],
    [["81", "9910-9900"], "the lower port comes first: 9900-9910"],
    [["81", "--signal=SIGNAL"], "--signal must be one of "],
  ] as const
) {
  Deno.test(`"${args.join(" ")}" shows the error and the usage`, async () => {
    const { status, stdout, stderr } = await killPort([...args]);
    assertEquals([status, stdout], [2, ""]);
    assert(stderr.startsWith(`error: ${error}`) && stderr.endsWith(`\n${USAGE}`), stderr);
  });
}

Deno.test("--help shows the usage, the flags and the header", async () => {
  const { status, stdout, stderr } = await killPort(["--help"]);
  assertEquals([status, stderr], [0, ""]);
  assert(stdout.startsWith(USAGE), stdout);
  assertStringIncludes(stdout, "\n  --signal=SIGTERM ");
  assertStringIncludes(stdout, "\nFinds the programs that hold a port");
});
