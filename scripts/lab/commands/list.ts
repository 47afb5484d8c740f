/**
 * The command `lab list`.
 *
 * @module
 */
import { labs } from "../catalog/labs.ts";
import { bold } from "../terminal/columns.ts";
import { write } from "../terminal/output.ts";

/** Prints the labs, their scripts, and their originals. */
export function list() {
  for (const { name, transport, server, client } of labs) {
    write`${bold(name)}  ${transport.toUpperCase()}  ${server.course}\n`;
    for (const script of [server, client]) {
      write`  ${script.name}  mirrors ${script.original}\n`;
      write`    ${script.summary}\n`;
    }
  }
}
