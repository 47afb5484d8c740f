/** What scripts/system reads out of what each system prints. */
import { assertEquals, assertRejects } from "@std/assert";
import { parseProcNet, portsOf, programName } from "../../scripts/system/linux.ts";
import { mergeMacSockets, parseLsof, parseMacNetstat, parsePs } from "../../scripts/system/mac.ts";
import { readSockets } from "../../scripts/system/sockets.ts";
import {
  parseNetstat,
  parsePowerShell,
  parseTasklist,
  taskkill,
} from "../../scripts/system/windows.ts";
import { udpSocket } from "../helpers.ts";

const local = { hostname: "127.0.0.1", port: 81 };
const peer = (port: number) => ({ hostname: "127.0.0.1", port });
const isWanted = (port: number) => port === 81;

Deno.test("parseProcNet() distinguishes listeners, connections, and closed connections", () => {
  const tcp =
    `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0051 00000000:0000 0A 00000000:00000001 00:00000000 00000000  1000        0 300372 2 0000000099e37a3d 100 0 0 10 0
   1: 0100007F:0051 0100007F:B894 01 00000000:00000000 00:00000000 00000000  1000        0 300380 1 000000008cd70738 20 0 0 10 -1
   2: 0100007F:B894 0100007F:0051 01 00000000:00000000 00:00000000 00000000  1000        0 300376 2 00000000d4646ee1 20 0 0 10 -1
   3: 0100007F:0051 0100007F:B896 06 00000000:00000000 03:00000056 00000000     0        0 0 3 000000003c84d734
   4: 0100007F:5100 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 300390 1 0000000099e37a3e 100 0 0 10 0
`;
  const socket = { protocol: "TCP", ...local } as const;
  assertEquals(parseProcNet(tcp, "TCP", isWanted), [
    { ...socket, state: "listening", uid: "1000", inode: "300372" },
    { ...socket, state: "connected", peer: peer(47252), uid: "1000", inode: "300380" },
    { ...socket, state: "timeWait", peer: peer(47254), secondsLeft: 1, uid: "0", inode: "0" },
  ]);
  assertEquals(parseProcNet(tcp, "TCP").map(({ port }) => port), [81, 81, 47252, 81, 20736]);
});

Deno.test("parseProcNet() reads IPv6 addresses", () => {
  const tcp6 =
    `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:0051 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 000000007902e388 100 0 0 10 0
   1: 00000000000000000000000001000000:0051 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 000000007902e389 100 0 0 10 0
   2: B80D0120000000000000000034120000:0051 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 3 1 000000007902e390 100 0 0 10 0
`;
  assertEquals(
    parseProcNet(tcp6, "TCP").map(({ hostname }) => hostname),
    ["::", "::1", "2001:db8::1234"],
  );
});

Deno.test("parseProcNet() distinguishes UDP sockets with and without a peer", () => {
  const udp =
    `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
 1867: 00000000:0051 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 300374 2 000000003e853133 0
 5386: 0100007F:0051 0100007F:13D9 01 00000000:00000000 00:00000000 00000000     0        0 300375 2 000000007fc48c21 0
`;
  const socket = { protocol: "UDP", port: 81, uid: "0" } as const;
  // A socket that the table lists twice is in the result once.
  assertEquals(parseProcNet(udp + udp, "UDP"), [
    { ...socket, hostname: "0.0.0.0", state: "listening", inode: "300374" },
    { ...socket, hostname: "127.0.0.1", state: "connected", peer: peer(5081), inode: "300375" },
  ]);
});

Deno.test("readSockets() finds this process's sockets", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using udp = udpSocket();
  const ports = [listener.addr.port, udp.port];
  const [socket] = await readSockets("TCP", (port) => port === ports[0]);
  assertEquals([socket.hostname, socket.state], ["127.0.0.1", "listening"]);
  assertEquals((await readSockets("UDP", (port) => port === ports[1])).length, 1);
  if (Deno.build.os === "linux") {
    assertEquals([portsOf(Deno.pid, "TCP"), portsOf(Deno.pid, "UDP")], ports.map((port) => [port]));
  }
});

