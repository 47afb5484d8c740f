/**
 * The command line of netcat: how flags are split, and their meaning.
 *
 * @module
 */
import { UsageError } from "../cli.ts";

const MAX_WAIT = 86400; // seconds

/** The flags, by their letters. */
export const FLAGS = {
  4: false,
  6: false,
  C: false,
  N: false,
  U: false,
  d: false,
  i: NaN,
  k: false,
  l: false,
  n: false,
  p: NaN,
  q: NaN,
  s: "",
  u: false,
  v: false,
  w: NaN,
  z: false,
  _: ["[HOST]", "PORT|PATH"],
};

/** What the flags mean. Times are in seconds. */
export interface Options {
  /** `-4` or `-6`, or the family of the address of `-s`. */
  family?: 4 | 6;
  /** `-C`: send CR and LF at the end of each line. */
  endsLinesWithCrLf: boolean;
  /** `-N`: end our half with the input, even if the other side is still sending. */
  halfClosesAtOnce: boolean;
  /** `-d`: do not read the input. */
  ignoresInput: boolean;
  /** `-i`: the pause between two lines or ports. */
  interval?: number;
  /** `-k`: serve the next client when one has ended. */
  keepsListening: boolean;
  /** `-l`: be the server. */
  listens: boolean;
  /** `-n`: look up no names. */
  isNumeric: boolean;
  /** `-p` of a client: the port on this side. */
  localPort?: number;
  /** `-q`: the pause before the program ends. */
  quitDelay?: number;
  /** `-s` of a client: the address on this side; with `-uU` a path. */
  localAddress?: string;
  /** `-u`: use UDP. */
  isUdp: boolean;
  /** `-v`: report what happens. */
  isVerbose: boolean;
  /** `-w`: the limit for connecting, and then for silence. */
  timeout?: number;
  /** `-z`: test whether ports are open. */
  scans: boolean;
  /** Where to connect or listen. */
  host: string;
  /** The ports there; only `-z` takes several. */
  ports: number[];
  /** `-U`: the Unix socket, instead of host and port. */
  path?: string;
}

// Flags of other netcats that this one does not have.
const REFUSED: Record<string, string> = {
  b: "broadcast",
  c: "running programs",
  D: "socket debugging",
  e: "running programs",
  F: "passing a socket on",
  I: "the size of the receive buffer",
  m: "a minimum number of hops",
  M: "a maximum number of hops",
  o: "a dump of the traffic",
  O: "the size of the send buffer",
  P: "proxies",
  r: "random ports",
  S: "TCP MD5 signatures",
  t: "Telnet",
  T: "types of service",
  V: "routing tables",
  W: "a limit of packets",
  x: "proxies",
  X: "proxies",
  Z: "DCCP",
};

/**
 * Splits letters that share a dash: `-lw5` is `-l -w=5`.
 *
 * @param args The command line.
 * @returns The same with one flag in each word, and the first letter that netcat.ts does not have.
 */
export function splitFlags(args: string[]): { args: string[]; refused?: string } {
  const queue = [...args];
  const words: string[] = [];
  let refused: string | undefined;
  while (queue.length > 0) {
    const word = queue.shift()!;
    if (word === "--") return { args: [...words, word, ...queue], refused };
    if (!/^-[a-z\d]/i.test(word)) words.push(word);
    else {
      for (let rest = word.slice(1); rest !== ""; rest = rest.slice(1)) {
        const letter = rest[0];
        if (letter in REFUSED) {
          refused ??= letter;
          break; // what follows may be its value
        }
        if (["number", "string"].includes(typeof Object(FLAGS)[letter])) {
          const value = rest.slice(1).replace(/^=/, "") || queue.shift();
          // In OpenBSD's, a negative delay is the default: none.
          if (letter !== "q" || !/^-\d/.test(value ?? "")) {
            words.push(value === undefined ? `-${letter}` : `-${letter}=${value}`);
          }
          break;
        }
        words.push(letter === "h" ? "--help" : `-${letter}`);
      }
    }
  }
  return { args: words, refused };
}

/**
 * Reads the command line.
 *
 * @param flags The flags that were given.
 * @param refused A letter that was given and that netcat.ts does not have.
 * @returns What they mean.
 * @throws {UsageError} They contradict each other, or something is missing.
 */
