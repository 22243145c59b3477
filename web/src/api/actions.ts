// Every change: what is sent, and which answers it makes stale.
//
//   const pause = useAction(pauseDag);
//   pause.mutate({ dagId, isPaused: true });
//
// A failure is told by a toast; `useAction(…, { quiet: true })` leaves that to the page.

import { type QueryKey, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, body } from "./client";
import { meQuery, type TaskPlace, taskPath } from "./queries";
import type { Schemas } from "./types";

export interface Action<In, Out> {
  run: (input: In) => Promise<Out>;
  /** The beginnings of keys, as in queries.ts */
  touches: (input: In) => QueryKey[];
}

function action<In, Out>(run: (input: In) => Promise<Out>, touches: (input: In) => QueryKey[]): Action<In, Out> {
  return { run, touches };
}

/** Longest that a change waits for what it made stale, in milliseconds. */
const PATIENCE = 1_000;

/** `done` runs when the answers that the change made stale are there again, or take too long. */
export function useAction<In, Out>(
  { run, touches }: Action<In, Out>,
  more: { done?: (output: Out, input: In) => void; quiet?: boolean } = {},
) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: run,
    meta: { quiet: more.quiet ?? false },
    onSuccess: async (output, input) => {
      const fresh = Promise.all(touches(input).map((queryKey) => client.invalidateQueries({ queryKey })));
      await Promise.race([fresh, new Promise((late) => setTimeout(late, PATIENCE))]);
      more.done?.(output, input);
    },
  });
}

const ofDag = ({ dagId }: { dagId: string }): QueryKey[] => [["dag", dagId], ["list"]];
const ofRun = ({ dagId, runId }: { dagId: string; runId: string }): QueryKey[] => [
  ["run", dagId, runId],
  ["dag", dagId, "runs"],
  ["list"],
];
const ofRuns = ({ dagId }: { dagId: string }): QueryKey[] =>
  dagId === "~" ? [["run"], ["dag"], ["list"]] : [["run", dagId], ["dag", dagId, "runs"], ["list"]];

// --- session ---

export const logIn = action(
  (json: Schemas["SessionBody"]) => body(api.POST("/auth/login", { body: json })),
  () => [meQuery.queryKey],
);

export const logOut = action(
  (_: undefined) => body(api.POST("/auth/logout", { body: {} })),
  () => [],
);

// --- DAGs ---

export const pauseDag = action(
  ({ dagId, isPaused }: { dagId: string; isPaused: boolean }) =>
    body(api.PATCH("/api/v2/dags/{dag_id}", { params: { path: { dag_id: dagId } }, body: { is_paused: isPaused } })),
  ofDag,
);

/** One after the other: there is no call that takes a list of names. Says which could not be changed. */
export const pauseDags = action(
  async ({ dagIds, isPaused }: { dagIds: string[]; isPaused: boolean }) =>
    eachOf(dagIds, (dagId) => pauseDag.run({ dagId, isPaused })),
  () => [["dag"], ["list"]],
);

export const markFavorite = action(
  ({ dagId, isFavorite }: { dagId: string; isFavorite: boolean }) =>
    isFavorite
      ? body(api.POST("/api/v2/dags/{dag_id}/favorite", { params: { path: { dag_id: dagId } } }))
      : body(api.POST("/api/v2/dags/{dag_id}/unfavorite", { params: { path: { dag_id: dagId } } })),
  ofDag,
);

/** Takes away the DAG's runs and history. It comes back when its file is still there. */
export const deleteDag = action(
  ({ dagId }: { dagId: string }) => body(api.DELETE("/api/v2/dags/{dag_id}", { params: { path: { dag_id: dagId } } })),
  () => [["list"]],
);

/** Has the DAG's file read again at once. */
export const reparseDag = action(
  ({ fileToken }: { dagId: string; fileToken: string }) =>
    body(api.PUT("/api/v2/parseDagFile/{file_token}", { params: { path: { file_token: fileToken } } })),
  ofDag,
);

export const triggerDag = action(
  ({ dagId, ...json }: { dagId: string } & Schemas["TriggerDAGRunPostBody"]) =>
    body(api.POST("/api/v2/dags/{dag_id}/dagRuns", { params: { path: { dag_id: dagId } }, body: json })),
  ofDag,
);

// --- runs ---

export type Edit = { dagId: string; runId: string } & Schemas["EditBody"];

/** Exactly which task instances an edit would change; nothing is changed. */
export function previewEdit({ dagId, runId, ...json }: Edit, signal?: AbortSignal) {
  return body(
    api.POST("/ui/dags/{dag_id}/dagRuns/{dag_run_id}/edit/preview", {
      params: { path: { dag_id: dagId, dag_run_id: runId } },
      body: json,
      signal,
    }),
  );
}

/** Clears, marks or cancels within one run. */
export const editRun = action(
  ({ dagId, runId, ...json }: Edit) =>
    body(
      api.POST("/ui/dags/{dag_id}/dagRuns/{dag_run_id}/edit", {
        params: { path: { dag_id: dagId, dag_run_id: runId } },
        body: json,
      }),
    ),
  ofRun,
);

