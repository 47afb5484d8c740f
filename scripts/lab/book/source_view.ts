/**
 * Shows the original and the script of both roles side by side.
 *
 * @module
 */
/// <reference lib="dom" />
import type { Role } from "../catalog/header.ts";
import type { Row } from "../originals/align.ts";
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
  /** The roles of which not the script runs, but what is shown next to it. */
  others: Role[] = [];
  #rows: Map<string, Element> = new Map();
  #show: Partial<Record<Role, (isOther: boolean) => void>> = {};
  #marked?: Element;
  #current: Element[] = [];

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

  /** Shows what is next to a script in place of the script, where there is room for one of them. */
  showOther(role: Role) {
    this.#show[role]?.(true);
  }

  /** Marks a line, or none. */
  mark(cause?: Cause) {
    this.#marked?.classList.remove("marked");
    this.#marked = this.#find(cause);
    this.#marked?.classList.add("marked");
  }

  /** Shows which lines are being executed. Returns their elements. */
  setCurrent(causes: Cause[]): Element[] {
    for (const element of this.#current) element.classList.remove("current");
    this.#current = causes.flatMap((cause) => this.#find(cause) ?? []);
    for (const element of this.#current) element.classList.add("current");
    return this.#current;
  }

  #find(cause?: Cause): Element | undefined {
    return cause?.row === undefined ? undefined : this.#rows.get(keyOf(cause));
  }

  #table(role: Role, script: ScriptData, causes: Cause[]): HTMLElement {
    const { original, name, kind, lines } = script;
    const keys = new Set(causes.map(keyOf));
    const body = lines.map((line) => this.#line(role, line, keys));
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
      click: () => show(!box.classList.contains("original")),
    });
    const show = (isOther: boolean) => {
      box.classList.toggle("original", isOther);
      button.textContent = isOther ? "Show the script" : `Show the ${kind}`;
    };
    show(false);
    this.#show[role] = show;
    const title = html("h3", {}, `The ${role}: ${kind} and script`);
    return html(
      "div",
      { class: `role ${role}` },
      html("div", { class: "bar" }, title, button),
      box,
    );
  }

  #line(role: Role, line: Row, causes: Set<string>): HTMLElement {
    const { left, right, step, leftRow, rightRow } = line;
    const [color] = Object.entries(COLORS).find(([, [, ...steps]]) => steps.includes(step!)) ?? [];
    const keys = [{ role, row: rightRow }, { role, row: leftRow, isOther: true }]
      .filter(({ row }) => row !== undefined).map(keyOf);
    const isCause = keys.some((key) => causes.has(key));
    const enter = () => {
      const isOther = this.others.includes(role);
      this.onPoint({ role, row: isOther ? leftRow : rightRow, isOther });
    };
    const leave = () => this.onPoint();
    const classes = [color, left === undefined && "no-left", right === undefined && "no-right"];
    const element = html(
      "tr",
      {
        class: classes.filter(Boolean).join(" "),
        "data-step": step,
        tabindex: isCause ? 0 : undefined,
        mouseenter: step || isCause ? enter : undefined,
        mouseleave: leave,
        focus: enter,
        blur: leave,
      },
      html("td", { class: "left" }, left ?? ""),
      html("td", { class: "name" }, step ?? ""),
      html("td", { class: "right" }, right ?? ""),
    );
    for (const key of keys) this.#rows.set(key, element);
    return element;
  }
}

function keyOf({ role, row, isOther = false }: Cause): string {
  return `${role} ${row} ${isOther}`;
}

/** Makes the list of what the colors of the steps mean. */
function colorKey(): HTMLElement {
  const items = Object.entries(COLORS).map(([name, [meaning, ...steps]]) =>
    html("li", { class: name }, html("strong", {}, `${meaning}:`), ` ${steps.join(", ")}`)
  );
  return html("ul", { class: "key", "aria-label": "Colors of the steps" }, ...items);
}
