// The task instances of a run as rows: in the order of the DAG with its groups, or those first that need a look.

import { groupBy } from "./groupBy";
import { stateRank, toState } from "./state";
import type { TreeTask } from "./tree";

export interface Instance {
  task_id: string;
  map_index: number;
  state?: string | null;
  start_date?: string | null;
  end_date?: string | null;
}

export type RunRow<T extends Instance> =
  | { kind: "task"; key: string; label: string; depth: number; instance: T }
  | { kind: "group"; key: string; id: string; label: string; depth: number; isFolded: boolean; members: T[] };

export interface RowsFilter {
  /** None = all */
  states: readonly string[];
  text: string;
  failedFirst: boolean;
  folded: ReadonlySet<string>;
}

export function instanceKey({ task_id, map_index }: Instance): string {
  return map_index < 0 ? task_id : `${task_id} [${map_index}]`;
}

export function runRows<T extends Instance>(
  tree: readonly TreeTask[],
  all: readonly T[],
  filter: RowsFilter,
): RunRow<T>[] {
  const wanted = filter.text.trim().toLowerCase();
  const instances = all.filter(
    (one) =>
      (filter.states.length === 0 || filter.states.includes(toState(one.state))) &&
      (wanted === "" || one.task_id.toLowerCase().includes(wanted)),
  );
  const isTree = !filter.failedFirst && tree.length > 0;
  const row = (instance: T, depth = 0, label = ""): RunRow<T> => {
    const key = instanceKey(instance);
    const index = instance.map_index < 0 ? "" : ` [${instance.map_index}]`;
    return { kind: "task", key, label: label ? `${label}${index}` : key, depth, instance };
  };
  if (!isTree) {
    const sorted = filter.failedFirst
      ? instances.toSorted((a, b) => stateRank(a.state) - stateRank(b.state))
      : instances;
    return sorted.map((instance) => row(instance));
  }
  return treeRows(tree, instances, filter.folded, row);
}

function treeRows<T extends Instance>(
  tree: readonly TreeTask[],
  instances: readonly T[],
  folded: ReadonlySet<string>,
  row: (instance: T, depth: number, label: string) => RunRow<T>,
): RunRow<T>[] {
  const byTask = groupBy(instances, (one) => one.task_id);
  const members = groupMembers(tree, byTask);
  const hidden = new Set<string>();
  const rows: RunRow<T>[] = [];
  for (const task of tree) {
    const isHidden = task.parent !== null && (hidden.has(task.parent) || folded.has(task.parent));
    if (task.kind === "group") {
      if (isHidden) hidden.add(task.id);
      const inside = members.get(task.id) ?? [];
      if (isHidden || inside.length === 0) continue;
      const { id, label, depth } = task;
      rows.push({ kind: "group", key: `group ${id}`, id, label, depth, isFolded: folded.has(id), members: inside });
    } else {
      const own = byTask.get(task.id) ?? [];
      byTask.delete(task.id);
      if (!isHidden) for (const instance of own) rows.push(row(instance, task.depth, task.label));
    }
  }
  // Of an older version: the tree does not know them.
  for (const rest of byTask.values()) for (const instance of rest) rows.push(row(instance, 0, ""));
  return rows;
}

function groupMembers<T>(tree: readonly TreeTask[], byTask: ReadonlyMap<string, T[]>): Map<string, T[]> {
  const parents = new Map(tree.map(({ id, parent }) => [id, parent]));
  const members = new Map<string, T[]>();
  for (const task of tree) {
    if (task.kind === "group") continue;
    const own = byTask.get(task.id) ?? [];
    for (let group = task.parent; group !== null; group = parents.get(group) ?? null) {
      const list = members.get(group);
      if (list) list.push(...own);
      else members.set(group, [...own]);
    }
  }
  return members;
}

export interface Bar {
  /** In percent of the run */
  left: number;
  width: number;
}

/** When something ran within its run. Null when it has not begun. */
export function barOf(
  start: string | null | undefined,
  end: string | null | undefined,
  run: { from: number; to: number },
): Bar | null {
  const from = start ? Date.parse(start) : Number.NaN;
  if (Number.isNaN(from) || run.to <= run.from) return null;
  const to = end ? Date.parse(end) : run.to;
  const share = (at: number) => Math.max(0, Math.min(100, ((at - run.from) / (run.to - run.from)) * 100));
  return { left: share(from), width: Math.max(0, share(to) - share(from)) };
}

/** From the first start to the last end; to `now` while something runs. Null when nothing has begun. */
export function spanOf(instances: readonly Instance[], now: number): { from: number; to: number } | null {
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  for (const { start_date, end_date } of instances) {
    if (!start_date) continue;
    from = Math.min(from, Date.parse(start_date));
    to = Math.max(to, end_date ? Date.parse(end_date) : now);
  }
  return from <= to ? { from, to } : null;
}
