/**
 * What the lab book has of each lab: the recordings, which are its headers' session and what
 * is worth seeing beside it, and the commands.
 *
 * @module
 */
import type { Lab, Script } from "../header.ts";
import { portShown, type RecordOptions } from "./recording.ts";

const TWO_MESSAGES = "         5hello         4exit"; // with their headers
const FREE_PORT = 8081; // in the place of one that belongs to the administrator

/** A recording that a lab has, and how it comes about. */
export interface Take extends RecordOptions {
  /** Its name. */
  title: string;
  /** What there is to see. */
  about: string;
}

/** The recordings that the book has of a lab. */
export function takesOf({ name, transport }: Lab): Take[] {
  const takes: Take[] = [{
    title: "As it should go",
    about: "The session in the scripts' headers.",
  }];
  if (transport === "udp") {
    takes.push({
      title: "A datagram gets lost",
      about: "The server's first datagram does not arrive (`--lose=1`). Nobody is told: the " +
        "client hears nothing for two seconds, and asks again.",
      faults: { lose: [{ from: "server", number: 1 }] },
    });
  }
  if (name === "echo_v2") {
    takes.push({
      title: "A character cut by the buffer",
      about: "`grüße` has 5 characters and 7 bytes. With the header that makes 17, and a read " +
        "takes 15: it ends inside of `ß`, whose bytes are c3 9f.",
      more: ["--message=grüße"],
    });
  }
  if (name === "echo_v3") {
    takes.push({
      title: "Two messages in one segment",
      about: "netcat.ts takes the client's place and sends two messages at once, and a line end " +
        "that belongs to none. The header says where the first one ends.",
      netcat: TWO_MESSAGES,
    });
  }
  return takes;
}

/** A way to run a lab. */
export interface Way {
  /** What it is, as a title. */
  title: string;
  /** The commands that are typed. */
  commands: string[];
}

/** The three ways to run a lab. */
export function waysToRun({ name, transport, server, client }: Lab): Way[] {
  const port = portShown(server) < 1024 ? FREE_PORT : portShown(server);
  const command = ({ name, args, port: own }: Script) => {
    const others = args.filter((arg) => !arg.startsWith("--port="));
    const words = port === own ? others : [...others, `--port=${port}`];
    return ["deno run -A", `scripts/${name}`, ...words].join(" ");
  };
  const netcat = ["deno run -A scripts/netcat.ts", ...transport === "udp" ? ["-u"] : []];
  return [
    { title: "Server and client side by side", commands: [`deno task demo ${name}`] },
    { title: "Each in a terminal of its own", commands: [command(server), command(client)] },
    {
      title: "With you as the client, by hand",
      commands: [command(server), [...netcat, "127.0.0.1", port].join(" ")],
    },
  ];
}
