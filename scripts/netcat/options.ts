/**
 * The command line of netcat: letters that share a dash, and what the flags mean.
 *
 * @module
 */
import { UsageError } from "../cli.ts";

const LONGEST_WAIT = 86400; // seconds

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
  /** `-4` or `-6`, or what kind of address `-s` is. */
  family?: 4 | 6;
  /** `-C`: send CR and LF where a line ends. */
  endsLinesWithCrLf: boolean;
  /** `-N`: end our half with the input, whatever the other side is sending. */
  endsHalfAtOnce: boolean;
  /** `-d`: leave the input alone. */
  readsNothing: boolean;
  /** `-i`: the pause between two lines or ports. */
  interval?: number;
  /** `-k`: serve the next client when one has gone. */
  keepsListening: boolean;
  /** `-l`: be the server. */
  listens: boolean;
  /** `-n`: look up no names. */
  takesNoNames: boolean;
  /** `-p` of a client: the port on this side. */
  localPort?: number;
  /** `-q`: how long after the end of the input to end. */
  quitAfter?: number;
  /** `-s` of a client: the address on this side, with `-uU` a path. */
  localAddress?: string;
  /** `-u`: take UDP. */
  isUdp: boolean;
  /** `-v`: say what happens. */
  isVerbose: boolean;
  /** `-w`: how long to wait for a connection, and then for something to move. */
  patience?: number;
  /** `-z`: test whether ports are open. */
  scans: boolean;
  /** Where to connect or listen. */
  host: string;
  /** The ports there; only `-z` takes several. */
  ports: number[];
  /** `-U`: the Unix socket in the place of host and port. */
  path?: string;
}

// What netcats have, but not this one.
const REFUSED: Record<string, string> = {
  b: "broadcast",
  c: "running programs",
  D: "socket debugging",
  e: "running programs",
  F: "passing a socket on",
  I: "the size of the receive buffer",
  m: "a minimum of hops",
  M: "a limit of hops",
  o: "a dump of what passes",
  O: "the size of the send buffer",
  P: "proxies",
  r: "ports at random",
  S: "TCP MD5 signatures",
  t: "Telnet",
  T: "types of service",
  V: "routing tables",
  W: "a number of packets to end after",
  x: "proxies",
  X: "proxies",
  Z: "DCCP",
};

/**
 * Takes letters apart that share a dash: `-lw5` is `-l -w=5`. A letter that is not there is
 * named, for `optionsFrom()` to refuse.
 */
export function lettersApart(args: string[]): { args: string[]; refused?: string } {
  const words: string[] = [];
  let refused: string | undefined;
  for (const arg of args) {
    if (!/^-[a-z\d]/i.test(arg)) words.push(arg);
    else {
      for (let rest = arg.slice(1); rest !== ""; rest = rest.slice(1)) {
        const takesValue = ["number", "string"].includes(typeof Object(FLAGS)[rest[0]]);
        if (rest[0] === "h") words.push("--help");
        else if (rest[0] in REFUSED) refused ??= rest[0];
        else if (!takesValue) words.push(`-${rest[0]}`);
        else {
          words.push(`-${rest}`.replace(/^(-.)=?(?=.)/, "$1="));
          break;
        }
      }
    }
  }
  return { args: words, refused };
}

/**
 * Finds out what the command line means.
 *
 * @param flags What was given.
 * @param refused A letter that was given, and is not there.
 * @returns What it means.
 * @throws {UsageError} It means nothing.
 */
export function optionsFrom(flags: typeof FLAGS, refused?: string): Options {
  const { d, k, l, s, u, z, U, _: words } = flags;
  const [i, p, q, w] = [flags.i, flags.p, flags.q, flags.w]
    .map((value) => Number.isNaN(value) ? undefined : value);
  const usage = (isWrong: unknown, message: string) => {
    if (isWrong) throw new UsageError(message);
  };
  usage(refused, `-${refused} (${REFUSED[refused!]}) is not there`);
  usage(k && !l, "-k needs -l");
  usage(z && (l || u && U), "-z is for clients, and not for -uU");
  usage(flags[4] && flags[6], "-4 excludes -6");
  usage(d && q !== undefined, "-q needs an end of the input, and -d reads none");
  const options: Options = {
    family: flags[4] ? 4 : flags[6] ? 6 : undefined,
    endsLinesWithCrLf: flags.C,
    endsHalfAtOnce: flags.N || q !== undefined,
    readsNothing: d,
    interval: seconds("-i", i, 0),
    keepsListening: k,
    listens: l,
    takesNoNames: flags.n,
    quitAfter: seconds("-q", q, 0),
    isUdp: u,
    isVerbose: flags.v,
    patience: seconds("-w", w, 1),
    scans: z,
    host: "",
    ports: [],
  };
  if (U) {
    const hasOwn = s && u && !l; // a datagram's sender needs a path to be answered
    usage(
      flags[4] || flags[6] || p !== undefined || s && !hasOwn,
      "-U takes no ports and addresses",
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
      `-s ${s} is no IPv${options.family} address`,
    );
    options.family = family;
    if (!l) options.localAddress = s;
  }
  usage(words.length < (l ? 1 : 2), `${l ? "a port is" : "host and port are"} missing`);
  usage(words.length > 2 && !z, `unexpected argument ${words[2]}`);
  const own = s || (flags[6] ? "::1" : "127.0.0.1"); // to listen on
  const [host, ...ports] = words.length > 1 ? words : [own, ...words];
  usage(host === "", "the host is empty");
  options.host = host;
  options.ports = ports.flatMap(portsOf);
  usage(options.ports.length > 1 && !z, "several ports need -z");
  usage(options.ports.includes(0) && !l, "nobody listens on port 0");
  return options;
}

function seconds(letter: string, value: number | undefined, least: number): number | undefined {
  if (value === undefined || value >= least && value <= LONGEST_WAIT) return value;
  throw new UsageError(`${letter} must be from ${least} to ${LONGEST_WAIT}, not ${value}`);
}

// Deno does not ask the system for these; they are the same everywhere.
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

/** The ports of a list like `22,80,8000-8010,https`. */
function portsOf(list: string): number[] {
  return list.split(",").flatMap((part) => {
    const service = part.toLowerCase();
    if (Object.hasOwn(SERVICES, service)) return SERVICES[service];
    const [, first, last = first] = part.match(/^(\d+)(?:-(\d+))?$/) ?? [];
    const count = Number(last) - Number(first) + 1;
    if (!(Number(last) <= 65535 && count > 0)) {
      throw new UsageError(`a port is a number up to 65535 or a service like http, not ${part}`);
    }
    return Array.from({ length: count }, (_, i) => Number(first) + i);
  });
}
