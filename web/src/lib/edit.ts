// What clears, marks and cancels change: which calls they are made of, what is shown before, and what can be undone.

import { groupBy } from "./groupBy";

export type EditAction = "clear" | "success" | "failed" | "cancel";

export interface RunRef {
  dagId: string;
  runId: string;
}

export interface TaskRef extends RunRef {
  taskId: string;
  /** -1 for a task that is not mapped */
  mapIndex: number;
}

/** Whole runs, or task instances of any runs. */
export type EditTarget = { runs: readonly RunRef[] } | { tasks: readonly TaskRef[] };

export interface EditOptions {
  upstream: boolean;
  downstream: boolean;
  past: boolean;
  future: boolean;
  onlyFailed: boolean;
  /** On the newest version of the DAG instead of the run's own */
  latest: boolean;
}

export const NO_OPTIONS: EditOptions = {
  upstream: false,
  downstream: false,
  past: false,
  future: false,
  onlyFailed: false,
  latest: false,
};

/** One request. Only `edit` says exactly what becomes of each; the others say what they touch. */
export type EditCall =
  | { via: "edit"; run: RunRef; body: EditBody }
  | { via: "clear"; run: RunRef; tasks: readonly TaskRef[]; options: EditOptions }
  | { via: "mark"; task: TaskRef; state: "success" | "failed"; options: EditOptions };

export interface EditBody {
  action: "clear" | "mark" | "cancel";
  state?: "success" | "failed";
  task_id?: string;
  map_index?: number;
  upstream: boolean;
  downstream: boolean;
  only_failed: boolean;
  latest_version: boolean;
}

export interface EditChange extends TaskRef {
  from: string;
  to: string;
}

/** The requests that an edit is made of. */
export function planEdit(target: EditTarget, action: EditAction, options: EditOptions): EditCall[] {
  if ("runs" in target) {
    return target.runs.map((run) => ({ via: "edit", run, body: editBody(action, options) }));
  }
  if (action === "cancel") return [];
  if (action !== "clear") {
    return target.tasks.map((task) =>
      options.past || options.future
        ? { via: "mark", task, state: action, options }
        : { via: "edit", run: runOf(task), body: editBody(action, options, task) },
    );
  }
  return [...byRun(target.tasks)].map((tasks): EditCall => {
    const first = tasks[0] as TaskRef;
    return tasks.length === 1 && !options.past && !options.future
      ? { via: "edit", run: runOf(first), body: editBody(action, options, first) }
      : { via: "clear", run: runOf(first), tasks, options };
  });
}

function editBody(action: EditAction, options: EditOptions, task?: TaskRef): EditBody {
  const isClear = action === "clear";
  return {
    action: isClear || action === "cancel" ? action : "mark",
    state: isClear || action === "cancel" ? undefined : action,
    task_id: task?.taskId,
    map_index: task && task.mapIndex >= 0 ? task.mapIndex : undefined,
    upstream: options.upstream,
    downstream: options.downstream,
    only_failed: isClear && options.onlyFailed,
    latest_version: isClear && options.latest,
  };
}

function runOf({ dagId, runId }: TaskRef): RunRef {
  return { dagId, runId };
}

function byRun(tasks: readonly TaskRef[]): Iterable<TaskRef[]> {
  return groupBy(tasks, ({ dagId, runId }) => `${dagId}\n${runId}`).values();
}

/** The mark that someone most likely wants. */
export function markOf(state: string | null | undefined): "success" | "failed" {
  return state === "success" ? "failed" : "success";
}

/** What a clear makes of a state. */
export function clearedState(from: string): string {
  return from === "running" || from === "restarting" ? "restarting" : "no_status";
}

/** What a mark makes of a task instance that it touches: what failed because of a marked one is cleared. */
export function markedState(
  change: Pick<EditChange, "taskId" | "from">,
  call: Extract<EditCall, { via: "mark" }>,
  graph: ReadonlyMap<string, readonly string[]>,
): string {
  const { task, state, options } = call;
  if (change.taskId === task.taskId) return state;
  const isBelow = closure(graph, [task.taskId]).has(change.taskId);
  if (isBelow ? options.downstream : options.upstream && closure(graph, [change.taskId]).has(task.taskId)) return state;
  return clearedState(change.from);
}

