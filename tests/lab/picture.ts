/**
 * Makes the README's picture of the lab book, the guess game when a reply was lost. It needs
 * Chromium; ImageMagick makes the picture small:
 *
 * ```sh
 * deno run -A tests/lab/picture.ts .github/lab-book.png
 * convert .github/lab-book.png -dither None -colors 64 .github/lab-book.png
 * ```
 */
/// <reference lib="dom" />
import { entryOf, pageOf } from "../../scripts/lab/book.ts";
import { findLab } from "../../scripts/lab/names.ts";
import { Page } from "./browser.ts";
import { choose, click } from "./stage.ts";

const [picture] = Deno.args;
const [WIDTH, HEIGHT, SCALE] = [1080, 980, 1.5]; // the picture is twice as wide as GitHub shows it
const STEPS = 15;

const folder = await Deno.makeTempDir();
try {
  const file = `${folder}/lab-book.html`;
  await Deno.writeTextFile(file, await pageOf([await entryOf(findLab("guess"), "")]));
  await using page = await Page.open();
  await page.resize(WIDTH, HEIGHT);
  await page.go(`file://${file}`);
  await choose(page, "guess", "A datagram gets lost");
  await click(page, "guess", "From the start");
  await click(page, "guess", "One step forth", STEPS);
  const clip = await page.evaluate(() => {
    const { top } = document.querySelector(".takes")!.getBoundingClientRect();
    const { bottom } = document.querySelector(".stage")!.getBoundingClientRect();
    return { y: top + scrollY - 12, height: bottom - top + 30 };
  });
  await page.evaluate(() => Promise.all(document.getAnimations().map(({ finished }) => finished)));
  const { data } = await page.send("Page.captureScreenshot", {
    clip: { ...clip, x: 0, width: WIDTH, scale: SCALE },
    captureBeyondViewport: true,
  });
  await Deno.writeFile(picture, Uint8Array.from(atob(`${data}`), (char) => char.charCodeAt(0)));
} finally {
  await Deno.remove(folder, { recursive: true });
}
