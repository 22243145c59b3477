// A line of a log in pieces: coloured by the task, marked by a search, and with links.

import { type Ink, type Piece, readAnsi } from "./ansi";

export interface Segment {
  text: string;
  ink: Ink;
  isMark: boolean;
  href: string | null;
}

interface Span {
  from: number;
  to: number;
}

const URL_LIKE = /https?:\/\/[^\s"'<>`\\]+[^\s"'<>`\\.,;:!?)\]}]/g;
/** Most marks in one line; the rest of a very long one stays unmarked. */
const MARKS = 200;

export function segmentsOf(text: string, mark: RegExp | null): Segment[] {
  const pieces = readAnsi(text);
  const plain = pieces.length === 1 ? (pieces[0]?.text ?? "") : pieces.map((piece) => piece.text).join("");
  const marks = mark ? spans(plain, mark) : [];
  const links = plain.includes("://") ? spans(plain, URL_LIKE) : [];
  if (marks.length === 0 && links.length === 0) {
    return pieces.map((piece) => ({ ...piece, isMark: false, href: null }));
  }
  return cut(pieces, marks, links, plain);
}

function spans(text: string, pattern: RegExp): Span[] {
  const found: Span[] = [];
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match && found.length < MARKS; match = pattern.exec(text)) {
    if (match[0] === "") pattern.lastIndex += 1;
    else found.push({ from: match.index, to: match.index + match[0].length });
  }
  return found;
}

function cut(pieces: readonly Piece[], marks: Span[], links: Span[], plain: string): Segment[] {
  const edges = [...new Set([...marks, ...links].flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b);
  const segments: Segment[] = [];
  let at = 0;
  let edge = 0;
  for (const piece of pieces) {
    const end = at + piece.text.length;
    let from = at;
    while (from < end) {
      while (edge < edges.length && (edges[edge] ?? 0) <= from) edge += 1;
      const to = Math.min(end, edges[edge] ?? end);
      const holds = (span: Span) => span.from <= from && to <= span.to;
      const link = links.find(holds);
      segments.push({
        text: piece.text.slice(from - at, to - at),
        ink: piece.ink,
        isMark: marks.some(holds),
        href: link ? plain.slice(link.from, link.to) : null,
      });
      from = to;
    }
    at = end;
  }
  return segments;
}