export type Clear = { dagId: string } & Schemas["ClearTaskInstancesBody"];

/** Exactly which task instances a clear over several runs would change. */
export function previewClear({ dagId, ...json }: Clear, signal?: AbortSignal) {
  return body(
    api.POST("/api/v2/dags/{dag_id}/clearTaskInstances", {
      params: { path: { dag_id: dagId } },
      body: { ...json, dry_run: true },
      signal,
    }),
  );
}

/** Clears over past and future runs, too. */
export const clearTasks = action(
  ({ dagId, ...json }: Clear) =>
    body(
      api.POST("/api/v2/dags/{dag_id}/clearTaskInstances", {
        params: { path: { dag_id: dagId } },
        body: { ...json, dry_run: false },
      }),
    ),
  ofRuns,
);

export type RunPlace = { dagId: string; runId: string };

/** A run's state or note: only what is given is changed. */
export const patchRun = action(
  ({ dagId, runId, ...json }: RunPlace & Schemas["DAGRunPatchBody"]) =>
    body(
      api.PATCH("/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}", {
        params: {
          path: { dag_id: dagId, dag_run_id: runId },
          query: { update_mask: Object.keys(json) },
        },
        body: json,
      }),
    ),
  ofRun,
);

export const clearRuns = action(
  ({ runs, onlyFailed }: { runs: RunPlace[]; onlyFailed: boolean }) =>
    eachOf(runs, ({ dagId, runId }) => editRun.run({ dagId, runId, action: "clear", only_failed: onlyFailed })),
  () => [["run"], ["dag"], ["list"]],
);

export const patchRuns = action(
  ({ runs, ...json }: { runs: RunPlace[] } & Schemas["DAGRunPatchBody"]) =>
    eachOf(runs, ({ dagId, runId }) => patchRun.run({ dagId, runId, ...json })),
  () => [["run"], ["dag"], ["list"]],
);

export const cancelRuns = action(
  ({ runs }: { runs: RunPlace[] }) =>
    eachOf(runs, ({ dagId, runId }) => editRun.run({ dagId, runId, action: "cancel" })),
  () => [["run"], ["dag"], ["list"]],
);

export const deleteRun = action(
  ({ dagId, runId }: RunPlace) =>
    body(
      api.DELETE("/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}", {
        params: { path: { dag_id: dagId, dag_run_id: runId } },
      }),
    ),
  ({ dagId }) => [["dag", dagId, "runs"], ["list"]],
);

export const deleteRuns = action(
  ({ runs }: { runs: RunPlace[] }) => eachOf(runs, deleteRun.run),
  () => [["dag"], ["list"]],
);

// --- task instances ---

/** A task instance's note, or its state together with those around it (past, future, upstream, downstream). */
export const patchTask = action(
  ({ dagId, runId, taskId, mapIndex, ...json }: TaskPlace & Schemas["PatchTaskInstanceBody"]) =>
    body(
      api.PATCH("/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}", {
        params: {
          path: { dag_id: dagId, dag_run_id: runId, task_id: taskId },
          query: { map_index: mapIndex < 0 ? undefined : mapIndex },
        },
        body: json,
      }),
    ),
  ofRuns,
);

/** Exactly which task instances `patchTask` would change. */
export function previewPatchTask(
  { dagId, runId, taskId, mapIndex, ...json }: TaskPlace & Schemas["PatchTaskInstanceBody"],
  signal?: AbortSignal,
) {
  return body(
    api.PATCH("/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/dry_run", {
      params: {
        path: { dag_id: dagId, dag_run_id: runId, task_id: taskId },
        query: { map_index: mapIndex < 0 ? undefined : mapIndex },
      },
      body: json,
      signal,
    }),
  );
}

/** Clears or marks chosen task instances, of any runs. */
export const editTasks = action(
  ({ tasks, ...json }: { tasks: TaskPlace[] } & Schemas["EditBody"]) =>
    eachOf(tasks, ({ dagId, runId, taskId, mapIndex }) =>
      editRun.run({ ...json, dagId, runId, task_id: taskId, map_index: mapIndex < 0 ? undefined : mapIndex }),
    ),
  () => [["run"], ["dag"], ["list"]],
);

export const writeXcom = action(
  ({ place, key, value, isNew }: { place: TaskPlace; key: string; value: unknown; isNew: boolean }) => {
    const path = taskPath(place);
    const map_index = place.mapIndex;
    return isNew
      ? body(
          api.POST("/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/xcomEntries", {
            params: { path },
            body: { key, value, map_index },
          }),
        )
      : body(
          api.PATCH("/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/xcomEntries/{xcom_key}", {
            params: { path: { ...path, xcom_key: key } },
            body: { value, map_index },
          }),
        );
  },
  ({ place }) => ofRun(place),
);

