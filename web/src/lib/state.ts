// The states of runs and task instances: their order, words, letters and colours. The names are Airflow's.

/** From what needs a look first to what needs none. */
export const STATES = [
  "failed",
  "upstream_failed",
  "up_for_retry",
  "restarting",
  "running",
  "awaiting_input",
  "deferred",
  "up_for_reschedule",
  "queued",
  "scheduled",
  "none",
  "skipped",
  "success",
  "removed",
] as const;

export type State = (typeof STATES)[number];

export const RUN_STATES = ["queued", "running", "success", "failed"] as const satisfies readonly State[];

const WORDS: Record<State, string> = {
  failed: "failed",
  upstream_failed: "upstream failed",
  up_for_retry: "up for retry",
  restarting: "restarting",
  running: "running",
  awaiting_input: "awaiting input",
  deferred: "deferred",
  up_for_reschedule: "up for reschedule",
  queued: "queued",
  scheduled: "scheduled",
  none: "no status",
  skipped: "skipped",
  success: "success",
  removed: "removed",
};

const LETTERS: Record<string, State> = {
  ".": "none",
  s: "success",
  f: "failed",
  r: "running",
  q: "queued",
  c: "scheduled",
  k: "skipped",
  u: "upstream_failed",
  y: "up_for_retry",
  e: "up_for_reschedule",
  d: "deferred",
  t: "restarting",
  x: "removed",
};

/** A letter of a grid's row: there is no such task instance in this run. */
export const ABSENT = "-";

const RANKS = new Map<string, number>(STATES.map((state, rank) => [state, rank]));
const FINISHED: ReadonlySet<string> = new Set(["success", "failed", "skipped", "upstream_failed", "removed"]);
const MOVING: ReadonlySet<string> = new Set(["running", "restarting"]);

/** Understands what the API says; null and words of a newer server are "none". */
export function toState(word: string | null | undefined): State {
  return word != null && RANKS.has(word) ? (word as State) : "none";
}

/** The state that a letter of `GridRun.states` stands for; null when there is no such task instance. */
export function stateOfLetter(letter: string): State | null {
  return letter === ABSENT ? null : (LETTERS[letter] ?? "none");
}

export function stateWord(word: string | null | undefined): string {
  return WORDS[toState(word)];
}

export function isFinished(word: string | null | undefined): boolean {
  return FINISHED.has(toState(word));
}

/** Whether something is being done right now. */
export function isMoving(word: string | null | undefined): boolean {
  return MOVING.has(toState(word));
}

/** Where a state stands in lists and legends: the smaller, the sooner it needs a look. */
export function stateRank(word: string | null | undefined): number {
  return RANKS.get(toState(word)) ?? STATES.length;
}

/** What stands for many, such as for a folded group: the one that needs a look first. Null when there are none. */
export function worstState(states: Iterable<string | null>): State | null {
  let worst: State | null = null;
  for (const word of states) {
    const state = toState(word);
    if (worst === null || stateRank(state) < stateRank(worst)) worst = state;
  }
  return worst;
}

/** The states that were counted, in order, without those that nothing is in. */
export function sortedCounts(counts: Record<string, number>): { state: State; count: number }[] {
  const sums = new Map<State, number>();
  for (const [word, count] of Object.entries(counts)) {
    const state = toState(word);
    sums.set(state, (sums.get(state) ?? 0) + count);
  }
  return STATES.flatMap((state) => {
    const count = sums.get(state) ?? 0;
    return count > 0 ? [{ state, count }] : [];
  });
}

/** The CSS variable with a state's colour. */
export function stateColor(word: string | null | undefined): string {
  return `var(--state-${toState(word)})`;
}

/** The CSS variable for text on a state's full colour. */
export function stateInk(word: string | null | undefined): string {
  return `var(--state-${toState(word)}-fg)`;
}
