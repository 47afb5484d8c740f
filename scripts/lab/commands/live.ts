/**
 * The command `lab live`.
 *
 * @module
 */
import { resolve } from "node:path";
import { ROLES } from "../catalog/header.ts";
import { findLab } from "../catalog/labs.ts";
import { live } from "../live/live.ts";
import { programsOf } from "./programs.ts";

/** The flags of `lab live`. */
export interface LiveFlags {
  /** The file that takes the server's place. */
  server: string;
  /** The file that takes the client's place. */
  client: string;
  /** Whether to open the page in the user's browser. */
  open: boolean;
}

/** Serves the page of a live lab until it is closed. */
export async function runLive(name: string, { server, client, open: isOpened }: LiveFlags) {
  const lab = findLab(name);
  const files = await programsOf(lab, { server, client, originals: "" });
  for (const role of ROLES) if (files[role]) files[role] = resolve(files[role]);
  await live(lab, { files, isOpened });
}
