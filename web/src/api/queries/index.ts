// Every question to the server: its key and its fetch in one place.
//
// Keys begin with what makes them stale (see live.ts):
//   ["dag", dagId, "runs", …]   moves whenever a run of the DAG does
//   ["dag", dagId, "count", …]  moves when a run is made or ends, not with each of its tasks
//   ["dag", dagId, "text", …]   moves only when the DAG itself changes
//   ["run", dagId, runId, …]    moves with one run
//   ["list", …]                 across DAGs
//   ["admin", …], ["me"]

export type * from "../types";
export * from "./admin";
export * from "./dags";
export * from "./events";
export * from "./files";
export { ALL } from "./filter";
export * from "./runs";
export * from "./session";
export * from "./tasks";
export * from "./views";
