/** Opens pages in a headless Chromium. */
// deno-lint-ignore no-import-prefix -- in deno.json, all users of the scripts would download it
import puppeteer, { type Browser, type KeyInput, type Page } from "npm:puppeteer-core@25.16.0";
import { CHROMIUM } from "./chromium.ts";

const FLAGS = "no-sandbox disable-gpu disable-quic no-first-run disable-background-networking " +
  "disable-component-update disable-sync " +
  "force-prefers-reduced-motion"; // to draw animations takes time

/** A page in its own browser, which ends with it. */
export interface OpenPage extends AsyncDisposable {
  page: Page;
  /** The addresses that the page has requested. */
  requests: string[];
  /** The errors that the page has logged or not caught. */
  errors: string[];
}

/** Starts a browser and opens an empty page. */
export async function openPage(width = 1280, height = 900): Promise<OpenPage> {
  const browser: Browser = await puppeteer.launch({
    executablePath: CHROMIUM,
    headless: "shell", // only `--headless`, which all of them know
    args: FLAGS.split(" ").map((flag) => `--${flag}`),
  });
  const page = await browser.newPage();
  page.setDefaultTimeout(120_000); // also on a busy machine
  await page.setViewport({ width, height });
  const requests: string[] = [];
  const errors: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("pageerror", (error) => errors.push(`${error}`));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  return { page, requests, errors, [Symbol.asyncDispose]: () => browser.close() };
}

export type { KeyInput, Page };