for (
  const [commandLine, name] of [
    ["/usr/bin/python3\0-m\0http.server\0", "python3"],
    ["venv/bin/python3\0server.py\0", "python3"],
    ["nginx: worker process", "nginx"],
    ["sshd: /usr/sbin/sshd -D [listener]", "sshd"],
    ["puma 6 (tcp://0.0.0.0:3000) [app]", "puma 6 (tcp://0.0.0.0:3000) [app]"],
    ["nginx\nKill 1 (a/b)? [y/N]\0", "nginx\nKill 1 (a/b)? [y/N]"],
    ["/opt/x\ny/z\0", "x\ny/z"],
    ["", "?"], // a zombie or a thread of the kernel
  ]
) {
  Deno.test(`programName() is ${JSON.stringify(name)} for ${JSON.stringify(commandLine)}`, () => {
    assertEquals(programName(commandLine), name);
  });
}

Deno.test("parseLsof() distinguishes listeners, receivers and connections", () => {
  const output = `
p501 cPython
f3 tIPv4 PTCP n127.0.0.1:81 TST=LISTEN TQR=0 TQS=0
f4 tIPv6 PTCP n*:81 TST=LISTEN TQR=0 TQS=0
f5 tIPv4 PTCP n127.0.0.1:81->127.0.0.1:50644 TST=ESTABLISHED TQR=0 TQS=0
p502 cGoogle\\x20Chrome\\x20Helper
f19 tIPv4 PUDP n*:*
f20 tIPv4 PUDP n*:81
f21 tIPv6 PUDP n[fe80:4::1]:81
f23 tIPv4 PUDP n127.0.0.1:81->127.0.0.1:5353
`.trimStart().replaceAll(" ", "\n"); // one fact on each line
  const python = { pid: 501, program: "Python", protocol: "TCP", port: 81 } as const;
  const chrome = { pid: 502, program: "Google Chrome Helper", protocol: "UDP", port: 81 } as const;
  assertEquals(parseLsof(output), [
    { ...python, hostname: "127.0.0.1", state: "listening" },
    { ...python, hostname: "::", state: "listening" },
    { ...python, hostname: "127.0.0.1", state: "connected", peer: peer(50644) },
    { ...chrome, hostname: "0.0.0.0", state: "listening" },
    { ...chrome, hostname: "fe80:4::1", state: "listening" },
    { ...chrome, hostname: "127.0.0.1", state: "connected", peer: peer(5353) },
  ]);
  assertEquals(parseLsof(""), []);
});

const MAC_NETSTAT = `Active Internet connections (including servers)
Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)
tcp4       0      0  127.0.0.1.81           127.0.0.1.50102        TIME_WAIT
tcp4       0      0  127.0.0.1.50103        127.0.0.1.81           ESTABLISHED
tcp4       0      0  127.0.0.1.81           127.0.0.1.50104        FIN_WAIT_2
tcp4       0      0  127.0.0.1.81           127.0.0.1.50105        CLOSING
tcp46      0      0  *.8081                 *.*                    LISTEN
tcp4       0      0  *.*                    *.*                    CLOSED
udp4       0      0  *.81                   *.*
udp6       0      0  fe80::1c2b:3a4d%en0.5353 *.*
`;

Deno.test("parseMacNetstat() reads listeners, receivers and connections", () => {
  const socket = { program: "?", hostname: "127.0.0.1" };
  assertEquals(parseMacNetstat(MAC_NETSTAT), [
    { ...socket, protocol: "TCP", port: 81, state: "timeWait", peer: peer(50102) },
    { ...socket, protocol: "TCP", port: 50103, state: "connected", peer: peer(81) },
    { ...socket, protocol: "TCP", port: 81, state: "timeWait", peer: peer(50104) },
    { ...socket, protocol: "TCP", port: 81, state: "timeWait", peer: peer(50105) },
    { ...socket, protocol: "TCP", port: 8081, hostname: "::", state: "listening" },
    { ...socket, protocol: "UDP", port: 81, hostname: "0.0.0.0", state: "listening" },
    { ...socket, protocol: "UDP", port: 5353, hostname: "fe80::1c2b:3a4d%en0", state: "listening" },
  ]);
});

Deno.test("mergeMacSockets() adds hidden listeners and closed connections", () => {
  // The process has ended its half of a connection, and the other side has not.
  const halfClosed = "tIPv4\nPTCP\nn127.0.0.1:81->127.0.0.1:50104\nTST=FIN_WAIT2\n";
  const visible = parseLsof(`p7\ncnode\ntIPv4\nPUDP\nn*:81\n${halfClosed}`);
  const others = mergeMacSockets(visible, parseMacNetstat(MAC_NETSTAT)).slice(2);
  assertEquals(others.map(({ port, state, peer }) => [port, state, peer?.port]), [
    [81, "timeWait", 50102],
    [81, "timeWait", 50105],
    [8081, "listening", undefined],
    [5353, "listening", undefined],
  ]);
});

