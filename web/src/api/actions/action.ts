// What a change is, and how a page makes one.

import { type QueryKey, useMutation, useQueryClient } from "@tanstack/react-query";

export interface Action<In, Out> {
  run: (input: In) => Promise<Out>;
  /** The beginnings of keys, as in api/queries */
  touches: (input: In) => QueryKey[];
}

export function action<In, Out>(run: (input: In) => Promise<Out>, touches: (input: In) => QueryKey[]): Action<In, Out> {
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

// What changes of a DAG, of one run, and of runs make stale.
export const ofDag = ({ dagId }: { dagId: string }): QueryKey[] => [["dag", dagId], ["list"]];
export const ofRun = ({ dagId, runId }: { dagId: string; runId: string }): QueryKey[] => [
  ["run", dagId, runId],
  ["dag", dagId, "runs"],
  ["dag", dagId, "count"],
  ["list"],
];
export const ofRuns = ({ dagId }: { dagId: string }): QueryKey[] =>
  dagId === "~"
    ? [["run"], ["dag"], ["list"]]
    : [["run", dagId], ["dag", dagId, "runs"], ["dag", dagId, "count"], ["list"]];
