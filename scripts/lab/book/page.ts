/**
 * Writes the page of the lab book: one file with the style, the data and the player in it.
 *
 * @module
 */
import module from "node:module";
import { UserError } from "../../cli.ts";
import type { BookData, LabData } from "./data.ts";

const STYLE = '<link rel="stylesheet" href="style.css">';
const SCRIPT = '<script type="module" src="main.ts"></script>';
const DATA = '<script type="application/json" id="book"></script>';

/**
 * Reads the parts of the lab book's page.
 *
 * @returns A function that puts labs into the page and returns its HTML.
 * @throws {UserError} This version of Deno is too old.
 */
export async function loadPage(): Promise<(labs: LabData[]) => string> {
  const template = await readTemplate("page.html", "main.ts", ["style.css"]);
  return (labs) => {
    const made = `${new Date().toISOString().slice(0, 10)} with Deno\u00a0${Deno.version.deno}`;
    const book: BookData = { made, labs };
    // In JSON, "<" is only in strings. As an escape, it cannot end the element around it.
    const data = JSON.stringify(book).replaceAll("<", "\\u003c");
    return template.replace(DATA, () => DATA.replace("><", `>${data}<`));
  };
}

/**
 * Reads a page, and puts its styles and its script into it.
 *
 * @param page The page. All paths are relative to this module.
 * @param main The module that it runs.
 * @param styles Its styles.
 * @throws {UserError} This version of Deno is too old.
 */
export async function readTemplate(page: string, main: string, styles: string[]): Promise<string> {
  const read = (name: string) => Deno.readTextFile(new URL(name, import.meta.url));
  const [template, ...texts] = await Promise.all([page, ...styles].map(read));
  const script = await bundle(new URL(main, import.meta.url));
  return template
    .replace(STYLE, () => `<style>\n${texts.join("")}</style>`)
    .replace(SCRIPT, () => `<script type="module">\n${script}</script>`);
}

/** Returns a module and what it imports as the text of one script, without types. */
async function bundle(url: URL, included: Set<string> = new Set()): Promise<string> {
  if (included.has(url.href)) return "";
  included.add(url.href);
  const code = stripTypes(await Deno.readTextFile(url));
  const IMPORT = /^import\b[^;]*?"(.+)";\n/gm;
  let script = "";
  for (const [, path] of code.matchAll(IMPORT)) {
    script += await bundle(new URL(path, url), included);
  }
  return script + code.replace(IMPORT, "").replace(/^export /gm, "");
}

function stripTypes(source: string): string {
  const { stripTypeScriptTypes: strip }: { stripTypeScriptTypes?: (_: string) => string } = module;
  if (strip) return strip(source);
  throw new UserError(
    `the page needs Deno 2.8.3 or later, and this is ${Deno.version.deno}`,
    "install the latest version: deno upgrade",
  );
}
