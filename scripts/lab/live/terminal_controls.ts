/**
 * The controls of a program in its terminal: start and stop, and a line to type.
 *
 * @module
 */
/// <reference lib="dom" />
import { html } from "../book/dom.ts";
import type { Terminal } from "../book/trace_view.ts";
import type { Role } from "../catalog/header.ts";
import type { FromPage, ProgramData, Status } from "./messages.ts";

/** The buttons and the line of a terminal. */
export class TerminalControls {
  #role: Role;
  #id: number;
  #send: (message: FromPage) => void;
  #status: Status = "stopped";
  #state: HTMLElement = html("span", { class: "status" });
  #toggle: HTMLButtonElement;
  #remove: HTMLButtonElement;
  #line: HTMLInputElement;

  /** Adds the controls to a terminal. */
  constructor(terminal: Terminal, role: Role, id: number, send: (message: FromPage) => void) {
    this.#role = role;
    this.#id = id;
    this.#send = send;
    const place = { role, id };
    const name = this.#name;
    this.#toggle = html("button", {
      type: "button",
      click: () => send({ type: this.#status === "stopped" ? "start" : "stop", ...place }),
    });
    this.#remove = html("button", {
      type: "button",
      "aria-label": `Remove the ${name}`,
      title: `Remove the ${name}`,
      click: () => send({ type: "removeClient", id }),
    }, "×");
    terminal.bar.append(this.#state, this.#toggle, ...role === "client" ? [this.#remove] : []);
    this.#line = html("input", {
      type: "text",
      "aria-label": `Type to the ${name}`,
      placeholder: "Type a line, then Enter",
      autocomplete: "off",
      autocapitalize: "off",
      spellcheck: "false",
    });
    const form = html(
      "form",
      { class: "keyboard" },
      this.#line,
      html("button", {
        type: "button",
        "aria-label": `End the input of the ${name} (Ctrl-D)`,
        title: "End the input (Ctrl-D)",
        click: () => send({ type: "endInput", ...place }),
      }, "^D"),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#type();
    });
    terminal.element.append(form);
  }

  get #name(): string {
    return this.#id === 1 ? this.#role : `${this.#role} ${this.#id}`;
  }

  #type() {
    if (this.#status !== "running") return;
    this.#send({ type: "type", role: this.#role, id: this.#id, line: this.#line.value });
    this.#line.value = "";
  }

  /** Shows what the program does, and whether its client can be removed. */
  show({ status }: ProgramData, isRemovable: boolean) {
    this.#status = status;
    this.#state.textContent = status;
    this.#state.classList.toggle("running", status === "running");
    const action = status === "stopped" ? "Start" : "Stop";
    this.#toggle.textContent = action;
    this.#toggle.setAttribute("aria-label", `${action} the ${this.#name}`);
    this.#remove.hidden = !isRemovable;
  }
}
