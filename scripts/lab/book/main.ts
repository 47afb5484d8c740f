/**
 * Builds the lab book's page in the browser, from the data that the page contains.
 *
 * @module
 */
/// <reference lib="dom" />
import type { BookData, LabData, ScriptData } from "./data.ts";
import { commandWords, html, prose } from "./dom.ts";
import { Player } from "./player.ts";
import { ROLES } from "./trace_view.ts";

const book: BookData = JSON.parse(document.getElementById("book")!.textContent!);
const sections = book.labs.map(section);
document.getElementById("made")!.textContent = book.made;
document.querySelector("main")!.append(...sections.map(({ element }) => element));
document.querySelector("nav")!.append(...tableOfContents(book.labs));
redraw(); // only now do they have a width
if (location.hash) {
  document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
  if (!(target instanceof Element) || target.matches("input, select")) return;
  if (key === " " && target.matches("button, summary, a")) return;
  const player = playerFor(target);
  if (!player) return;
  const actions: Record<string, () => void> = {
    " ": () => player.toggle(),
    ArrowLeft: () => player.goTo(player.position - 1),
    ArrowRight: () => player.goTo(player.position + 1),
    Home: () => player.goTo(0),
    End: () => player.goTo(Infinity),
  };
  if (!Object.hasOwn(actions, key)) return;
  event.preventDefault();
  actions[key]();
});

let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === width) return; // a phone hides its address bar
  width = innerWidth;
  redraw();
});

function redraw() {
  for (const { player } of sections) player.measure();
  for (const { player } of sections) player.redraw();
}

addEventListener("beforeprint", () => sections.forEach(({ player }) => player.unfold()));
addEventListener("afterprint", () => sections.forEach(({ player }) => player.fold()));

/** Returns the player that the keys control: the one with the focus, or the nearest on the screen. */
function playerFor(target: Element): Player | undefined {
  const focused = sections.find(({ element }) => element.contains(target));
  if (focused) return focused.player;
  const middle = innerHeight / 2;
  const distance = ({ player }: { player: Player }) => {
    const { top, bottom } = player.element.getBoundingClientRect();
    return Math.max(top - middle, middle - bottom, 0);
  };
  const [nearest] = sections.toSorted((a, b) => distance(a) - distance(b));
  return nearest && distance(nearest) < middle ? nearest.player : undefined;
}

/** Makes the links to the labs, a list for each course. */
function tableOfContents(labs: LabData[]): HTMLElement[] {
  return [...Map.groupBy(labs, ({ course }) => course)].map(([course, labs]) => {
    const links = labs.map((lab) =>
      html("li", {}, html("a", { href: `#${lab.name}` }, lab.name, transportOf(lab)))
    );
    return html("div", {}, html("h2", {}, course), html("ul", {}, ...links));
  });
}

/** Makes the section of a lab. */
function section(lab: LabData): { element: HTMLElement; player: Player } {
  const player = new Player(lab);
  const element = html(
    "section",
    { "data-lab": lab.name, id: lab.name, "aria-labelledby": `${lab.name}-title` },
    html(
      "div",
      { class: "title" },
      html("h2", { id: `${lab.name}-title` }, lab.name),
      transportOf(lab),
      html("span", { class: "soft" }, lab.course),
      html("a", { href: "#top" }, "All labs"),
    ),
    html(
      "div",
      { class: "lesson" },
      ...ROLES.map((role) => html("div", { class: role }, ...lesson(lab.scripts[role]))),
    ),
    player.element,
    html(
      "div",
      { class: "ways" },
      ...lab.ways.map(({ title, commands }) =>
        html("div", {}, html("h3", {}, title), ...commands.map(copyableCommand))
      ),
    ),
  );
  return { element, player };
}

/** Makes what a script's header says about it. */
function lesson({ name, teaches, differences }: ScriptData): HTMLElement[] {
  const lists = differences.map(({ title, items }) => {
    const list = html("ul", {}, ...items.map((item) => html("li", {}, ...prose(item))));
    return html("div", { class: "differences" }, html("strong", {}, title), list);
  });
  return [html("h3", {}, name), ...teaches.map((text) => html("p", {}, ...prose(text))), ...lists];
}

function transportOf({ transport }: LabData): HTMLElement {
  return html("span", { class: `kind ${transport}` }, transport.toUpperCase());
}

/** Makes a command with a button that copies it. */
function copyableCommand(text: string): HTMLElement {
  const code = html("code", {}, ...commandWords(text));
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      getSelection()?.selectAllChildren(code); // the reader can copy it with the keyboard
      button.textContent = "Selected";
    }
    setTimeout(() => button.textContent = "Copy", 1500);
  };
  const button = html(
    "button",
    { type: "button", "aria-label": `Copy ${text}`, click: copy },
    "Copy",
  );
  return html("div", { class: "command" }, code, button);
}
