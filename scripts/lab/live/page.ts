/**
 * Writes the page of `lab live`.
 *
 * @module
 */
import { readTemplate } from "../book/page.ts";

/** The page, and the headers to send with it. */
export interface LivePage {
  /** The page as HTML. */
  html: string;
  /** The headers. They allow this page's own script and connection, and nothing else. */
  headers: Record<string, string>;
}

/**
 * Reads the parts of the page.
 *
 * @throws {UserError} This version of Deno is too old.
 */
export async function loadLivePage(): Promise<LivePage> {
  const nonce = crypto.getRandomValues(new Uint8Array(16)).toHex();
  const html = await readTemplate("../live/page.html", "../live/main.ts", [
    "style.css",
    "../live/style.css",
  ]);
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    "style-src 'unsafe-inline'",
    "img-src data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    html: html.replace('<script type="module">', `<script type="module" nonce="${nonce}">`),
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy.join("; "),
      "cache-control": "no-store",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
    },
  };
}
