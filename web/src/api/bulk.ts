// Changes of many things at once. Each is a request of its own, so each has an end of its own.

import { queryOptions } from "@tanstack/react-query";
import { type Action, deleteDag, type Edit, eachOf, editRun, type Many, previewEdit, triggerDag } from "./actions";
import { api, body } from "./client";
import type { Schemas } from "./types";

export type EditedTask = Schemas["EditedTask"];

/** What an edit would do. */
export interface Foreseen {
  changes: EditedTask[];
  /** Why it would be refused */
  why: string | null;
}

/** Exactly what each of these edits would change, in their order. */
export const foreseenQuery = (edits: readonly Edit[]) =>
  queryOptions({
    // "~": of several runs. Any of them may change it.
    queryKey: ["run", "~", edits],
    queryFn: async ({ signal }) => {
      const foreseen = edits.map((): Foreseen => ({ changes: [], why: null }));
      const { failed } = await eachOf([...edits.entries()], async ([place, edit]) => {
        foreseen[place] = { changes: await previewEdit(edit, signal), why: null };
      });
      for (const { item, why } of failed) foreseen[item[0]] = { changes: [], why };
      return foreseen;
    },
    staleTime: 0,
    gcTime: 0,
  });

/** How many runs a DAG has before it is deleted; null = more than are counted. Asked once: afterwards there is no such DAG. */
export const runCountQuery = (dagId: string) =>
  queryOptions({
    queryKey: ["foreseen", "runs", dagId],
    queryFn: async ({ signal }) => {
      const params = { path: { dag_id: dagId }, query: { limit: 1 } };
      const runs = await body(api.GET("/api/v2/dags/{dag_id}/dagRuns", { params, signal }));
      return runs.total_entries ?? null;
    },
    staleTime: 0,
    gcTime: 0,
  });

function manyOf<T>(run: (item: T) => Promise<unknown>): Action<readonly T[], Many<T>> {
  return { run: (items) => eachOf(items, run), touches: () => [["run"], ["dag"], ["list"]] };
}

export const applyEdits = manyOf<Edit>(editRun.run);
export const deleteDags = manyOf<{ dagId: string }>(deleteDag.run);
/** By hand, with the params' own values. */
export const triggerDags = manyOf<{ dagId: string }>(({ dagId }) => triggerDag.run({ dagId, logical_date: null }));
