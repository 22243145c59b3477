// How a run began. The names are Airflow's.

const WORDS: Record<string, string> = {
  scheduled: "scheduled",
  manual: "manual",
  backfill: "backfill",
};

export const RUN_TYPES: readonly string[] = Object.keys(WORDS);

export function runTypeWord(type: string): string {
  return WORDS[type] ?? type.replaceAll("_", " ");
}
