// Events of the audit log in words.

/** What the scheduler and workers do by themselves, all the time. */
export const STATE_EVENTS = ["task_state", "run_state"] as const;

const WORDS: Record<string, string> = {
  task_state: "task",
  run_state: "run",
  run_note: "note of a run",
  run_deleted: "run deleted",
  task_deleted: "task instance deleted",
  dag_created: "DAG is new",
  dag_changed: "DAG changed",
  dag_paused: "DAG paused",
  dag_unpaused: "DAG goes on",
  dag_deleted: "DAG deleted",
  dag_stale: "file of the DAG is gone",
  login: "logged in",
  login_failed: "log-in failed",
  logout: "logged out",
};

/** "trigger_dag_run" → "trigger DAG run": names of requests and of newer servers read well enough. */
export function eventWords(kind: string): string {
  return (
    WORDS[kind] ??
    kind
      .replaceAll("_", " ")
      .replace(/\bdags?\b|\bxcoms?\b/g, (word) =>
        word.startsWith("d") ? word.replace("dag", "DAG") : word.replace("xcom", "XCom"),
      )
  );
}

export interface EventDetail {
  /** Of a change of state */
  state: string | null;
  /** "PATCH /api/v2/dags/a": the request that asked for it */
  request: string | null;
  /** Where it came from */
  address: string | null;
  text: string | null;
}

/** Takes the details of an event apart: they are one text in the API, as in Airflow. */
export function eventDetail(kind: string, extra: string | null): EventDetail {
  const none = { state: null, request: null, address: null, text: null };
  if (!extra) return none;
  if ((STATE_EVENTS as readonly string[]).includes(kind)) {
    const [, state = extra, text] = /^(\w+): (.*)$/s.exec(extra) ?? [];
    return { ...none, state, text: text ?? null };
  }
  const from = /^(?:(.*?) ?)?\bfrom ([0-9a-fA-F.:]+)$/s.exec(extra);
  const rest = from ? (from[1] ?? "") : extra;
  const isRequest = /^(?:POST|PUT|PATCH|DELETE) \/\S*$/.test(rest);
  return {
    state: null,
    request: isRequest ? readable(rest) : null,
    address: from?.[2] ?? null,
    text: isRequest || rest === "" ? null : rest,
  };
}

/** Ids in a path are escaped; people read them better as they are. */
function readable(request: string): string {
  try {
    return decodeURIComponent(request);
  } catch {
    return request;
  }
}
