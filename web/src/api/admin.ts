// Changes of many variables and connections: one request and one transaction, all or nothing.

import type { VariableEntry } from "../lib/variables";
import type { Action } from "./actions";
import { ApiProblem, api, body } from "./client";
import type { Schemas } from "./types";

type Ends = Schemas["BulkActionResponse"] | null;

/** The names that it was done to. A refusal inside the answer is one like any other. */
function doneOf(ends: Ends): string[] {
  const [error] = ends?.errors ?? [];
  if (error) throw new ApiProblem(Number(error.status_code) || 400, String(error.error));
  return ends?.success ?? [];
}

/** Those that are gone already are no trouble. */
const REMOVAL = { action: "delete", action_on_non_existence: "skip" } as const;

export const deleteVariables: Action<string[], string[]> = {
  run: async (keys) => {
    const actions = [{ ...REMOVAL, entities: keys }];
    return doneOf((await body(api.PATCH("/api/v2/variables", { body: { actions } }))).delete);
  },
  touches: () => [["admin", "variables"]],
};

export const deleteConnections: Action<string[], string[]> = {
  run: async (ids) => {
    const actions = [{ ...REMOVAL, entities: ids }];
    return doneOf((await body(api.PATCH("/api/v2/connections", { body: { actions } }))).delete);
  },
  touches: () => [["admin", "connections"]],
};

/** What to do with keys that are there already */
export type OnExisting = "overwrite" | "skip" | "fail";

/** The keys that were set. */
export const importVariables: Action<{ entries: VariableEntry[]; onExisting: OnExisting }, string[]> = {
  run: async ({ entries, onExisting }) => {
    const actions = [{ action: "create" as const, action_on_existence: onExisting, entities: entries }];
    return doneOf((await body(api.PATCH("/api/v2/variables", { body: { actions } }))).create);
  },
  touches: () => [["admin", "variables"]],
};
