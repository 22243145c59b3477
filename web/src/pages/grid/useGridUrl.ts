// What the grid shows, as its URL says.

import { useMemo } from "react";
import { type RunWindow, useRunWindow } from "../../parts/useRunWindow";

interface Selected {
  runId: string;
  /** "" for the run itself */
  taskId: string;
}

export interface GridUrl {
  window: RunWindow;
  /** What tasks are searched for */
  query: string;
  search: (query: string) => void;
  folded: readonly string[];
  setFolded: (groups: readonly string[]) => void;
  /** Folds a group, or opens it */
  fold: (group: string) => void;
  selected: Selected | null;
  select: (selected: Selected | null) => void;
}

export function useGridUrl(): GridUrl {
  const { url, ...window } = useRunWindow();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the window changes with the URL only
  return useMemo(() => {
    const folded = url.list("folded");
    const runId = url.text("run_id");
    return {
      window,
      query: url.text("q"),
      search: (q) => url.set({ q }),
      folded,
      setFolded: (groups) => url.set({ folded: groups }),
      fold: (group) =>
        url.set({ folded: folded.includes(group) ? folded.filter((other) => other !== group) : [...folded, group] }),
      selected: runId ? { runId, taskId: url.text("task_id") } : null,
      select: (next) => url.set({ run_id: next?.runId, task_id: next?.taskId }),
    };
  }, [url]);
}
