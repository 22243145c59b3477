// The tasks of a DAG as a tree of groups: folding, searching, and what stands for all members of a group.

import { ABSENT, type State, stateOfLetter } from "./state";

/** A row of the DAG's tree: a group stands before its members. */
export interface TreeTask {
  id: string;
  label: string;
  kind: "task" | "group";
  parent: string | null;
  depth: number;
}

export interface TreeRow<T extends TreeTask = TreeTask> {
  task: T;
  /** Where the task's letter stands in `GridRun.states`; -1 for a group */
  place: number;
  /** Of a group: the places of all tasks in it, also of those in inner groups */
  members: readonly number[];
  isFolded: boolean;
}

/**
 * The rows to show. A group stands before its members, as in the list that comes in.
 * With a query: what matches, the groups around it, and all members of a group that matches; nothing is folded then.
 */
export function foldTree<T extends TreeTask>(
  tasks: readonly T[],
  folded: ReadonlySet<string>,
  query = "",
): TreeRow<T>[] {
  const { rows, groups } = grow(tasks);
  const wanted = query.trim().toLowerCase();
  if (wanted !== "") {
    const shown = search(tasks, groups, wanted);
    return rows.filter((row) => shown.has(row.task.id));
  }
  return rows.flatMap((row) => {
    if (around(row.task, groups).some((group) => folded.has(group.task.id))) return [];
    return [groups.has(row.task.id) && folded.has(row.task.id) ? { ...row, isFolded: true } : row];
  });
}

interface Grown<T extends TreeTask> extends TreeRow<T> {
  members: number[];
}

function grow<T extends TreeTask>(tasks: readonly T[]): { rows: Grown<T>[]; groups: Map<string, Grown<T>> } {
  const groups = new Map<string, Grown<T>>();
  let next = 0;
  const rows = tasks.map((task) => {
    const isGroup = task.kind === "group";
    const row: Grown<T> = { task, place: isGroup ? -1 : next++, members: [], isFolded: false };
    if (!isGroup) for (const group of around(task, groups)) group.members.push(row.place);
    if (isGroup) groups.set(task.id, row);
    return row;
  });
  return { rows, groups };
}

/** The groups around a task, innermost first. */
function around<T extends TreeTask>(task: T, groups: ReadonlyMap<string, Grown<T>>): Grown<T>[] {
  const found: Grown<T>[] = [];
  let parent = task.parent;
  while (parent !== null && found.length < groups.size) {
    const group = groups.get(parent);
    if (!group) break;
    found.push(group);
    parent = group.task.parent;
  }
  return found;
}

function search<T extends TreeTask>(tasks: readonly T[], groups: ReadonlyMap<string, Grown<T>>, wanted: string) {
  const shown = new Set<string>();
  const matches = (task: T) => task.id.toLowerCase().includes(wanted) || task.label.toLowerCase().includes(wanted);
  for (const task of tasks) {
    const outer = around(task, groups);
    if (matches(task)) for (const each of [task, ...outer.map((group) => group.task)]) shown.add(each.id);
    else if (outer.some((group) => matches(group.task))) shown.add(task.id);
  }
  return shown;
}

/** What stands for a group, first what stands before everything else. Skipped only when nothing in it was done. */
const GROUP_LETTERS = "fuytrdeqc.skx";
const RANKS = new Map([...GROUP_LETTERS].map((letter, rank) => [letter, rank]));

/** The letter for all `members` together; absent when none of them is in the run. */
export function groupLetter(states: string, members: readonly number[]): string {
  let best = GROUP_LETTERS.length;
  for (const member of members) {
    const rank = RANKS.get(states.charAt(member));
    if (rank !== undefined && rank < best) best = rank;
  }
  return GROUP_LETTERS.charAt(best) || ABSENT;
}

/** The letter of a row in a run. */
export function rowLetter(row: TreeRow, states: string): string {
  return row.task.kind === "group" ? groupLetter(states, row.members) : states.charAt(row.place) || ABSENT;
}

/** How many members are in which state. */
export function groupCounts(states: string, members: readonly number[]): Partial<Record<State, number>> {
  const counts: Partial<Record<State, number>> = {};
  for (const member of members) {
    const state = stateOfLetter(states.charAt(member) || ABSENT);
    if (state) counts[state] = (counts[state] ?? 0) + 1;
  }
  return counts;
}