/** Everything downstream of some tasks, without themselves. */
export function closure(graph: ReadonlyMap<string, readonly string[]>, roots: readonly string[]): Set<string> {
  const found = new Set<string>();
  const next = [...roots];
  for (let id = next.pop(); id !== undefined; id = next.pop()) {
    for (const below of graph.get(id) ?? []) {
      if (!found.has(below)) {
        found.add(below);
        next.push(below);
      }
    }
  }
  return found;
}

/** Of several answers one: a task instance that is marked by one call and cleared by another is marked. */
export function mergeChanges(lists: readonly (readonly EditChange[])[]): EditChange[] {
  const all = new Map<string, EditChange>();
  for (const change of lists.flat()) {
    const key = [change.dagId, change.runId, change.taskId, change.mapIndex].join("\n");
    const before = all.get(key);
    if (!before || before.to === "no_status") all.set(key, change);
  }
  return [...all.values()];
}

export interface ChangeGroup {
  from: string;
  to: string;
  changes: EditChange[];
}

/** Changes from the same state to the same state, in the order in which they come. */
export function groupChanges(changes: readonly EditChange[]): ChangeGroup[] {
  return [...groupBy(changes, ({ from, to }) => `${from} ${to}`).values()].map((same) => {
    const [first] = same as [EditChange];
    return { from: first.from, to: first.to, changes: same };
  });
}

/** "1 task instance", "7 task instances" */
export function countTasks(count: number): string {
  return `${count.toLocaleString("en")} task instance${count === 1 ? "" : "s"}`;
}

/** How many are marked, and how many are touched otherwise: cleared, or ended. */
export interface EditCount {
  marked: number;
  others: number;
}

export function countEdit(action: EditAction, changes: readonly EditChange[], total: number): EditCount {
  if (action === "clear" || action === "cancel") return { marked: 0, others: total };
  const others = changes.filter(({ to }) => to !== action).length;
  return { marked: total - others, others };
}

/** What stands on the button. `runs`: how many are changed whole; 0 for task instances. */
export function confirmWords(action: EditAction, { marked, others }: EditCount, runs: number): string {
  const what = runs === 1 ? "the run" : `${runs.toLocaleString("en")} runs`;
  if (action === "cancel") return others > 0 ? `Cancel ${what}: end ${countTasks(others)}` : `Cancel ${what}`;
  if (action === "clear") return `Clear ${countTasks(others)}`;
  if (runs > 0) return `Mark ${what} as ${action}`;
  if (marked === 0) return `Clear ${countTasks(others)}`;
  return `Mark ${countTasks(marked)} as ${action}${others > 0 ? `, clear ${others.toLocaleString("en")}` : ""}`;
}

/** What was done, as a sentence. */
export function doneWords(action: EditAction, { marked, others }: EditCount, runs: number): string {
  const were = (count: number) => `${countTasks(count)} ${count === 1 ? "was" : "were"}`;
  const what = runs === 1 ? "The run was" : `${runs.toLocaleString("en")} runs were`;
  if (action === "cancel") return `${what} cancelled.`;
  if (action === "clear" || (marked === 0 && runs === 0)) return `${were(others)} cleared.`;
  if (runs > 0) return `${what} marked as ${action}.`;
  return `${were(marked)} marked as ${action}${others > 0 ? `, and ${others.toLocaleString("en")} cleared` : ""}.`;
}

const MARKS = ["success", "skipped", "failed"] as const;
export type UndoMark = (typeof MARKS)[number];
/** More would take too long, one request each. */
const UNDO_MAX = 100;

/**
 * What brings the former states back: marks, in an order in which none undoes another. Null when something
 * cannot be brought back. What was `upstream_failed` becomes so by itself.
 */
export function undoMarks(changes: readonly EditChange[]): { task: TaskRef; state: UndoMark }[] | null {
  if (changes.length === 0 || changes.length > UNDO_MAX) return null;
  const isPossible = changes.every(
    ({ from, to }) =>
      ["success", "failed", "no_status"].includes(to) &&
      (MARKS.some((mark) => mark === from) || (from === "upstream_failed" && to === "no_status")),
  );
  if (!isPossible) return null;
  return MARKS.flatMap((state) =>
    changes
      .filter(({ from }) => from === state)
      .map(({ dagId, runId, taskId, mapIndex }) => ({ task: { dagId, runId, taskId, mapIndex }, state })),
  );
}

/** States in which a cleared task instance has not begun again. */
export function isUnbegun(state: string | null | undefined): boolean {
  return state == null || ["no_status", "none", "scheduled", "queued"].includes(state);
}
