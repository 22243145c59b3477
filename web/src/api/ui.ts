// What the newer `/ui/…` addresses answer, until `npm run api` finds them in the server's description.

export interface RunCard {
  run_id: string;
  state: string;
  run_type: string;
  run_after: string;
  start_date: string | null;
  end_date: string | null;
}

export interface DagCard {
  dag_id: string;
  dag_display_name: string;
  description: string | null;
  is_paused: boolean;
  is_favorite: boolean;
  has_import_errors: boolean;
  tags: string[];
  owners: string[];
  file: string;
  schedule: string | null;
  schedule_words: string;
  timezone: string;
  next_run: string | null;
  can_edit: boolean;
  /** The newest last */
  recent_runs: RunCard[];
  /** Of the newest run */
  task_states: Record<string, number> | null;
}

export interface DagCards {
  dags: DagCard[];
  total_entries: number;
  counts: { all: number; active: number; paused: number };
}

export interface GridTask {
  id: string;
  label: string;
  kind: "task" | "group";
  parent: string | null;
  depth: number;
  operator: string | null;
  is_mapped: boolean;
  is_removed: boolean;
}

export interface GridRun {
  run_id: string;
  state: string;
  run_type: string;
  run_after: string;
  logical_date: string | null;
  data_interval_end: string | null;
  queued_at: string | null;
  start_date: string | null;
  end_date: string | null;
  version_number: number;
  has_note: boolean;
  /** A letter for each row whose kind is "task", in order; see lib/state.ts */
  states: string;
  tries: number[];
  /** Milliseconds since the epoch, when asked for with `times` */
  starts?: (number | null)[];
  ends?: (number | null)[];
}

export interface Grid {
  tasks: GridTask[];
  /** The newest first */
  runs: GridRun[];
  has_more: boolean;
}

export interface GraphNode {
  id: string;
  label: string;
  kind: "task" | "group";
  /** How many tasks a folded group holds; 1 for a task */
  tasks: number;
  parent: string | null;
  operator: string | null;
  trigger_rule: string | null;
  is_mapped: boolean;
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface GraphGroup {
  id: string;
  label: string;
  parent: string | null;
  depth: number;
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface GraphEdge {
  from: string;
  to: string;
  label: string | null;
  points: [number, number][];
}

export interface Graph {
  version_number: number;
  direction: "LR" | "TB";
  width: number;
  height: number;
  nodes: GraphNode[];
  groups: GraphGroup[];
  edges: GraphEdge[];
}

export interface CalendarDay {
  date: string;
  states: { success: number; failed: number; running: number; queued: number };
  planned: number;
}

export interface Calendar {
  days: CalendarDay[];
  is_complete: boolean;
}

export interface GanttBar {
  task_id: string;
  map_index: number;
  try_number: number;
  state: string | null;
  queued_when: string | null;
  start_date: string | null;
  end_date: string | null;
}

export interface Gantt {
  bars: GanttBar[];
  /** Otherwise some tasks miss earlier tries */
  is_complete: boolean;
}

export interface Diagnostic {
  severity: "error" | "warning";
  code: string | null;
  message: string;
  help: string | null;
  /** From 1, as columns are */
  line: number | null;
  column: number | null;
  end_line: number | null;
  end_column: number | null;
}

export interface DagCheck {
  dags: { dag_id: string; graph: Graph | null }[];
  diagnostics: Diagnostic[];
}

export interface DagFileEntry {
  path: string;
  size: number;
  modified: string;
  dag_ids: string[];
  has_errors: boolean;
}

export interface DagFiles {
  can_edit: boolean;
  why_not: string | null;
  files: DagFileEntry[];
}

export interface DagFile {
  path: string;
  text: string;
  etag: string;
}

export interface Process {
  id: string;
  kind: string;
  hostname: string;
  pid: number;
  started_at: string;
  heartbeat_at: string;
  is_alive: boolean;
  version: string;
  queues: string[] | null;
  slots: number | null;
  running: number | null;
}

export interface Processes {
  processes: Process[];
}

/** What `GET /api/v2/events` tells. */
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
