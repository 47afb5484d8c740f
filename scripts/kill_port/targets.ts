/**
 * The ports that the command line names.
 *
 * @module
 */
import { UsageError } from "../cli.ts";
import type { Protocol } from "../system/sockets.ts";

/** The system's list of services: a name, a port and a protocol on each line. */
const SERVICES = Deno.build.os === "windows"
  ? "C:\\Windows\\System32\\drivers\\etc\\services"
  : "/etc/services";

/** One port, or several with consecutive numbers. */
export interface Target {
  /** The first port. */
  first: number;
  /** The last port. */
  last: number;
  /** The protocol, when only this one is wanted. */
  protocol?: Protocol;
}

/**
 * Parses one argument: a list of `9900`, `:9900`, `9900-9910` or names of services, separated by
 * commas. Each may end in `/tcp` or `/udp`.
 *
 * @param list The argument.
 * @param readServices Returns the text of the system's list of services.
 * @throws {UsageError} The argument is something else.
 */
export function parseTargets(
  list: string,
  readServices = () => Deno.readTextFileSync(SERVICES),
): Target[] {
  return list.split(",").flatMap((word) => parseTarget(word, readServices));
}

function parseTarget(word: string, readServices: () => string): Target[] {
  const [, name, suffix] = word.match(/^:?(.*?)(?:\/(tcp|udp))?$/i)!;
  const protocol = suffix?.toUpperCase() as Protocol | undefined;
  const range = name.match(/^(\d+)(?:-(\d+))?$/);
  if (!range) return servicePorts(name, protocol, readServices);
  const [first, last] = [Number(range[1]), Number(range[2] ?? range[1])];
  if (first < 1 || last < 1 || first > 65535 || last > 65535) {
    throw new UsageError(`the port must be a whole number from 1 to 65535, not ${name}`);
  }
  if (first > last) throw new UsageError(`the lower port comes first: ${last}-${first}`);
  return [{ first, last, protocol }];
}

function servicePorts(
  name: string,
  protocol: Protocol | undefined,
  readServices: () => string,
): Target[] {
  let services;
  try {
    services = readServices();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UsageError(
      `"${name}" is not a port number, and the list of services, ${SERVICES}, is missing`,
    );
  }
  const targets = parseServices(services)
    .filter((service) => service.names.includes(name))
    .filter((service) => protocol === undefined || service.protocol === protocol)
    .map(({ port, protocol }): Target => ({ first: port, last: port, protocol }));
  if (targets.length > 0) return targets;
  const kind = protocol ? `${protocol} service` : "service";
  throw new UsageError(`"${name}" is not a port from 1 to 65535, nor a ${kind} in ${SERVICES}`);
}

/** Parses a list of services: `http 80/tcp www # WorldWideWeb HTTP`. */
function parseServices(text: string) {
  const lines = text.matchAll(/^([^\s#]+)[ \t]+(\d+)\/(tcp|udp)\b([^#\r\n]*)/gm);
  return [...lines].map(([, name, port, protocol, aliases]) => ({
    names: [name, ...aliases.trim().split(/\s+/)].filter((name) => name !== ""),
    port: Number(port),
    protocol: protocol.toUpperCase() as Protocol,
  }));
}

/** Returns whether a target covers a port, and a protocol if one is given. */
export function covers(target: Target, port: number, protocol?: Protocol): boolean {
  const isRightProtocol = !protocol || !target.protocol || target.protocol === protocol;
  return port >= target.first && port <= target.last && isRightProtocol;
}

/** Formats a target: `port 81`, `UDP port 53`, `ports 9900-9910`. */
export function formatTarget({ first, last, protocol }: Target): string {
  const ports = first === last ? `port ${first}` : `ports ${first}-${last}`;
  return protocol ? `${protocol} ${ports}` : ports;
}
