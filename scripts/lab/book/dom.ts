/**
 * Makes the elements of the page.
 *
 * @module
 */
/// <reference lib="dom" />

/** Attributes by name. A function listens to the event of that name; `undefined` is left out. */
export type Attributes = Record<
  string,
  string | number | boolean | undefined | (() => void)
>;

/** Makes an HTML element. Strings become text, never markup. */
export function html<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  return fill(document.createElement(name), attributes, children);
}

/** Makes an SVG element. Strings become text, never markup. */
export function svg<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): SVGElementTagNameMap[Name] {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  return fill(element, attributes, children);
}

function fill<E extends Element>(
  element: E,
  attributes: Attributes,
  children: (Node | string)[],
): E {
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value !== undefined) element.setAttribute(key, `${value}`);
  }
  element.append(...children);
  return element;
}

/** Makes an icon of 16 by 16 units from an SVG path. */
export function icon(path: string): SVGSVGElement {
  return svg("svg", { viewBox: "0 0 16 16", "aria-hidden": true }, svg("path", { d: path }));
}

/** Returns prose with its `code` as elements. */
export function prose(text: string): (Node | string)[] {
  return text.split("`").map((part, i) => i % 2 === 1 ? html("code", {}, part) : part);
}

/** Returns the words of a command: a line break never splits one. */
export function commandWords(command: string): Node[] {
  return command.split(/(?<= )/).map((word) => html("span", { class: "word" }, word));
}
