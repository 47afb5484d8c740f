/** Finds a browser on this machine. */
import { delimiter, isAbsolute, join } from "node:path";
import { isFile } from "../../scripts/lab/terminal/files.ts";

const CANDIDATES = [
  "chromium",
  "chromium-browser",
  "google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe",
];

/** The path of the browser, if there is one. It is not started: on Windows, that opens a window. */
export const CHROMIUM: string | undefined = CANDIDATES.flatMap((program) =>
  isAbsolute(program)
    ? [program]
    : (Deno.env.get("PATH") ?? "").split(delimiter).map((folder) => join(folder, program))
).find(isFile);
