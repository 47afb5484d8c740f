/**
 * Builds the page of `lab live` in the browser, and connects it with the programs.
 *
 * @module
 */
/// <reference lib="dom" />
import { html } from "../book/dom.ts";
import { EventDetail } from "../book/event_detail.ts";
import { SourceView } from "../book/source_view.ts";
import { type Cause, decodeEvent, ROLES, TraceView } from "../book/trace_view.ts";
import type { Role } from "../catalog/header.ts";
import type { TraceEvent } from "../trace/words.ts";
import { FaultPanel } from "./fault_panel.ts";
import { HalfForm } from "./half_form.ts";
import type { FromPage, HalfData, LabEntry, LinesAtWork, ProgramData, ToPage } from "./messages.ts";
import { TerminalControls } from "./terminal_controls.ts";

const MANY = 20; // events at once
const PAUSE = 30; // milliseconds
const LIMIT = 200; // events on the wire, and pieces of text in a terminal, that remain on the page

const socket = new WebSocket(new URL("socket", location.href.replace(/^http/, "ws")));
const send = (message: FromPage) => {
  status.textContent = "";
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
};
const button = (name: string, click: () => void) => html("button", { type: "button", click }, name);

const status = html("p", { class: "message", role: "alert" });
const labList: HTMLSelectElement = html("select", {
  "aria-label": "Lab",
  change: () => send({ type: "lab", name: labList.value }),
});
const play = html("button", {
  type: "button",
  class: "play",
  click: () => send({ type: "startAll" }),
}, "Start both");
const toolbar = html(
  "div",
  { class: "bar", role: "toolbar", "aria-label": "The lab" },
  labList,
  play,
  button("Add a client", () => send({ type: "addClient" })),
  button("Keep as a page", () => send({ type: "keep", as: "page" })),
  button("Keep as text", () => send({ type: "keep", as: "text" })),
);
const bench = html("div", { class: "bench" });
document.querySelector("main")!.append(toolbar, status, bench);

let view: LiveView | undefined;

/** What the page shows of a lab. */
class LiveView {
  readonly element: HTMLElement;
  readonly faults: FaultPanel;
  #trace: TraceView;
  #detail: EventDetail = new EventDetail();
  #sources!: SourceView;
  #sourceBox: HTMLElement = html("div", { class: "sources" });
  #halves: Record<Role, HalfData>;
  #forms: Record<Role, HalfForm>;
  #controls: Map<string, TerminalControls> = new Map();
  #lines: Map<string, LinesAtWork> = new Map();