Deno.test("parsePs() reads parents and programs, but no zombies", () => {
  const output = `
    1     0 Ss   /sbin/launchd
  501     1 S+   /Applications/My App.app/My App
  502   501 Z    (Python)
`.slice(1);
  assertEquals([...parsePs(output)], [
    [1, { parent: 0, program: "launchd", cpuTicks: 0 }],
    [501, { parent: 1, program: "My App", cpuTicks: 0 }],
  ]);
});

const ENGLISH = "Proto  Local Address          Foreign Address        State           PID";
const GERMAN = "Proto  Lokale Adresse         Remoteadresse          Status           PID";
const FRENCH = "Proto  Adresse locale         Adresse distante       État             PID";
for (
  const [head, listening, open] of [
    [ENGLISH, "LISTENING", "ESTABLISHED"],
    [GERMAN, "ABHÖREN", "HERGESTELLT"],
    [FRENCH, "LISTENING", "ESTABLISHED"],
  ]
) {
  Deno.test(`parseNetstat() reads sockets under "${head}"`, () => {
    const output = `
  ${head}
  TCP    0.0.0.0:81             0.0.0.0:0              ${listening}       1234
  TCP    127.0.0.1:81           127.0.0.1:50101        ${open}     1234
  TCP    127.0.0.1:81           127.0.0.1:50102        TIME_WAIT       0
  TCP    [::]:81                [::]:0                 ${listening}       1234
  UDP    0.0.0.0:500            *:*                                    900
  UDP    [fe80::9c1:1%12]:81    *:*                                    5678
`.replaceAll("\n", "\r\n");
    const python = { protocol: "TCP", ...local, pid: 1234 } as const;
    const udp = { protocol: "UDP", state: "listening" } as const;
    assertEquals(parseNetstat(output), [
      { ...python, hostname: "0.0.0.0", state: "listening" },
      { ...python, state: "connected", peer: peer(50101) },
      { protocol: "TCP", ...local, state: "timeWait", peer: peer(50102) },
      { ...python, hostname: "::", state: "listening" },
      { ...udp, hostname: "0.0.0.0", port: 500, pid: 900 },
      { ...udp, hostname: "fe80::9c1:1%12", port: 81, pid: 5678 },
    ]);
  });
}

Deno.test("parseTasklist() reads names and PIDs", () => {
  const output =
    `"System Idle Process","0","Services","0","8 K"\r\n"python.exe","1234","Console","1","10,520 K"\r\n`;
  assertEquals([...parseTasklist(output)], [[0, "System Idle Process"], [1234, "python.exe"]]);
  const nothing = "INFO: No tasks are running which match the criteria.\r\n";
  assertEquals([...parseTasklist(nothing)], []);
});

Deno.test("parsePowerShell() reads parents and programs", () => {
  const output = "0 0 System Idle Process\r\n4 0 System\r\n1234 567 python.exe\r\n";
  assertEquals([...parsePowerShell(output)].at(-1), [
    1234,
    { parent: 567, program: "python.exe", cpuTicks: 0 },
  ]);
});

for (
  const [situation, isForced, answers, state, expected] of [
    ["asks a program with a window to close it", false, [true], "running", ["/PID"]],
    ["forces a program of the console", false, [false, true], "running", ["/PID", "/F"]],
    ["forces at once for SIGKILL", true, [true], "running", ["/F"]],
    ["accepts that a process has just ended", true, [false], "ended", ["/F"]],
    ["reports a refusal", true, [false], "running", ["/F"]],
  ] as const
) {
  Deno.test(`taskkill() ${situation}`, async () => {
    const runs: string[] = [];
    const run = (_program: string, ...args: string[]) => {
      runs.push(args[0]);
      return Promise.resolve(answers[runs.length - 1]);
    };
    const end = () => taskkill(1234, isForced, run, () => Promise.resolve(state));
    if (situation === "reports a refusal") await assertRejects(end, Deno.errors.PermissionDenied);
    else await end();
    assertEquals(runs, [...expected]);
  });
}
