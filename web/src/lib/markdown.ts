// As much of Markdown as people write about their DAGs. What it does not know stays text; HTML is never let through.

export type Inline =
  | { kind: "text" | "code" | "strong" | "em"; text: string }
  | { kind: "link"; text: string; href: string };

export type Block =
  | { kind: "heading"; level: number; inline: Inline[] }
  | { kind: "paragraph"; inline: Inline[] }
  | { kind: "list"; isOrdered: boolean; items: Inline[][] }
  | { kind: "code"; text: string };

export function parseMarkdown(text: string): Block[] {
  const blocks: Block[] = [];
  const lines = text.split(/\r?\n/);
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? "";
    if (line.trim() === "") at += 1;
    else if (/^\s*```/.test(line)) at = takeFence(lines, at, blocks);
    else if (/^( {4}|\t)/.test(line)) at = takeIndented(lines, at, blocks);
    else if (/^#{1,6} /.test(line)) {
      const level = line.indexOf(" ");
      blocks.push({ kind: "heading", level, inline: parseInline(line.slice(level + 1).trim()) });
      at += 1;
    } else if (ITEM.test(line)) at = takeList(lines, at, blocks);
    else at = takeParagraph(lines, at, blocks);
  }
  return blocks;
}

const ITEM = /^\s*(?:[-*+]|\d+[.)])\s+/;

function takeFence(lines: string[], from: number, blocks: Block[]): number {
  let to = from + 1;
  while (to < lines.length && !/^\s*```/.test(lines[to] ?? "")) to += 1;
  blocks.push({ kind: "code", text: lines.slice(from + 1, to).join("\n") });
  return to + 1;
}

function takeIndented(lines: string[], from: number, blocks: Block[]): number {
  let to = from;
  while (to < lines.length && /^( {4}|\t)|^\s*$/.test(lines[to] ?? "")) to += 1;
  const text = lines.slice(from, to).map((line) => line.replace(/^( {4}|\t)/, ""));
  blocks.push({ kind: "code", text: text.join("\n").trimEnd() });
  return to;
}

function takeList(lines: string[], from: number, blocks: Block[]): number {
  const items: string[] = [];
  let to = from;
  for (; to < lines.length; to += 1) {
    const line = lines[to] ?? "";
    if (ITEM.test(line)) items.push(line.replace(ITEM, ""));
    else if (/^\s+\S/.test(line) && items.length > 0) items[items.length - 1] += ` ${line.trim()}`;
    else break;
  }
  blocks.push({ kind: "list", isOrdered: /^\s*\d/.test(lines[from] ?? ""), items: items.map(parseInline) });
  return to;
}

function takeParagraph(lines: string[], from: number, blocks: Block[]): number {
  let to = from;
  while (
    to < lines.length &&
    !/^\s*$|^\s*```|^#{1,6} /.test(lines[to] ?? "") &&
    !(to > from && ITEM.test(lines[to] ?? ""))
  )
    to += 1;
  blocks.push({ kind: "paragraph", inline: parseInline(lines.slice(from, to).join(" ").trim()) });
  return to;
}

/** Only addresses that lead somewhere: never `javascript:`. */
const LINK = /^(?:https?:\/\/|mailto:|\/(?!\/))/i;

export function parseInline(text: string): Inline[] {
  const found: Inline[] = [];
  const rule = /`([^`]+)`|\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*|\[([^\]]+)\]\(([^)\s]+)\)|<(https?:\/\/[^>\s]+)>/g;
  let from = 0;
  for (const match of text.matchAll(rule)) {
    if (match.index > from) found.push({ kind: "text", text: text.slice(from, match.index) });
    from = match.index + match[0].length;
    const [whole, code, strong, em, label, href, bare] = match;
    if (code !== undefined) found.push({ kind: "code", text: code });
    else if (strong !== undefined) found.push({ kind: "strong", text: strong });
    else if (em !== undefined) found.push({ kind: "em", text: em });
    else if (bare !== undefined) found.push({ kind: "link", text: bare, href: bare });
    else if (label !== undefined && href !== undefined && LINK.test(href))
      found.push({ kind: "link", text: label, href });
    else found.push({ kind: "text", text: whole });
  }
  if (from < text.length) found.push({ kind: "text", text: text.slice(from) });
  return found;
}
