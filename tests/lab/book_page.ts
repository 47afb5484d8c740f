/** Reads and operates the lab book's page in a browser. */
/// <reference lib="dom" />
import type { Page } from "./browser.ts";

/** What a lab shows: the text of its terminals, its arrows, and the position in the recording. */
export interface Shown {
  server: string;
  client: string;
  arrows: string[];
  position: number;
}

/** Clicks a button of a lab. Returns what the lab shows before the clicks, and after each. */
export function click(page: Page, lab: string, button: string, times = 1): Promise<Shown[]> {
  return page.evaluate(
    (lab, button, times) => {
      const section = document.querySelector(`[data-lab="${lab}"]`)!;
      const terminal = (role: string) =>
        section.querySelector(`[data-terminal="${role}"]`)!.textContent!;
      const shown = () => ({
        server: terminal("server"),
        client: terminal("client"),
        arrows: [...section.querySelectorAll<SVGGElement>("g[data-event]")]
          .map(({ dataset: { from, kind, bytes } }) => `${from} ${kind} ${bytes}`),
        position: Number(section.querySelector(".count")!.textContent!.match(/\d+/)![0]),
      });
      const states = [shown()];
      for (let i = 0; i < times; i++) {
        section.querySelector<HTMLElement>(`button[aria-label="${button}"]`)!.click();
        states.push(shown());
      }
      return states;
    },
    lab,
    button,
    times,
  );
}

/** Returns what a lab shows. */
export async function shown(page: Page, lab: string): Promise<Shown> {
  return (await click(page, lab, "", 0))[0];
}

/** Selects a recording of a lab, goes to its end, and returns what the lab shows there. */
export async function select(page: Page, lab: string, title: string): Promise<Shown> {
  await page.evaluate(
    (lab, title) => {
      const buttons = document.querySelectorAll<HTMLElement>(`[data-lab="${lab}"] button`);
      [...buttons].find(({ textContent }) => textContent === title)!.click();
    },
    lab,
    title,
  );
  return (await click(page, lab, "Next step", 60)).at(-1)!;
}

/** Returns what is marked: the names of arrows, and lines of the sources as `left | step | right`. */
export function marked(page: Page): Promise<string[]> {
  return page.$$eval(
    ".marked",
    (elements) =>
      elements.map((element) =>
        element.matches("[data-event]")
          ? element.getAttribute("aria-label")!
          : [...element.children].map(({ textContent }) => textContent!.trim()).join(" | ")
      ),
  );
}

/** Moves the mouse to an element. */
export async function pointAt(page: Page, selector: string) {
  const [x, y] = await page.$eval(selector, (element) => {
    // The trace is sticky and covers the top of the window.
    element.scrollIntoView({ block: element.matches("tr") ? "end" : "nearest" });
    const { left, top, width, height } = element.getBoundingClientRect();
    return [left + width / 4, top + height / 2];
  });
  await page.mouse.move(x, y);
}

/** Returns how many elements of each role a screen reader finds, and the roles without a name. */
export async function roles(page: Page) {
  const named: Record<string, number> = {};
  const nameless = new Set<string>();
  const checked = "button combobox slider log image img toolbar link status".split(" ");
  const nodes = [(await page.accessibility.snapshot({ interestingOnly: false }))!];
  for (let node; (node = nodes.pop());) {
    nodes.push(...node.children ?? []);
    if (!checked.includes(node.role)) continue;
    named[node.role] = (named[node.role] ?? 0) + 1;
    if (!node.name) nameless.add(node.role);
  }
  return { named, nameless: [...nameless] };
}

/** Goes to the end of all recordings, opens the texts, and focuses an arrow of each lab. */
export function showAll() {
  for (const section of document.querySelectorAll("section")) {
    const slider = section.querySelector<HTMLInputElement>('[aria-label="Step"]')!;
    slider.value = slider.max;
    slider.dispatchEvent(new Event("input"));
    section.querySelector<SVGGElement>("[data-event]")!.focus();
    section.querySelector("details")!.open = true;
  }
}

/** Returns how many arrows without animation each printed recording of a lab has. */
export function printed(page: Page, lab: string): Promise<(number | string)[]> {
  return page.$$eval(
    `[data-lab="${lab}"] .recordings`,
    (recordings) =>
      recordings.map((recording) => {
        if (!recording.querySelector("h3")!.checkVisibility()) return "no title";
        return [...recording.nextElementSibling!.querySelectorAll("[data-event] .shaft")]
          .filter((shaft) => getComputedStyle(shaft).animationName === "none").length;
      }),
  );
}

/** Returns the texts whose contrast with their background is below AA of WCAG. */
export function faintTexts(): string[] {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true })!;
  const colors = new Map<string, number[]>();
  /** Red, green, blue and opacity, from 0 to 255, of a color in any notation. */
  const parse = (color: string) => {
    if (!colors.has(color)) {
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = color;
      context.fillRect(0, 0, 1, 1);
      colors.set(color, [...context.getImageData(0, 0, 1, 1).data]);
    }
    return colors.get(color)!;
  };
  const luminance = (color: number[]) => {
    const [r, g, b] = color.slice(0, 3).map((value) => value / 255)
      .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = (element: Element): number[] => {
    const rect = element.tagName === "text" && element.parentElement!.querySelector("rect");
    for (const from of [rect, element, ...ancestors(element)]) {
      if (!from) continue;
      const style = getComputedStyle(from);
      const color = parse(from === rect ? style.fill : style.backgroundColor);
      if (color[3] === 255) return color;
      if (color[3] > 0) throw new Error("a semitransparent background");
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
    const color = parse(element.tagName === "text" ? style.fill : style.color);
    const [a, b] = [luminance(color), luminance(background(element))].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < 4.5) faint.add(`${contrast.toFixed(2)} ${element.outerHTML.slice(0, 80)}`);
  }
  return [...faint];
}

/** Returns the texts in the diagrams that overlap a text or an arrow, or are cut off. */
export function overlappingTexts(): string[] {
  const problems: string[] = [];
  for (const drawing of document.querySelectorAll(".wire svg")) {
    const all = drawing.getBoundingClientRect();
    const texts = [...drawing.querySelectorAll("text:not(.hint)")]
      .map((text) => ({ text: text.textContent, box: text.getBoundingClientRect() }));
    const shafts = [...drawing.querySelectorAll(".shaft")].map((shaft) =>
      shaft.getBoundingClientRect()
    );
    for (const [i, { text, box }] of texts.entries()) {
      const overlaps = (other: DOMRect, depth: number) =>
        Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top) > depth &&
        Math.min(box.right, other.right) - Math.max(box.left, other.left) > 0;
      if (box.left < all.left || box.right > all.right) problems.push(`cut off: ${text}`);
      // The box of a text is higher than its letters: lines may overlap a little.
      for (const other of texts.slice(i + 1)) {
        if (overlaps(other.box, 2)) problems.push(`on "${other.text}": ${text}`);
      }
      const middle = (box.top + box.bottom) / 2;
      for (const shaft of shafts) {
        if (overlaps(shaft, -1) && Math.abs(middle - shaft.top) < box.height / 3) {
          problems.push(`on an arrow: ${text}`);
        }
      }
    }
  }
  return problems;
}
