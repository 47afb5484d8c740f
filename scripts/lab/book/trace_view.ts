/**
 * Draws trace events as they come: two terminals, and between them the wire. The recordings are
 * drawn with it, and so can be programs that run now.
 *
 * @module
 */
/// <reference lib="dom" />
import type { Role as Role } from "../catalog/header.ts";
import { arrowTexts, callText, isOnWire, sentence, type TraceEvent } from "../trace/words.ts";
import { commandWords, html, svg } from "./dom.ts";

// The diagram has units of its own, so that its text scales with its width.
const CHARACTER = { width: 8.2, height: 17 };
const MAX_LINES = 4; // of a message above its arrow
const [MIN_WIDTH, MAX_WIDTH] = [300, 640];
const MARGIN = 16; // between an edge and a lifeline
const TOP = 8; // the y coordinate where the lifelines begin
const [MARGIN_ABOVE, MARGIN_BELOW] = [100, 60]; // what is visible around the latest event

/** The two programs of a lab. */
export const ROLES: readonly Role[] = ["server", "client"];

/** A line of a script: the one that caused an event. */
export interface Cause {
  /** The script's role. */
  role: Role;
  /** The line's number. */
  row?: number;
}

/** An event with its element, and the y coordinates where it is and where the next one begins. */
interface Drawn {
  event: TraceEvent;
  element: Element;
  y: number;
  bottom: number;
}

