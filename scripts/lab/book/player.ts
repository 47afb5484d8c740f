/**
 * Plays the recordings of a lab: takes events from a recording, and has them drawn or removed.
 *
 * @module
 */
/// <reference lib="dom" />
import { isOnWire, sentence, type TraceEvent } from "../trace/words.ts";
import type { LabData, RecordingData } from "./data.ts";
import { html, icon, prose } from "./dom.ts";
import { EventDetail } from "./event_detail.ts";
import { SourceView } from "./source_view.ts";
import { type Cause, decodeEvent, TraceView } from "./trace_view.ts";

const STEP_INTERVAL = 900; // milliseconds between two steps at normal speed
const SPEEDS = [0.5, 1, 2, 4, 8];

/** A recording that is ready to play. */
type Recording = Omit<RecordingData, "events"> & { events: TraceEvent[] };

/** The player of a lab's recordings. */
export class Player {
  /** The element to put on the page. */
  readonly element: HTMLElement;
  #recordings: Recording[];
  #recording: Recording;
  #timer?: ReturnType<typeof setInterval>;
  #trace: TraceView;
  #detail: EventDetail = new EventDetail();
  #sources: SourceView;
  #copies: Node[] = [];
  #folded?: { recording: Recording; position: number };

  #controls: Controls;
  #tabs: HTMLElement[];
  #title: HTMLElement = html("h3"); // on paper, which has no tabs
  #about: HTMLElement = html("p", { class: "soft" });
  #header: HTMLElement;
  #view: HTMLElement;
  #list: HTMLElement = html("ol");

