/**
 * Chooses what takes a role: our script, its counterpart, or a file.
 *
 * @module
 */
/// <reference lib="dom" />
import { html } from "../book/dom.ts";
import type { Role } from "../catalog/header.ts";
import type { Choice, FromPage, HalfData } from "./messages.ts";

const KINDS: [kind: Choice["kind"], label: string][] = [
  ["script", "our script"],
  ["counterpart", "our Python counterpart"],
  ["file", "a file"],
];

/** A form for what takes a role. */
export class HalfForm {
  /** The element to put on the page. */
  readonly element: HTMLFormElement;
  #kind: HTMLSelectElement;
  #file: HTMLInputElement;
  #path: HTMLElement;
  #args: HTMLInputElement;
  #button: HTMLButtonElement;
  #shown!: HalfData;

  /** Makes the form with what takes the role now. */
  constructor(role: Role, half: HalfData, send: (message: FromPage) => void) {
    const field = (label: string, hint: string, changed: () => void) =>
      html("input", {
        type: "text",
        "aria-label": `${label} of the ${role}`,
        placeholder: hint,
        autocomplete: "off",
        spellcheck: "false",
        input: changed,
      });
    const update = () => this.#update();
    this.#kind = html(
      "select",
      {
        "aria-label": `Program of the ${role}`,
        change: () => {
          const isShown = this.#kind.value === this.#shown.choice.kind;
          const hasSession = this.#kind.value !== "file" && this.#shown.choice.kind !== "file";
          if (!isShown && !hasSession) this.#args.value = "";
          this.#update();
        },
      },
      ...KINDS.map(([kind, label]) => html("option", { value: kind }, label)),
    );
    this.#file = field("Path", "path of a .py, .ts or .js file", update);
    this.#args = field("Arguments", "no arguments", update);
    this.#path = html("label", { class: "file" }, "Path", this.#file);
    this.#button = html("button", { type: "submit" }, "Use it");
    this.element = html(
      "form",
      { class: `half ${role}`, "aria-label": `The program of the ${role}` },
      html("label", {}, `The ${role} is`, this.#kind),
      this.#path,
      html("label", { class: "args" }, "with", this.#args),
      this.#button,
    );
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      const { choice } = this;
      const isNew = choice.kind !== this.#shown.choice.kind && this.#args.value === "";
      send({ type: "choose", role, choice, args: isNew ? undefined : this.#args.value });
    });
    this.show(half);
  }

  /** What the form says. */
  get choice(): Choice {
    const kind = this.#kind.value as Choice["kind"];
    return kind === "file" ? { kind, file: this.#file.value } : { kind };
  }

  /** Shows what takes the role. */
  show(half: HalfData) {
    this.#shown = half;
    const { choice, args } = half;
    this.#kind.value = choice.kind;
    if (choice.kind === "file") this.#file.value = choice.file;
    this.#args.value = args;
    this.#update();
  }

  #update() {
    this.#path.hidden = this.#kind.value !== "file";
    const isSame = JSON.stringify(this.choice) === JSON.stringify(this.#shown.choice) &&
      this.#args.value === this.#shown.args;
    this.#button.classList.toggle("play", !isSame);
  }
}
