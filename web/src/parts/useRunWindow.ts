// Which runs a view over time shows, as its URL says: how many, until when, of which type and state.

import { useMemo } from "react";
import { type Url, useUrl } from "./useUrl";

export const RUN_COUNTS = [25, 50, 100, 365] as const;

export interface RunWindow {
  /** As the server takes it */
  filter: { limit: number; run_after_lte?: string; before_run_id?: string; run_type?: string[]; state?: string[] };
  isFiltered: boolean;
  change: (change: {
    limit?: number;
    /** RFC 3339; null = now */
    until?: string | null;
    /** Only what comes after this run: moments alone do not tell runs of one moment apart */
    before?: string | null;
    run_type?: string[];
    state?: string[];
  }) => void;
  clear: () => void;
}

/** With its URL, for what else a page keeps there. */
export function useRunWindow(otherwise: (typeof RUN_COUNTS)[number] = RUN_COUNTS[0]): RunWindow & { url: Url } {
  const url = useUrl();
  return useMemo(() => {
    const asked = url.number("limit", otherwise);
    const until = url.text("until");
    const types = url.list("run_type");
    const states = url.list("state");
    return {
      url,
      filter: {
        limit: RUN_COUNTS.find((count) => count >= asked) ?? otherwise,
        run_after_lte: until || undefined,
        before_run_id: url.text("before") || undefined,
        run_type: types.length > 0 ? types : undefined,
        state: states.length > 0 ? states : undefined,
      },
      isFiltered: until !== "" || types.length > 0 || states.length > 0,
      change: ({ limit, ...change }) =>
        url.set({ ...change, ...(limit && { limit: limit === otherwise ? null : limit }) }),
      clear: () => url.set({ until: null, before: null, run_type: null, state: null }),
    };
  }, [url, otherwise]);
}
