/** Runs `lab live` and operates its page in a browser. */
/// <reference lib="dom" />
import { assert } from "@std/assert";
import { SCRIPTS } from "../../scripts/lab/catalog/header.ts";
import { DENO_RUN, Program } from "../../scripts/lab/process/program.ts";
import type { Page } from "./browser.ts";

/** A running `lab live`. */
export interface Live extends AsyncDisposable {
  program: Program;
  /** The address that it has printed. */
  address: URL;
}

/** Starts `lab live`, and waits until it has printed its address. */
export async function startLive(args: string[] = [], options?: Deno.CommandOptions): Promise<Live> {
  const command = [...DENO_RUN, "-A", `${SCRIPTS}lab.ts`, "live", ...args];
  const program = new Program(command, undefined, options);
  assert(await program.until(() => /^http\S+\n/.test(program.screen)), program.errors);
  const address = new URL(program.screen.split("\n")[0]);
  // With SIGKILL, the programs that it runs would stay.
  const close = async () => void await program.end();
  return { program, address, [Symbol.asyncDispose]: close };
}

/** Waits until a terminal, `server` or `client 2`, shows what a pattern describes. Notes do not count. */
export async function waitForOutput(page: Page, terminal: string, pattern: RegExp) {
  await page.waitForFunction(
    (name, source, flags) => {
      const element = document.querySelector(`[data-terminal="${name}"]`);
      return new RegExp(source, flags).test(element?.textContent ?? "");
    },
    {},
    terminal,
    pattern.source,
    pattern.flags,
  );
}

/** Returns what the program of a terminal has printed to stdout, and what was typed. */
export function output(page: Page, terminal: string): Promise<string> {
  return page.$$eval(
    `[data-terminal="${terminal}"] .line`,
    (spans) => spans.map(({ textContent }) => textContent).join(""),
  );
}

/** Returns the arrows: sender, kind and bytes of each, with `late` for a delayed one. */
export function arrows(page: Page): Promise<string[]> {
  return page.$$eval(
    "g[data-event]",
    (arrows) =>
      arrows.map((arrow) => {
        const { from, kind, bytes } = (arrow as SVGGElement).dataset;
        return `${from} ${kind} ${bytes}`;
      }),
  );
}

/** Clicks a button by its name, the first one in a part of the page. Waits until there is one. */
export async function press(page: Page, name: string, part = "body") {
  await page.waitForFunction(
    (name, part) => {
      const buttons = [...document.querySelectorAll<HTMLButtonElement>(`${part} button`)];
      const found = buttons.find((button) =>
        button.checkVisibility() && (button.ariaLabel ?? button.textContent) === name
      );
      found?.click();
      return found !== undefined;
    },
    {},
    name,
    part,
  );
}

/** Types a line to a program. */
export async function type(page: Page, program: string, line: string) {
  await page.$eval(`[aria-label="Type to the ${program}"]`, (input, line) => {
    (input as HTMLInputElement).value = line;
    (input as HTMLInputElement).form!.requestSubmit();
  }, line);
}

/** Chooses what takes a role, and waits until its terminal shows the command, or the page a message. */
export async function choose(page: Page, role: string, kind: string, path = "", args = "") {
  await page.$eval(
    `form.half.${role}`,
    (form, role, kind, path, args) => {
      const field = (label: string) =>
        form.querySelector<HTMLInputElement>(`[aria-label="${label} of the ${role}"]`)!;
      field("Program").value = kind;
      field("Path").value = path;
      field("Arguments").value = args;
      (form as HTMLFormElement).requestSubmit();
    },
    role,
    kind,
    path,
    args,
  );
  const end = args || path.split(/[/\\]/).at(-1)!;
  await page.waitForFunction(
    (role, end) =>
      document.querySelector(`.terminal.${role} .prompt`)!.textContent!.endsWith(end) ||
      document.querySelector(".message")!.textContent !== "",
    {},
    role,
    end,
  );
}

/** Returns the message of the page. */
export function message(page: Page): Promise<string> {
  return page.$eval(".message", ({ textContent }) => textContent!);
}

/** Waits until a program is `running` or `stopped`. */
export async function waitForStatus(page: Page, terminal: string, status: string) {
  await page.waitForFunction(
    (name, status) =>
      document.querySelector(`[data-terminal="${name}"]`)!.closest("figure")!
        .querySelector(".status")!.textContent === status,
    {},
    terminal,
    status,
  );
}

/** Clicks a button that saves a file. Returns its text. */
export function download(page: Page, name: string): Promise<string> {
  return page.evaluate(async (name) => {
    const blob = new Promise<Blob>((resolve) => {
      const { createObjectURL } = URL;
      URL.createObjectURL = (blob) => {
        URL.createObjectURL = createObjectURL;
        resolve(blob as Blob);
        return "#"; // nothing is saved
      };
    });
    const buttons = [...document.querySelectorAll("button")];
    buttons.find(({ textContent }) => textContent === name)!.click();
    return (await blob).text();
  }, name);
}
