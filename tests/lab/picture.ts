/**
 * Makes the README's pictures: the lab book's recording of the lab `guess` after a lost datagram, and the same live with two
 * players. It needs Chromium.
 *
 * ```sh
 * deno task picture
 * ```
 */
/// <reference lib="dom" />
import { recordLab } from "../../scripts/lab/book/book.ts";
import { loadPage } from "../../scripts/lab/book/page.ts";
import { findLab } from "../../scripts/lab/catalog/labs.ts";
import { temporary } from "../helpers.ts";
import { click, select } from "./book_page.ts";
import { openPage, type Page } from "./browser.ts";
import { press, startLive, type, waitForOutput } from "./live_page.ts";

const FOLDER = new URL("../../.github/", import.meta.url).pathname;
const [WIDTH, HEIGHT] = [1080, 980];
const STEPS = 15;

await using browser = await openPage(WIDTH, HEIGHT);
await pictureOfBook(browser.page);
await pictureOfLive(browser.page);

async function pictureOfBook(page: Page) {
  await using folder = await temporary();
  const file = `${folder.path}/lab-book.html`;
  await Deno.writeTextFile(file, (await loadPage())([await recordLab(findLab("guess"))]));
  await page.goto(`file://${file}`);
  await select(page, "guess", "A lost datagram");
  await click(page, "guess", "Go to the start");
  await click(page, "guess", "Next step", STEPS);
  await take(page, "lab-book.png", ".recordings", ".trace");
}

async function pictureOfLive(page: Page) {
  await using live = await startLive(["guess"]);
  await page.goto(live.address.href);
  await page.waitForSelector(".trace");
  await press(page, "Add a client");
  await page.waitForSelector('[data-terminal="client 2"]');
  await press(page, "Start both");
  for (const player of ["client", "client 2"]) await waitForOutput(page, player, /99: $/);
  await type(page, "client 2", "10");
  await waitForOutput(page, "client 2", /HIGHER\n/);
  await press(page, "Drop", ".faults .server");
  await type(page, "client", "50");
  await waitForOutput(page, "client", /LOWER\nGuess/);
  await press(page, "Duplicate", ".faults .client");
  await page.waitForSelector('[aria-pressed="true"]');
  await page.$eval('[data-kind="lost"]', (arrow) => (arrow as SVGElement).focus());
  await take(page, "lab-live.png", "main", ".between");
  await page.goto("about:blank"); // so that the lab ends
}

/** Takes a picture from the top of one element to the bottom of another. */
async function take(page: Page, name: string, from: string, to: string) {
  const { top, bottom } = await page.evaluate(
    (from, to) => ({
      top: document.querySelector(from)!.getBoundingClientRect().top + scrollY,
      bottom: document.querySelector(to)!.getBoundingClientRect().bottom + scrollY,
    }),
    from,
    to,
  );
  await page.evaluate(() => Promise.all(document.getAnimations().map(({ finished }) => finished)));
  await page.screenshot({
    path: `${FOLDER}${name}` as `${string}.png`,
    clip: { x: 0, y: top - 12, width: WIDTH, height: bottom - top + 22, scale: 1.5 },
    captureBeyondViewport: true,
  });
}
