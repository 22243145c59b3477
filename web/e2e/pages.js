// Every page of the UI with something on it: for screenshots, for axe, and for whatever else holds of all pages.

const BROKEN = `dag_id: half_done
tasks:
  - id: extract
    uses: bash
    with: { bash_command: echo 1 }
  - id: load
    uses: bash
    needs: [extrct]
    with: { bash_comand: echo 2 }
`;

/** What `startFlow` is given for it. */
export const FURNISHED = { examples: true, dags: { "half_done.yaml": BROKEN } };

/** What is run beforehand, several times where a list wants more than one. */
const RUN = ["tutorial", "trigger_rules", "branching", "retries_and_timeouts", "log_etl", "log_etl", "log_etl"];
/** What is left under way. */
const GOING = "sensors";
/** What is paused, and so left waiting. */
const PAUSED = "simple_example";

/** Runs the examples and adds what the lists show. Returns what the addresses of the pages need. */
export async function furnish(flow) {
  await Promise.all([...RUN, GOING, PAUSED].map((dagId) => flow.knows(dagId)));
  const started = RUN.map(async (dagId) => {
    const runId = await flow.trigger(dagId, dagId === "branching" ? { size: 50 } : {});
    await flow.ended(dagId, runId);
    return { dagId, runId };
  });
  await flow.ask("POST", "/api/v2/connections", {
    connection_id: "warehouse",
    conn_type: "postgres",
    host: "db.example.org",
    port: 5432,
    login: "etl",
    password: "not shown",
    description: "Where the reports are",
  });
  await flow.ask("POST", "/api/v2/variables", { key: "region", value: "eu-north", description: "Where we buy" });
  await flow.ask("POST", "/api/v2/variables", {
    key: "api_key",
    value: "not shown",
    description: "Of the weather service",
  });
  await flow.ask("POST", "/api/v2/pools", { name: "warehouse", slots: 4, description: "No more queries at once" });
  await flow.ask("POST", "/api/v2/users", { username: "ada", role: "Op", password: "correct horse" });
  await flow.ask("POST", "/api/v2/tokens", { name: "ci", expires_in: 90 * 86_400 });
  const runs = await Promise.all(started);
  await flow.ask("PATCH", `/api/v2/dags/${PAUSED}`, { is_paused: true });
  const waiting = { dagId: PAUSED, runId: await flow.trigger(PAUSED) };
  await flow.trigger(GOING);
  const last = (dagId) => runs.findLast((run) => run.dagId === dagId);
  return { run: last("log_etl"), retried: last("retries_and_timeouts"), waiting };
}

/**
 * Returns every page: its name, its address, and who looks at it.
 *
 * @param {Awaited<ReturnType<typeof furnish>>} seen
 * @returns {{ name: string, path: string, user: string | null }[]}
 */
export function pages({ run, retried, waiting }) {
  const addressOf = ({ dagId, runId }) => `/dags/${dagId}/runs/${encodeURIComponent(runId)}`;
  const dag = `/dags/${run.dagId}`;
  const ofRun = addressOf(run);
  const ofTask = `${addressOf(retried)}/tasks/third_time_lucky`;
  const at = `?run_id=${encodeURIComponent(run.runId)}`;
  const paths = {
    dags: "/",
    "dag-grid": dag,
    "dag-graph": `${dag}/graph${at}`,
    "dag-duration": `${dag}/duration`,
    "dag-landing": `${dag}/landing`,
    "dag-gantt": `${dag}/gantt${at}`,
    "dag-calendar": `${dag}/calendar`,
    "dag-runs": `${dag}/runs`,
    "dag-code": `${dag}/code`,
    "dag-events": `${dag}/events`,
    "dag-details": `${dag}/details`,
    "dag-trigger": "/dags/branching/trigger",
    run: ofRun,
    "run-graph": `${ofRun}/graph`,
    "run-gantt": `${ofRun}/gantt`,
    "run-details": `${ofRun}/details`,
    "run-callbacks": `${ofRun}/callbacks`,
    "run-events": `${ofRun}/events`,
    "task-log": ofTask,
    "task-rendered": `${ofTask}/rendered`,
    "task-xcom": `${ofTask}/xcom`,
    "task-tries": `${ofTask}/tries`,
    "task-details": `${ofTask}/details`,
    "task-callbacks": `${ofTask}/callbacks`,
    "task-events": `${ofTask}/events`,
    "task-waiting": `${addressOf(waiting)}/tasks/print_hello`,
    "browse-runs": "/browse/runs",
    "browse-tasks": "/browse/tasks",
    "browse-events": "/browse/events",
    "browse-callbacks": "/browse/callbacks",
    "browse-errors": "/browse/errors",
    "admin-pools": "/admin/pools",
    "admin-variables": "/admin/variables",
    "admin-connections": "/admin/connections",
    "admin-users": "/admin/users",
    "admin-tokens": "/admin/tokens",
    "admin-processes": "/admin/processes",
    "admin-config": "/admin/config",
    edit: "/edit",
    "edit-file": "/edit/tutorial.yaml",
    "edit-file-with-errors": "/edit/half_done.yaml",
    "not-found": "/nothing/here",
  };
  const all = Object.entries(paths).map(([name, path]) => ({ name, path, user: "admin" }));
  return [{ name: "login", path: "/login", user: null }, ...all];
}