  /** Makes the player with the first recording at its start. */
  constructor(lab: LabData) {
    this.#recordings = lab.recordings.map((recording) => ({
      ...recording,
      events: recording.events.map(decodeEvent),
    }));
    [this.#recording] = this.#recordings;
    const { transport } = lab;
    this.#trace = new TraceView({ transport, hint: "Press Play, or go step by step" });
    this.#trace.onPoint = (event, index) => {
      if (event) this.#detail.show(event, index);
      this.#mark(event && causeOf(event, this.#recording));
    };
    const causes = this.#recordings.flatMap((recording) =>
      recording.events.filter(isOnWire).map((event) => causeOf(event, recording))
    );
    this.#sources = new SourceView(lab.scripts, causes);
    this.#sources.onPoint = (cause) => this.#mark(cause);
    this.#controls = new Controls(this);
    this.#tabs = this.#recordings.map((recording) =>
      html("button", { type: "button", click: () => this.#load(recording) }, recording.title)
    );
    const hasTabs = this.#tabs.length > 1;
    this.#header = html(
      "div",
      { class: "recordings" },
      ...(hasTabs ? [html("div", {}, ...this.#tabs), this.#title] : []),
      this.#about,
    );
    this.#view = html("div", { class: "view" }, this.#controls.element, this.#trace.element);
    this.element = html(
      "div",
      { class: "player", role: "group", "aria-label": `Recording of ${lab.name}` },
      this.#header,
      this.#view,
      this.#detail.element,
      html("details", {}, html("summary", {}, "The recording in words"), this.#list),
      ...this.#sources.elements,
    );
    this.#load(this.#recording);
  }

  /** The number of events shown. */
  get position(): number {
    return this.#trace.length;
  }

  /** The number of events in the recording. */
  get length(): number {
    return this.#recording.events.length;
  }

  /** Whether the recording is playing. */
  get isPlaying(): boolean {
    return this.#timer !== undefined;
  }

  /** Goes to a position, from 0 to `length`, and stops there. */
  goTo(position: number) {
    this.pause();
    const target = Math.min(Math.max(position, 0), this.length);
    while (this.position < target) this.#trace.add(this.#recording.events[this.position]);
    while (this.position > target) this.#trace.removeLatest();
    this.#update();
  }

  /** Plays if paused, and pauses if playing. */
  toggle() {
    if (this.isPlaying) this.pause();
    else this.play();
  }

  /** Plays, from the start if the recording is at its end. */
  play() {
    this.pause();
    if (this.position === this.length) this.goTo(0);
    const step = () => {
      this.#trace.add(this.#recording.events[this.position]);
      if (this.position === this.length) this.pause();
      this.#update();
    };
    this.#timer = setInterval(step, STEP_INTERVAL / this.#controls.speed);
    step();
  }

  /** Stops playing. */
  pause() {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#controls.update();
  }

  /** Takes the width that the player has now; see `TraceView`. */
  measure() {
    this.#trace.measure();
  }

  /** Draws everything again for the width that was measured last. */
  redraw() {
    this.#trace.redraw();
    this.#update();
  }

  /** Shows all recordings at their end, one below the other, for printing. */
  unfold() {
    this.#folded = { recording: this.#recording, position: this.position };
    for (const recording of this.#recordings.toReversed()) {
      this.#load(recording);
      this.goTo(Infinity);
      if (recording === this.#recordings[0]) break;
      this.#copies.unshift(this.#header.cloneNode(true), this.#view.cloneNode(true));
    }
    this.#detail.element.before(...this.#copies);
  }

  /** Returns to what `unfold` found. */
  fold() {
    for (const copy of this.#copies) copy.parentNode?.removeChild(copy);
    this.#copies = [];
    if (!this.#folded) return;
    this.#load(this.#folded.recording);
    this.goTo(this.#folded.position);
  }

  #load(recording: Recording) {
    this.#recording = recording;
    this.#sources.others = recording.others ?? [];
    this.#recordings.forEach((other, i) =>
      this.#tabs[i].setAttribute("aria-pressed", `${other === recording}`)
    );
    this.#title.textContent = recording.title;
    this.#about.replaceChildren(...prose(recording.about));
    this.#list.replaceChildren(
      ...recording.events.map((event) => html("li", {}, sentence(event))),
    );
    this.#trace.start(recording.commands, recording.events);
    this.goTo(0);
  }

  #mark(cause?: Cause) {
    this.#sources.mark(cause);
    this.#trace.mark(cause);
  }

  #update() {
    const event = this.#recording.events[this.position - 1];
    this.#trace.showLatest();
    this.#detail.show(event, this.position - 1);
    this.#sources.setCurrent(event ? [causeOf(event, this.#recording)] : []);
    this.#controls.update();
  }
}

/** The buttons, the slider and the counter of a player. */
class Controls {
  readonly element: HTMLElement;
  #player: Player;
  #start: HTMLElement;
  #previous: HTMLElement;
  #play: HTMLElement;
  #next: HTMLElement;
  #speed: HTMLSelectElement;
  #slider: HTMLInputElement;
  #count: HTMLElement = html("span", { class: "count soft" });

  constructor(player: Player) {
    this.#player = player;
    const button = (title: string, path: string, click: () => void) =>
      html(
        "button",
        { type: "button", class: "icon", title, "aria-label": title, click },
        icon(path),
      );
    this.#start = button("Go to the start", "M3 3V13M12.5 3L7 8L12.5 13", () => player.goTo(0));
    this.#previous = button(
      "Previous step",
      "M10.5 3L5 8L10.5 13",
      () => player.goTo(player.position - 1),
    );
    this.#play = html("button", { type: "button", class: "play", click: () => player.toggle() });
    this.#next = button(
      "Next step",
      "M5.5 3L11 8L5.5 13",
      () => player.goTo(player.position + 1),
    );
    this.#speed = html(
      "select",
      { "aria-label": "Speed", change: () => player.isPlaying && player.play() },
      ...SPEEDS.map((speed) => html("option", { value: speed }, `${speed} ×`)),
    );
    this.#speed.value = "1";
    this.#slider = html("input", {
      type: "range",
      min: 0,
      "aria-label": "Step",
      input: () => player.goTo(this.#slider.valueAsNumber),
    });
    this.element = html(
      "div",
      { class: "bar", role: "toolbar", "aria-label": "Playback" },
      this.#start,
      this.#previous,
      this.#play,
      this.#next,
      this.#speed,
      this.#slider,
      this.#count,
    );
  }

  get speed(): number {
    return Number(this.#speed.value);
  }

  /** Shows the player's position, and whether it plays. */
  update() {
    const { position, length, isPlaying } = this.#player;
    // A disabled button would lose the focus, and the keys would no longer reach this player.
    for (const button of [this.#start, this.#previous]) {
      button.setAttribute("aria-disabled", `${position === 0}`);
    }
    this.#next.setAttribute("aria-disabled", `${position === length}`);
    const name = isPlaying ? "Pause" : "Play";
    this.#play.replaceChildren(
      icon(isPlaying ? "M4.5 3V13M11.5 3V13" : "M4 2.5L13 8L4 13.5Z"),
      name,
    );
    this.#play.setAttribute("aria-label", name);
    this.#play.title = name;
    this.#count.textContent = `Step ${position} of ${length}`;
    this.#slider.max = `${length}`;
    this.#slider.value = `${position}`;
    this.#slider.setAttribute("aria-valuetext", this.#count.textContent);
  }
}

/** Returns the line that caused an event of a recording. */
function causeOf({ from, row }: TraceEvent, { others = [] }: Recording): Cause {
  return { role: from, row, isOther: others.includes(from) };
}
