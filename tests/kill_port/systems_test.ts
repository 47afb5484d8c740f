/** kill_port.ts: what it reads out of what each system tells. */
import { assertEquals } from "@std/assert";
import { parseProcNet } from "../../scripts/kill_port/linux.ts";
import { parseLsof, parseMacNetstat } from "../../scripts/kill_port/mac.ts";
import { parseConnections, parseNetstat, parseTasklist } from "../../scripts/kill_port/windows.ts";

const tcpSocket = { protocol: "TCP", hostname: "127.0.0.1" };
const udpSocket = { protocol: "UDP", uid: "0" };
const peer = (port: number) => ({ hostname: "127.0.0.1", port });

Deno.test("parseProcNet() tells who listens from connections and what is left of them", () => {
  const tcp =
    `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0051 00000000:0000 0A 00000000:00000001 00:00000000 00000000  1000        0 300372 2 0000000099e37a3d 100 0 0 10 0
   1: 0100007F:0051 0100007F:B894 01 00000000:00000000 00:00000000 00000000  1000        0 300380 1 000000008cd70738 20 0 0 10 -1
   2: 0100007F:B894 0100007F:0051 01 00000000:00000000 00:00000000 00000000  1000        0 300376 2 00000000d4646ee1 20 0 0 10 -1
   3: 0100007F:0051 0100007F:B896 06 00000000:00000000 03:00000056 00000000     0        0 0 3 000000003c84d734
   4: 0100007F:5100 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 300390 1 0000000099e37a3e 100 0 0 10 0
`;
  assertEquals(parseProcNet(tcp, 81, "TCP"), [
    { ...tcpSocket, kind: "holds", uid: "1000", inode: "300372" },
    { ...tcpSocket, kind: "open", peer: peer(47252), uid: "1000", inode: "300380" },
    { ...tcpSocket, kind: "rest", peer: peer(47254), seconds: 1, uid: "0", inode: "0" },
  ]);
});

Deno.test("parseProcNet() reads IPv6 addresses", () => {
  const tcp6 =
    `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:0051 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 000000007902e388 100 0 0 10 0
   1: 00000000000000000000000001000000:0051 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 000000007902e389 100 0 0 10 0
   2: B80D0120000000000000000034120000:0051 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 3 1 000000007902e390 100 0 0 10 0
`;
  assertEquals(
    parseProcNet(tcp6, 81, "TCP").map(({ hostname }) => hostname),
    ["::", "::1", "2001:db8::1234"],
  );
});

Deno.test("parseProcNet() tells bound UDP sockets from connected ones", () => {
  const udp =
    `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
 1867: 00000000:0051 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 300374 2 000000003e853133 0
 5386: 0100007F:0051 0100007F:13D9 01 00000000:00000000 00:00000000 00000000     0        0 300375 2 000000007fc48c21 0
`;
  // What was told twice, as sockets came and went, is there once.
  assertEquals(parseProcNet(udp + udp, 81, "UDP"), [
    { ...udpSocket, hostname: "0.0.0.0", kind: "holds", inode: "300374" },
    { ...udpSocket, hostname: "127.0.0.1", kind: "talks", peer: peer(5081), inode: "300375" },
  ]);
});

