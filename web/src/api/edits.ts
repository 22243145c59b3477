// Clears, marks and cancels: what they would change, doing it, and taking it back.

import type { QueryClient } from "@tanstack/react-query";
import {
  clearedState,
  type EditAction,
  type EditCall,
  type EditChange,
  isUnbegun,
  markedState,
  mergeChanges,
  type TaskRef,
  type UndoMark,
} from "../lib/edit";
import { clearTasks, eachOf, editRun, patchTask, previewClear, previewEdit, previewPatchTask } from "./actions";
import { dagTasksQuery, runTasksQuery } from "./queries";

export interface Preview {
  changes: EditChange[];
  /** More than `changes` when there are too many to show */
  total: number;
  /** What each of the calls changes */
  parts: EditChange[][];
}

type One = Pick<Preview, "changes" | "total">;

export async function previewEdits(
  client: QueryClient,
  calls: readonly EditCall[],
  signal?: AbortSignal,
): Promise<Preview> {
  const found: One[] = [];
  const many = await eachOf(calls, async (call) => {
    found[calls.indexOf(call)] = await previewOne(client, call, signal);
  });
  const [problem] = many.failed;
  if (problem) throw new Error(problem.why);
  const changes = mergeChanges(found.map((preview) => preview.changes));
  const hidden = found.reduce((sum, preview) => sum + preview.total - preview.changes.length, 0);
  return { changes, total: changes.length + hidden, parts: found.map((preview) => preview.changes) };
}

async function previewOne(client: QueryClient, call: EditCall, signal?: AbortSignal): Promise<One> {
  if (call.via === "edit") {
    const edited = await previewEdit({ ...call.run, ...call.body }, signal);
    const changes = edited.map(({ task_id, map_index, from, to }) => ({
      ...call.run,
      taskId: task_id,
      mapIndex: map_index,
      from,
      to,
    }));
    return { changes, total: changes.length };
  }
  const found =
    call.via === "clear"
      ? await previewClear(clearBody(call), signal)
      : await previewPatchTask({ ...call.task, ...markBody(call) }, signal);
  const graph = call.via === "mark" ? await graphOf(client, call.task.dagId) : new Map();
  const changes = found.task_instances.map((one) => {
    const change = {
      dagId: one.dag_id,
      runId: one.dag_run_id,
      taskId: one.task_id,
      mapIndex: one.map_index,
      from: one.state ?? "no_status",
    };
    return { ...change, to: call.via === "clear" ? clearedState(change.from) : markedState(change, call, graph) };
  });
  return { changes, total: found.total_entries ?? changes.length };
}

async function graphOf(client: QueryClient, dagId: string): Promise<Map<string, readonly string[]>> {
  const { tasks } = await client.fetchQuery({ ...dagTasksQuery(dagId), staleTime: 60_000 });
  return new Map(tasks.map((task) => [task.task_id ?? "", task.downstream_task_ids ?? []]));
}

function clearBody({ run, tasks, options }: Extract<EditCall, { via: "clear" }>) {
  return {
    dagId: run.dagId,
    dag_run_id: run.runId,
    task_ids: tasks.map(({ taskId, mapIndex }) => (mapIndex < 0 ? taskId : [taskId, mapIndex])),
    include_upstream: options.upstream,
    include_downstream: options.downstream,
    include_past: options.past,
    include_future: options.future,
    only_failed: options.onlyFailed,
    run_on_latest_version: options.latest,
    dry_run: true,
    only_running: false,
    reset_dag_runs: true,
    prevent_running_task: false,
  };
}

function markBody({ state, options }: Extract<EditCall, { via: "mark" }>) {
  return {
    new_state: state,
    include_upstream: options.upstream,
    include_downstream: options.downstream,
    include_past: options.past,
    include_future: options.future,
  };
}

/** Everything that an edit may make stale. */
const EVERYTHING = () => [["run"], ["dag"], ["list"]];

/** What a person saw and agreed to; what is said of it afterwards is of this, whatever they see by then. */
export interface Agreed {
  action: EditAction;
  calls: readonly EditCall[];
  preview: Preview;
}

/** What was done, when some of the calls were refused. */
export function changesDone({ calls, preview }: Agreed, done: readonly EditCall[]): Preview {
  if (done.length === calls.length) return preview;
  const parts = done.map((call) => preview.parts[calls.indexOf(call)] ?? []);
  const changes = mergeChanges(parts);
  return { changes, total: changes.length, parts };
}

/** For `useAction`. One call after the other: a mark may clear what the next one marks. */
export const applyEdits = {
  run: async ({ calls }: Agreed) =>
    eachOf(
      calls,
      (call): Promise<unknown> =>
        call.via === "edit"
          ? editRun.run({ ...call.run, ...call.body })
          : call.via === "clear"
            ? clearTasks.run(clearBody(call))
            : patchTask.run({ ...call.task, ...markBody(call) }),
      1,
    ),
  touches: EVERYTHING,
};

/** Whether what was cleared has not begun again: only then can it be taken back. */
export async function isStillUnbegun(client: QueryClient, changes: readonly EditChange[]): Promise<boolean> {
  const cleared = changes.filter(({ to }) => to === "no_status");
  const runs = new Map(cleared.map(({ dagId, runId }) => [`${dagId}\n${runId}`, { dagId, runId }]));
  if (runs.size > 5) return false;
  for (const { dagId, runId } of runs.values()) {
    const now = await client.fetchQuery({ ...runTasksQuery(dagId, runId), staleTime: 0 });
    const states = new Map(now.map((one) => [`${one.task_id}\n${one.map_index}`, one.state]));
    const mine = cleared.filter((change) => change.dagId === dagId && change.runId === runId);
    // What failed because of others becomes that again by itself, whenever it is decided on.
    const hasBegun = mine.some(({ taskId, mapIndex, from }) => {
      const state = states.get(`${taskId}\n${mapIndex}`);
      return !isUnbegun(state) && !(from === "upstream_failed" && state === "upstream_failed");
    });
    if (hasBegun) return false;
  }
  return true;
}

/** For `useAction`: gives task instances their former states back. */
export const undoEdits = {
  run: async ({ marks }: { marks: readonly { task: TaskRef; state: UndoMark }[] }) =>
    eachOf(marks, ({ task, state }) => patchTask.run({ ...task, new_state: state, ...NONE_AROUND }), 1),
  touches: EVERYTHING,
};

const NONE_AROUND = {
  include_upstream: false,
  include_downstream: false,
  include_past: false,
  include_future: false,
};
