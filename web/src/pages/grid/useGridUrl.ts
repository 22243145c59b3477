// What the grid shows, as its URL says.

import { useMemo } from "react";
import type { GridFilter } from "../../api/queries";
import { useUrl } from "../../parts/useUrl";

export const RUN_COUNTS = [25, 50, 100, 365] as const;

export interface GridUrl {
  filter: GridFilter;
  /** What tasks are searched for */
  query: string;
  folded: string[];
  /** `taskId` is "" for the run itself */
  selected: { runId: string; taskId: string } | null;
  isFiltered: boolean;
  change: (change: {
    limit?: number;
    /** RFC 3339; null = now */
    until?: string | null;
    run_type?: string[];
    state?: string[];
    q?: string;
    folded?: string[];
  }) => void;
  select: (selected: { runId: string; taskId: string } | null) => void;
  /** Folds a group, or opens it */
  fold: (group: string) => void;
  clear: () => void;
}

export function useGridUrl(): GridUrl {
  const url = useUrl();
  return useMemo(() => {
    const asked = url.number("limit", RUN_COUNTS[0]);
    const limit = RUN_COUNTS.find((count) => count >= asked) ?? RUN_COUNTS[0];
    const until = url.text("until");
    const types = url.list("run_type");
    const states = url.list("state");
    const folded = url.list("folded");
    const runId = url.text("run_id");
    return {
      filter: {
        limit,
        run_after_lte: until || undefined,
        run_type: types.length > 0 ? types : undefined,
        state: states.length > 0 ? states : undefined,
      },
      query: url.text("q"),
      folded,
      selected: runId ? { runId, taskId: url.text("task_id") } : null,
      isFiltered: until !== "" || types.length > 0 || states.length > 0,
      change: ({ limit, ...change }) =>
        url.set({ ...change, ...(limit && { limit: limit === RUN_COUNTS[0] ? null : limit }) }),
      select: (next) => url.set({ run_id: next?.runId, task_id: next?.taskId }),
      fold: (group) =>
        url.set({ folded: folded.includes(group) ? folded.filter((other) => other !== group) : [...folded, group] }),
      clear: () => url.set({ until: null, run_type: null, state: null }),
    };
  }, [url]);
}
