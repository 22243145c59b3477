// Pools: slots in words, and slots out of words.

/** The pool that is always there, and that tasks take slots of when they name none. */
export const DEFAULT_POOL = "default_pool";

export const SLOTS_MAX = 1_000_000_000;

/** "no limit" instead of -1 */
export function slotsWords(slots: number): string {
  return slots < 0 ? "no limit" : slots.toLocaleString("en");
}

/** What can be said at once; the server has the last word. */
export function slotsProblem(text: string): string | null {
  if (text.trim() === "") return "How many slots?";
  return /^\d{1,10}$/.test(text.trim()) && Number(text) <= SLOTS_MAX
    ? null
    : `A whole number from 0 to ${SLOTS_MAX.toLocaleString("en")}.`;
}
