// Events of the audit log in words.

/** What the scheduler and workers do by themselves, all the time. */
export const STATE_EVENTS = ["task_state", "run_state"] as const;

/** Requests of which an event of its own tells, in better words. */
export const TOLD_TWICE = [
  "patch_dag",
  "patch_dags",
  "delete_dag",
  "delete_dag_run",
  "delete_task_instance",
  "post_user",
  "patch_user",
  "delete_user",
  "post_token",
  "delete_token",
] as const;

const WORDS: Record<string, string> = {
  task_state: "task",
  run_state: "run",
  run_note: "changed the note of the run",
  run_deleted: "deleted the run",
  task_deleted: "deleted the task instance",
  dag_created: "DAG is new",
  dag_changed: "DAG changed",
  dag_paused: "paused the DAG",
  dag_unpaused: "let the DAG go on",
  dag_deleted: "deleted the DAG",
  dag_stale: "file of the DAG is gone",
  login: "logged in",
  login_failed: "log-in failed",
  logout: "logged out",
  user_created: "added user",
  user_changed: "changed user",
  user_deleted: "deleted user",
  token_created: "made token",
  token_revoked: "revoked token",
  // Requests. A name that follows is the last part of their address.
  trigger_dag_run: "triggered a run",
  patch_dag: "paused the DAG, or let it go on",
  edit_dag_run: "cleared, marked or cancelled a run",
  post_clear_task_instances: "cleared task instances",
  clear_dag_run: "cleared the run",
  clear_dag_runs: "cleared runs",
  patch_dag_run: "changed the run",
  bulk_dag_runs: "changed runs",
  bulk_task_instances: "changed task instances",
  patch_task_instance: "marked task instances",
  patch_mapped_task_instance: "marked task instances",
  patch_task_group_instances: "marked a group of tasks",
  create_xcom_entry: "added an XCom entry",
  update_xcom_entry: "changed XCom entry …",
  delete_xcom_entry: "deleted XCom entry …",
  put_dag_file: "saved file …",
  delete_dag_file: "deleted file …",
  reparse_dag_file: "read a DAG file again",
  post_connection: "added a connection",
  patch_connection: "changed connection …",
  delete_connection: "deleted connection …",
  test_connection: "tested a connection",
  bulk_connections: "changed connections",
  post_variable: "added a variable",
  patch_variable: "changed variable …",
  delete_variable: "deleted variable …",
  bulk_variables: "changed variables",
  post_pool: "added a pool",
  patch_pool: "changed pool …",
  delete_pool: "deleted pool …",
  bulk_pools: "changed pools",
  retry_callback: "tried a callback again",
  favorite_dag: "made the DAG a favourite",
  unfavorite_dag: "made the DAG no favourite any more",
};

/** "edit_dag_run", "cleared 3 task instances" → the latter; "patch_pool", "PATCH /api/v2/pools/big" → "changed pool big". */
export function eventWords(kind: string, said: string | null = null, request: string | null = null): string {
  const words = WORDS[kind]?.replace("…", lastPart(request)).trimEnd() ?? plainWords(kind);
  if (said === null) return words;
  return said.startsWith("refused") ? `${words}: ${said}` : said;
}

/** The kinds that read like this: "let the dag" → dag_unpaused. */
export function kindsSaying(text: string): string[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return [];
  return Object.keys(WORDS).filter((kind) => eventWords(kind).toLowerCase().includes(wanted));
}

/** Names of requests and of newer servers read well enough: "list_dags" → "list DAGs". */
function plainWords(kind: string): string {
  return kind
    .replaceAll("_", " ")
    .replace(/\bdags?\b|\bxcoms?\b/g, (word) =>
      word.startsWith("d") ? word.replace("dag", "DAG") : word.replace("xcom", "XCom"),
    );
}

/** "PUT /ui/files/team/a.yaml" → "team/a.yaml": names may hold a slash. */
function lastPart(request: string | null): string {
  return (request && NAME.exec(request)?.[1]) ?? "";
}

const NAME = /^\w+ (?:\/ui\/files|\/api\/v2\/(?:connections|variables|pools)|\/.*\/xcomEntries)\/(.*)$/s;

export interface EventDetail {
  /** Of a change of state */
  state: string | null;
  /** What a request came to: "cleared 3 task instances", "refused (409 conflict)" */
  said: string | null;
  /** "PATCH /api/v2/dags/a": the request that asked for it */
  request: string | null;
  /** Where it came from */
  address: string | null;
  text: string | null;
}

/** Takes the details of an event apart: they are one text in the API, as in Airflow. */
export function eventDetail(kind: string, extra: string | null): EventDetail {
  const none = { state: null, said: null, request: null, address: null, text: null };
  if (!extra) return none;
  if ((STATE_EVENTS as readonly string[]).includes(kind)) {
    const [, state = extra, text] = /^(\w+): (.*)$/s.exec(extra) ?? [];
    return { ...none, state, text: text ?? null };
  }
  const [first = "", second] = extra.split("\n", 2);
  const lines =
    second !== undefined && REQUEST.test(second) ? { said: first, rest: second } : { said: null, rest: extra };
  const from = /^(?:(.*?) ?)?\bfrom ([0-9a-fA-F.:]+)$/s.exec(lines.rest);
  const rest = from ? (from[1] ?? "") : lines.rest;
  const isRequest = REQUEST.test(rest);
  return {
    state: null,
    said: lines.said,
    request: isRequest ? readable(rest) : null,
    address: from?.[2] ?? null,
    text: isRequest || rest === "" ? null : rest,
  };
}

const REQUEST = /^(?:POST|PUT|PATCH|DELETE) \/\S*(?: from \S+)?$/;

/** Ids in a path are escaped; people read them better as they are. */
function readable(request: string): string {
  try {
    return decodeURIComponent(request);
  } catch {
    return request;
  }
}
