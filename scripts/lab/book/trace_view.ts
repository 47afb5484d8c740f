/**
 * Draws trace events as they come: two terminals, and between them the wire. The recordings are
 * drawn with it, and so can be programs that run now.
 *
 * @module
 */
/// <reference lib="dom" />
import type { Role } from "../catalog/header.ts";
import {
  arrowTexts,
  byteCount,
  callText,
  isOnWire,
  sentence,
  type TraceEvent,
} from "../trace/words.ts";
import type { EventData } from "./data.ts";
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

/** A line of a source: the one that caused an event. */
export interface Cause {
  /** The role of its program. */
  role: Role;
  /** The line's number. */
  row?: number;
  /** Whether it is a line of what is shown next to the script. */
  isOther?: boolean;
}

/** How to show events. */
export interface TraceOptions {
  /** The transport: `tcp` or `udp`. */
  transport: string;
  /** The instructions that the reader sees before the first event. */
  hint: string;
  /** How many events remain on the page, of those on the wire and of those in a terminal. */
  limit?: number;
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
  #limit: number;
  #most: number; // events before some are removed
  #drawn: Drawn[] = [];
  #removed = 0; // events at the start that were removed from the page
  #top = 0; // the y coordinate of the diagram's edge
  #expected: TraceEvent[] = [];
  #width: number = MIN_WIDTH;
  #height = 0;
  #latest?: Element;
  #marked: Element[] = [];
  #server: Terminal = new Terminal("server");
  #clients: Map<number, Terminal> = new Map();
  #column: HTMLElement = html("div", { class: "clients client" });
  #diagram: SVGSVGElement = svg("svg", {
    role: "group",
    "aria-label": "Sequence diagram: the traffic between server and client",
  });
  #lifelines: SVGLineElement[] = [];
  #hint: SVGTextElement = svg("text", { class: "hint", y: 40 });
  #scroll: HTMLElement = html(
    "div",
    { class: "scroll", tabindex: 0, role: "group", "aria-label": "The wire" },
    this.#diagram,
  );

  /** Makes a view without events, with one client. */
  constructor({ transport, hint, limit = Infinity }: TraceOptions) {
    this.#limit = this.#most = limit;
    this.#hint.textContent = hint;
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
    this.element = html("div", { class: "trace" }, this.#server.element, wire, this.#column);
    this.setClients([1]);
  }

  /** The number of events that were drawn. */
  get length(): number {
    return this.#removed + this.#drawn.length;
  }

  /** Whether the end of the wire is visible. */
  get isAtEnd(): boolean {
    const { scrollTop, clientHeight, scrollHeight } = this.#scroll;
    return scrollTop + clientHeight > scrollHeight - MARGIN_ABOVE;
  }

  /** Shows a terminal for each of some clients. Those that remain keep what they show. */
  setClients(ids: number[]) {
    for (const [id, { element }] of this.#clients) {
      if (ids.includes(id)) continue;
      element.remove();
      this.#clients.delete(id);
    }
    for (const id of ids) {
      if (this.#clients.has(id)) continue;
      const terminal = new Terminal("client", id);
      this.#clients.set(id, terminal);
      this.#column.append(terminal.element);
    }
  }

  /** Returns the terminal of a program. For an unknown client it is the first client's. */
  terminal(role: Role, client = 1): Terminal {
    if (role === "server") return this.#server;
    return this.#clients.get(client) ?? this.#clients.values().next().value!;
  }

  get #terminals(): Terminal[] {
    return [this.#server, ...this.#clients.values()];
  }

  /**
   * Removes all events and shows the commands of the next run.
   *
   * @param commands The commands that start the programs.
   * @param expected The events that will be drawn, if they are known: the diagram gets their height.
   */
  start(commands: Record<Role, string>, expected: TraceEvent[] = []) {
    const others = expected.flatMap(({ client }) => client ?? []);
    this.setClients([...new Set([1, ...others])].sort((a, b) => a - b));
    this.#server.command = commands.server;
    for (const terminal of this.#clients.values()) terminal.command = commands.client;
    this.#expected = expected;
    this.measure();
    this.#clear();
  }

  /**
   * Takes the width that the view has now; `redraw` draws for it. With several views, all are measured before one is drawn,
   * so that the browser computes the layout only once.
   */
  measure() {
    const root = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const room = this.#scroll.clientWidth / (root * 0.06); // the text is as big as in the terminals
    this.#width = Math.min(Math.max(Math.floor(room), MIN_WIDTH), MAX_WIDTH);
  }

  /** Draws everything again for the width that was measured last. */
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
    const place = isText(event) ? this.terminal(event.from, event.client).output : this.#diagram;
    place.append(element);
    this.#drawn.push({ event, element, y, bottom });
    if (this.#drawn.length > this.#most) this.#removeFirst();
  }

  /** Removes the first events of the wire, or of a terminal, that has more than the limit. */
  #removeFirst() {
    const places = Map.groupBy(this.#drawn, ({ element }) => element.parentNode);
    const gone = new Set<Drawn>();
    for (const drawn of places.values()) {
      for (const one of drawn.slice(0, Math.max(0, drawn.length - this.#limit / 2))) gone.add(one);
    }
    for (const { element } of gone) element.remove();
    this.#removed += gone.size;
    this.#drawn = this.#drawn.filter((drawn) => !gone.has(drawn));
    this.#most = this.#drawn.length + this.#limit;
    const first = this.#drawn.find(({ event }) => !isText(event));
    this.#top = first ? first.y - this.#spaceFor(first.event).above - TOP : 0;
    this.#setHeight(this.#height);
  }

  /** Removes the latest event. Call `showLatest` after the last event of several. */
  removeLatest() {
    this.#drawn.pop()?.element.remove();
  }

  /**
   * Highlights the latest event.
   *
   * @param isFollowed Whether the wire scrolls to it.
   */
  showLatest(isFollowed = true) {
    const { element, y } = this.#drawn.at(-1) ?? {};
    this.#latest?.classList.remove("latest");
    element?.classList.add("latest");
    this.#latest = element;
    this.#hint.style.display = element ? "none" : "";
    if (!element) return;
    for (const terminal of this.#terminals) terminal.scrollToEnd();
    if (!isFollowed) return;
    const scale = this.#diagram.clientWidth / this.#width;
    const middle = (y ?? 0) - this.#top;
    const [top, bottom] = [middle - MARGIN_ABOVE, middle + MARGIN_BELOW].map((y) => y * scale);
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
    this.#drawn = [];
    this.#top = 0;
    for (const { output } of this.#terminals) output.replaceChildren();
    this.#hint.setAttribute("x", `${this.#width / 2}`);
    const lifelines = ROLES.map((role) => {
      const x = this.#lifeline(role);
      return svg("line", { class: `lifeline ${role}`, x1: x, x2: x });
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
    const top = this.#top;
    this.#diagram.setAttribute("viewBox", `0 ${top} ${this.#width} ${height - top}`);
    for (const line of this.#lifelines) {
      line.setAttribute("y1", `${top + TOP}`);
      line.setAttribute("y2", `${height - 8}`);
    }
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
        "data-bytes": byteCount(event),
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

/** Whether an event is in a terminal, and not in the diagram. */
function isText({ kind }: TraceEvent): boolean {
  return kind === "line" || kind === "note" || kind === "state";
}

/** A terminal: the command, and what its program prints. */
export class Terminal {
  /** The element to put on the page. */
  readonly element: HTMLElement;
  /** The bar above the screen. */
  readonly bar: HTMLElement;
  /** What the program has printed. */
  readonly output: HTMLElement;
  #client: number;
  #title: HTMLElement = html("strong");
  #command: HTMLElement = html("code", { class: "prompt" });
  #screen: HTMLElement;

  /** Makes an empty terminal for a program. */
  constructor(role: Role, client = 1) {
    this.#client = client;
    const name = client === 1 ? role : `${role} ${client}`;
    this.output = html("pre", {
      "data-terminal": name,
      role: "log",
      "aria-live": "off", // the event detail announces each event as a whole
      "aria-label": `Terminal of the ${name}`,
    });
    this.#screen = html(
      "div",
      { class: "screen", tabindex: 0, role: "group", "aria-label": `Output of the ${name}` },
      this.#command,
      this.output,
    );
    this.bar = html("figcaption", {}, this.#title);
    this.element = html("figure", { class: `terminal ${role}` }, this.bar, this.#screen);
  }

  /** The command that starts the program. */
  set command(command: string) {
    const name = command.match(/[^/\\\s]+\.(ts|py|[mc]?js)\b/)?.[0] ?? command;
    this.#title.textContent = this.#client === 1 ? name : `${this.#client}: ${name}`;
    this.#command.replaceChildren(...commandWords(command));
  }

  /** Scrolls to the latest output. */
  scrollToEnd() {
    this.#screen.scrollTop = this.#screen.scrollHeight;
  }
}

/** Returns an event from the data of the page. */
export function decodeEvent({ hex, ...event }: EventData): TraceEvent {
  if (hex === undefined) return event;
  return { ...event, data: (hex.match(/../g) ?? []).map((digits) => parseInt(digits, 16)) };
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
