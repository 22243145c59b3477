// The tries of a run as bars on an axis of time, and the chain of tasks that made the run as long as it was.

import type { Span } from "./scale";

export interface TryBar {
  task_id: string;
  map_index: number;
  try_number: number;
  state: string | null;
  queued_when: string | null;
  start_date: string | null;
  end_date: string | null;
}

/** A try with its times in milliseconds; an end of null lies ahead. */
export interface Attempt {
  tryNumber: number;
  state: string | null;
  queued: number | null;
  start: number | null;
  end: number | null;
}

export interface GanttRow {
  /** Of the row: the task, and its index when it is mapped */
  key: string;
  taskId: string;
  mapIndex: number;
  attempts: Attempt[];
}

/** A row a task instance, in the order in which the bars come. */
export function ganttRows(bars: readonly TryBar[]): GanttRow[] {
  const rows = new Map<string, GanttRow>();
  for (const bar of bars) {
    const key = bar.map_index < 0 ? bar.task_id : `${bar.task_id}[${bar.map_index}]`;
    let row = rows.get(key);
    if (!row) {
      row = { key, taskId: bar.task_id, mapIndex: bar.map_index, attempts: [] };
      rows.set(key, row);
    }
    row.attempts.push({
      tryNumber: bar.try_number,
      state: bar.state,
      queued: millis(bar.queued_when),
      start: millis(bar.start_date),
      end: millis(bar.end_date),
    });
  }
  return [...rows.values()];
}

/** Whether nothing of it has happened yet. */
export function isPlanned({ attempts }: GanttRow): boolean {
  return attempts.every(({ queued, start }) => queued === null && start === null);
}

/** From the first that is known of the run to the last; what goes on ends `now`. Null before anything happened. */
export function ganttSpan(rows: readonly GanttRow[], run: { start: number | null; end: number | null }, now: number) {
  let from = run.start ?? Number.POSITIVE_INFINITY;
  let to = run.start === null ? Number.NEGATIVE_INFINITY : (run.end ?? now);
  for (const { attempts } of rows) {
    for (const { queued, start, end } of attempts) {
      const first = queued ?? start;
      if (first === null) continue;
      from = Math.min(from, first);
      to = Math.max(to, end ?? now);
    }
  }
  if (!(from <= to)) return null;
  // A run that took no time at all still has an axis.
  return { from, to: Math.max(to, from + 1) } satisfies Span;
}

/**
 * The tasks that a run had to wait for one after the other: from the one that ended last, back to whichever of those
 * before it ended last, and so on. The first task comes first.
 */
export function criticalPath(rows: readonly GanttRow[], upstream: ReadonlyMap<string, readonly string[]>): string[] {
  const ends = new Map<string, number>();
  for (const { taskId, attempts } of rows) {
    const end = attempts.at(-1)?.end;
    if (end != null) ends.set(taskId, Math.max(ends.get(taskId) ?? end, end));
  }
  const latest = (ids: Iterable<string>, seen: ReadonlySet<string>): string | null => {
    let found: string | null = null;
    for (const id of ids) {
      const end = ends.get(id);
      if (end === undefined || seen.has(id)) continue;
      if (found === null || end > (ends.get(found) ?? 0)) found = id;
    }
    return found;
  };
  const path = new Set<string>();
  for (let task = latest(ends.keys(), path); task !== null; task = latest(upstream.get(task) ?? [], path)) {
    path.add(task);
  }
  return [...path].reverse();
}

/** Who stands before whom, from lists of who comes after. */
export function upstreamOf(tasks: readonly { task_id: string; downstream_task_ids: readonly string[] }[]) {
  const upstream = new Map<string, string[]>();
  for (const task of tasks) {
    for (const after of task.downstream_task_ids) {
      const before = upstream.get(after);
      if (before) before.push(task.task_id);
      else upstream.set(after, [task.task_id]);
    }
  }
  return upstream;
}

function millis(at: string | null): number | null {
  if (at === null) return null;
  const parsed = Date.parse(at);
  return Number.isFinite(parsed) ? parsed : null;
}
