// Colours in a terminal's text: what they say becomes styled pieces; every other escape sequence is dropped.

export interface Ink {
  /** 0 to 15: the terminal's own colours; else "rgb(…)" */
  color?: number | string;
  background?: number | string;
  bold?: boolean;
  dim?: boolean;
  italic?: boolean;
  underline?: boolean;
  strike?: boolean;
}

export interface Piece {
  text: string;
  ink: Ink;
}

// biome-ignore-start lint/suspicious/noControlCharactersInRegex: escape sequences are control characters
const ESCAPES =
  /\u001b(?:\[([0-?]*)[ -/]*([@-~])|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[ -/]+[0-~]|[@-Z\\^_])|[\u0000-\u0008\u000b-\u001f\u007f]/g;
// biome-ignore-end lint/suspicious/noControlCharactersInRegex: escape sequences are control characters

/** The pieces of a line. Each line begins plain: lines of several streams stand between each other. */
export function readAnsi(text: string): Piece[] {
  const pieces: Piece[] = [];
  let ink: Ink = {};
  let from = 0;
  ESCAPES.lastIndex = 0;
  for (let match = ESCAPES.exec(text); match; match = ESCAPES.exec(text)) {
    if (match.index > from) pieces.push({ text: text.slice(from, match.index), ink });
    from = match.index + match[0].length;
    if (match[2] === "m") ink = changeInk(ink, match[1] ?? "");
  }
  if (from < text.length) pieces.push({ text: text.slice(from), ink });
  return pieces;
}

/** The text without colours. */
export function plainText(text: string): string {
  return text.replace(ESCAPES, "");
}

function changeInk(before: Ink, codes: string): Ink {
  let ink: Ink = { ...before };
  const numbers = codes === "" ? [0] : codes.split(/[;:]/).map(Number);
  for (let at = 0; at < numbers.length; at++) {
    const code = numbers[at] ?? 0;
    if (code === 0) ink = {};
    else if (code === 38 || code === 48) {
      const { color, used } = extended(numbers.slice(at + 1));
      if (color !== undefined) ink[code === 38 ? "color" : "background"] = color;
      at += used;
    } else ink = { ...ink, ...simple(code) };
  }
  return ink;
}

function simple(code: number): Ink {
  if (code >= 30 && code <= 37) return { color: code - 30 };
  if (code >= 90 && code <= 97) return { color: code - 82 };
  if (code >= 40 && code <= 47) return { background: code - 40 };
  if (code >= 100 && code <= 107) return { background: code - 92 };
  return SIMPLE[code] ?? {};
}

const SIMPLE: Record<number, Ink> = {
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underline: true },
  9: { strike: true },
  22: { bold: undefined, dim: undefined },
  23: { italic: undefined },
  24: { underline: undefined },
  29: { strike: undefined },
  39: { color: undefined },
  49: { background: undefined },
};

/** After 38 or 48: `5;n`, or `2;r;g;b`. */
function extended(rest: readonly number[]): { color?: number | string; used: number } {
  if (rest[0] === 5) return { color: paletteColor(rest[1] ?? 0), used: 2 };
  if (rest[0] === 2) return { color: rgb(rest[1], rest[2], rest[3]), used: 4 };
  return { used: 0 };
}

/** Of 256: 16 of the terminal, a cube of 6×6×6, and 24 greys. */
function paletteColor(n: number): number | string {
  if (n < 16) return n;
  if (n >= 232) return rgb(8 + (n - 232) * 10, 8 + (n - 232) * 10, 8 + (n - 232) * 10);
  const level = (step: number) => (step === 0 ? 0 : 55 + step * 40);
  const at = n - 16;
  return rgb(level(Math.floor(at / 36)), level(Math.floor(at / 6) % 6), level(at % 6));
}

function rgb(...parts: (number | undefined)[]): string {
  return `rgb(${[0, 1, 2].map((place) => Math.max(0, Math.min(255, Math.trunc(parts[place] ?? 0) || 0))).join(" ")})`;
}
