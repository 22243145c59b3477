// Which lines of a chart are on, as the URL says: ?line=…, "all" or "none"; without it the usual ones.

import { useMemo } from "react";
import { useUrl } from "../../parts/useUrl";
import type { ColoredSeries } from "./SeriesPage";

export interface Choice {
  query: string;
  search: (query: string) => void;
  /** What the search finds */
  found: readonly ColoredSeries[];
  isOn: (id: string) => boolean;
  isUsual: boolean;
  toggle: (id: string) => void;
  /** Of what the search finds */
  all: () => void;
  none: () => void;
  reset: () => void;
}

/** The run as a whole: its line has no id, but a URL needs a word. */
const RUN = "~run";
const NONE = "~none";
const ALL = "~all";

export function useChoice(usual: readonly string[], lines: readonly ColoredSeries[]): Choice {
  const url = useUrl();
  return useMemo(() => {
    const kept = url.list("line");
    const query = url.text("q");
    const wanted = query.toLowerCase();
    const found = lines.filter((line) => `${line.label} ${line.id}`.toLowerCase().includes(wanted));
    const ids = lines.map((line) => line.id);
    const on = new Set(chosen());
    const keep = (next: ReadonlySet<string>) => {
      const list = ids.filter((id) => next.has(id));
      const word = list.length === ids.length ? [ALL] : list.length === 0 ? [NONE] : list.map((id) => id || RUN);
      url.set({ line: word });
    };
    return {
      query,
      search: (q) => url.set({ q }),
      found,
      isOn: (id) => on.has(id),
      isUsual: kept.length === 0,
      toggle: (id) => keep(on.has(id) ? new Set([...on].filter((other) => other !== id)) : new Set([...on, id])),
      all: () => keep(new Set([...on, ...found.map((line) => line.id)])),
      none: () => keep(new Set([...on].filter((id) => !found.some((line) => line.id === id)))),
      reset: () => url.set({ line: null }),
    };

    function chosen(): readonly string[] {
      if (kept.length === 0) return usual;
      if (kept.includes(ALL)) return ids;
      return kept.map((id) => (id === RUN ? "" : id));
    }
  }, [url, usual, lines]);
}
