// Finding by a few letters, for the command palette.

/** How well `query` finds `text`: 0 = not at all. Letters must come in order; beginnings of words and runs count. */
export function matchScore(query: string, text: string): number {
  const wanted = query.toLowerCase().replace(/\s+/g, "");
  if (wanted === "") return 1;
  const given = text.toLowerCase();
  const at = given.indexOf(query.trim().toLowerCase());
  if (at >= 0) return 1_000 - Math.min(at, 400) + (isWordStart(given, at) ? 500 : 0) - Math.min(given.length, 200) / 10;
  let score = 0;
  let from = 0;
  let previous = -2;
  for (const letter of wanted) {
    const found = given.indexOf(letter, from);
    if (found < 0) return 0;
    score += found === previous + 1 ? 8 : isWordStart(given, found) ? 6 : 1;
    previous = found;
    from = found + 1;
  }
  return score;
}

function isWordStart(text: string, at: number): boolean {
  return at === 0 || /[^a-z0-9]/.test(text[at - 1] ?? "");
}

/** Those that match, the best first; equals keep their order. */
export function bestMatches<T>(query: string, items: readonly T[], text: (item: T) => string, most = 50): T[] {
  return items
    .map((item) => ({ item, score: matchScore(query, text(item)) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, most)
    .map(({ item }) => item);
}
