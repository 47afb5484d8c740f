/**
 * The faults of the wire: for the next segment or datagram, for those that are held, and at random.
 *
 * @module
 */
/// <reference lib="dom" />
import { html } from "../book/dom.ts";
import { ROLES } from "../book/trace_view.ts";
import type { Role } from "../catalog/header.ts";
import type { Action, Fault, FaultsData, FromPage, HeldData } from "./messages.ts";

const LABELS: Record<Action, string> = {
  drop: "Drop",
  duplicate: "Duplicate",
  delay: "Delay",
  split: "Split",
};

/** A panel with the faults. */
export class FaultPanel {
  /** The element to put on the page. */
  readonly element: HTMLElement;
  #send: (message: FromPage) => void;
  #next: { from: Role; action: Action; button: HTMLElement }[] = [];
  #hold: HTMLInputElement;
  #loss: HTMLInputElement;
  #share: HTMLOutputElement = html("output");
  #amounts: Partial<Record<Action, HTMLInputElement>>;
  #held: HTMLElement = html("ul", { class: "held", "aria-label": "Held on the wire" });

  /** Makes the panel for a transport: `tcp` or `udp`. */
  constructor(transport: string, send: (message: FromPage) => void) {
    this.#send = send;
    const unit = transport === "tcp" ? "segment" : "datagram";
    this.#hold = html("input", {
      type: "checkbox",
      change: () => send({ type: "hold", isHolding: this.#hold.checked }),
    });
    this.#loss = html("input", {
      type: "range",
      min: 0,
      max: 100,
      step: 5,
      value: 0,
      "aria-label": "Loss in percent",
      input: () => send({ type: "loss", share: this.#loss.valueAsNumber / 100 }),
    });
    const amount = (name: string, hint: string) =>
      html("input", { type: "number", min: 1, max: 10000, placeholder: hint, "aria-label": name });
    const delay = amount("Milliseconds of a delay", "500");
    const split = amount("Bytes of the first part of a split", "half");
    this.#amounts = { delay, split };
    const groups = ROLES.map((from) =>
      html(
        "div",
        { class: `bar ${from}`, role: "group", "aria-label": `Next ${unit} from the ${from}` },
        html("span", { class: "next" }, `Next from the ${from}:`),
        ...Object.keys(LABELS).map((action) => this.#button(from, action as Action)),
      )
    );
    const about = transport === "tcp"
      ? "On TCP, Drop removes the bytes for good, so that you see what the programs do without them. " +
        "Random loss is what TCP makes of it: the segment is sent again and arrives later."
      : "UDP does not send a lost datagram again. That is left to the programs. Of a split datagram, " +
        "only the first part arrives.";
    this.element = html(
      "section",
      { class: "faults", "aria-label": "Faults of the wire" },
      ...groups,
      html(
        "div",
        { class: "bar" },
        html("label", {}, this.#hold, `Hold every ${unit} until I choose`),
        html("label", {}, "Delay by", delay, "ms"),
        html("label", {}, "Split after", split, "bytes"),
        html("label", { class: "loss" }, "Random loss", this.#loss, this.#share),
      ),
      this.#held,
      html("p", { class: "soft" }, about),
    );
  }

  #fault(action: Action): Fault {
    const amount = this.#amounts[action]?.valueAsNumber;
    return { action, amount: Number.isNaN(amount) ? undefined : amount };
  }

  #button(from: Role, action: Action): HTMLElement {
    const button = html("button", {
      type: "button",
      "aria-pressed": "false",
      click: () => this.#send({ type: "next", from, fault: this.#fault(action) }),
    }, LABELS[action]);
    this.#next.push({ from, action, button });
    return button;
  }

  /** Shows which faults wait, and what is held. */
  show({ next, isHolding, loss, held }: FaultsData) {
    for (const { from, action, button } of this.#next) {
      const isSet = next.some((one) => one.from === from && one.action === action);
      button.setAttribute("aria-pressed", `${isSet}`);
    }
    this.#hold.checked = isHolding;
    this.#loss.value = `${Math.round(100 * loss)}`;
    this.#share.textContent = `${Math.round(100 * loss)} %`;
    const before = new Map([...this.#held.children].map((item) => [item.id, item]));
    this.#held.replaceChildren(
      ...held.map((one) => before.get(`held-${one.id}`) ?? this.#item(one)),
    );
  }

  #item({ id, from, client, text, length }: HeldData): HTMLElement {
    const release = (label: string, action?: Action) =>
      html("button", {
        type: "button",
        click: () => this.#send({ type: "release", id, fault: action && this.#fault(action) }),
      }, label);
    const number = client === 1 ? "" : ` ${client}`;
    const to = from === "server" ? `client${number}` : "server";
    const size = length === 1 ? "1 byte" : `${length} bytes`;
    return html(
      "li",
      { id: `held-${id}`, class: `bar ${from}` },
      html("strong", {}, from === "server" ? "server" : `client${number}`),
      html("span", {}, `to the ${to}, ${size}: `, html("code", {}, text)),
      release("Deliver"),
      ...Object.entries(LABELS).map(([action, label]) => release(label, action as Action)),
    );
  }
}
