// JSON over several lines, as people read it.

/** Only the space between is changed: numbers keep all their digits. What is no object or list stays as it is. */
export function prettyJson(text: string): string {
  if (!/^\s*[{[]/.test(text)) return text;
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
  let out = "";
  let depth = 0;
  let before = "";
  for (const token of tokens) {
    const isEnd = token === "}" || token === "]";
    const isAfterStart = before === "{" || before === "[";
    if (isEnd) depth -= 1;
    if (before === "," || (isAfterStart !== isEnd && (isAfterStart || isEnd))) out += `\n${"  ".repeat(depth)}`;
    out += token === ":" ? ": " : token;
    if (token === "{" || token === "[") depth += 1;
    before = token;
  }
  return out;
}
