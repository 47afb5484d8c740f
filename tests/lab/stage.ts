/** What stands on the lab book's page, and what a reader does there. */
/// <reference lib="dom" />
import type { Page } from "./browser.ts";

/** Presses a button of a lab so many times: what its stage shows before that, and after each. */
export const click = (page: Page, lab: string, name: string, times = 1) =>
  page.evaluate(
    (lab, name, times) => {
      const section = document.querySelector(`[data-lab="${lab}"]`)!;
      const text = (half: string) =>
        section.querySelector(`[data-terminal="${half}"]`)!.textContent!;
      const shown = () => ({
        server: text("server"),
        client: text("client"),
        arrows: [...section.querySelectorAll<SVGGElement>("g[data-event]")]
          .map(({ dataset: { from, kind, bytes } }) => `${from} ${kind} ${bytes}`),
        at: Number(section.querySelector(".count")!.textContent!.match(/\d+/)![0]),
      });
      const states = [shown()];
      for (let i = 0; i < times; i++) {
        section.querySelector<HTMLElement>(`button[aria-label="${name}"]`)!.click();
        states.push(shown());
      }
      return states;
    },
    lab,
    name,
    times,
  );

/** What a lab's stage shows: the terminals' text, the arrows, and where the playback is. */
export const stage = async (page: Page, lab: string) => (await click(page, lab, "", 0))[0];

/** Chooses one of a lab's recordings, and goes to its end: what the stage then shows. */
export async function choose(page: Page, lab: string, title: string) {
  await page.evaluate(
    (lab, title) => {
      const buttons = document.querySelectorAll<HTMLElement>(`[data-lab="${lab}"] button`);
      [...buttons].find(({ textContent }) => textContent === title)!.click();
    },
    lab,
    title,
  );
  return (await click(page, lab, "One step forth", 60)).at(-1)!;
}

/** What is marked: arrows by what they say, lines of the sources with both their sides. */
export const marked = (page: Page) =>
  page.evaluate(() =>
    [...document.querySelectorAll(".marked")].map((element) =>
      element.matches("[data-event]")
        ? element.getAttribute("aria-label")!
        : [...element.children].map(({ textContent }) => textContent!.trim()).join(" | ")
    )
  );

/** Moves the mouse to an element. */
export async function pointAt(page: Page, selector: string) {
  const [x, y] = await page.evaluate((selector) => {
    const element = document.querySelector(selector)!;
    element.scrollIntoView({ block: element.matches("tr") ? "end" : "nearest" });
    const { left, top, width, height } = element.getBoundingClientRect();
    return [left + width / 4, top + height / 2];
  }, selector);
  await page.point(x, y);
}

/** How many things of each role there are for a screen reader, and in which roles one has no name. */
export async function roles(page: Page) {
  await page.send("Accessibility.enable");
  const { nodes } = await page.send("Accessibility.getFullAXTree") as unknown as {
    nodes: { role?: { value: string }; name?: { value: string }; ignored: boolean }[];
  };
  const named = new Map<string, number>();
  const nameless = new Set<string>();
  const looked = "button combobox slider log image toolbar link status".split(" ");
  for (const { role: { value: role } = { value: "" }, name, ignored } of nodes) {
    if (ignored || !looked.includes(role)) continue;
    named.set(role, (named.get(role) ?? 0) + 1);
    if (!name?.value) nameless.add(role);
  }
  return { named, nameless: [...nameless] };
}

/** Goes to the end of all recordings, opens what is closed, and has an arrow marked in each. */
export function showAll() {
  for (const section of document.querySelectorAll("section")) {
    const slider = section.querySelector<HTMLInputElement>('[aria-label="Step"]')!;
    slider.value = slider.max;
    slider.dispatchEvent(new Event("input"));
    section.querySelector<SVGGElement>("[data-event]")!.focus();
    section.querySelector("details")!.open = true;
  }
}

/** How many arrows each of a lab's recordings has on paper, where it has a title; none still moves. */
export const printed = (lab: string) =>
  [...document.querySelectorAll(`[data-lab="${lab}"] .takes`)].map((take) => {
    if (!take.querySelector("h3")!.checkVisibility()) return "no title";
    return [...take.nextElementSibling!.querySelectorAll("[data-event] .shaft")]
      .filter((shaft) => getComputedStyle(shaft).animationName === "none").length;
  });

/** Texts whose contrast with what is behind them is less than WCAG's AA wants. */
export function faintTexts(): string[] {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true })!;
  const colours = new Map<string, number[]>();
  /** Red, green, blue and opacity, from 0 to 255, of a colour in any notation. */
  const parse = (colour: string) => {
    if (!colours.has(colour)) {
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
      colours.set(colour, [...context.getImageData(0, 0, 1, 1).data]);
    }
    return colours.get(colour)!;
  };
  const luminance = (colour: number[]) => {
    const [r, g, b] = colour.slice(0, 3).map((value) => value / 255)
      .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = (element: Element): number[] => {
    const rect = element.tagName === "text" && element.parentElement!.querySelector("rect");
    for (const from of [rect, element, ...ancestors(element)]) {
      if (!from) continue;
      const style = getComputedStyle(from);
      const colour = parse(from === rect ? style.fill : style.backgroundColor);
      if (colour[3] === 255) return colour;
      if (colour[3] > 0) throw new Error("a colour that is half transparent");
    }
    return [255, 255, 255];
  };
  function* ancestors(element: Element) {
    for (let up = element.parentElement; up; up = up.parentElement) yield up;
  }
  const faint = new Set<string>();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) {
    const element = node.parentElement!;
    if (!node.nodeValue!.trim() || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const colour = parse(element.tagName === "text" ? style.fill : style.color);
    const [a, b] = [luminance(colour), luminance(background(element))].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < 4.5) faint.add(`${contrast.toFixed(2)} ${element.outerHTML.slice(0, 80)}`);
  }
  return [...faint];
}

/** Texts in the diagrams that lie on each other, on an arrow, or reach out of the drawing. */
export function crowdedTexts(): string[] {
  const crowded: string[] = [];
  for (const drawing of document.querySelectorAll(".wire svg")) {
    const all = drawing.getBoundingClientRect();
    const texts = [...drawing.querySelectorAll("text:not(.hint)")]
      .map((text) => ({ text: text.textContent, box: text.getBoundingClientRect() }));
    const shafts = [...drawing.querySelectorAll(".shaft")].map((shaft) =>
      shaft.getBoundingClientRect()
    );
    for (const [i, { text, box }] of texts.entries()) {
      const meets = (other: DOMRect, depth: number) =>
        Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top) > depth &&
        Math.min(box.right, other.right) - Math.max(box.left, other.left) > 0;
      if (box.left < all.left || box.right > all.right) crowded.push(`reaches out: ${text}`);
      // A text's box is higher than its letters: rows may share a little.
      for (const other of texts.slice(i + 1)) {
        if (meets(other.box, 2)) crowded.push(`lies on ${other.text}: ${text}`);
      }
      const middle = (box.top + box.bottom) / 2;
      for (const shaft of shafts) {
        if (meets(shaft, -1) && Math.abs(middle - shaft.top) < box.height / 3) {
          crowded.push(`lies on an arrow: ${text}`);
        }
      }
    }
  }
  return crowded;
}