/** Two terminals and the wire between them. */
export class TraceView {
  /** The element to put on the page. */
  readonly element: HTMLElement;
  /** Called with the event that the reader points at, and with nothing when the pointer leaves. */
  onPoint: (event?: TraceEvent, index?: number) => void = () => {};
  #drawn: Drawn[] = [];
  #expected: TraceEvent[] = [];
  #width: number = MIN_WIDTH;
  #height = 0;
  #latest?: Element;
  #marked: Element[] = [];
  #terminals: Record<Role, Terminal> = {
    server: new Terminal("server"),
    client: new Terminal("client"),
  };
  #diagram: SVGSVGElement = svg("svg", {
    role: "group",
    "aria-label": "Sequence diagram: the traffic between server and client",
  });
  #lifelines: SVGLineElement[] = [];
  #hint: SVGTextElement = svg("text", { class: "hint", y: 40 }, "Press Play, or go step by step");
  #scroll: HTMLElement = html(
    "div",
    { class: "scroll", tabindex: 0, role: "group", "aria-label": "The wire" },
    this.#diagram,
  );

  /** Makes a view without events for a transport: `tcp` or `udp`. */
  constructor(transport: string) {
    const wire = html(
      "figure",
      { class: "wire" },
      html(
        "figcaption",
        {},
        html("strong", { class: "server" }, "server"),
        html("span", { class: "soft" }, `the wire, ${transport.toUpperCase()}`),
        html("strong", { class: "client" }, "client"),
      ),
      this.#scroll,
    );
    const { server, client } = this.#terminals;
    this.element = html("div", { class: "trace" }, server.element, wire, client.element);
  }

  /** The number of events drawn. */
  get length(): number {
    return this.#drawn.length;
  }

  /**
   * Removes all events and shows the commands of the next run.
   *
   * @param commands The commands that start the programs.
   * @param expected The events that will be drawn, if they are known: the diagram gets their height.
   */
  start(commands: Record<Role, string>, expected: TraceEvent[] = []) {
    for (const role of ROLES) this.#terminals[role].command = commands[role];
    this.#expected = expected;
    this.#clear();
  }

  /** Draws everything again for the width that the view has now. */
  redraw() {
    const events = this.#drawn.map(({ event }) => event);
    this.#clear();
    for (const event of events) this.add(event);
    this.showLatest();
  }

  /** Draws the next event. Call `showLatest` after the last event of several. */
  add(event: TraceEvent) {
    const { above, below } = this.#spaceFor(event);
    const y = (this.#drawn.at(-1)?.bottom ?? TOP) + above;
    const bottom = y + below;
    if (bottom + 16 > this.#height) this.#setHeight(bottom + 16);
    const element = isOnWire(event)
      ? this.#arrow(event, this.length, y)
      : event.kind === "call"
      ? this.#tick(event, y)
      : html("span", { class: event.kind }, event.text + (event.kind === "note" ? "\n" : ""));
    const isText = event.kind === "line" || event.kind === "note";
    (isText ? this.#terminals[event.from].output : this.#diagram).append(element);
    this.#drawn.push({ event, element, y, bottom });
  }

  /** Removes the latest event. Call `showLatest` after the last event of several. */
  removeLatest() {
    this.#drawn.pop()?.element.remove();
  }

  /** Highlights the latest event and scrolls to it. */
  showLatest() {
    const { element, y } = this.#drawn.at(-1) ?? {};
    this.#latest?.classList.remove("latest");
    element?.classList.add("latest");
    this.#latest = element;
    this.#hint.style.display = element ? "none" : "";
    for (const role of ROLES) this.#terminals[role].scrollToEnd();
    const scale = this.#diagram.clientWidth / this.#width;
    const [top, bottom] = [(y ?? 0) - MARGIN_ABOVE, (y ?? 0) + MARGIN_BELOW].map((y) => y * scale);
    const { scrollTop, clientHeight } = this.#scroll;
    if (bottom > scrollTop + clientHeight) this.#scroll.scrollTop = bottom - clientHeight;
    else if (top < scrollTop) this.#scroll.scrollTop = top;
  }

  /** Marks the arrows that a line of a script caused, or none. */
  mark(cause?: Cause) {
    for (const element of this.#marked) element.classList.remove("marked");
    this.#marked = cause?.row === undefined ? [] : this.#drawn
      .filter(({ event }) =>
        isOnWire(event) && event.from === cause.role && event.row === cause.row
      )
      .map(({ element }) => element);
    for (const element of this.#marked) element.classList.add("marked");
  }

  #clear() {
    const root = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const room = this.#scroll.clientWidth / (root * 0.06); // the text is as big as in the terminals
    this.#width = Math.min(Math.max(Math.floor(room), MIN_WIDTH), MAX_WIDTH);
    this.#drawn = [];
    for (const role of ROLES) this.#terminals[role].output.replaceChildren();
    this.#hint.setAttribute("x", `${this.#width / 2}`);
    const lifelines = ROLES.map((role) => {
      const x = this.#lifeline(role);
      return svg("line", { class: `lifeline ${role}`, x1: x, x2: x, y1: TOP });
    });
    this.#lifelines = lifelines;
    this.#diagram.replaceChildren(...lifelines, this.#hint);
    this.#scroll.scrollTop = 0;
    let height = TOP;
    for (const event of this.#expected) {
      const { above, below } = this.#spaceFor(event);
      height += above + below;
    }
    this.#setHeight(height + 16);
  }

  #setHeight(height: number) {
    this.#height = height;
    this.#diagram.setAttribute("viewBox", `0 0 ${this.#width} ${height}`);
    for (const line of this.#lifelines) line.setAttribute("y2", `${height - 8}`);
  }

  /** Returns the x coordinate of a role's lifeline. */
  #lifeline(role: Role): number {
    return role === "server" ? MARGIN : this.#width - MARGIN;
  }

  /** Returns how much room an event needs in the diagram, above and below its y coordinate. */
  #spaceFor(event: TraceEvent): { above: number; below: number } {
    if (event.kind === "call") return { above: 18, below: 6 };
    if (!isOnWire(event)) return { above: 0, below: 0 };
    return { above: 16 + CHARACTER.height * this.#messageLines(event).length, below: 26 };
  }

  #messageLines(event: TraceEvent): string[] {
    const columns = Math.floor((this.#width - 60) / CHARACTER.width);
    return wrap(arrowTexts(event)[0], columns, MAX_LINES);
  }

  #tick(event: TraceEvent, y: number): SVGElement {
    const { from } = event;
    const x = this.#lifeline(from);
    const [text] = wrap(callText(event), Math.floor((this.#width - 70) / CHARACTER.width), 1);
    const side = from === "server" ? 13 : -13;
    return svg(
      "g",
      { class: from },
      svg("circle", { class: "dot", cx: x, cy: y, r: 4.5 }),
      svg("text", { class: `tick ${from}`, x: x + side, y: y + 4 }, text),
    );
  }

  #arrow(event: TraceEvent, index: number, y: number): SVGElement {
    const { kind, from } = event;
    const direction = from === "server" ? 1 : -1;
    const start = this.#lifeline(from) + 7 * direction;
    const target = this.#lifeline(from === "server" ? "client" : "server") - 8 * direction;
    const end = kind === "lost" ? start + 0.7 * (target - start) : target;
    const back = end - 10 * direction;
    const head = kind === "lost"
      ? `M${end - 7} ${y - 7}l14 14m0 -14l-14 14`
      : `M${back} ${y - 6}L${end} ${y}L${back} ${y + 6}`;
    const lines = this.#messageLines(event);
    const x = (start + end) / 2;
    const firstLine = y - 9 - CHARACTER.height * (lines.length - 1);
    const top = firstLine - CHARACTER.height + 2;
    const enter = () => this.onPoint(event, index);
    const leave = () => this.onPoint();
    return svg(
      "g",
      {
        "data-event": index,
        "data-kind": kind,
        "data-from": from,
        "data-bytes": event.data?.length ?? 0,
        class: from,
        role: "img",
        tabindex: 0,
        "aria-label": sentence(event),
        mouseenter: enter,
        focus: enter,
        click: enter,
        mouseleave: leave,
        blur: leave,
      },
      svg("rect", { x: 20, y: top, width: this.#width - 40, height: y + 23 - top, rx: 8 }),
      svg("path", { class: "shaft", d: `M${start} ${y}H${end}` }),
      svg("path", { class: "head", d: head }),
      ...lines.map((line, i) =>
        svg("text", { class: "above", x, y: firstLine + CHARACTER.height * i }, line)
      ),
      svg("text", { class: "size", x, y: y + 17 }, arrowTexts(event)[1]),
    );
  }
}

/** A terminal: the command, and what its program prints. */
class Terminal {
  readonly element: HTMLElement;
  readonly output: HTMLElement;
  #title: HTMLElement = html("strong");
  #command: HTMLElement = html("code", { class: "prompt" });
  #screen: HTMLElement;

  constructor(role: Role) {
    this.output = html("pre", {
      "data-terminal": role,
      role: "log",
      "aria-live": "off", // the event detail announces each event as a whole
      "aria-label": `Terminal of the ${role}`,
    });
    this.#screen = html(
      "div",
      { class: "screen", tabindex: 0, role: "group", "aria-label": `Output of the ${role}` },
      this.#command,
      this.output,
    );
    const caption = html("figcaption", {}, this.#title);
    this.element = html("figure", { class: `terminal ${role}` }, caption, this.#screen);
  }

  set command(command: string) {
    this.#title.textContent = command.match(/[^/\s]+\.(ts|py|m?js)\b/)?.[0] ?? command;
    this.#command.replaceChildren(...commandWords(command));
  }

  scrollToEnd() {
    this.#screen.scrollTop = this.#screen.scrollHeight;
  }
}

/** Breaks text into lines, after a space if possible, and shortens the last line if it is too long. */
function wrap(text: string, columns: number, maxLines: number): string[] {
  const lines: string[] = [];
  let rest = [...text];
  while (rest.length > columns && lines.length < maxLines - 1) {
    const space = rest.lastIndexOf(" ", columns);
    lines.push(rest.splice(0, space > columns / 2 ? space + 1 : columns).join(""));
  }
  if (rest.length > columns) rest = [...rest.slice(0, columns - 1), "…"];
  return [...lines, rest.join("")];
}
