// Short names for what the server answers. The types themselves are generated: see schema.ts.

import type { components } from "./schema";

export type Schemas = components["schemas"];

export type Me = Schemas["MeResponse"];

export type Dag = Schemas["DAGResponse"];
export type DagDetails = Schemas["DAGDetailsResponse"];
export type DagVersion = Schemas["DagVersionResponse"];
export type DagTask = Schemas["TaskResponse"];
export type DagCard = Schemas["DagCard"];
export type DagCards = Schemas["DagCards"];

export type DagRun = Schemas["DAGRunResponse"];
export type RunCard = Schemas["RunCard"];
export type TaskInstance = Schemas["TaskInstanceResponse"];
export type TaskTry = Schemas["TaskInstanceHistoryResponse"];
export type TaskOfRun = Schemas["TaskOfRun"];
export type WaitReason = Schemas["WaitReason"];

export type Grid = Schemas["GridResponse"];
export type GridRun = Schemas["GridRun"];
export type GridTask = Schemas["GridTask"];
export type Graph = Schemas["GraphResponse"];
export type GraphNode = Schemas["GraphNode"];
export type GraphGroup = Schemas["GraphGroup"];
export type GraphEdge = Schemas["GraphEdge"];
export type Calendar = Schemas["CalendarResponse"];
export type CalendarDay = Schemas["CalendarDay"];

export type AuditEvent = Schemas["EventLogResponse"];
export type Callback = Schemas["CallbackResponse"];
export type ImportError = Schemas["ImportErrorResponse"];

export type Pool = Schemas["PoolResponse"];
export type Variable = Schemas["VariableResponse"];
export type Connection = Schemas["ConnectionResponse"];
export type User = Schemas["UserResponse"];
export type Token = Schemas["TokenResponse"];
export type Process = Schemas["ProcessResponse"];

export type DagFile = Schemas["DagFileResponse"];
export type DagFiles = Schemas["DagFilesResponse"];
export type DagFileEntry = Schemas["DagFileInList"];
export type DagCheck = Schemas["DagTextResponse"];
export type Diagnostic = Schemas["DagDiagnostic"];

/** The `data` of an event of `GET /api/v2/events`: streams are not in the description. */
export interface LiveEvent {
  kind: string;
  dag_id: string | null;
  run_id: string | null;
  task_id: string | null;
  map_index: number | null;
  try_number: number | null;
  state: string | null;
  at: string;
}
