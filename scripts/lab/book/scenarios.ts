/**
 * What the lab book shows of each lab: the runs to record, and the commands to type.
 *
 * @module
 */
import type { Lab, Script } from "../catalog/header.ts";
import { portShown, type RecordOptions } from "../trace/recording.ts";
import type { WayData } from "./data.ts";

const TWO_MESSAGES = "         5hello         4exit"; // with their headers
const FREE_PORT = 8081; // used if the lab's port needs administrator rights

/** A run to record. */
export interface Scenario extends RecordOptions {
  /** Its name. */
  title: string;
  /** What there is to see. */
  about: string;
}

/** Returns the runs that the book shows of a lab. The first is the session in its headers. */
export function scenariosOf({ name, transport }: Lab): Scenario[] {
  const scenarios: Scenario[] = [{
    title: "The session",
    about: "A run as the scripts' headers show it.",
  }];
  if (transport === "udp") {
    scenarios.push({
      title: "A lost datagram",
      about: "The server's first datagram does not arrive (`--drop=1`). UDP does not report the " +
        "loss: the client waits two seconds, and then sends its datagram again.",
      faults: { drop: [{ from: "server", number: 1 }] },
    });
  }
  if (name === "echo_v2") {
    scenarios.push({
      title: "A split character",
      about: "`grüße` has 5 characters and 7 bytes. With the header, the client sends 17 bytes, " +
        "and the server reads at most 15 at a time. A read ends inside `ß`, whose bytes are " +
        "c3 9f.",
      more: ["--message=grüße"],
    });
  }
  if (name === "echo_v3") {
    scenarios.push({
      title: "Two messages in one segment",
      about: "netcat.ts takes the place of the client. It sends two messages in one segment, and " +
        "a line end that belongs to neither. The header says where the first message " +
        "ends.",
      netcat: TWO_MESSAGES,
    });
  }
  return scenarios;
}

/** Returns the three ways to run a lab. */
export function waysToRun({ name, transport, server, client }: Lab): WayData[] {
  const port = portShown(server) < 1024 ? FREE_PORT : portShown(server);
  const command = ({ name, args, port: own }: Script) => {
    const others = args.filter((arg) => !arg.startsWith("--port="));
    const words = port === own ? others : [...others, `--port=${port}`];
    return ["deno run -A", `scripts/${name}`, ...words].join(" ");
  };
  const netcat = ["deno run -A scripts/netcat.ts", ...transport === "udp" ? ["-u"] : []];
  return [
    { title: "Server and client side by side", commands: [`deno task demo ${name}`] },
    { title: "Each in its own terminal", commands: [command(server), command(client)] },
    {
      title: "With yourself as the client",
      commands: [command(server), [...netcat, "127.0.0.1", port].join(" ")],
    },
  ];
}