  constructor(lab: LabEntry, halves: Record<Role, HalfData>) {
    this.#halves = halves;
    this.#trace = new TraceView({
      transport: lab.transport,
      hint: "Start the server and the client",
      limit: LIMIT,
    });
    this.#trace.onPoint = (event, index) => {
      if (event) this.#detail.show(event, index);
      this.#mark(event && this.#causeOf(event));
    };
    this.faults = new FaultPanel(lab.transport, send);
    const form = (role: Role) => new HalfForm(role, halves[role], send);
    this.#forms = { server: form("server"), client: form("client") };
    this.element = html(
      "div",
      { class: "player", role: "group", "aria-label": `The lab ${lab.name}` },
      html("div", { class: "view" }, this.#trace.element),
      html("div", { class: "between" }, this.faults.element, this.#detail.element),
      html("div", { class: "forms" }, ...ROLES.map((role) => this.#forms[role].element)),
      this.#sourceBox,
    );
    this.#trace.start({ server: "", client: "" });
    this.#detail.show();
    this.#showSources();
  }

  redraw() {
    this.#trace.measure();
    this.#trace.redraw();
  }

  setHalf(role: Role, half: HalfData) {
    this.#halves[role] = half;
    this.#forms[role].show(half);
    for (const key of this.#lines.keys()) if (key.startsWith(role)) this.#lines.delete(key);
    this.#showSources();
  }

  setPrograms(programs: ProgramData[]) {
    this.#trace.setClients(programs.filter(({ role }) => role === "client").map(({ id }) => id));
    const isSeveral = programs.length > 2;
    const before = this.#controls;
    this.#controls = new Map();
    for (const program of programs) {
      const { role, id, command } = program;
      const key = `${role} ${id}`;
      const terminal = this.#trace.terminal(role, id);
      terminal.command = command;
      const controls = before.get(key) ?? new TerminalControls(terminal, role, id, send);
      this.#controls.set(key, controls);
      controls.show(program, isSeveral);
    }
    const isRunning = programs.every(({ status }) => status !== "stopped");
    play.setAttribute("aria-disabled", `${isRunning}`);
  }

  /** Shows what has happened. */
  add(events: TraceEvent[], lines: LinesAtWork[]) {
    const isFollowed = this.#trace.isAtEnd;
    for (const event of events) this.#trace.add(event);
    if (events.length > 0) this.#trace.showLatest(isFollowed);
    for (const line of lines) this.#lines.set(`${line.role} ${line.id}`, line);
    this.#showLines();
  }

  #causeOf({ from, row }: TraceEvent): Cause {
    return { role: from, row, isOther: this.#halves[from].side === "left" };
  }

  #mark(cause?: Cause) {
    this.#sources.mark(cause);
    this.#trace.mark(cause);
  }

  #showSources() {
    const { server, client } = this.#halves;
    this.#sources = new SourceView({ server: server.source, client: client.source }, []);
    this.#sources.others = ROLES.filter((role) => this.#halves[role].side === "left");
    this.#sources.onPoint = (cause) => this.#mark(cause);
    const [key, ...tables] = this.#sources.elements;
    this.#sourceBox.replaceChildren(...tables, key);
    for (const role of this.#sources.others) this.#sources.showOther(role);
    this.#showLines();
  }

  /** Lights the lines at work, and scrolls each source to its line. */
  #showLines() {
    const causes = [...this.#lines.values()].flatMap(({ role, rows }) => {
      const isOther = this.#halves[role].side === "left";
      return rows.map((row) => ({ role, row, isOther }));
    });
    for (const line of this.#sources.setCurrent(causes)) {
      const box = line.closest(".source")!;
      const { top, bottom } = line.getBoundingClientRect();
      const frame = box.getBoundingClientRect();
      if (top < frame.top + 40 || bottom > frame.bottom - 10) {
        box.scrollTop += (top + bottom - frame.top - frame.bottom) / 2;
      }
    }
  }
}

socket.addEventListener("message", ({ data }) => {
  const message: ToPage = JSON.parse(data);
  switch (message.type) {
    case "labs":
      labList.replaceChildren(
        ...message.labs.map(({ name, transport, course }) =>
          html("option", { value: name, title: course }, `${name} (${transport.toUpperCase()})`)
        ),
      );
      break;
    case "lab":
      labList.value = message.lab.name;
      view = new LiveView(message.lab, message.halves);
      bench.replaceChildren(view.element);
      view.faults.show(message.faults);
      view.redraw(); // only now it has a width
      break;
    case "half":
      view?.setHalf(message.role, message.half);
      break;
    case "programs":
      view?.setPrograms(message.programs);
      break;
    case "events":
      view?.add(message.events.map(decodeEvent), message.lines);
      // After many events, the browser first has time to paint them.
      setTimeout(
        () => socket.send(JSON.stringify({ type: "shown" } satisfies FromPage)),
        message.events.length > MANY ? PAUSE : 0,
      );
      break;
    case "faults":
      view?.faults.show(message.faults);
      break;
    case "kept":
      download(message.name, message.text);
      break;
    case "message":
      status.textContent = message.text;
  }
});

socket.addEventListener("close", () => {
  status.textContent = "The connection has ended: `lab live` was ended, or this page was asleep. " +
    "Start it again, or reload this page.";
  document.body.classList.add("ended");
});

let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === width) return; // a phone hides its address bar
  width = innerWidth;
  view?.redraw();
});

/** Saves a text as a file. */
function download(name: string, text: string) {
  const type = name.endsWith(".html") ? "text/html" : "text/plain";
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  html("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
  status.textContent = `The run was saved as ${name}.`;
}