export const deleteXcom = action(
  ({ place, key }: { place: TaskPlace; key: string }) =>
    body(
      api.DELETE("/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/xcomEntries/{xcom_key}", {
        params: { path: { ...taskPath(place), xcom_key: key }, query: { map_index: place.mapIndex } },
      }),
    ),
  ({ place }) => ofRun(place),
);

// --- administration ---

export const createPool = action(
  (json: Schemas["PoolBody"]) => body(api.POST("/api/v2/pools", { body: json })),
  () => [["list", "pools"]],
);

export const updatePool = action(
  ({ pool, ...json }: { pool: string } & Omit<Schemas["PoolPatchBody"], "pool">) =>
    body(
      api.PATCH("/api/v2/pools/{pool_name}", {
        params: { path: { pool_name: pool }, query: { update_mask: Object.keys(json) } },
        body: json,
      }),
    ),
  () => [["list", "pools"]],
);

export const deletePool = action(
  (pool: string) => body(api.DELETE("/api/v2/pools/{pool_name}", { params: { path: { pool_name: pool } } })),
  () => [["list", "pools"]],
);

export const createVariable = action(
  (json: Schemas["VariableBody"]) => body(api.POST("/api/v2/variables", { body: json })),
  () => [["admin", "variables"]],
);

/** Only the fields in `mask` are changed: what is hidden and nobody typed anew stays. */
export const updateVariable = action(
  ({ json, mask }: { json: Schemas["VariableBody"]; mask: string[] }) =>
    body(
      api.PATCH("/api/v2/variables/{variable_key}", {
        params: { path: { variable_key: json.key }, query: { update_mask: mask } },
        body: json,
      }),
    ),
  () => [["admin", "variables"]],
);

export const deleteVariable = action(
  (key: string) => body(api.DELETE("/api/v2/variables/{variable_key}", { params: { path: { variable_key: key } } })),
  () => [["admin", "variables"]],
);

export const createConnection = action(
  (json: Schemas["ConnectionBody"]) => body(api.POST("/api/v2/connections", { body: json })),
  () => [["admin", "connections"]],
);

/** Only the fields in `mask` are changed: a password that nobody typed stays. */
export const updateConnection = action(
  ({ json, mask }: { json: Schemas["ConnectionBody"]; mask: string[] }) =>
    body(
      api.PATCH("/api/v2/connections/{connection_id}", {
        params: { path: { connection_id: json.connection_id }, query: { update_mask: mask } },
        body: json,
      }),
    ),
  () => [["admin", "connections"]],
);

export const deleteConnection = action(
  (id: string) => body(api.DELETE("/api/v2/connections/{connection_id}", { params: { path: { connection_id: id } } })),
  () => [["admin", "connections"]],
);

export const testConnection = action(
  (json: Schemas["ConnectionBody"]) => body(api.POST("/api/v2/connections/test", { body: json })),
  () => [],
);

export const createUser = action(
  (json: Schemas["UserBody"]) => body(api.POST("/api/v2/users", { body: json })),
  () => [["admin", "users"]],
);

export const updateUser = action(
  ({ username, ...json }: { username: string } & Schemas["UserPatchBody"]) =>
    body(api.PATCH("/api/v2/users/{username}", { params: { path: { username } }, body: json })),
  () => [["admin", "users"], ["me"]],
);

export const deleteUser = action(
  (username: string) => body(api.DELETE("/api/v2/users/{username}", { params: { path: { username } } })),
  () => [["admin", "users"]],
);

/** The answer has the token's secret, this once. */
export const createToken = action(
  (json: Schemas["TokenBody"]) => body(api.POST("/api/v2/tokens", { body: json })),
  () => [["admin", "tokens"]],
);

export const deleteToken = action(
  (id: number) => body(api.DELETE("/api/v2/tokens/{token_id}", { params: { path: { token_id: id } } })),
  () => [["admin", "tokens"]],
);

// --- DAG files ---

/** `etag` is that of the text which was edited; null for a new file. `force` saves a text with errors. */
export const saveFile = action(
  ({ path, ...json }: { path: string } & Schemas["DagFileBody"]) =>
    body(api.PUT("/ui/files/{path}", { params: { path: { path } }, body: json })),
  ({ path }) => [["file", path], ["list"], ["dag"]],
);

export const deleteFile = action(
  ({ path, etag }: { path: string; etag: string }) =>
    body(api.DELETE("/ui/files/{path}", { params: { path: { path }, query: { etag } } })),
  () => [["list"], ["dag"]],
);

// --- many at once ---

export interface Many<T> {
  done: T[];
  failed: { item: T; why: string }[];
}

/** A few at a time, and all of them, whatever happens to one. */
export async function eachOf<T>(items: readonly T[], run: (item: T) => Promise<unknown>, atOnce = 4): Promise<Many<T>> {
  const many: Many<T> = { done: [], failed: [] };
  const rest = [...items];
  async function next(): Promise<void> {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) {
      try {
        await run(item);
        many.done.push(item);
      } catch (error) {
        many.failed.push({ item, why: error instanceof Error ? error.message : String(error) });
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, next));
  return many;
}
