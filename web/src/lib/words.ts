// Numbers with their nouns.

/** "1 run", "1,234 runs" */
export function countOf(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}