export function parseOptions(flags: typeof FLAGS, refused?: string): Options {
  const { d, k, l, s, u, z, U, _: words } = flags;
  const [i, p, q, w] = [flags.i, flags.p, flags.q, flags.w]
    .map((value) => Number.isNaN(value) ? undefined : value);
  const usage = (isWrong: unknown, message: string) => {
    if (isWrong) throw new UsageError(message);
  };
  usage(refused, `-${refused} (${REFUSED[refused!]}) is not supported`);
  usage(k && !l, "-k needs -l");
  usage(z && (l || u && U), "-z cannot be used with -l or -uU");
  usage(flags[4] && flags[6], "-4 and -6 cannot be used together");
  usage(d && q !== undefined, "-d and -q cannot be used together: -q waits for the input's end");
  const options: Options = {
    family: flags[4] ? 4 : flags[6] ? 6 : undefined,
    endsLinesWithCrLf: flags.C,
    halfClosesAtOnce: flags.N || q !== undefined,
    ignoresInput: d,
    interval: seconds("-i", i, 0),
    keepsListening: k,
    listens: l,
    isNumeric: flags.n,
    quitDelay: seconds("-q", q, 0),
    isUdp: u,
    isVerbose: flags.v,
    timeout: seconds("-w", w, 1),
    scans: z,
    host: "",
    ports: [],
  };
  if (U) {
    const hasOwn = s && u && !l; // the sender of datagrams has a path, too
    usage(
      flags[4] || flags[6] || p !== undefined || s && !hasOwn,
      "-U takes a path, not a port or an address",
    );
    usage(words.length !== 1 || words[0] === "", `-U needs one path, not ${words.length}`);
    return { ...options, path: words[0], localAddress: s || undefined };
  }
  if (p !== undefined) {
    usage(p > 65535, `-p must be a port up to 65535, not ${p}`);
    if (l) words.push(`${p}`);
    else options.localPort = p;
  }
  if (s) {
    usage(!/^[\d.]+$|:/.test(s), `-s must be an address, not ${s}`);
    const family = s.includes(":") ? 6 : 4;
    usage(
      options.family && options.family !== family,
      `-s ${s} is not an IPv${options.family} address`,
    );
    options.family = family;
    if (!l) options.localAddress = s;
  }
  usage(words.length < (l ? 1 : 2), `${l ? "the port is" : "host and port are"} missing`);
  usage(words.length > 2 && !z, `unexpected argument ${words[2]}`);
  // Without -6, UDP listens on both addresses of this machine.
  const own = s || (flags[6] ? "::1" : u && !flags.n ? "localhost" : "127.0.0.1");
  const [host, ...ports] = words.length > 1 ? words : [own, ...words];
  usage(host === "", "the host is empty");
  options.host = host;
  options.ports = ports.flatMap(portsOf);
  usage(options.ports.length > 1 && !z, "only -z takes several ports");
  usage(options.ports.includes(0) && !l, "port 0 can only be listened on, with -l");
  return options;
}

function seconds(flag: string, value: number | undefined, min: number): number | undefined {
  if (value === undefined || value >= min && value <= MAX_WAIT) return value;
  throw new UsageError(`${flag} must be from ${min} to ${MAX_WAIT}, not ${value}`);
}

// Deno cannot look these up; they are the same everywhere.
const SERVICES: Record<string, number> = {
  echo: 7,
  discard: 9,
  daytime: 13,
  chargen: 19,
  ftp: 21,
  ssh: 22,
  telnet: 23,
  smtp: 25,
  time: 37,
  whois: 43,
  domain: 53,
  tftp: 69,
  gopher: 70,
  finger: 79,
  http: 80,
  pop3: 110,
  nntp: 119,
  ntp: 123,
  imap: 143,
  snmp: 161,
  irc: 194,
  ldap: 389,
  https: 443,
  submission: 587,
  ldaps: 636,
  imaps: 993,
  pop3s: 995,
  mysql: 3306,
  postgresql: 5432,
};

/** Returns the ports of a list like `22,80,8000-8010,https`. */
function portsOf(list: string): number[] {
  return list.split(",").flatMap((part) => {
    const service = part.toLowerCase();
    if (Object.hasOwn(SERVICES, service)) return SERVICES[service];
    const [, one, other = one] = part.match(/^(\d+)(?:-(\d+))?$/) ?? [];
    const [first, last] = [Number(one), Number(other)].sort((a, b) => a - b);
    if (!(last <= 65535)) {
      throw new UsageError(`a port is a number up to 65535 or a service like http, not ${part}`);
    }
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}
