/**
 * Finds in what a program printed the lines that it should print.
 *
 * @module
 */

/** Returns whether lines are in a text in this order, with other lines between them or not. */
export function containsLines(lines: string, text: string): boolean {
  let from = 0;
  return lines.split("\n").every((line) => {
    const at = `\n${text}`.indexOf(`\n${line}\n`, from);
    from = at + line.length + 1;
    return at >= 0;
  });
}

/** Returns the first of some lines that is not in a text. */
export function missingLine(lines: string, text: string): string {
  const all = lines.split("\n");
  const count = all.findIndex((_, i) => !containsLines(all.slice(0, i + 1).join("\n"), text));
  return all[count] ?? "";
}

/**
 * Returns what follows a text in all lines that begin with it, put together. A piece in Python's
 * notation for bytes counts as its bytes, so that a character may begin in one and end in the next.
 */
export function joinedPieces(start: string, screen: string): string {
  const pieces = screen.split("\n").filter((line) => line.startsWith(start))
    .map((line) => line.slice(start.length));
  if (pieces.length === 0 || !pieces.every((piece) => LITERAL.test(piece))) return pieces.join("");
  return new TextDecoder().decode(Uint8Array.from(pieces.flatMap(bytesOf)));
}

const LITERAL = /^b'((?:[^'\\]|\\.)*)'$|^b"((?:[^"\\]|\\.)*)"$/;

/** Returns the bytes that Python shows as `b'...'`. */
function bytesOf(literal: string): number[] {
  const text = literal.slice(2, -1).replace(
    /\\(x[0-9a-f]{2}|.)/g,
    (_, escape: string) =>
      escape.startsWith("x")
        ? String.fromCharCode(parseInt(escape.slice(1), 16))
        : ({ n: "\n", r: "\r", t: "\t" })[escape] ?? escape,
  );
  return Array.from(text, (character) => character.charCodeAt(0));
}

/** Returns a text in which the bytes that Python shows as `b'...'` are text. */
export function withoutNotation(text: string): string {
  return text.replace(
    /b'(?:[^'\\\n]|\\.)*'|b"(?:[^"\\\n]|\\.)*"/g,
    (literal) => new TextDecoder().decode(Uint8Array.from(bytesOf(literal))),
  );
}
