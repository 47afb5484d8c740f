/**
 * Shows the original and the script of both roles side by side.
 *
 * @module
 */
/// <reference lib="dom" />
import type { Role as Role } from "../catalog/header.ts";
import type { ScriptData } from "./data.ts";
import { html } from "./dom.ts";
import { type Cause, ROLES } from "./trace_view.ts";

/** The steps that share a color, and what they have in common. */
const COLORS: Record<string, [meaning: string, ...steps: string[]]> = {
  open: ["open", "bind", "accept", "connect"],
  receive: ["receive", "receive", "decoder", "decode"],
  send: ["send", "send", "encode", "upper case"],
  print: ["print and ask", "print", "input"],
  close: ["close", "close", "half-close", "timeout"],
};

/** The sources of a lab. */
export class SourceView {
  /** The elements to put on the page. */
  readonly elements: HTMLElement[];
  /** Called with the line that the reader points at, and with nothing when the pointer leaves. */
  onPoint: (cause?: Cause) => void = () => {};
  #rows: Record<Role, Map<number, Element>> = { server: new Map(), client: new Map() };
  #marked?: Element;
  #current?: Element;

  /**
   * Makes the tables.
   *
   * @param scripts The scripts with their originals.
   * @param causes The lines that cause something on the wire: Tab stops at them.
   */
  constructor(scripts: Record<Role, ScriptData>, causes: Cause[]) {
    const tables = ROLES.map((role) => this.#table(role, scripts[role], causes));
    this.elements = [colorKey(), ...tables];
  }

  /** Marks a line, or none. */
  mark(cause?: Cause) {
    this.#marked?.classList.remove("marked");
    this.#marked = this.#find(cause);
    this.#marked?.classList.add("marked");
  }

  /** Shows which line is being executed, if any is. */
  setCurrent(cause?: Cause) {
    this.#current?.classList.remove("current");
    this.#current = this.#find(cause);
    this.#current?.classList.add("current");
  }

  #find(cause?: Cause): Element | undefined {
    return cause?.row === undefined ? undefined : this.#rows[cause.role].get(cause.row);
  }

  #table(role: Role, script: ScriptData, causes: Cause[]): HTMLElement {
    const { original, name, isCounterpart, lines } = script;
    const kind = isCounterpart ? "counterpart" : "original";
    const body = lines.map((line) => this.#line(role, line, causes));
    const box = html(
      "div",
      {
        class: `source ${role}`,
        tabindex: 0,
        role: "region",
        "aria-label": `${original} next to ${name}`,
      },
      html(
        "table",
        {},
        html(
          "thead",
          {},
          html(
            "tr",
            {},
            html("th", { class: "left", scope: "col" }, original),
            html("th", { class: "name", scope: "col", "aria-label": "Step" }),
            html("th", { class: "right", scope: "col" }, name),
          ),
        ),
        html("tbody", {}, ...body),
      ),
    );
    const button = html("button", {
      type: "button",
      class: "switch",
      click: () => {
        const isOriginal = box.classList.toggle("original");
        button.textContent = isOriginal ? "Show the script" : `Show the ${kind}`;
      },
    }, `Show the ${kind}`);
    const title = html("h3", {}, `The ${role}: ${kind} and script`);
    return html(
      "div",
      { class: `role ${role}` },
      html("div", { class: "bar" }, title, button),
      box,
    );
  }

  #line(role: Role, line: ScriptData["lines"][number], causes: Cause[]): HTMLElement {
    const { left, right, step, row } = line;
    const [color] = Object.entries(COLORS).find(([, [, ...steps]]) => steps.includes(step!)) ?? [];
    const isCause = row !== undefined &&
      causes.some((cause) => cause.role === role && cause.row === row);
    const enter = () => this.onPoint({ role, row });
    const leave = () => this.onPoint();
    const classes = [color, left === undefined && "no-left", right === undefined && "no-right"];
    const element = html(
      "tr",
      {
        class: classes.filter(Boolean).join(" "),
        "data-step": step,
        tabindex: isCause ? 0 : undefined,
        mouseenter: step ? enter : undefined,
        mouseleave: leave,
        focus: enter,
        blur: leave,
      },
      html("td", { class: "left" }, left ?? ""),
      html("td", { class: "name" }, step ?? ""),
      html("td", { class: "right" }, right ?? ""),
    );
    if (row !== undefined) this.#rows[role].set(row, element);
    return element;
  }
}

/** Makes the list of what the colors of the steps mean. */
function colorKey(): HTMLElement {
  const items = Object.entries(COLORS).map(([name, [meaning, ...steps]]) =>
    html("li", { class: name }, html("strong", {}, `${meaning}:`), ` ${steps.join(", ")}`)
  );
  return html("ul", { class: "key", "aria-label": "Colors of the steps" }, ...items);
}
