// Whether the DAG of a run was changed since, and whether the run could go on as the DAG is now.

import { useQuery } from "@tanstack/react-query";
import { dagQuery, dagTasksQuery, runQuery, runTasksQuery } from "../../api/queries";

export interface Newest {
  own: number;
  newest: number;
  /** Tasks of the run that the newest version does not have */
  missing: readonly string[];
}

/** `undefined` = not known yet; null = the run has the newest version, or it is about several runs. */
export function useNewest([dagId = "", runId = ""]: readonly string[]): Newest | null | undefined {
  const isOne = runId !== "";
  const dag = useQuery({ ...dagQuery(dagId), enabled: isOne });
  const run = useQuery({ ...runQuery(dagId, runId), enabled: isOne });
  const newest = dag.data?.latest_dag_version?.version_number;
  const own = run.data?.dag_versions.at(-1)?.version_number;
  const isOlder = newest !== undefined && own !== undefined && own < newest;
  const now = useQuery({ ...dagTasksQuery(dagId), enabled: isOlder });
  const then = useQuery({ ...runTasksQuery(dagId, runId), enabled: isOlder });
  if (!isOne || [dag, run, now, then].some((query) => query.isError)) return null;
  if (!dag.data || !run.data) return undefined;
  if (!isOlder) return null;
  if (!now.data || !then.data) return undefined;
  const there = new Set(now.data.tasks.map((task) => task.task_id));
  const ids = new Set(then.data.filter((task) => task.state !== "removed").map((task) => task.task_id));
  return { own, newest, missing: [...ids].filter((id) => !there.has(id)) };
}
