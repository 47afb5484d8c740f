/**
 * Makes the README's picture of the lab book: the lab `guess` after a lost datagram. It needs
 * Chromium.
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
import { openPage } from "./browser.ts";

const PICTURE = new URL("../../.github/lab-book.png", import.meta.url).pathname;
const [WIDTH, HEIGHT] = [1080, 980];
const STEPS = 15;

await using folder = await temporary();
await using browser = await openPage(WIDTH, HEIGHT);
const { page } = browser;
const file = `${folder.path}/lab-book.html`;
await Deno.writeTextFile(file, (await loadPage())([await recordLab(findLab("guess"))]));
await page.goto(`file://${file}`);
await select(page, "guess", "A lost datagram");
await click(page, "guess", "Go to the start");
await click(page, "guess", "Next step", STEPS);
const { top, bottom } = await page.evaluate(() => ({
  top: document.querySelector(".recordings")!.getBoundingClientRect().top + scrollY,
  bottom: document.querySelector(".trace")!.getBoundingClientRect().bottom + scrollY,
}));
await page.evaluate(() => Promise.all(document.getAnimations().map(({ finished }) => finished)));
await page.screenshot({
  path: PICTURE as `${string}.png`,
  clip: { x: 0, y: top - 12, width: WIDTH, height: bottom - top + 30, scale: 1.5 },
  captureBeyondViewport: true,
});