Deno.test("parseLsof() tells who listens and who receives from connections, and leaves out clients", () => {
  const output = `
p501 cPython
f3 tIPv4 PTCP n127.0.0.1:81 TST=LISTEN TQR=0 TQS=0
f4 tIPv6 PTCP n*:81 TST=LISTEN TQR=0 TQS=0
f5 tIPv4 PTCP n127.0.0.1:81->127.0.0.1:50644 TST=ESTABLISHED TQR=0 TQS=0
p502 cGoogle\\x20Chrome\\x20Helper
f20 tIPv4 PUDP n*:81
f21 tIPv6 PUDP n[fe80:4::1]:81
f22 tIPv4 PUDP n127.0.0.1:55555->127.0.0.1:81
f23 tIPv4 PUDP n127.0.0.1:81->127.0.0.1:5353
p503 ccurl
f7 tIPv4 PTCP n127.0.0.1:50644->127.0.0.1:81 TST=ESTABLISHED TQR=0 TQS=0
`.trimStart().replaceAll(" ", "\n"); // one fact a line
  const python = { pid: 501, program: "Python", protocol: "TCP" };
  const chrome = { pid: 502, program: "Google Chrome Helper", protocol: "UDP" };
  assertEquals(parseLsof(output, 81), [
    { ...python, hostname: "127.0.0.1", kind: "holds" },
    { ...python, hostname: "::", kind: "holds" },
    { ...python, hostname: "127.0.0.1", kind: "open", peer: peer(50644) },
    { ...chrome, hostname: "0.0.0.0", kind: "holds" },
    { ...chrome, hostname: "fe80:4::1", kind: "holds" },
    { ...chrome, hostname: "127.0.0.1", kind: "talks", peer: peer(5353) },
  ]);
  assertEquals(parseLsof("", 81), []);
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
  Deno.test(`parseNetstat() finds who is ${listening} under "${head}", and no connection`, () => {
    const output = `
  ${head}
  TCP    0.0.0.0:81             0.0.0.0:0              ${listening}       1234
  TCP    0.0.0.0:8081           0.0.0.0:0              ${listening}       4
  TCP    127.0.0.1:81           127.0.0.1:50101        ${open}     1234
  TCP    127.0.0.1:50101        127.0.0.1:81           ${open}     777
  TCP    127.0.0.1:81           127.0.0.1:50102        TIME_WAIT       0
  TCP    [::]:81                [::]:0                 ${listening}       1234
  TCP    [::1]:81               [::1]:50103            CLOSE_WAIT      1234
  UDP    0.0.0.0:81             *:*                                    5678
  UDP    0.0.0.0:500            *:*                                    900
  UDP    [fe80::9c1:1%12]:81    *:*                                    5678
`.replaceAll("\n", "\r\n");
    const programs = new Map([[1234, "python.exe"], [4, "System"]]);
    const python = { pid: 1234, program: "python.exe", protocol: "TCP" };
    const unknown = { pid: 5678, program: "?", protocol: "UDP" };
    assertEquals(parseNetstat(output, programs, 81), [
      { ...python, hostname: "0.0.0.0", kind: "holds" },
      { ...python, hostname: "::", kind: "holds" },
      { ...unknown, hostname: "0.0.0.0", kind: "holds" },
      { ...unknown, hostname: "fe80::9c1:1%12", kind: "holds" },
    ]);
    assertEquals(parseConnections(output, programs, 81), [
      { ...python, hostname: "127.0.0.1", kind: "open", peer: peer(50101) },
      { ...tcpSocket, program: "?", kind: "rest", peer: peer(50102) },
      { ...python, hostname: "::1", kind: "open", peer: { hostname: "::1", port: 50103 } },
    ]);
  });
}

Deno.test("parseMacNetstat() finds what is left of connections", () => {
  const output = `Active Internet connections (including servers)
Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)
tcp4       0      0  127.0.0.1.81           127.0.0.1.50102        TIME_WAIT
tcp4       0      0  127.0.0.1.50103        127.0.0.1.81           TIME_WAIT
tcp46      0      0  *.8081                 *.*                    LISTEN
`;
  assertEquals(parseMacNetstat(output, 81), [
    { program: "?", ...tcpSocket, kind: "rest", peer: peer(50102) },
  ]);
});

Deno.test("parseTasklist() reads names and PIDs", () => {
  const output =
    `"System Idle Process","0","Services","0","8 K"\r\n"python.exe","1234","Console","1","10,520 K"\r\n`;
  assertEquals(
    [...parseTasklist(output)],
    [[0, "System Idle Process"], [1234, "python.exe"]],
  );
  const nothing = "INFO: No tasks are running which match the criteria.\r\n";
  assertEquals([...parseTasklist(nothing)], []);
});
