/** Finds a browser on this machine. */
import { findProgram } from "../helpers.ts";

const CANDIDATES = [
  "chromium-headless-shell", // the part of Chromium without windows needs less time
  "chromium",
  "chromium-browser",
  "google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe",
];

/** The path of the browser, if there is one. It is not started: on Windows, that opens a window. */
export const CHROMIUM: string | undefined = CANDIDATES.map(findProgram).find((path) => path);
